#pragma once

// The rendezvous of one unique id: collects all ranks, tells each its place in the tree, lets all go at once.
//
// Costs each rank four small messages; the root does O(1) work for each of them. Anything that does not fit (two
// processes with one rank, different numbers of ranks, different libraries), a rank that goes away, and the first
// deadline end the rendezvous for everybody with one text that names both sides or who is missing. A failed root stays
// for a while, so that late ranks hear the same text.
//
// Threads    the service thread only.
// Ownership  shared_ptr: the service's list keeps it until it says that it has finished; connections' callbacks hold
//            weak references.

#include <functional>
#include <map>
#include <memory>
#include <set>

#include "bootstrap/acceptor.h"
#include "bootstrap/connection.h"
#include "bootstrap/rendezvous.h"

namespace amalgam::bootstrap {

class Root final : public Endpoint, public std::enable_shared_from_this<Root> {
 public:
  // `listener` is the address of NCCL_COMM_ID, or null when the service's listeners serve. `finished` is called once,
  // last.
  Root(Loop& loop, Directory& directory, const Key& key, std::unique_ptr<Listener> listener,
       std::function<void()> finished);
  ~Root() override;

  bool registered() const { return registered_; }  // false: another root has this key
  bool failed() const { return !failure_.ok(); }
  bool in_use() const { return !connections_.empty(); }
  void fail(const Status& reason);
  void retire();  // now: forgets everything and calls finished

  bool expects(const Hello& hello) override;
  void arrive(const Hello& hello, UniqueFd fd) override;
  void refused(const SocketAddress& from) override;

 private:
  struct Seat {
    std::shared_ptr<Connection> connection;
    JoinRequest request;
    bool attached = false;
  };

  void on_frame(const std::shared_ptr<Connection>& connection, std::uint32_t rank, FrameType type, ConstBytes payload);
  void on_close(const std::shared_ptr<Connection>& connection, const Status& cause);
  Status seat(const std::shared_ptr<Connection>& connection, std::uint32_t rank, ConstBytes payload);
  Status compare(const JoinRequest& request) const;
  void assign_all();
  void attached(std::uint32_t rank);
  void release_all();
  Status deadline_status() const;
  const char* advice() const;
  std::string refusals() const;

  Loop& loop_;
  Directory& directory_;
  Key key_;
  std::unique_ptr<Listener> listener_;
  std::function<void()> finished_;
  bool registered_ = false;

  std::set<std::shared_ptr<Connection>> connections_;
  std::map<std::uint32_t, Seat> seats_;
  std::map<std::string, std::uint64_t> refused_;  // connections that failed the authentication, by host: a few hosts
  std::uint32_t ranks_ = 0;                       // 0: nobody is here yet
  std::uint32_t attached_ = 0;
  bool assigned_ = false;
  TimePoint limit_;  // of the rank that gives up first
  std::chrono::milliseconds allowed_{};
  Timer deadline_;
  Timer retire_;
  Status failure_;
};

}  // namespace amalgam::bootstrap
