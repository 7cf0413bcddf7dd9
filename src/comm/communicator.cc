#include "comm/communicator.h"

#include <fmt/format.h>

#include <algorithm>

#include "bootstrap/fork_guard.h"
#include "comm/registry.h"
#include "config/settings.h"
#include "observe/log.h"

namespace amalgam::comm {

namespace {

std::uint64_t next_ordinal() {
  static std::atomic<std::uint64_t> made{0};
  return made.fetch_add(1, std::memory_order_relaxed);
}

// Never destroyed: communicators may outlive static destruction.
struct Places {
  std::mutex mutex;
  std::vector<void*> free;
};

Places& places() {
  static auto* all = new Places;
  return *all;
}

}  // namespace

Communicator::Communicator(const Membership& membership, CommConfig config)
    : ordinal_(next_ordinal()),
      membership_(membership),
      config_(std::move(config)),
      flight_(static_cast<int>(config::settings().flight_records)) {
  context_.rank = membership_.rank;
  context_.ranks = context_.summands = membership_.ranks;
  context_.counters = &counters_;
  Registry::add(this);
}

Communicator::~Communicator() {
  Registry::remove(this);
  for (std::thread& thread : background_)
    thread.detach();  // this thread itself: its work began after the handle had gone
  if (mixed_ && state_.failed()) mixed_->keep_memory();
  lanes_.reset();   // lanes before their transports,
  routes_.reset();  // these before the connections they use,
  group_.reset();   // and this before the members that its callbacks read
  magic_.store(0, std::memory_order_relaxed);
}

void* Communicator::operator new(std::size_t bytes) {
  {
    const std::lock_guard lock(places().mutex);
    if (!places().free.empty()) {
      void* memory = places().free.back();
      places().free.pop_back();
      return memory;
    }
  }
  return ::operator new(bytes);
}

void Communicator::operator delete(void* memory) {
  const std::lock_guard lock(places().mutex);
  places().free.push_back(memory);
}

bool Communicator::retain() {
  int references = references_.load(std::memory_order_relaxed);
  while (references > 0 && !references_.compare_exchange_weak(references, references + 1, std::memory_order_acquire)) {
  }
  return references > 0;
}

void Communicator::release() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void Communicator::drop_handle() {
  if (held_.exchange(false, std::memory_order_acq_rel)) release();
}

Status Communicator::run_in_background(std::function<Status()> work) {
  const Use use(this);  // the work may be over, and the last of us gone with it, before this returns
  state_.begin();       // finish() waits for it
  const std::lock_guard lock(background_mutex_);
  try {
    background_.emplace_back([this, work = std::move(work)] {
      const Status status = guarded(work);
      if (!status.ok()) state_.fail(status);
      state_.end();
    });
  } catch (const std::exception& problem) {
    Status failed(Code::kSystem, fmt::format("no thread for the communicator's init: {}", problem.what()));
    state_.fail(failed);
    state_.end();
    return failed;
  }
  return {};
}

Status Communicator::usable() const {
  if (bootstrap::fork_guard::forked())
    return Status(Code::kInvalidUsage,
                  "this process was forked from one that uses Amalgam: it cannot communicate; start it by exec");
  if (state_.failed()) return state_.reason();
  if (!ready_.load(std::memory_order_acquire))
    return Status(
        Code::kInvalidArgument,
        "the communicator is still being initialised: poll ncclCommGetAsyncError until it is not ncclInProgress");
  if (finalized_) return Status(Code::kInvalidUsage, "the communicator was finalized");
  if (state_.revoked())
    return Status(Code::kInvalidUsage, "the communicator was revoked: only split, shrink, abort and destroy are left");
  return {};
}

std::uint64_t Communicator::id() const { return ready_.load(std::memory_order_acquire) ? group_->id() : 0; }

void Communicator::fail(const Status& reason) {
  if (state_.fail(reason) && group_) group_->fail(reason);
}

void Communicator::on_group_error(const Status& reason) {
  (void)state_.fail(reason);  // the control plane has logged it
  // A vendor's init would wait for ever for the rank that is gone. Not on this thread, which must not wait.
  if (!opening_delegate_.load(std::memory_order_seq_cst) || !retain()) return;
  std::thread([this] {
    delegate_.abandon();
    release();
  }).detach();
}

// Each survivor tells its own last operation. The whole picture is gathered over what is left of the tree by rank 0, or
// by the ranks below it when it is lost: whoever is the lowest in its part writes it.
void Communicator::report_failure(const Status& reason) {
  constexpr int kGatherers = 5;  // the root of the tree and its children
  constexpr std::chrono::seconds kPatience{1};
  if (reason.code() != Code::kRemote || !ready_.load(std::memory_order_acquire) || reported_.exchange(true)) return;
  log::warn("rank {} when it failed: {}", membership_.rank, observe::last_of_flight_record(flight_.encode()));
  const bool on_engine = !config_.blocking || (mixed_ && mixed_->queue() != nullptr);
  if (on_engine || membership_.rank >= kGatherers) return;  // the engine's thread must not wait: it serves others too
  const bootstrap::Group::FlightRecords records = group_->gather_flight_records(kPatience);
  for (int rank = 0; rank < membership_.rank && rank < static_cast<int>(records.size()); ++rank)
    if (!records[rank].empty()) return;
  if (std::count_if(records.begin(), records.end(), [](const auto& record) { return !record.empty(); }) < 2) return;
  std::string text = observe::merge_flight_records(records);
  if (!text.empty()) text.pop_back();  // the last newline
  log::warn("flight record of communicator {:016x}:\n{}", group_->id(), text);
}

Status Communicator::finalize() {
  if (finalized_) return Status(Code::kInvalidArgument, "the communicator was finalized before");
  if (!ready_.load(std::memory_order_acquire)) return usable();
  finalized_ = true;
  if (delegate() != nullptr) return state_.failed() ? state_.reason() : delegate()->finalize();
  if (config_.blocking) return drain();
  Status started = run_in_background([this] {
    state_.wait_until_alone();
    return drain();
  });
  return started.ok() ? Status(Code::kInProgress, "") : started;
}

// Until the peers have taken what was sent, and nothing is on a device's streams.
Status Communicator::drain() {
  state_.wait_until_landed();
  engine::Waiter waiter(wait_policy());
  const engine::Bed bed{routes_->doorbell(), lanes_.get(), false};
  while (!lanes_->drained()) {
    if (state_.raised()) return state_.reason();
    waiter.idle(bed);
  }
  return {};
}

void Communicator::abort(const Status& reason) {
  abort_.fire();
  if (state_.fail(reason) && ready_.load(std::memory_order_seq_cst)) group_->fail(reason);  // else join() tells it
  delegate_.abandon();
  finish();
}

void Communicator::stop_delegate() {
  if (island() == nullptr) return;
  if (Status revoked = island()->revoke(); !revoked.ok() && revoked.code() != Code::kInProgress)
    delegate_.abandon();  // an older library
}

void Communicator::close() {
  if (island() == nullptr) return;
  if (state_.failed()) return delegate_.abandon();  // the vendor's own end might wait for a rank that is gone
  if (Status destroyed = island()->destroy(); !destroyed.ok()) log::warn("{}", destroyed.message());
}

void Communicator::finish() {
  if (!ready_.load(std::memory_order_acquire)) abort_.fire();  // an init that nobody will use ends now
  state_.wait_until_idle();
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(background_mutex_);
    threads.swap(background_);
  }
  for (std::thread& thread : threads) thread.join();
}

