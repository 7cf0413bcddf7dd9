#include "team.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "failure.h"

namespace perf {
namespace {

constexpr std::size_t kPage = NCCL_WIN_REQUIRED_ALIGNMENT;
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

Buffer::Buffer(const Seat& seat, std::size_t bytes, bool from_nccl)
    : seat_(seat), bytes_(whole_pages(bytes)), from_nccl_(from_nccl) {
  seat_.use();
  if (from_nccl) {
    void* memory = nullptr;
    check(ncclMemAlloc(&memory, bytes_), "ncclMemAlloc");
    data_ = static_cast<std::byte*>(memory);
  } else {
    data_ = seat_.allocate(bytes_);
  }
  seat_.clear(data_, bytes_);  // its pages exist from now on
}

Buffer::~Buffer() {
  if (data_ == nullptr) return;
  if (from_nccl_) {
    (void)ncclMemFree(data_);
  } else {
    seat_.release(data_);
  }
}

Buffer::Buffer(Buffer&& other) noexcept
    : seat_(other.seat_),
      data_(std::exchange(other.data_, nullptr)),
      bytes_(other.bytes_),
      from_nccl_(other.from_nccl_) {}

void Team::add(int rank, ncclComm_t comm, const Seat& seat) {
  members_.push_back({rank,
                      comm,
                      seat,
                      Buffer(seat, bytes_, options_.nccl_memory),
                      Buffer(seat, bytes_, options_.nccl_memory),
                      Buffer(seat, scratch_bytes(), false),
                      {},
                      {}});
  operations_.push_back(ncclSum);
}

void Team::use_seat() const { members_.front().seat.use(); }

void Team::wait_for_streams() const {
  for (const Member& member : members_) member.seat.wait();
}

void Team::run_once(const Work& work) {
  run(work, 1);
  wait_for_streams();
}

template <typename Body>
void Team::in_group(const char* name, Body&& body) {
  check(ncclGroupStart(), "ncclGroupStart");
  for (std::size_t i = 0; i < members_.size(); ++i) check(body(members_[i], i), name);
  check(ncclGroupEnd(), name);
  wait();
  wait_for_streams();
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
    member.seat.clear(member.receive.data(), received * work.data.type().bytes);
    fill(member, work.data.input(member.rank), send_of(work, member),
         sent);  // after the zeros: in place it lies in them
  }
}

void Team::fill(const Member& member, const Pattern& pattern, std::byte* to, std::size_t count) {
  if (!member.seat.on_device()) return pattern.fill(to, count, 0);
  host_copy_.resize(count * pattern.type().bytes);
  pattern.fill(host_copy_.data(), count, 0);
  member.seat.write(to, host_copy_.data(), host_copy_.size());
}

void Team::call_all(const Work& work) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const Member& member = members_[i];
    check(work.collective.call({send_of(work, member), receive_of(work, member), work.count, work.data.type().value,
                                operations_[i], work.root, member.rank, ranks_, member.comm, member.seat.stream()}),
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
    if (member.seat.on_device()) {
      host_copy_.resize(work.count * work.collective.blocks(work.collective.receive, ranks_) * bytes);
      member.seat.read(host_copy_.data(), received, host_copy_.size());
      received = host_copy_.data();
    }
    for (const Piece& piece : work.collective.expect({member.rank, work.root, ranks_, work.count})) {
      const Pattern& pattern = piece.source == Piece::kReduced ? work.data.result() : work.data.input(piece.source);
      wrong += pattern.count_wrong(received + piece.to * bytes, piece.count, piece.start, work.data.tolerance());
    }
  }
  return wrong;
}

std::vector<double> Team::agree(std::vector<double> values, ncclRedOp_t op) {
  const std::size_t most = scratch_bytes() / sizeof(double);
  for (std::size_t at = 0; at < values.size(); at += most) {
    const std::span part = std::span(values).subspan(at, std::min(most, values.size() - at));
    const std::vector<double> nothing(part.size(), 0.0);
    for (std::size_t i = 0; i < members_.size(); ++i) {  // this thread's contribution to a sum counts once
      const double* mine = i > 0 && op == ncclSum ? nothing.data() : part.data();
      members_[i].seat.write(members_[i].scratch.data(), reinterpret_cast<const std::byte*>(mine), part.size_bytes());
    }
    in_group("ncclAllReduce", [&](Member& member, std::size_t) {
      std::byte* scratch = member.scratch.data();
      return ncclAllReduce(scratch, scratch, part.size(), ncclFloat64, op, member.comm, member.seat.stream());
    });
    first().seat.read(reinterpret_cast<std::byte*>(part.data()), first().scratch.data(), part.size_bytes());
  }
  return values;
}

// In memory that lasts: a release on a device may wait for its other ranks' work, which may wait for this thread.
std::vector<std::string> Team::gather_text(const std::vector<std::string>& mine) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    std::array<char, kLine> line{};
    mine[i].copy(line.data(), kLine - 1);
    members_[i].seat.write(members_[i].scratch.data(), reinterpret_cast<const std::byte*>(line.data()), kLine);
  }
  in_group("ncclAllGather", [&](Member& member, std::size_t) {
    std::byte* scratch = member.scratch.data();
    return ncclAllGather(scratch, scratch + kLine, kLine, ncclInt8, member.comm, member.seat.stream());
  });
  std::vector<char> lines(kLine * static_cast<std::size_t>(ranks_));
  first().seat.read(reinterpret_cast<std::byte*>(lines.data()), first().scratch.data() + kLine, lines.size());
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < lines.size(); at += kLine) texts.emplace_back(&lines[at]);
  return texts;
}

}  // namespace perf
