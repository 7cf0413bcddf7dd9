#pragma once

// The ranks that one thread drives: their communicators and buffers, and everything that all of them do together: a
// call of each in one group, waiting, and numbers agreed with all other ranks.
//
// Threads    the one that drives it      Ownership  destroys its communicators and frees its buffers
// Errors     Failure

#include <nccl.h>

#include <cstdint>
#include <string>
#include <vector>

#include "collective.h"
#include "data.h"
#include "options.h"
#include "seat.h"

namespace perf {

class Buffer {
 public:
  Buffer(const Seat& seat, std::size_t bytes, bool from_nccl);
  ~Buffer();
  Buffer(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  std::byte* data() const { return data_; }
  std::size_t size() const { return bytes_; }

 private:
  Seat seat_;
  std::byte* data_ = nullptr;
  std::size_t bytes_;
  bool from_nccl_;
};

struct Member {  // one rank
  int rank;
  ncclComm_t comm;
  Seat seat;
  Buffer send, receive, scratch;      // scratch: for what the ranks tell each other
  std::vector<void*> handles;         // ncclCommRegister
  std::vector<ncclWindow_t> windows;  // ncclCommWindowRegister
};

// What is run and where: the same for every call of one measurement.
struct Work {
  const Collective& collective;
  Data& data;
  std::size_t count;  // NCCL's argument
  int root;
  bool in_place;
};

class Team {
 public:
  Team(const Options& options, int ranks, std::size_t buffer_bytes)
      : options_(options), ranks_(ranks), bytes_(buffer_bytes) {}
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  void add(int rank, ncclComm_t comm, const Seat& seat);
  void use_seat() const;  // first in the thread that drives it
  void register_buffers();
  void end();  // deregisters, destroys the communicators

  int ranks() const { return ranks_; }
  const Options& options() const { return options_; }
  Member& first() { return members_.front(); }
  const Seat& seat(int i) const { return members_[static_cast<std::size_t>(i)].seat; }
  int first_rank() const { return members_.front().rank; }

  // Makes the operation of a premultiplied sum, if it is one; forgotten by forget_operation.
  void make_operation(Data& data);
  void forget_operation(const Data& data);

  void reset(const Work& work);                                   // inputs in place, everything else zero
  void run(const Work& work) { run(work, options_.aggregated); }  // complete on return on CPU ranks
  void run_once(const Work& work);                                // complete on return
  void wait_for_streams() const;
  bool on_device() const { return members_.front().seat.on_device(); }
  std::uint64_t count_wrong(const Work& work);  // of this thread's ranks

  // Collective: element-wise over all ranks, every rank gets the result.
  std::vector<double> agree(std::vector<double> values, ncclRedOp_t op);
  std::vector<std::string> gather_text(const std::vector<std::string>& mine);  // one line per rank
  void barrier() { agree({1.0}, ncclSum); }

  static constexpr std::size_t kLine = 256;  // longest text that gather_text carries
  std::size_t scratch_bytes() const { return 1024 * 8 + kLine * (static_cast<std::size_t>(ranks_) + 1); }

 private:
  std::byte* send_of(const Work& work, const Member& member) const;
  std::byte* receive_of(const Work& work, const Member& member) const;
  void run(const Work& work, int times);
  void call_all(const Work& work);
  void fill(const Member& member, const Pattern& pattern, std::byte* to, std::size_t count);
  template <typename Body>
  void in_group(const char* name, Body&& body);
  void wait();

  const Options& options_;
  int ranks_;
  std::size_t bytes_;
  std::vector<Member> members_;
  std::vector<ncclRedOp_t> operations_;  // per member
  std::vector<std::byte> host_copy_;     // of a device rank's buffer
};

}  // namespace perf
