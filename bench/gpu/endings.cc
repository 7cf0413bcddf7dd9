// Ends that are not orderly: an abort while the stream is parked on a peer that never comes, and a peer that is killed.
// Afterwards the stream must be free and the device usable.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "probe.h"

namespace gpu {
namespace {

void use_again(const Device& device, void* memory, bench::Stream stream) {
  device.wait(stream);
  device.fill(memory, 0, sizeof(float), stream);
  device.wait(stream);
}

double timed_abort(ncclComm_t comm) {
  const double begin = now_us();
  check(ncclCommAbort(comm), "ncclCommAbort");
  return (now_us() - begin) / 1e3;
}

// A CPU rank that joins, takes part in one call and waits for its end.
[[noreturn]] void be_the_victim(int in, int out) {
  setenv("AMALGAM_DEVICE", "host", 1);
  ncclUniqueId id;
  ncclComm_t comm = nullptr;
  float one = 1;
  if (read(in, &id, sizeof(id)) != sizeof(id)) _exit(1);
  if (ncclCommInitRank(&comm, 2, id, 1) != ncclSuccess) _exit(1);
  if (ncclAllReduce(&one, &one, 1, ncclFloat, ncclSum, comm, nullptr) != ncclSuccess) _exit(1);
  (void)!write(out, "r", 1);
  for (;;) pause();
}

struct Victim {
  pid_t pid;
  int to, from;
};

Victim start_victim() {
  int to[2], from[2];
  if (pipe(to) != 0 || pipe(from) != 0) throw std::runtime_error("no pipe");
  const pid_t pid = fork();  // before anything of NCCL or the device
  if (pid < 0) throw std::runtime_error("no second process");
  if (pid == 0) be_the_victim(to[0], from[1]);
  close(to[0]);
  close(from[1]);
  return {pid, to[1], from[0]};
}

// Milliseconds until the communicator says that the peer is gone.
double wait_for_the_news(ncclComm_t comm, double begin_us) {
  ncclResult_t state = ncclSuccess;
  while (state == ncclSuccess) {
    check(ncclCommGetAsyncError(comm, &state), "ncclCommGetAsyncError");
    std::this_thread::yield();
  }
  if (state != ncclRemoteError) throw std::runtime_error(std::string("another error: ") + ncclGetErrorString(state));
  return (now_us() - begin_us) / 1e3;
}

}  // namespace

Figures ending_by_abort(const Options& options) {
  const Device device(options);
  std::atomic<bool> over{false};
  Figures figures;
  beside_a_cpu_rank(
      [&](const Member& me) {
        const bench::Stream stream = device.make_stream();
        void* data = device.allocate(sizeof(float));
        device.fill(data, 0, sizeof(float), stream);
        check(ncclAllReduce(data, data, 1, ncclFloat, ncclSum, me.comm, stream), "ncclAllReduce");
        figures["abort_ms"] = timed_abort(me.comm);
        over = true;
        use_again(device, data, stream);
      },
      [&](const Member& me) {
        while (!over) std::this_thread::yield();  // never calls
        figures["abort_of_the_peer_ms"] = timed_abort(me.comm);
      });
  return figures;
}

Figures ending_by_kill(const Options& options) {
  const Victim victim = start_victim();
  const Device device(options);
  ncclUniqueId id;
  ncclComm_t comm = nullptr;
  check(ncclGetUniqueId(&id), "ncclGetUniqueId");
  if (write(victim.to, &id, sizeof(id)) != sizeof(id)) throw std::runtime_error("the other process is gone");
  check(ncclCommInitRank(&comm, 2, id, 0), "ncclCommInitRank");
  const bench::Stream stream = device.make_stream();
  void* data = device.allocate(sizeof(float));
  device.fill(data, 0, sizeof(float), stream);
  check(ncclAllReduce(data, data, 1, ncclFloat, ncclSum, comm, stream), "ncclAllReduce");
  device.wait(stream);
  char ready = 0;
  if (read(victim.from, &ready, 1) != 1) throw std::runtime_error("the other process failed");
  check(ncclAllReduce(data, data, 1, ncclFloat, ncclSum, comm, stream),
        "ncclAllReduce");  // it will never enter this one
  const double begin = now_us();
  kill(victim.pid, SIGKILL);
  Figures figures;
  figures["error_after_ms"] = wait_for_the_news(comm, begin);
  figures["abort_ms"] = timed_abort(comm);
  use_again(device, data, stream);
  waitpid(victim.pid, nullptr, 0);
  return figures;
}

}  // namespace gpu
