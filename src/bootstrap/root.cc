#include "bootstrap/root.h"

#include <sys/resource.h>

#include <algorithm>

#include "bootstrap/id_content.h"
#include "observe/log.h"

namespace amalgam::bootstrap {
namespace {

constexpr std::size_t kNames = 16;
constexpr std::size_t kStrangers = 4;  // hosts that are named
constexpr std::chrono::seconds kKeepFailure{60};
constexpr std::size_t kJoinFrame = 4096;

// A root needs a connection per rank. The soft limit is often 1024 where the hard one allows all we need.
void allow_open_files(std::uint32_t ranks) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  const rlim_t wanted = std::min<rlim_t>(limit.rlim_max, rlim_t{ranks} * 2 + 1024);
  if (ranks < limit.rlim_cur / 2 || wanted <= limit.rlim_cur) return;
  limit.rlim_cur = wanted;
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
    log::debug("raised the limit of open files to {} for {} ranks", wanted, ranks);
}

std::string seconds(std::chrono::milliseconds time) {
  return fmt::format("{:.1f} s", static_cast<double>(time.count()) / 1000);
}

// The text must reach the waiting ranks before their own deadline.
std::chrono::milliseconds margin(std::chrono::milliseconds timeout) {
  return std::min(timeout / 10, std::chrono::milliseconds(300));
}

}  // namespace

Root::Root(Loop& loop, Directory& directory, const Key& key, std::unique_ptr<Listener> listener,
           std::function<void()> finished)
    : loop_(loop), directory_(directory), key_(key), listener_(std::move(listener)), finished_(std::move(finished)) {
  registered_ = directory_.add(key_, kRootTarget, this);
}

Root::~Root() { retire(); }

void Root::retire() {
  if (registered_) directory_.remove(key_, kRootTarget);
  registered_ = false;
  for (const auto& connection : connections_) connection->close_after_flush();
  connections_.clear();
  seats_.clear();
  listener_.reset();
  deadline_.reset();
  retire_.reset();
  if (auto finished = std::exchange(finished_, nullptr)) finished();
}

bool Root::expects(const Hello& hello) { return hello.purpose == Purpose::kJoin && !assigned_; }

void Root::arrive(const Hello& hello, UniqueFd fd) {
  // The callbacks name their connection through this slot; the connection owns them, so a strong reference would be a
  // cycle.
  auto slot = std::make_shared<std::weak_ptr<Connection>>();
  auto weak = weak_from_this();
  Connection::Handlers handlers;
  handlers.limit = [](FrameType type) {
    return type == FrameType::kJoin || type == FrameType::kError ? kJoinFrame : std::size_t{0};
  };
  handlers.on_frame = [weak, slot, rank = hello.from](FrameType type, std::vector<std::byte> payload) {
    if (auto self = weak.lock()) self->on_frame(slot->lock(), rank, type, payload);
  };
  handlers.on_close = [weak, slot](const Status& cause) {
    if (auto self = weak.lock()) self->on_close(slot->lock(), cause);
  };
  std::shared_ptr<Connection> connection = Connection::open(loop_, std::move(fd), std::move(handlers));
  *slot = connection;
  if (failed()) {
    connection->send(FrameType::kError, encode(failure_));
    connection->close_after_flush();
    return;
  }
  connections_.insert(std::move(connection));
}

// Anyone may be refused: what is kept and logged of it is bounded, and the rendezvous goes on.
void Root::refused(const SocketAddress& from) {
  if (failed() || assigned_) return;
  const std::string host = from.host();
  if (!refused_.contains(host)) {
    if (refused_.size() >= kStrangers) return;
    log::warn("a process at {} presented another secret than this rendezvous has and was refused: {}", host, advice());
  }
  ++refused_[host];
}

const char* Root::advice() const {
  return secret_advice(listener_ != nullptr ? RootPlace::kFixedAddress : RootPlace::kCreator);
}

std::string Root::refusals() const {
  if (refused_.empty()) return {};
  std::string text;
  for (const auto& [host, count] : refused_)
    text += fmt::format("{} {} connection{} from {}", text.empty() ? ";" : ",", count, count == 1 ? "" : "s", host);
  return fmt::format("{} failed the authentication: {}", text, advice());
}

void Root::on_frame(const std::shared_ptr<Connection>& connection, std::uint32_t rank, FrameType type,
                    ConstBytes payload) {
  if (failed() || connection == nullptr) return;
  Status status;
  if (type == FrameType::kJoin) {
    status = seat(connection, rank, payload);
  } else if (!seats_.contains(rank) || seats_[rank].connection != connection) {
    status = Status(Code::kProtocol, fmt::format("rank {} spoke before it joined", rank));
  } else if (type == FrameType::kAttached) {
    attached(rank);
  } else if (type == FrameType::kError) {
    const Status cause = decode_error(payload);
    status = Status(Code::kRemote, seats_[rank].request.contact.text() + " gave up during init: " + cause.message());
  } else {
    status = Status(Code::kProtocol, seats_[rank].request.contact.text() + " sent what the rendezvous does not know");
  }
  if (!status.ok()) fail(status);
}

