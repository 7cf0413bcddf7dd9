#pragma once

// One rank's node of the group's tree: its edges, who is alive behind them, and what passes over them.
//
// An edge says something at least every quarter of the silence limit. An edge that closes without a goodbye, or is
// silent for the whole limit, means that the rank behind it is dead: this node tells everybody on its own side, as
// every other neighbour of the dead rank does on theirs. The first failure wins and sticks; later ones are dropped.
//
// Leaving takes two steps. Goodbye: this rank has left, the end of its connection is not a death; its node still
// relays. Done: everybody on this side of the edge has left; a node ends when it has left and all its neighbours are
// done or gone.
//
// Threads    the service thread only.
// Ownership  the Member owns it; hooks are called until leave() returns, and may not destroy the tree.

#include <functional>
#include <memory>
#include <vector>

#include "bootstrap/connection.h"
#include "bootstrap/gather.h"
#include "bootstrap/records.h"
#include "bootstrap/rendezvous.h"

namespace amalgam::bootstrap {

// Why a group is broken, as flooded over the tree.
struct Failure {
  std::uint32_t origin = 0;  // the rank that died or that reported
  bool died = false;
  Status reason;

  Status seen_by(
      std::uint32_t rank) const;  // the origin sees its own reason; all others kRemote with the origin's name
};

struct TreeHooks {
  std::function<void(const Failure&)> on_failure;  // once
  std::function<std::vector<std::byte>()> flight_record;
  std::function<void()> on_finished;  // left, and so have all others that could be reached
};

class Tree {
 public:
  Tree(Loop& loop, std::uint32_t rank, std::uint32_t ranks, std::chrono::milliseconds silence, TreeHooks hooks);

  bool expects_child(std::uint32_t rank) const;
  void set_neighbours(const Assignment& assignment);
  void attach(std::uint32_t neighbour, UniqueFd fd);
  bool attached() const;

  void gather(std::vector<std::byte> mine, std::shared_ptr<GatherOutcome> outcome);
  void collect_records(std::chrono::milliseconds timeout, std::shared_ptr<RecordsOutcome> outcome);
  void fail(const Failure& failure);
  void leave();
  std::string missing_in_oldest_gather() const { return gather_.missing_in_oldest(); }
  const Status& broken() const { return broken_; }

 private:
  struct Neighbour {
    Neighbour(const Contact& who, bool parent) : contact(who), is_parent(parent) {}
    Contact contact;
    bool is_parent;
    std::shared_ptr<Connection> connection;  // none: not attached yet, or gone
    bool gone = false;
    bool said_goodbye = false;
    bool said_done = false;
    bool told_done = false;
  };

  Neighbour* find(std::uint32_t rank);
  void on_frame(std::uint32_t from, FrameType type, std::vector<std::byte> payload);
  void on_close(std::uint32_t from, const Status& cause);
  void on_error_frame(std::uint32_t from, ConstBytes payload);
  void protocol_error(std::uint32_t from, const Status& cause);
  void flood(FrameType type, const Payload& payload, std::uint32_t except);
  void fail_from(const Failure& failure, std::uint32_t except);
  void tick();
  void settle();  // sends done where it is due, and ends when all are
  void send_to(std::uint32_t rank, FrameType type, Payload payload);

  Loop& loop_;
  std::uint32_t rank_;
  std::uint32_t ranks_;
  std::chrono::milliseconds silence_;
  TreeHooks hooks_;
  std::vector<Neighbour> neighbours_;
  Gather gather_;
  Records records_;
  Status broken_;
  bool left_ = false;
  bool finished_ = false;
  TimePoint last_tick_ = Clock::now();
  Timer tick_;
};

}  // namespace amalgam::bootstrap
