// What the stand-in tells: texts of errors, counters, the report at exit, and the end of a process that misuses it.

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "tests/vendors/ccl/face.h"

namespace standin_ccl {
namespace {

thread_local std::string error;

// One write, so that the lines of several processes do not mix.
__attribute__((destructor)) void report() {
  const char* path = std::getenv("STANDIN_CCL_REPORT");
  if (path == nullptr) return;
  const Counters& all = counters();
  std::string line = std::string("{\"vendor\":\"") + face::kVendor +
                     "\",\"library\":" + std::to_string(STANDIN_CCL_VERSION) +
                     ",\"process\":" + std::to_string(getpid());
  const auto add = [&](const char* name, std::uint64_t value) {
    line += std::string(",\"") + name + "\":" + std::to_string(value);
  };
  constexpr const char* kNames[] = {"allreduce", "reduce", "broadcast", "reducescatter", "allgather",
                                    "alltoall",  "gather", "scatter",   "send",          "recv"};
  for (std::size_t kind = 0; kind < std::size(kNames); ++kind) add(kNames[kind], all.calls[kind]);
  add("bytes", all.bytes);
  add("communicators", all.communicators);
  add("refused", all.refused);
  add("aborted", all.aborted);
  line += "}\n";
  const int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0 || write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    std::fprintf(stderr, "stand-in: no report in %s\n", path);
  if (file >= 0) close(file);
}

}  // namespace

void set_error(const char* text) { error = text; }

ncclResult_t invalid(const char* text) {
  set_error(text);
  return ncclInvalidArgument;
}

void misuse(const char* call, const char* rule) {
  std::fprintf(stderr, "stand-in: %s: %s\n", call, rule);
  std::abort();
}

Counters& counters() {
  static auto* all = new Counters{};
  return *all;
}

}  // namespace standin_ccl

const standin_ccl::Counters* standin_ccl_counters() { return &standin_ccl::counters(); }

const char* ncclGetErrorString(ncclResult_t result) {
  switch (result) {
    case ncclSuccess: return "no error";
    case ncclUnhandledCudaError: return "the runtime failed";
    case ncclSystemError: return "the system failed";
    case ncclInternalError: return "internal error";
    case ncclInvalidArgument: return "invalid argument";
    case ncclInvalidUsage: return "invalid usage";
    case ncclRemoteError: return "a remote process failed";
    case ncclInProgress: return "in progress";
    default: return "unknown result";
  }
}
#if STANDIN_CCL_VERSION >= 21300
const char* ncclGetLastError(ncclComm_t) { return standin_ccl::error.c_str(); }
#endif
