#include "team.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "failure.h"

namespace perf {
namespace {

constexpr std::size_t kPage = NCCL_WIN_REQUIRED_ALIGNMENT;
constexpr std::size_t kLine = 256;  // longest text that gather_text carries

std::size_t whole_pages(std::size_t bytes) { return (std::max<std::size_t>(bytes, 1) + kPage - 1) / kPage * kPage; }

ncclRedOp_t operation_of(Op op) {
  switch (op) {
    case Op::kProd: return ncclProd;
    case Op::kMax: return ncclMax;
    case Op::kMin: return ncclMin;
    case Op::kAvg: return ncclAvg;
    default: return ncclSum;
  }
}

}  // namespace

Buffer::Buffer(std::size_t bytes, bool from_nccl) : bytes_(whole_pages(bytes)), from_nccl_(from_nccl) {
  void* memory = nullptr;
  if (from_nccl) {
    check(ncclMemAlloc(&memory, bytes_), "ncclMemAlloc");
  } else {
    memory = std::aligned_alloc(kPage, bytes_);
    if (memory == nullptr) throw Failure("no memory for a buffer of " + std::to_string(bytes_) + " bytes");
  }
  data_ = static_cast<std::byte*>(memory);
  std::memset(data_, 0, bytes_);  // its pages exist from now on
}

Buffer::~Buffer() {
  if (from_nccl_) {
    if (data_ != nullptr) (void)ncclMemFree(data_);
  } else {
    std::free(data_);
  }
}

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_), from_nccl_(other.from_nccl_) {}

void Team::add(int rank, ncclComm_t comm) {
  members_.push_back({rank, comm, Buffer(bytes_, options_.nccl_memory), Buffer(bytes_, options_.nccl_memory), {}, {}});
  operations_.push_back(ncclSum);
}

template <typename Body>
void Team::in_group(const char* name, Body&& body) {
  check(ncclGroupStart(), "ncclGroupStart");
  for (std::size_t i = 0; i < members_.size(); ++i) check(body(members_[i], i), name);
  check(ncclGroupEnd(), name);
  wait();
}

void Team::wait() {
  if (options_.blocking) return;
  for (const Member& member : members_) {
    ncclResult_t state = ncclInProgress;
    while (state == ncclInProgress) {
      check(ncclCommGetAsyncError(member.comm, &state), "ncclCommGetAsyncError");
      if (state == ncclInProgress) sched_yield();
    }
    check(state, "a non-blocking call");
  }
}

void Team::register_buffers() {
  for (const bool send : {true, false}) {
    const auto buffer = [send](Member& member) -> Buffer& { return send ? member.send : member.receive; };
    if (options_.registration == Registration::kBuffer)
      for (Member& member : members_)
        check(
            ncclCommRegister(member.comm, buffer(member).data(), buffer(member).size(), &member.handles.emplace_back()),
            "ncclCommRegister");
    if (options_.registration == Registration::kWindow)
      in_group("ncclCommWindowRegister", [&](Member& member, std::size_t) {
        member.windows.reserve(2);  // the group writes the handles at its end
        return ncclCommWindowRegister(member.comm, buffer(member).data(), buffer(member).size(),
                                      &member.windows.emplace_back(), NCCL_WIN_COLL_SYMMETRIC);
      });
  }
}

void Team::end() {
  for (Member& member : members_) {
    for (void* handle : member.handles) check(ncclCommDeregister(member.comm, handle), "ncclCommDeregister");
    for (ncclWindow_t window : member.windows)
      check(ncclCommWindowDeregister(member.comm, window), "ncclCommWindowDeregister");
  }
  for (const Member& member : members_) check(ncclCommFinalize(member.comm), "ncclCommFinalize");
  wait();
  for (const Member& member : members_) check(ncclCommDestroy(member.comm), "ncclCommDestroy");
}

void Team::make_operation(Data& data) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    operations_[i] = operation_of(data.op());
    if (data.op() != Op::kMulSum) continue;
    std::array<std::byte, 8> scalar{};
    encode(data.type(), data.scalar(members_[i].rank), scalar.data());
    check(ncclRedOpCreatePreMulSum(&operations_[i], scalar.data(), data.type().value, ncclScalarHostImmediate,
                                   members_[i].comm),
          "ncclRedOpCreatePreMulSum");
  }
}

