#pragma once

// One rank of one group in this process, from the first dial to the root until the last neighbour has left.
//
//   dialling the root → waiting for its assignment → attaching to parent and children → waiting for go
//     → member → leaving → over
//
// Threads    create(), on_error and flight_record hooks' removal (mute()): any. Everything else: the service thread.
// Ownership  shared_ptr: it keeps itself alive until it is over, because it relays for others after its Group has gone;
//            all references are dropped on the service thread.
// Errors     of joining: through the join outcome, once. Later: the on_error hook, once.

#include <functional>
#include <memory>
#include <mutex>

#include "bootstrap/dialer.h"
#include "bootstrap/directory.h"
#include "bootstrap/id_content.h"
#include "bootstrap/outcome.h"
#include "bootstrap/streams.h"
#include "bootstrap/tree.h"

namespace amalgam::bootstrap {

struct MemberOptions {
  std::uint32_t rank = 0;
  std::uint32_t ranks = 1;
  IdContent id;
  TimePoint deadline;
  std::chrono::milliseconds silence{};
  std::vector<SocketAddress> listeners;
  std::function<void(const Status&)> on_error;
  std::function<std::vector<std::byte>()> flight_record;
};

class Member final : public Endpoint, public std::enable_shared_from_this<Member> {
 public:
  using JoinOutcome = Outcome<Key>;  // the session's key

  static std::shared_ptr<Member> create(Loop& loop, Directory& directory, MemberOptions options);
  ~Member() override;

  void start();
  void give_up(const Status& reason);  // while joining: tells the root
  void leave();
  void mute();  // any thread: when it returns, no callback runs or will run (unless called from within one)

  Tree& tree() { return tree_; }
  Streams& streams() { return *streams_; }
  const std::shared_ptr<JoinOutcome>& joining() const { return join_outcome_; }
  std::string progress() const;  // for a time-out's text

  bool expects(const Hello& hello) override;
  void arrive(const Hello& hello, UniqueFd fd) override;

 private:
  enum class State { kDialRoot, kWaitAssignment, kAttach, kWaitGo, kMember, kOver };

  Member(Loop& loop, Directory& directory, MemberOptions options);
  TreeHooks tree_hooks();
  void at_root(UniqueFd fd);
  void on_root_frame(FrameType type, ConstBytes payload);
  void on_root_close(const Status& cause);
  void assigned(ConstBytes payload);
  bool fits(const Assignment& assignment) const;
  void dial_parent(const Contact& parent);
  void attached_to_parent(Result<UniqueFd> fd);
  void attached_maybe();
  void go();
  void on_failure(const Failure& failure);
  void join_failed(const Status& reason);
  void end();

  Loop& loop_;
  Directory& directory_;
  MemberOptions options_;
  State state_ = State::kDialRoot;
  std::shared_ptr<Member> self_;  // while not over
  std::shared_ptr<JoinOutcome> join_outcome_ = std::make_shared<JoinOutcome>();
  std::unique_ptr<Dialer> dialer_;
  std::shared_ptr<Connection> root_;
  Timer deadline_;
  Key session_{};
  bool registered_ = false;
  std::shared_ptr<Streams> streams_;  // shared: posted tasks of want() may outlive the member
  Tree tree_;

  std::recursive_mutex hooks_mutex_;  // recursive: a callback may destroy its Group
  std::function<void(const Status&)> on_error_;
  std::function<std::vector<std::byte>()> flight_record_;
  std::vector<std::byte> last_record_;  // once the hook is gone
};

}  // namespace amalgam::bootstrap