Result<bootstrap::UniqueId> Communicator::derive_id(const std::string& label, int leader) {
  if (!group_) return Status(Code::kInvalidUsage, "the communicator has no control plane");
  return group_->derive_id(label, leader);
}

Result<std::vector<std::vector<std::byte>>> Communicator::allgather(ConstBytes mine) {
  return group_->allgather(mine, &abort_, std::chrono::milliseconds(config::settings().init_timeout));
}

engine::WaitPolicy Communicator::wait_policy() const {
  engine::WaitPolicy policy;
  policy.spin = std::chrono::microseconds(config::settings().spin_us);
  policy.oversubscribed = oversubscribed_;
  return policy;
}

std::unique_ptr<engine::Track> Communicator::make_track() const {
  return std::make_unique<engine::Track>(
      state_, engine::Bed{routes_ ? routes_->doorbell() : nullptr, lanes_.get(), false}, wait_policy());
}

std::unique_ptr<engine::StagedTrack> Communicator::make_staged_track() const {
  return std::make_unique<engine::StagedTrack>(state_, engine::Bed{routes_->doorbell(), lanes_.get(), true},
                                               wait_policy(), *mixed_->queue());
}

// Blocking communicators are driven by their caller alone; the lock is for those whose operations the worker gives
// back.
std::unique_lock<std::mutex> Communicator::lock_pool() {
  return config_.blocking ? std::unique_lock<std::mutex>() : std::unique_lock(pool_mutex_);
}

engine::Operation* Communicator::take_operation() {
  const auto lock = lock_pool();
  return pool_.take();
}

void Communicator::give_back(engine::Operation* operation) {
  const auto lock = lock_pool();
  pool_.give(operation);
}

std::uint64_t Communicator::next_pair(Collective direction, int peer, std::uint64_t number) {
  std::vector<std::uint64_t>& counters = direction == Collective::kSend ? sends_ : receives_;
  if (counters.empty()) counters.resize(static_cast<std::size_t>(membership_.ranks));
  return (counters[peer] += number) - number + 1;
}

std::shared_ptr<engine::Worker> Communicator::worker() {
  if (!worker_) worker_ = engine::Worker::shared();
  return worker_;
}

std::function<bootstrap::Group::FlightRecords()> Communicator::ask_flight_records(
    std::chrono::milliseconds timeout) const {
  if (!ready_.load(std::memory_order_acquire)) return [] { return bootstrap::Group::FlightRecords(); };
  return group_->ask_flight_records(timeout);
}

}  // namespace amalgam::comm
