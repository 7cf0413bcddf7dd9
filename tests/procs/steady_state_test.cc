// The hot path: once warm, a blocking call on shared memory allocates nothing, takes no lock and makes no system call.
//
// The test program interposes the allocator and pthread_mutex_lock and counts calls of this process; a seccomp filter
// kills it at the first system call that is not allowed in the measured part.

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <nccl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

namespace {

std::atomic<bool> counting{false};
std::atomic<long> allocations{0}, locks{0};

}  // namespace

extern "C" void* __libc_malloc(std::size_t);
extern "C" void* __libc_calloc(std::size_t, std::size_t);
extern "C" void* __libc_realloc(void*, std::size_t);
extern "C" void* __libc_memalign(std::size_t, std::size_t);

namespace {

void count_allocation() {
  if (counting.load(std::memory_order_relaxed)) ++allocations;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void* malloc(std::size_t bytes) {
  count_allocation();
  return __libc_malloc(bytes);
}

extern "C" __attribute__((visibility("default"))) void* calloc(std::size_t number, std::size_t bytes) {
  count_allocation();
  return __libc_calloc(number, bytes);
}

extern "C" __attribute__((visibility("default"))) void* realloc(void* old, std::size_t bytes) {
  count_allocation();
  return __libc_realloc(old, bytes);
}

extern "C" __attribute__((visibility("default"))) void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  count_allocation();
  return __libc_memalign(alignment, bytes);
}

extern "C" __attribute__((visibility("default"))) int posix_memalign(void** out, std::size_t alignment,
                                                                     std::size_t bytes) {
  count_allocation();
  *out = __libc_memalign(alignment, bytes);
  return *out != nullptr ? 0 : ENOMEM;
}

extern "C" __attribute__((visibility("default"))) int pthread_mutex_lock(pthread_mutex_t* mutex) {
  if (counting.load(std::memory_order_relaxed)) ++locks;
  using Function = int (*)(pthread_mutex_t*);
  static const Function real = [] { return reinterpret_cast<Function>(dlsym(RTLD_NEXT, "pthread_mutex_lock")); }();
  return real(mutex);
}

namespace {

void filter_system_calls(sock_filter* program, std::size_t length) {
  const sock_fprog filter{static_cast<unsigned short>(length), program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0)
    _exit(40);
}

// From here on this thread may only exit; any other system call ends the process with SIGSYS. (The clock is read
// without a system call, by the vDSO.)
void forbid_system_calls() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_exit_group, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  filter_system_calls(program, std::size(program));
}

// Likewise, but it may give up its core and sleep.
void forbid_all_but_waiting() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_exit_group, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_sched_yield, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_futex, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  filter_system_calls(program, std::size(program));
}

void count_allocations_and_locks() { counting = true; }

ncclDataType_t type = ncclFloat32;

void allreduce(ncclComm_t comm, std::vector<float>& data, std::size_t count) {
  if (ncclAllReduce(data.data(), data.data(), count, type, ncclSum, comm, nullptr) != ncclSuccess) _exit(41);
}

// Ranks that are done with the measured part. One that left earlier would be a death to those that are not.
struct Finish {
  std::atomic<int> done{0};
  void meet(int ranks) {
    for (++done; done < ranks;) __builtin_ia32_pause();
  }
  void give_up() { done = 1 << 20; }
};

// Exit code of a rank that warmed up and then ran the measured part under `watch`.
int run_rank(int rank, int ranks, int from_root, const std::vector<int>& to_others, Finish& finish, void (*watch)()) {
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
  finish.meet(ranks);
  _exit(allocations != 0 ? 50 : locks != 0 ? 51 : 0);  // at once: freeing `data` would be a system call
}

// Forks `ranks` ranks; the first exit code that is not 0, or -signal.
int run_ranks(int ranks, void (*watch)()) {
  int channel[2];
  EXPECT_EQ(pipe(channel), 0);
  void* shared = mmap(nullptr, sizeof(Finish), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* finish = new (shared) Finish;
  const std::vector<int> to_others(static_cast<std::size_t>(ranks - 1), channel[1]);
  for (int rank = 0; rank < ranks; ++rank)
    if (fork() == 0) _exit(run_rank(rank, ranks, channel[0], to_others, *finish, watch));
  close(channel[0]);
  close(channel[1]);
  int first = 0;
  for (int i = 0; i < ranks; ++i) {
    int status = 0;
    EXPECT_GT(waitpid(-1, &status, 0), 0);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    if (code != 0) finish->give_up();
    if (first == 0) first = code;
  }
  munmap(shared, sizeof(Finish));
  return first;
}

TEST(SteadyState, AllocatesNothingAndTakesNoLock) {
  for (int ranks : {2, 5})
    EXPECT_EQ(run_ranks(ranks, count_allocations_and_locks), 0) << "50: it allocated, 51: it locked";
}

TEST(SteadyState, AllocatesNothingForCallsCarriedInFp32) {
  setenv("AMALGAM_FP32_WIRE", "1", 1);
  setenv("AMALGAM_FAMILY", "ring", 1);  // rounds at every hop: so all of them are carried
  type = ncclBfloat16;
  EXPECT_EQ(run_ranks(2, count_allocations_and_locks), 0) << "50: it allocated, 51: it locked";
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

TEST(SteadyState, OnlyYieldsAndSleepsWhenAPeerIsLate) {
  const int more_than_cores = static_cast<int>(std::min(16L, 2 * sysconf(_SC_NPROCESSORS_ONLN)));
  for (int ranks : {2, more_than_cores})
    EXPECT_EQ(run_ranks(ranks, forbid_all_but_waiting), 0) << "-31 (SIGSYS): another system call was made";
}

}  // namespace