void Team::forget_operation(const Data& data) {
  for (std::size_t i = 0; i < members_.size() && data.op() == Op::kMulSum; ++i)
    check(ncclRedOpDestroy(operations_[i], members_[i].comm), "ncclRedOpDestroy");
}

// In place, the smaller of the two buffers lies inside the larger one, at this rank's block.
std::byte* Team::send_of(const Work& work, const Member& member) const {
  if (!work.in_place) return member.send.data();
  const bool inside = work.collective.send == Blocks::kOne && work.collective.receive == Blocks::kPerRank;
  const std::size_t block = work.count * work.data.type().bytes;
  return member.receive.data() + (inside ? static_cast<std::size_t>(member.rank) * block : 0);
}

std::byte* Team::receive_of(const Work& work, const Member& member) const {
  const bool inside =
      work.in_place && work.collective.send == Blocks::kPerRank && work.collective.receive == Blocks::kOne;
  const std::size_t block = work.count * work.data.type().bytes;
  return member.receive.data() + (inside ? static_cast<std::size_t>(member.rank) * block : 0);
}

void Team::reset(const Work& work) {
  const Collective& collective = work.collective;
  const std::size_t sent = work.count * collective.blocks(collective.send, ranks_);
  const std::size_t received = work.count * collective.blocks(collective.receive, ranks_);
  for (Member& member : members_) {
    std::memset(member.receive.data(), 0, received * work.data.type().bytes);
    work.data.input(member.rank).fill(send_of(work, member), sent, 0);  // after the zeros: in place it lies in them
  }
}

void Team::call_all(const Work& work) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const Member& member = members_[i];
    check(work.collective.call({send_of(work, member), receive_of(work, member), work.count, work.data.type().value,
                                operations_[i], work.root, member.rank, ranks_, member.comm}),
          work.collective.program);
  }
}

void Team::run(const Work& work, int times) {
  const bool grouped = members_.size() > 1 || times > 1;
  if (grouped) check(ncclGroupStart(), "ncclGroupStart");
  for (int i = 0; i < times; ++i) call_all(work);
  if (grouped) check(ncclGroupEnd(), "ncclGroupEnd");
  wait();
}

std::uint64_t Team::count_wrong(const Work& work) {
  std::uint64_t wrong = 0;
  const std::size_t bytes = work.data.type().bytes;
  for (const Member& member : members_) {
    const std::byte* received = receive_of(work, member);
    for (const Piece& piece : work.collective.expect({member.rank, work.root, ranks_, work.count})) {
      const Pattern& pattern = piece.source == Piece::kReduced ? work.data.result() : work.data.input(piece.source);
      wrong += pattern.count_wrong(received + piece.to * bytes, piece.count, piece.start, work.data.tolerance());
    }
  }
  return wrong;
}

std::vector<double> Team::agree(std::vector<double> values, ncclRedOp_t op) {
  std::vector<std::vector<double>> copies(members_.size(), values);
  if (op == ncclSum)  // this thread's contribution counts once
    for (std::size_t i = 1; i < copies.size(); ++i) std::fill(copies[i].begin(), copies[i].end(), 0.0);
  in_group("ncclAllReduce", [&](Member& member, std::size_t i) {
    return ncclAllReduce(copies[i].data(), copies[i].data(), copies[i].size(), ncclFloat64, op, member.comm, nullptr);
  });
  return copies.front();
}

std::vector<std::string> Team::gather_text(const std::vector<std::string>& mine) {
  std::vector<std::vector<char>> all(members_.size());
  std::vector<std::array<char, kLine>> lines(members_.size());
  for (std::size_t i = 0; i < members_.size(); ++i) {
    all[i].resize(kLine * static_cast<std::size_t>(ranks_));
    lines[i].fill('\0');
    mine[i].copy(lines[i].data(), kLine - 1);
  }
  in_group("ncclAllGather", [&](Member& member, std::size_t i) {
    return ncclAllGather(lines[i].data(), all[i].data(), kLine, ncclInt8, member.comm, nullptr);
  });
  std::vector<std::string> texts;
  for (std::size_t rank = 0; rank < static_cast<std::size_t>(ranks_); ++rank)
    texts.emplace_back(&all.front()[rank * kLine]);
  return texts;
}

}  // namespace perf
