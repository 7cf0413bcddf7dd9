#include "bootstrap/member.h"

#include <algorithm>

#include "base/version.h"
#include "observe/log.h"

namespace amalgam::bootstrap {
namespace {

constexpr std::chrono::seconds kGrace{1};  // the root's text about a deadline comes first when it can

const char* root_name(RootPlace place) {
  switch (place) {
    case RootPlace::kFixedAddress: return "the root (rank 0, by NCCL_COMM_ID)";
    case RootPlace::kLeader: return "the root (rank 0 of the new group)";
    case RootPlace::kCreator: break;
  }
  return "the root (the process that made the unique id)";
}

std::string unknown_key(RootPlace place) {
  switch (place) {
    case RootPlace::kFixedAddress:
      return std::string("the root there refused our proof of the secret, its own is another one: ") +
             secret_advice(place);
    case RootPlace::kLeader: return "the process there does not know the new group's secret (yet, or any more)";
    case RootPlace::kCreator: break;
  }
  return std::string(
             "the process there does not know this unique id's secret: the id was used before, or is another "
             "job's; ") +
         secret_advice(place);
}

}  // namespace

std::shared_ptr<Member> Member::create(Loop& loop, Directory& directory, MemberOptions options) {
  return std::shared_ptr<Member>(new Member(loop, directory, std::move(options)));
}

Member::Member(Loop& loop, Directory& directory, MemberOptions options)
    : loop_(loop),
      directory_(directory),
      options_(std::move(options)),
      streams_(std::make_shared<Streams>(loop, options_.rank, options_.listeners)),
      tree_(loop, options_.rank, options_.ranks, options_.silence, tree_hooks()),
      on_error_(std::move(options_.on_error)),
      flight_record_(std::move(options_.flight_record)) {}

Member::~Member() { end(); }

TreeHooks Member::tree_hooks() {
  TreeHooks hooks;
  hooks.on_failure = [this](const Failure& failure) { on_failure(failure); };
  hooks.flight_record = [this] {
    std::lock_guard lock(hooks_mutex_);
    return flight_record_ ? flight_record_() : last_record_;
  };
  hooks.on_finished = [this] { end(); };
  return hooks;
}

void Member::start() {
  self_ = shared_from_this();
  deadline_ = Timer(loop_, options_.deadline + kGrace,
                    [this] { join_failed(Status(Code::kTimeout, "init timed out: " + progress())); });
  DialOptions dial;
  dial.peer = root_name(options_.id.place);
  dial.addresses = options_.id.addresses;
  dial.key = options_.id.secret;
  dial.purpose = Purpose::kJoin;
  dial.from = options_.rank;
  dial.to = kRootTarget;
  dial.deadline = options_.deadline;
  dial.patient = options_.id.place != RootPlace::kCreator;  // rank 0 may come later than we
  dial.early = options_.id.place == RootPlace::kLeader;     // on listeners that are there before
  dial.unknown_key = unknown_key(options_.id.place);
  dialer_ = std::make_unique<Dialer>(loop_, std::move(dial), [this](Result<UniqueFd> fd) {
    if (!fd) return join_failed(fd.status());
    at_root(fd.take());
  });
}

void Member::at_root(UniqueFd fd) {
  Connection::Handlers handlers;
  handlers.limit = [](FrameType type) {
    return type == FrameType::kAssign ? std::size_t{64 << 10} : type == FrameType::kError ? kSmallFrame : 0;
  };
  handlers.on_frame = [this](FrameType type, std::vector<std::byte> payload) { on_root_frame(type, payload); };
  handlers.on_close = [this](const Status& cause) { on_root_close(cause); };
  root_ = Connection::open(loop_, std::move(fd), std::move(handlers));
  dialer_.reset();
  JoinRequest request;
  request.ranks = options_.ranks;
  request.protocol = kProtocolVersion;
  request.library = library_version();
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(options_.deadline - Clock::now());
  request.timeout_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(1, left.count()));
  request.contact = own_contact(options_.rank, options_.listeners);
  root_->send(FrameType::kJoin, encode(request));
  state_ = State::kWaitAssignment;
}

void Member::on_root_frame(FrameType type, ConstBytes payload) {
  if (type == FrameType::kError) return join_failed(decode_error(payload));
  if (type == FrameType::kAssign && state_ == State::kWaitAssignment) return assigned(payload);
  if (type == FrameType::kGo && state_ == State::kWaitGo) return go();
  join_failed(Status(Code::kProtocol, "the root is out of step with the rendezvous"));
}

void Member::on_root_close(const Status& cause) {
  root_ = nullptr;
  if (state_ < State::kMember)
    join_failed(Status(Code::kRemote, "the root of the rendezvous died: " + cause.message()));
}

bool Member::fits(const Assignment& assignment) const {
  if (assignment.parent.size() != (options_.rank == 0 ? 0 : 1)) return false;
  if (options_.rank != 0 && assignment.parent[0].rank != parent_of(options_.rank)) return false;
  const std::vector<std::uint32_t> expected = children_of(options_.rank, options_.ranks);
  return std::equal(expected.begin(), expected.end(), assignment.children.begin(), assignment.children.end(),
                    [](std::uint32_t rank, const Contact& child) { return child.rank == rank; });
}

