#include "bootstrap/tree.h"

#include <algorithm>

#include "base/wire.h"
#include "observe/log.h"

namespace amalgam::bootstrap {
namespace {

constexpr std::uint32_t kNobody = 0xffffffff;
constexpr int kTicksPerSilence = 4;

std::vector<std::byte> encode_failure(const Failure& failure) {
  Writer writer;
  writer.integer(failure.origin).integer<std::uint8_t>(failure.died ? 1 : 0).raw(encode(failure.reason));
  return writer.take();
}

Payload share(std::vector<std::byte> bytes) { return std::make_shared<const std::vector<std::byte>>(std::move(bytes)); }

}  // namespace

Status Failure::seen_by(std::uint32_t rank) const {
  if (died) return Status(Code::kRemote, reason.message());
  if (rank == origin) return reason;
  const char* verb = reason.code() == Code::kAborted ? " aborted: " : " failed: ";
  return Status(Code::kRemote, "rank " + std::to_string(origin) + verb + reason.message());
}

Tree::Tree(Loop& loop, std::uint32_t rank, std::uint32_t ranks, std::chrono::milliseconds silence, TreeHooks hooks)
    : loop_(loop),
      rank_(rank),
      ranks_(ranks),
      silence_(silence),
      hooks_(std::move(hooks)),
      gather_(rank, ranks,
              {[this](Payload payload) { send_to(parent_of(rank_), FrameType::kGatherUp, std::move(payload)); },
               [this](const Payload& payload) {
                 for (Neighbour& neighbour : neighbours_)
                   if (!neighbour.is_parent) send_to(neighbour.contact.rank, FrameType::kGatherDown, payload);
               }}),
      records_(loop, rank, ranks,
               {[this] { return hooks_.flight_record(); },
                [this] {
                  std::vector<std::uint32_t> reachable;
                  for (const Neighbour& neighbour : neighbours_)
                    if (neighbour.connection != nullptr) reachable.push_back(neighbour.contact.rank);
                  return reachable;
                },
                [this](std::uint32_t to, FrameType type, Payload payload) { send_to(to, type, std::move(payload)); }}) {
}

void Tree::set_neighbours(const Assignment& assignment) {
  for (const Contact& parent : assignment.parent) neighbours_.emplace_back(parent, true);
  for (const Contact& child : assignment.children) neighbours_.emplace_back(child, false);
}

Tree::Neighbour* Tree::find(std::uint32_t rank) {
  for (Neighbour& neighbour : neighbours_)
    if (neighbour.contact.rank == rank) return &neighbour;
  return nullptr;
}

bool Tree::expects_child(std::uint32_t rank) const {
  return std::any_of(neighbours_.begin(), neighbours_.end(), [&](const Neighbour& neighbour) {
    return neighbour.contact.rank == rank && !neighbour.is_parent && neighbour.connection == nullptr && !neighbour.gone;
  });
}

bool Tree::attached() const {
  return std::all_of(neighbours_.begin(), neighbours_.end(),
                     [](const Neighbour& neighbour) { return neighbour.connection != nullptr; });
}

void Tree::attach(std::uint32_t from, UniqueFd fd) {
  Neighbour* neighbour = find(from);
  if (neighbour == nullptr || neighbour->connection != nullptr || neighbour->gone) return;
  Connection::Handlers handlers;
  handlers.limit = [ranks = ranks_](FrameType type) {
    switch (type) {
      case FrameType::kGatherUp:
      case FrameType::kGatherDown: return Gather::frame_limit(ranks);
      case FrameType::kRecordReply: return Records::reply_limit();
      case FrameType::kError:
      case FrameType::kRecordRequest: return kSmallFrame;
      default: return std::size_t{0};
    }
  };
  handlers.on_frame = [this, from](FrameType type, std::vector<std::byte> payload) {
    on_frame(from, type, std::move(payload));
  };
  handlers.on_close = [this, from](const Status& cause) { on_close(from, cause); };
  neighbour->connection = Connection::open(loop_, std::move(fd), std::move(handlers));
  if (tick_.active()) return;
  last_tick_ = Clock::now();
  tick_ = Timer(loop_, last_tick_ + silence_ / kTicksPerSilence, [this] { tick(); });
}

void Tree::send_to(std::uint32_t rank, FrameType type, Payload payload) {
  if (Neighbour* neighbour = find(rank); neighbour != nullptr && neighbour->connection != nullptr)
    neighbour->connection->send(type, std::move(payload));
}

void Tree::flood(FrameType type, const Payload& payload, std::uint32_t except) {
  for (const Neighbour& neighbour : neighbours_)
    if (neighbour.contact.rank != except) send_to(neighbour.contact.rank, type, payload);
}

void Tree::on_frame(std::uint32_t from, FrameType type, std::vector<std::byte> payload) {
  Neighbour& neighbour = *find(from);
  Status status;
  switch (type) {
    case FrameType::kHeartbeat: return;
    case FrameType::kGatherUp:
      if (!broken_.ok()) return;
      status = neighbour.is_parent ? Status(Code::kProtocol, "a gather from above") : gather_.from_child(from, payload);
      break;
    case FrameType::kGatherDown:
      if (!broken_.ok()) return;
      status = neighbour.is_parent ? gather_.from_parent(std::move(payload))
                                   : Status(Code::kProtocol, "a gather's result from below");
      break;
    case FrameType::kError: return on_error_frame(from, payload);
    case FrameType::kGoodbye: neighbour.said_goodbye = true; break;
    case FrameType::kDone: neighbour.said_goodbye = neighbour.said_done = true; return settle();
    case FrameType::kRecordRequest: status = records_.on_request(from, payload); break;
    case FrameType::kRecordReply: status = records_.on_reply(from, payload); break;
    default: status = Status(Code::kProtocol, "a frame of unknown type " + std::to_string(static_cast<int>(type)));
  }
  if (!status.ok()) protocol_error(from, status);
}

void Tree::protocol_error(std::uint32_t from, const Status& cause) {
  const Status reason(cause.code(), find(from)->contact.text() + " sent what cannot be taken: " + cause.message());
  fail_from({rank_, false, reason}, kNobody);
}

void Tree::on_error_frame(std::uint32_t from, ConstBytes payload) {
  Reader reader(payload);
  Failure failure;
  failure.origin = reader.integer<std::uint32_t>();
  failure.died = reader.integer<std::uint8_t>() != 0;
  failure.reason = decode_error(reader.raw(reader.remaining()));
  if (!reader.ok() || failure.origin >= ranks_) return protocol_error(from, Status(Code::kProtocol, "malformed error"));
  fail_from(failure, from);
}

void Tree::on_close(std::uint32_t from, const Status& cause) {
  Neighbour& neighbour = *find(from);
  neighbour.connection = nullptr;
  neighbour.gone = true;
  if (!neighbour.said_goodbye) {
    const Code code = cause.code() == Code::kProtocol ? Code::kProtocol : Code::kRemote;
    fail_from({from, true, Status(code, neighbour.contact.text() + " died: " + cause.message())}, from);
  }
  records_.on_gone(from);
  settle();
}

void Tree::fail(const Failure& failure) { fail_from(failure, kNobody); }

void Tree::fail_from(const Failure& failure, std::uint32_t except) {
  if (!broken_.ok()) return;
  broken_ = failure.seen_by(rank_);
  flood(FrameType::kError, share(encode_failure(failure)), except);
  gather_.fail(broken_);
  if (hooks_.on_failure) hooks_.on_failure(failure);
}

// Own stalls (stopped process, suspended machine) must not look like the silence of all others.
void Tree::tick() {
  const TimePoint now = Clock::now();
  const bool stalled = now - last_tick_ > silence_ / 2;
  last_tick_ = now;
  tick_ = Timer(loop_, now + silence_ / kTicksPerSilence, [this] { tick(); });
  std::vector<std::shared_ptr<Connection>> silent;
  std::vector<std::uint32_t> silent_ranks;
  for (Neighbour& neighbour : neighbours_) {
    if (neighbour.connection == nullptr) continue;
    if (stalled) neighbour.connection->forgive_silence(now);
    if (neighbour.connection->flushed()) neighbour.connection->send(FrameType::kHeartbeat);
    if (now - neighbour.connection->last_received() < silence_ || neighbour.connection->unread()) continue;
    silent.push_back(neighbour.connection);
    silent_ranks.push_back(neighbour.contact.rank);
  }
  for (std::size_t i = 0; i < silent.size(); ++i) {
    silent[i]->close();
    on_close(silent_ranks[i], Status(Code::kRemote, fmt::format("silent for {:.1f} s",
                                                                std::chrono::duration<double>(silence_).count())));
  }
}

void Tree::gather(std::vector<std::byte> mine, std::shared_ptr<GatherOutcome> outcome) {
  if (!broken_.ok()) return outcome->set(broken_);
  if (Status status = gather_.contribute(std::move(mine), std::move(outcome)); !status.ok())
    fail_from({rank_, false, status}, kNobody);
}

void Tree::collect_records(std::chrono::milliseconds timeout, std::shared_ptr<RecordsOutcome> outcome) {
  records_.ask(timeout, std::move(outcome));
}

void Tree::leave() {
  if (left_) return;
  left_ = true;
  gather_.fail(Status(Code::kInvalidUsage, "this rank has left the group"));
  flood(FrameType::kGoodbye, nullptr, kNobody);
  settle();
}

void Tree::settle() {
  if (!left_ || finished_) return;
  const auto over = [](const Neighbour& neighbour) { return neighbour.said_done || neighbour.connection == nullptr; };
  const auto open = std::count_if(neighbours_.begin(), neighbours_.end(),
                                  [&](const Neighbour& neighbour) { return !over(neighbour); });
  for (Neighbour& neighbour : neighbours_) {
    const bool others_done = open == 0 || (open == 1 && !over(neighbour));
    if (!others_done || neighbour.told_done || neighbour.connection == nullptr) continue;
    neighbour.told_done = true;
    neighbour.connection->send(FrameType::kDone);
  }
  if (open > 0) return;
  finished_ = true;
  tick_.reset();
  records_.finish_all();
  for (Neighbour& neighbour : neighbours_)
    if (neighbour.connection != nullptr) neighbour.connection->close_after_flush();
  if (hooks_.on_finished) hooks_.on_finished();
}

}  // namespace amalgam::bootstrap
