#include "bootstrap/gather.h"

#include <algorithm>

#include "base/wire.h"

namespace amalgam::bootstrap {
namespace {

constexpr std::uint64_t kCallsAhead = 4096;  // how far one rank may run ahead of another
constexpr std::size_t kNames = 16;

Status malformed(const char* what) { return Status(Code::kProtocol, std::string("malformed gather: ") + what); }

std::vector<std::byte> copy_of(ConstBytes bytes) { return std::vector<std::byte>(bytes.begin(), bytes.end()); }

Payload share(Writer writer) { return std::make_shared<const std::vector<std::byte>>(writer.take()); }

}  // namespace

Result<std::vector<std::vector<std::byte>>> decode_gathered(const Payload& payload, std::uint32_t ranks) {
  Reader reader(*payload);
  reader.integer<std::uint64_t>();
  std::vector<std::vector<std::byte>> result;
  result.reserve(ranks);
  for (std::uint32_t rank = 0; rank < ranks && reader.ok(); ++rank) result.push_back(copy_of(reader.blob()));
  if (!reader.finished()) return malformed("result");
  return result;
}

Gather::Gather(std::uint32_t rank, std::uint32_t ranks, Sender sender)
    : rank_(rank), ranks_(ranks), expected_(subtree_size(rank, ranks)), sender_(std::move(sender)) {}

Status Gather::contribute(std::vector<std::byte> mine, std::shared_ptr<GatherOutcome> outcome) {
  const std::uint64_t number = next_own_++;
  calls_[number].outcome = std::move(outcome);
  return add(number, rank_, std::move(mine));
}

Status Gather::from_child(std::uint32_t child, ConstBytes payload) {
  Reader reader(payload);
  const auto number = reader.integer<std::uint64_t>();
  const auto entries = reader.integer<std::uint32_t>();
  if (number < next_down_ || number - next_down_ > kCallsAhead) return malformed("call number");
  if (entries != subtree_size(child, ranks_)) return malformed("number of entries");
  for (std::uint32_t i = 0; i < entries; ++i) {
    const auto rank = reader.integer<std::uint32_t>();
    const ConstBytes blob = reader.blob();
    if (!reader.ok() || !in_subtree(rank, child)) return malformed("entry");
    AMALGAM_TRY(add(number, rank, copy_of(blob)));
  }
  return reader.finished() ? Status() : malformed("length");
}

bool Gather::in_subtree(std::uint32_t rank, std::uint32_t top) const {
  if (rank >= ranks_) return false;
  while (rank > top) rank = parent_of(rank);
  return rank == top;
}

Status Gather::add(std::uint64_t number, std::uint32_t rank, std::vector<std::byte> blob) {
  Call& call = calls_[number];
  call.bytes += blob.size();
  if (call.bytes > kGatherBytes)
    return Status(Code::kInvalidArgument, "an allgather of the control plane exceeds 64 MiB in all");
  if (!call.entries.emplace(rank, std::move(blob)).second) return malformed("an entry twice");
  if (call.entries.size() == expected_) pass_on(number);
  return {};
}

void Gather::pass_on(std::uint64_t number) {
  auto node = calls_.extract(number);
  Call& call = node.mapped();
  waiting_[number] = std::move(call.outcome);
  Writer writer;
  writer.integer(number);
  if (rank_ == 0) {
    for (const auto& [rank, blob] : call.entries) writer.blob(blob);
    const Payload whole = share(std::move(writer));
    sender_.down(whole);
    return deliver(number, whole);
  }
  writer.integer(static_cast<std::uint32_t>(call.entries.size()));
  for (const auto& [rank, blob] : call.entries) writer.integer(rank).blob(blob);
  sender_.up(share(std::move(writer)));
}

Status Gather::from_parent(std::vector<std::byte> payload) {
  Reader reader(payload);
  const auto number = reader.integer<std::uint64_t>();
  if (!reader.ok() || number != next_down_ || !waiting_.contains(number)) return malformed("result's call number");
  const Payload whole = std::make_shared<const std::vector<std::byte>>(std::move(payload));
  sender_.down(whole);
  deliver(number, whole);
  return {};
}

void Gather::deliver(std::uint64_t number, const Payload& payload) {
  next_down_ = number + 1;
  auto node = waiting_.extract(number);
  if (!node.empty() && node.mapped() != nullptr) node.mapped()->set(payload);
}

void Gather::fail(const Status& reason) {
  for (auto& [number, call] : calls_)
    if (call.outcome != nullptr) call.outcome->set(reason);
  for (auto& [number, outcome] : waiting_)
    if (outcome != nullptr) outcome->set(reason);
  calls_.clear();
  waiting_.clear();
}

std::string Gather::missing_in_oldest() const {
  if (!waiting_.empty()) return "ranks outside this rank's subtree have not entered it";
  if (calls_.empty()) return "no rank is missing";
  const Call& oldest = calls_.begin()->second;
  std::vector<std::uint32_t> names;
  std::size_t missing = 0;
  for (std::uint32_t rank = rank_; rank < ranks_; ++rank) {
    if (!in_subtree(rank, rank_) || oldest.entries.contains(rank)) continue;
    ++missing;
    if (names.size() < kNames) names.push_back(rank);
  }
  return list_ranks(names, missing) + (missing == 1 ? " has" : " have") + " not entered it";
}

}  // namespace amalgam::bootstrap
