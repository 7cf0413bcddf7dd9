// What the detour through this library adds to a call that a vendor's library carries, against calling that library
// directly: two communicators of one rank, one through ours, one the vendor's own, in the same process.
//
//   AMALGAM_VENDOR_LIBRARY=…/libnccl.so.2 delegate        the stand-in's (tests/vendors), or a real one
//
// The call is an allreduce of no elements, which the vendor answers at once: what is left is the way there. Rounds of
// both alternate; printed are medians over rounds of the time of one call in ns, and their difference.

#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "nccl.h"

extern "C" int cudaSetDevice(int);

namespace {

constexpr int kRounds = 201, kCalls = 5000;

template <typename Call>
double ns_of(const Call& call) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kCalls; ++i)
    if (call() != ncclSuccess) std::abort();
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count() / kCalls;
}

double median(std::vector<double>& values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

template <typename Function>
Function* vendors(void* library, Function*, const char* name) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

ncclComm_t must_init(decltype(&ncclGetUniqueId) get_id, decltype(&ncclCommInitRank) init) {
  ncclUniqueId id;
  ncclComm_t comm = nullptr;
  if (get_id(&id) != ncclSuccess || init(&comm, 1, id, 0) != ncclSuccess) {
    std::fprintf(stderr, "delegate: no communicator: %s\n", ncclGetLastError(nullptr));
    std::exit(1);
  }
  return comm;
}

}  // namespace

int main() {
  const char* path = std::getenv("AMALGAM_VENDOR_LIBRARY");
  cudaSetDevice(0);
  ncclComm_t ours = must_init(ncclGetUniqueId, ncclCommInitRank);
  void* library = path == nullptr ? nullptr : dlopen(path, RTLD_LAZY | RTLD_NOLOAD);  // ours has opened it
  if (library == nullptr) {
    std::fprintf(stderr, "delegate: the communicator is not carried by AMALGAM_VENDOR_LIBRARY\n");
    return 1;
  }
  ncclComm_t theirs = must_init(vendors(library, &ncclGetUniqueId, "ncclGetUniqueId"),
                                vendors(library, &ncclCommInitRank, "ncclCommInitRank"));
  auto* all_reduce = vendors(library, &ncclAllReduce, "ncclAllReduce");
  std::vector<double> direct, delegated;
  for (int round = 0; round < kRounds; ++round) {
    direct.push_back(ns_of([&] { return all_reduce(nullptr, nullptr, 0, ncclFloat, ncclSum, theirs, nullptr); }));
    delegated.push_back(ns_of([&] { return ncclAllReduce(nullptr, nullptr, 0, ncclFloat, ncclSum, ours, nullptr); }));
  }
  const double without = median(direct), with = median(delegated);
  std::printf("direct %.1f ns, delegated %.1f ns, added %.1f ns\n", without, with, with - without);
  return 0;
}