void Root::on_close(const std::shared_ptr<Connection>& connection, const Status& cause) {
  connections_.erase(connection);
  if (failed()) return;
  for (const auto& [rank, seat] : seats_)
    if (seat.connection == connection)
      return fail(Status(Code::kRemote, seat.request.contact.text() + " died during init: " + cause.message()));
}

Status Root::seat(const std::shared_ptr<Connection>& connection, std::uint32_t rank, ConstBytes payload) {
  Result<JoinRequest> request = decode_join(payload);
  if (!request) return request.status();
  if (request->contact.rank != rank || assigned_)
    return Status(Code::kProtocol, fmt::format("unexpected join of rank {}", rank));
  AMALGAM_TRY(compare(*request));
  const auto timeout = std::chrono::milliseconds(std::clamp<std::uint64_t>(request->timeout_ms, 1, 86400000));
  const TimePoint limit = Clock::now() + timeout - margin(timeout);
  if (ranks_ == 0 || limit < limit_) {
    limit_ = limit;
    allowed_ = timeout;
    deadline_ = Timer(loop_, limit, [this] { fail(deadline_status()); });
  }
  if (ranks_ == 0) allow_open_files(request->ranks);
  ranks_ = request->ranks;
  seats_[rank] = Seat{connection, std::move(*request)};
  if (seats_.size() == ranks_) assign_all();
  return {};
}

Status Root::compare(const JoinRequest& request) const {
  if (seats_.empty()) return {};
  const JoinRequest& first = seats_.begin()->second.request;
  const std::string us = first.contact.text();
  const std::string them = request.contact.text();
  if (request.protocol != first.protocol)
    return Status(Code::kProtocol, fmt::format("{} speaks bootstrap protocol {}, but {} speaks {}", us, first.protocol,
                                               them, request.protocol));
  if (request.library != first.library)
    return Status(Code::kInvalidUsage,
                  fmt::format("{} runs Amalgam {}, but {} runs Amalgam {}: install the same version on every host", us,
                              first.library, them, request.library));
  if (request.ranks != first.ranks)
    return Status(Code::kInvalidUsage,
                  fmt::format("{} was started with {} ranks, but {} with {}", us, first.ranks, them, request.ranks));
  if (auto taken = seats_.find(request.contact.rank); taken != seats_.end())
    return Status(Code::kInvalidUsage, fmt::format("two processes joined as rank {}: {} and {}", request.contact.rank,
                                                   taken->second.request.contact.text(), them));
  return {};
}

void Root::assign_all() {
  assigned_ = true;
  Assignment assignment;
  if (Status random = fill_random(assignment.session); !random.ok()) return fail(random);
  for (auto& [rank, seat] : seats_) {
    assignment.parent.clear();
    assignment.children.clear();
    if (rank > 0) assignment.parent.push_back(seats_[parent_of(rank)].request.contact);
    for (std::uint32_t child : children_of(rank, ranks_)) assignment.children.push_back(seats_[child].request.contact);
    seat.connection->send(FrameType::kAssign, encode(assignment));
  }
}

void Root::attached(std::uint32_t rank) {
  Seat& seat = seats_[rank];
  if (!assigned_ || seat.attached)
    return fail(Status(Code::kProtocol, seat.request.contact.text() + " is out of step with the rendezvous"));
  seat.attached = true;
  if (++attached_ == ranks_) release_all();
}

void Root::release_all() {
  for (auto& [rank, seat] : seats_) seat.connection->send(FrameType::kGo);
  loop_.post([self = shared_from_this()] { self->retire(); });  // not inside a connection's callback
}

void Root::fail(const Status& reason) {
  if (failed()) return;
  failure_ = reason;
  log::warn("init failed: {}", reason.message());
  for (const auto& connection : connections_) {
    connection->send(FrameType::kError, encode(failure_));
    connection->close_after_flush();
  }
  connections_.clear();
  seats_.clear();
  deadline_.reset();
  // A fixed address may be used again at once, a unique id may not.
  const TimePoint until = Clock::now() + (listener_ == nullptr ? kKeepFailure : std::chrono::seconds(0));
  retire_ = Timer(loop_, until, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->retire();
  });
}

Status Root::deadline_status() const {
  std::vector<std::uint32_t> names;
  std::size_t missing = 0;
  for (std::uint32_t rank = 0; rank < ranks_; ++rank) {
    auto found = seats_.find(rank);
    if (found != seats_.end() && (!assigned_ || found->second.attached)) continue;
    ++missing;
    if (names.size() < kNames) names.push_back(rank);
  }
  const char* verb = missing == 1 ? "has" : "have";
  const char* what = assigned_ ? "joined but could not connect to all tree neighbours" : "not joined";
  return Status(Code::kTimeout, fmt::format("init timed out after {}: {} {} {}{}", seconds(allowed_),
                                            list_ranks(names, missing), verb, what, assigned_ ? "" : refusals()));
}

}  // namespace amalgam::bootstrap
