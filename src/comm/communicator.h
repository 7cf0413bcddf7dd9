#pragma once

// What an ncclComm_t points to: membership, agreed cluster, plans, lanes and state of one communicator on one rank.
//
// The object exists from the first moment of init (its handle is given out at once, so another thread may abort it) and
// is counted: the handle is one reference, each running call and each task that has yet to run another. Abort drops the
// handle's; the memory goes with the last.
//
// Threads    one thread at a time issues work; abort, async_error and failures come from any thread
// Files      init.cc (joining), membership.cc (split, shrink), communicator.cc (life), launch/ (work)

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "bootstrap/group.h"
#include "cluster/cluster.h"
#include "comm/config.h"
#include "comm/delegate.h"
#include "comm/handle_table.h"
#include "comm/islands.h"
#include "comm/mixed.h"
#include "comm/plan_cache.h"
#include "comm/pool.h"
#include "comm/record.h"
#include "comm/routes.h"
#include "comm/stack.h"
#include "comm/state.h"
#include "engine/counters.h"
#include "engine/drive.h"
#include "engine/staged_track.h"
#include "engine/worker.h"
#include "observe/flight.h"

namespace amalgam::comm {

// A premultiplied sum made by the user: its scalar is copied when the handle is made, or read at each call that uses
// it.
struct UserOperation {
  bool live = false;
  DataType type{};
  std::array<std::byte, 8> scalar{};
  const void* read_from = nullptr;  // null: `scalar`
};

class Communicator {
 public:
  // First in the object; unlike NCCL's own magic, so that either library recognises the other's handle as foreign.
  static constexpr std::uint64_t kMagic = 0x616d616c67616d31;  // "1magalma"

  struct Membership {
    bootstrap::UniqueId id;
    int rank = 0;
    int ranks = 1;
    Stack stack;
  };

  Communicator(const Membership& membership, CommConfig config);
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  // Memory of communicators is used again for communicators and never given back, so that a thread may enter a call
  // while another aborts the handle: it finds one that is gone, not somebody else's bytes.
  static void* operator new(std::size_t bytes);
  static void operator delete(void* memory);

  bool alive() const { return magic_.load(std::memory_order_relaxed) == kMagic; }
  bool retain();  // false: it is gone
  void release();
  void drop_handle();  // the handle's reference, once: an abort may meet the end of an init that failed because of it

  // --- life
  // Waits for all ranks; the communicator is ready when it returned ok. A child's ends with an abort of its parent,
  // which is held by the caller: nobody has the child's handle yet.
  Status join(const Communicator* parent = nullptr);
  // For non-blocking: state is pending until it returned. Not ok: there is no thread for it, and the state has failed.
  Status run_in_background(std::function<Status()> work);
  Status finalize();  // no more calls; ready when what was sent has been taken: then, or in progress until then
  void finish();      // waits until nothing of ours runs on it: before the handle's reference goes
  void abort(const Status& reason);           // < 1 s from any state; then likewise
  void stop_delegate();                       // a vendor's work stops, its communicator cannot be used again
  void close();                               // at the end: what a vendor's library holds for us goes
  void fail(const Status& reason);            // this rank broke it: sticks here, is told to all
  void report_failure(const Status& reason);  // logs who was where when a peer was lost, once; may wait for a second
  Status usable() const;                      // ok when work may be issued
  Result<bootstrap::UniqueId> derive_id(const std::string& label, int leader);
  Result<std::vector<std::vector<std::byte>>> allgather(ConstBytes mine);

  // --- facts
  int rank() const { return membership_.rank; }
  int ranks() const { return membership_.ranks; }
  int device() const { return membership_.stack.device; }
  const Stack& stack() const { return membership_.stack; }
  std::uint64_t id() const;                           // equal on all ranks, unique; 0 until init has finished
  std::uint64_t ordinal() const { return ordinal_; }  // among the communicators that this process made
  const CommConfig& config() const { return config_; }
  State& state() { return state_; }
  const State& state() const { return state_; }
  const cluster::Cluster& cluster() const { return cluster_; }
  PlanCache& plans() { return *plans_; }
  bool finalized() const { return finalized_; }
  std::string describe() const;  // the init screen
  // The vendor's communicator that carries this one, whole; null: it is ours to carry, or not ready.
  island::Island* delegate() const { return whole_ ? delegate_.get() : nullptr; }
  // The vendor's communicator of this rank's island, whether it carries the whole or a part.
  island::Island* island() const { return delegate_.get(); }
  const island::Library* delegate_library() const { return delegate_.library(); }
  Mixed* mixed() const { return mixed_.get(); }  // null: all ranks are of one island

