// The hot path: once warm, a blocking call on shared memory allocates nothing, takes no lock and makes no system call.
//
// The test program interposes malloc and pthread_mutex_lock and counts calls of this process; system calls are counted
// by a seccomp filter that kills the process at the first one while the filter's thread is in the measured part.

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <nccl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <vector>

namespace {

std::atomic<bool> counting{false};
std::atomic<long> allocations{0}, locks{0};

}  // namespace

extern "C" void* __libc_malloc(std::size_t);
extern "C" void* __libc_calloc(std::size_t, std::size_t);

extern "C" __attribute__((visibility("default"))) void* malloc(std::size_t bytes) {
  if (counting.load(std::memory_order_relaxed)) ++allocations;
  return __libc_malloc(bytes);
}

extern "C" __attribute__((visibility("default"))) int pthread_mutex_lock(pthread_mutex_t* mutex) {
  if (counting.load(std::memory_order_relaxed)) ++locks;
  using Function = int (*)(pthread_mutex_t*);
  static const Function real = [] { return reinterpret_cast<Function>(dlsym(RTLD_NEXT, "pthread_mutex_lock")); }();
  return real(mutex);
}

namespace {

// From here on this thread may only exit and write; any other system call ends the process with SIGSYS. (The clock is
// read without a system call, by the vDSO.)
void forbid_system_calls() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_exit_group, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0)
    _exit(40);
}

ncclDataType_t type = ncclFloat32;

void allreduce(ncclComm_t comm, std::vector<float>& data, std::size_t count) {
  if (ncclAllReduce(data.data(), data.data(), count, type, ncclSum, comm, nullptr) != ncclSuccess) _exit(41);
}

// Exit code of a rank that warmed up and then ran the measured part under `watch`.
int run_rank(int rank, int ranks, int from_root, const std::vector<int>& to_others, void (*watch)()) {
  ncclUniqueId id;
  if (rank == 0) {
    if (ncclGetUniqueId(&id) != ncclSuccess) return 42;
    for (int fd : to_others)
      if (write(fd, &id, sizeof(id)) != sizeof(id)) return 43;
  } else if (read(from_root, &id, sizeof(id)) != sizeof(id)) {
    return 44;
  }
  ncclComm_t comm = nullptr;
  if (ncclCommInitRank(&comm, ranks, id, rank) != ncclSuccess) return 45;
  std::vector<float> data(100'000, 1);
  const std::size_t counts[] = {2, 1000, 100'000};
  for (int i = 0; i < 50; ++i)
    for (std::size_t count : counts) allreduce(comm, data, count);
  watch();
  for (int i = 0; i < 200; ++i)
    for (std::size_t count : counts) allreduce(comm, data, count);
  counting = false;
  _exit(allocations != 0 ? 50 : locks != 0 ? 51 : 0);  // at once: freeing `data` would be a system call
}

// Forks `ranks` ranks; the first exit code that is not 0, or -signal.
int run_ranks(int ranks, void (*watch)()) {
  int channel[2];
  EXPECT_EQ(pipe(channel), 0);
  std::vector<int> to_others(static_cast<std::size_t>(ranks - 1), channel[1]);
  std::vector<pid_t> children;
  for (int rank = 0; rank < ranks; ++rank) {
    const pid_t child = fork();
    if (child == 0) _exit(run_rank(rank, ranks, channel[0], to_others, watch));
    children.push_back(child);
  }
  close(channel[0]);
  close(channel[1]);
  int worst = 0;
  for (pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    if (worst == 0) worst = code;
  }
  return worst;
}

TEST(SteadyState, AllocatesNothingAndTakesNoLock) {
  EXPECT_EQ(run_ranks(2, [] { counting = true; }), 0) << "50: it allocated, 51: it locked";
}

TEST(SteadyState, AllocatesNothingForCallsCarriedInFp32) {
  setenv("AMALGAM_FP32_WIRE", "1", 1);
  setenv("AMALGAM_FAMILY", "ring", 1);  // rounds at every hop: so all of them are carried
  type = ncclBfloat16;
  EXPECT_EQ(run_ranks(2, [] { counting = true; }), 0) << "50: it allocated, 51: it locked";
  type = ncclFloat32;
  unsetenv("AMALGAM_FAMILY");
  unsetenv("AMALGAM_FP32_WIRE");
}

TEST(SteadyState, MakesNoSystemCallWhileRanksAreAtMostCores) {
  if (sysconf(_SC_NPROCESSORS_ONLN) < 2) GTEST_SKIP() << "needs two cores";
  // A waiting rank may sleep once the spin time is over, so it is set to longer than the test runs.
  setenv("AMALGAM_SPIN_US", "1000000", 1);
  EXPECT_EQ(run_ranks(2, forbid_system_calls), 0) << "-31 (SIGSYS): a system call was made";
  unsetenv("AMALGAM_SPIN_US");
}

}  // namespace
