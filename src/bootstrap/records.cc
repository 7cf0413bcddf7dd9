#include "bootstrap/records.h"

#include <algorithm>

#include "base/wire.h"

namespace amalgam::bootstrap {
namespace {

constexpr std::uint32_t kNobody = 0xffffffff;

std::chrono::milliseconds less(std::chrono::milliseconds allowed) { return allowed * 4 / 5; }

Status malformed() { return Status(Code::kProtocol, "malformed flight record frame"); }

Payload share(Writer writer) { return std::make_shared<const std::vector<std::byte>>(writer.take()); }

}  // namespace

Records::Records(Loop& loop, std::uint32_t rank, std::uint32_t ranks, Ways ways)
    : loop_(loop), rank_(rank), ranks_(ranks), ways_(std::move(ways)) {}

void Records::ask(std::chrono::milliseconds timeout, std::shared_ptr<RecordsOutcome> outcome) {
  Open open;
  open.outcome = std::move(outcome);
  start({rank_, next_++}, std::move(open), timeout, kNobody);
}

Status Records::on_request(std::uint32_t from, ConstBytes payload) {
  Reader reader(payload);
  Name name;
  name.first = reader.integer<std::uint32_t>();
  name.second = reader.integer<std::uint64_t>();
  const auto allowed = reader.integer<std::uint32_t>();
  if (!reader.finished() || open_.contains(name) || open_.size() >= kOpen) return malformed();
  Open open;
  open.asker = from;
  start(name, std::move(open), std::chrono::milliseconds(allowed), from);
  return {};
}

void Records::start(Name name, Open open, std::chrono::milliseconds allowed, std::uint32_t except) {
  const std::chrono::milliseconds onward = less(allowed);
  Writer writer;
  writer.integer(name.first)
      .integer(name.second)
      .integer(static_cast<std::uint32_t>(std::clamp<std::int64_t>(onward.count(), 0, 3600000)));
  const Payload request = share(std::move(writer));
  add(open, rank_, ways_.own());
  for (std::uint32_t neighbour : ways_.neighbours())
    if (neighbour != except) open.awaited.insert(neighbour);
  open.limit = Timer(loop_, Clock::now() + allowed, [this, name] { finish(name); });
  Open& placed = open_[name] = std::move(open);
  const std::set<std::uint32_t> asked = placed.awaited;
  if (asked.empty()) return finish(name);
  for (std::uint32_t neighbour : asked) ways_.send(neighbour, FrameType::kRecordRequest, request);
}

Status Records::on_reply(std::uint32_t from, ConstBytes payload) {
  Reader reader(payload);
  Name name;
  name.first = reader.integer<std::uint32_t>();
  name.second = reader.integer<std::uint64_t>();
  const auto entries = reader.integer<std::uint32_t>();
  if (!reader.ok() || entries > ranks_) return malformed();
  auto found = open_.find(name);
  if (found == open_.end()) return {};  // too late
  for (std::uint32_t i = 0; i < entries; ++i) {
    const auto rank = reader.integer<std::uint32_t>();
    const ConstBytes blob = reader.blob();
    if (!reader.ok() || rank >= ranks_) return malformed();
    add(found->second, rank, blob);
  }
  if (!reader.finished()) return malformed();
  if (found->second.awaited.erase(from) > 0 && found->second.awaited.empty()) finish(name);
  return {};
}

void Records::add(Open& open, std::uint32_t rank, ConstBytes blob) {
  const std::size_t cost = blob.size() + 8;
  if (blob.size() > kRecordBytes || open.bytes + cost + 64 > kReplyBytes) return;
  if (open.entries.emplace(rank, std::vector<std::byte>(blob.begin(), blob.end())).second) open.bytes += cost;
}

void Records::on_gone(std::uint32_t neighbour) {
  std::vector<Name> complete;
  for (auto& [name, open] : open_)
    if (open.awaited.erase(neighbour) > 0 && open.awaited.empty()) complete.push_back(name);
  for (const Name& name : complete) finish(name);
}

void Records::finish_all() {
  while (!open_.empty()) finish(open_.begin()->first);
}

void Records::finish(Name name) {
  auto node = open_.extract(name);
  if (node.empty()) return;
  Open& open = node.mapped();
  if (open.outcome != nullptr) {
    std::vector<std::vector<std::byte>> records(ranks_);
    for (auto& [rank, blob] : open.entries) records[rank] = std::move(blob);
    open.outcome->set(std::move(records));
    return;
  }
  Writer writer;
  writer.integer(name.first).integer(name.second).integer(static_cast<std::uint32_t>(open.entries.size()));
  for (const auto& [rank, blob] : open.entries) writer.integer(rank).blob(blob);
  ways_.send(open.asker, FrameType::kRecordReply, share(std::move(writer)));
}

}  // namespace amalgam::bootstrap