  // --- what launch works with
  engine::Context& context() { return context_; }
  engine::Track& track() { return *track_; }
  std::unique_ptr<engine::Track> make_track() const;
  std::unique_ptr<engine::StagedTrack> make_staged_track() const;  // of a device rank among several islands
  engine::Operation* take_operation();                             // from the pool; returned by give_back
  void give_back(engine::Operation* operation);
  // The first of the next `number` operations.
  std::uint64_t next_serial(std::uint64_t number = 1) { return (serial_ += number) - number + 1; }
  std::uint64_t next_collective(std::uint64_t number = 1) { return (collectives_ += number) - number + 1; }
  std::uint64_t next_pair(Collective direction, int peer, std::uint64_t number = 1);
  observe::FlightRecord& flight() { return flight_; }
  std::shared_ptr<engine::Worker> worker();
  engine::WaitPolicy wait_policy() const;
  std::vector<UserOperation>& user_operations() { return user_operations_; }
  HandleTable& handles() { return handles_; }
  std::function<bootstrap::Group::FlightRecords()> ask_flight_records(std::chrono::milliseconds timeout) const;
  // Name children: equal on all ranks that make the child, whoever else made others.
  int next_split() { return ++splits_; }
  int next_shrink(const std::vector<int>& members) { return ++shrinks_[members]; }

 private:
  ~Communicator();
  Status drain();
  Status connect();   // the whole of join()
  Status exchange();  // records, islands; then what carries them
  Status exchange_routes(const std::vector<Record>& records);
  Result<bool> open_islands();  // whether all of them work, those that do not are dissolved
  Status open_island(ConstBytes id, const Islands::Island& island);
  Result<bool> judge_islands(const std::vector<std::vector<std::byte>>& outcomes);
  Status prepare_mixed();
  void on_group_error(const Status& reason);
  void assemble_engine();
  plan::Limits limits() const;
  std::unique_lock<std::mutex> lock_pool();

  std::atomic<std::uint64_t> magic_{kMagic};  // of a stale handle it is read after the destructor cleared it
  std::atomic<int> references_{1};
  std::atomic<bool> held_{true};  // by the user's handle
  const std::uint64_t ordinal_;
  Membership membership_;
  CommConfig config_;
  State state_;
  bootstrap::AbortToken abort_;
  std::unique_ptr<bootstrap::Group> group_;
  Islands islands_;
  std::vector<std::vector<int>> working_;  // islands of several ranks whose library works
  bool premultiply_ = true;                // all of these know premultiplied sums
  Delegate delegate_;
  bool whole_ = false;  // the delegate carries the communicator
  std::unique_ptr<Mixed> mixed_;
  std::unique_ptr<Routes> routes_;
  std::unique_ptr<engine::Lanes> lanes_;  // after routes_: lanes end before their transports
  cluster::Cluster cluster_;
  bool oversubscribed_ = false;  // more ranks than cores on this machine
  std::unique_ptr<PlanCache> plans_;
  engine::Counters counters_;
  engine::Context context_;
  std::unique_ptr<engine::Track> track_;
  observe::FlightRecord flight_;
  std::shared_ptr<engine::Worker> worker_;  // shared with the process's other non-blocking communicators
  std::mutex background_mutex_;             // an abort may come while a group's end starts the work
  std::vector<std::thread> background_;
  std::mutex pool_mutex_;  // non-blocking operations are given back by the worker
  Pool<engine::Operation> pool_;
  std::uint64_t serial_ = 0;
  std::uint64_t collectives_ = 0;
  std::vector<std::uint64_t> sends_, receives_;
  std::vector<UserOperation> user_operations_;
  HandleTable handles_;
  int splits_ = 0;
  std::map<std::vector<int>, int> shrinks_;  // excluded ranks do not count: so by members
  bool finalized_ = false;
  std::atomic<bool> ready_{false};
  std::atomic<bool> opening_delegate_{false};
  std::atomic<bool> reported_{false};  // the failure, by report_failure
};

// Holds a communicator for the time of a call.
class Use {
 public:
  explicit Use(Communicator* communicator) : communicator_(communicator->retain() ? communicator : nullptr) {}
  ~Use() {
    if (communicator_ != nullptr) communicator_->release();
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

  Status status() const {  // not ok when another thread aborted or destroyed it just before
    return communicator_ != nullptr ? Status()
                                    : Status(Code::kInvalidArgument, "the communicator has been aborted or destroyed");
  }

 private:
  Communicator* communicator_;
};

// Splits and shrinks: who is in the new group, from facts that all its members know. Null when this rank is not in any.
Result<Communicator*> make_split(Communicator& parent, int color, int key, const CommConfig& config);
Result<Communicator*> make_shrunk(Communicator& parent, std::span<const int> excluded, const CommConfig& config);

}  // namespace amalgam::comm