void Member::assigned(ConstBytes payload) {
  Result<Assignment> assignment = decode_assignment(payload);
  if (!assignment) return join_failed(assignment.status());
  if (!fits(*assignment)) return join_failed(Status(Code::kProtocol, "the root assigned a wrong place in the tree"));
  session_ = derive_key(options_.id.secret, "session", assignment->session);
  streams_->set_session(session_);
  tree_.set_neighbours(*assignment);
  state_ = State::kAttach;
  registered_ = directory_.add(session_, options_.rank, this);
  if (!registered_)
    return join_failed(Status(Code::kInternal, "two members of one group with one rank in this process"));
  if (!assignment->parent.empty()) dial_parent(assignment->parent[0]);
  attached_maybe();
}

// Patient: the parent may hear of its children a moment later than we of it.
void Member::dial_parent(const Contact& parent) {
  DialOptions dial;
  dial.peer = parent.text();
  dial.addresses = parent.listeners;
  dial.key = session_;
  dial.purpose = Purpose::kTree;
  dial.from = options_.rank;
  dial.to = parent.rank;
  dial.deadline = options_.deadline;
  dial.patient = true;
  dial.early = true;
  dial.unknown_key = "the process there does not know the group's secret (yet, or any more)";
  dialer_ = std::make_unique<Dialer>(loop_, std::move(dial),
                                     [this](Result<UniqueFd> fd) { attached_to_parent(std::move(fd)); });
}

void Member::attached_to_parent(Result<UniqueFd> fd) {
  if (!fd) return join_failed(fd.status());
  tree_.attach(parent_of(options_.rank), fd.take());
  dialer_.reset();
  attached_maybe();
}

bool Member::expects(const Hello& hello) {
  if (hello.purpose == Purpose::kStream) return streams_->expects(hello);
  return hello.purpose == Purpose::kTree && tree_.expects_child(hello.from);
}

void Member::arrive(const Hello& hello, UniqueFd fd) {
  if (hello.purpose == Purpose::kStream) return streams_->arrive(hello, std::move(fd));
  tree_.attach(hello.from, std::move(fd));
  attached_maybe();
}

void Member::attached_maybe() {
  if (state_ != State::kAttach || !tree_.attached()) return;
  state_ = State::kWaitGo;
  root_->send(FrameType::kAttached);
}

void Member::go() {
  if (!tree_.broken().ok()) return join_failed(tree_.broken());
  state_ = State::kMember;
  deadline_.reset();
  root_->close_after_flush();
  root_ = nullptr;
  join_outcome_->set(session_);
}

std::string Member::progress() const {
  switch (state_) {
    case State::kDialRoot:
      return dialer_ != nullptr && !dialer_->last_failure().ok() ? dialer_->last_failure().message()
                                                                 : "no answer from the root";
    case State::kWaitAssignment: return "the root did not say who is missing";
    case State::kAttach:
      return dialer_ != nullptr && !dialer_->last_failure().ok() ? dialer_->last_failure().message()
                                                                 : "a child in the tree did not connect";
    default: return "the root did not let the ranks go";
  }
}

void Member::on_failure(const Failure& failure) {
  const Status seen = failure.seen_by(options_.rank);
  streams_->fail(seen);
  if (state_ < State::kMember) return loop_.post([self = shared_from_this(), seen] { self->join_failed(seen); });
  if (failure.origin == options_.rank && !failure.died) return;
  std::lock_guard lock(hooks_mutex_);
  if (auto on_error = std::exchange(on_error_, nullptr)) {
    log::error("rank {}: {}", options_.rank, seen.message());
    on_error(seen);
  }
}

void Member::join_failed(const Status& reason) {
  if (state_ >= State::kMember) return;
  give_up(reason);
}

void Member::give_up(const Status& reason) {
  join_outcome_->set(reason);
  if (state_ == State::kOver) return;
  tree_.fail(
      {options_.rank, false, reason});  // the root may have let the others go a moment ago: they must not wait for us
  if (state_ == State::kMember) return leave();
  state_ = State::kOver;
  if (root_ != nullptr) {
    root_->send(FrameType::kError, encode(reason));
    root_->close_after_flush();
  }
  tree_.leave();  // ends at once where no edge stands; otherwise neighbours, who hear of it from the root, leave too
  loop_.post([self = shared_from_this()] { self->end(); });
}

void Member::leave() { tree_.leave(); }

void Member::mute() {
  std::lock_guard lock(hooks_mutex_);
  on_error_ = nullptr;
  if (flight_record_) last_record_ = flight_record_();  // others may still ask what we did last
  flight_record_ = nullptr;
}

// Everything is released here, on the service thread; the object itself goes when the current callback has returned.
void Member::end() {
  state_ = State::kOver;
  if (registered_) directory_.remove(session_, options_.rank);
  registered_ = false;
  streams_->stop();
  dialer_.reset();
  deadline_.reset();
  if (root_ != nullptr) root_->close_after_flush();
  root_ = nullptr;
  if (self_ != nullptr) loop_.post([self = std::move(self_)] {});
}

}  // namespace amalgam::bootstrap
