#pragma once

// One rank's part in a program: a thread of its own, on a device or on the CPU.
//
// What touches a buffer comes after what touched it before: by an event where the streams are not ordered by
// themselves, as the null stream and those that block are.

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#ifndef AMALGAM_NO_DEVICE_HEADERS
#define AMALGAM_NO_DEVICE_HEADERS 1  // the stand-in declares the runtime itself
#endif
#include "nccl.h"
#include "tests/vendors/stress/device.h"
#include "tests/vendors/stress/program.h"

namespace stress {

class Rank {
 public:
  Rank(const Program& program, std::size_t rank, Place place);
  ~Rank();
  Rank(const Rank&) = delete;
  Rank& operator=(const Rank&) = delete;

  void run(const ncclUniqueId& id);  // failures are gtest's

 private:
  void open(const ncclUniqueId& id);
  void close();
  void run_own(const Step& step);
  void run_calls(const Step& step);
  void issue(const Call& call, bool receives);

  void upload(const Step& step);
  void renew(const Step& step);
  void check(const Step& step);
  void fill(const Step& step);
  void fold(const Step& step);
  void copy(const Step& step);
  void call_host(const Step& step);

  // Makes `stream` come after all that touched the buffer, and remembers it as one that did.
  void enter(std::size_t buffer, std::size_t stream);
  void leave(const std::vector<std::pair<std::size_t, std::size_t>>& touched);
  void order(std::size_t before, std::size_t after);
  std::int32_t* at(std::size_t buffer, std::size_t element = 0) const;
  std::size_t bytes() const { return program_.elements * sizeof(std::int32_t); }
  std::string where() const;

  static constexpr std::size_t kEvents = 3;  // recorded again and again

  const Program& program_;
  const std::size_t rank_;
  const Place place_;
  const Device* const device_;
  std::vector<ncclComm_t> comms_;
  std::array<cudaStream_t, kStreams> streams_{};
  std::array<cudaEvent_t, kEvents> events_{};
  std::size_t next_event_ = 0;
  std::array<void*, kBuffers> memory_{};
  std::vector<Values> plain_;                            // of a CPU rank
  std::array<std::vector<std::size_t>, kBuffers> last_;  // streams that touched each buffer last
  std::size_t at_step_ = 0;
  std::size_t hosted_ = 0;                  // host functions that were asked for,
  std::atomic<std::size_t> host_calls_{0};  // and that have run
};

}  // namespace stress
