#include "bench/compare/core.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace compare {
namespace {

constexpr int kMaxRanks = 64;
constexpr int64_t kSampleNs = 100'000;
constexpr int kMaxCalls = 4096;
constexpr int kMaxSamples = 60;
constexpr int kMinSamples = 3;
constexpr const char* kNames[] = {"allreduce", "allgather", "reduce_scatter", "broadcast", "alltoall", "reduce"};

struct alignas(64) Entry {
  int64_t begin;
  int64_t end;
};

// The shared file. All zero is its valid first state.
struct Board {
  alignas(64) std::atomic<uint32_t> arrived;
  alignas(64) std::atomic<uint32_t> generation;
  alignas(64) std::atomic<int> decision;  // written by rank 0 between two barriers
  Entry entries[kMaxRanks];
};

Board* board = nullptr;
int board_ranks = 0;
bool crowded = false;  // more ranks than cores: waiting must give the core away

int64_t Now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

void MapBoard(int ranks) {
  const std::string path = TextFromEnvironment("COMPARE_BOARD", "");
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) Fail("COMPARE_BOARD names no file: " + path);
  void* memory = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (memory == MAP_FAILED || ranks > kMaxRanks) Fail("cannot map the board");
  board = static_cast<Board*>(memory);
  board_ranks = ranks;
  crowded = ranks > sysconf(_SC_NPROCESSORS_ONLN);
}

struct Options {
  Collective collective = Collective::kAllreduce;
  std::vector<size_t> sizes;
  double seconds = 0.05;  // of samples per size
};

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--seconds") options.seconds = std::atof(argv[i + 1]);
    if (name == "--sizes") {
      for (char* at = argv[i + 1]; *at != 0; at += *at == ',') options.sizes.push_back(std::strtoull(at, &at, 10));
    }
    if (name == "--collective") {
      for (int c = 0; c < 6; ++c)
        if (std::string(kNames[c]) == argv[i + 1]) options.collective = static_cast<Collective>(c);
    }
  }
  if (options.sizes.empty()) Fail("no --sizes");
  return options;
}

bool Splits(Collective c) {
  return c == Collective::kAllgather || c == Collective::kReduceScatter || c == Collective::kAlltoall;
}

// Small whole numbers that name rank and place, so that sums are exact and a wrong rank or offset shows.
float Value(int rank, size_t place) { return static_cast<float>((rank + 1) * 3 + static_cast<int>(place % 7)); }

float SumOfValues(int ranks, size_t place) {
  float sum = 0;
  for (int rank = 0; rank < ranks; ++rank) sum += Value(rank, place);
  return sum;
}

float Expected(const Request& request, int rank, int ranks, size_t i) {
  switch (request.collective) {
    case Collective::kAllreduce:
    case Collective::kReduce: return SumOfValues(ranks, i);
    case Collective::kReduceScatter: return SumOfValues(ranks, rank * request.block + i);
    case Collective::kBroadcast: return Value(0, i);
    case Collective::kAllgather: return Value(static_cast<int>(i / request.block), i % request.block);
    case Collective::kAlltoall:
      return Value(static_cast<int>(i / request.block), rank * request.block + i % request.block);
  }
  return 0;
}

// True when this rank's result is right.
bool IsRight(const Request& request, int rank, int ranks) {
  if (request.collective == Collective::kReduce && rank != 0) return true;
  const size_t count = request.collective == Collective::kReduceScatter ? request.block : request.count;
  const size_t stride = count > 65536 ? 61 : 1;  // prime to the pattern of 7, so that all phases are seen
  for (size_t i = 0; i < count; i += stride)
    if (request.recv[i] != Expected(request, rank, ranks, i)) return false;
  return request.recv[count - 1] == Expected(request, rank, ranks, count - 1);
}

// One sample of `calls` calls: nanoseconds from the first rank's start to the last rank's end. Same answer on all
// ranks.
int64_t Sample(Backend& backend, const Request& request, int calls) {
  Entry& mine = board->entries[backend.Rank()];
  BoardBarrier();
  mine.begin = Now();
  for (int i = 0; i < calls; ++i) backend.Run(request);
  mine.end = Now();
  BoardBarrier();
  int64_t begin = board->entries[0].begin, end = board->entries[0].end;
  for (int rank = 1; rank < board_ranks; ++rank) {
    begin = std::min(begin, board->entries[rank].begin);
    end = std::max(end, board->entries[rank].end);
  }
  BoardBarrier();  // nobody starts the next sample's clock before all have read
  return end - begin;
}

// All ranks return rank 0's value.
int Decide(const Backend& backend, int value) {
  if (backend.Rank() == 0) board->decision.store(value, std::memory_order_relaxed);
  BoardBarrier();
  const int decided = board->decision.load(std::memory_order_relaxed);
  BoardBarrier();
  return decided;
}

// Warm-up; returns how many calls a sample should hold.
int WarmUp(Backend& backend, const Request& request, double seconds) {
  int calls = 1;
  int64_t spent = 0;
  for (int round = 0; round < 20; ++round) {
    const int64_t took = std::max<int64_t>(Sample(backend, request, calls), 1);
    spent += took;
    if (spent > seconds * 0.25e9) break;
    if (took < kSampleNs) calls = static_cast<int>(std::min<int64_t>(kMaxCalls, calls * 2));
  }
  return Decide(backend, calls);
}

std::vector<double> Measure(Backend& backend, const Request& request, double seconds) {
  const int calls = WarmUp(backend, request, seconds);
  std::vector<double> microseconds;
  int64_t spent = 0;
  while (static_cast<int>(microseconds.size()) < kMinSamples ||
         (spent < seconds * 1e9 && static_cast<int>(microseconds.size()) < kMaxSamples)) {
    const int64_t took = Sample(backend, request, calls);  // equal on all ranks, so all leave the loop together
    spent += took;
    microseconds.push_back(static_cast<double>(took) / calls / 1e3);
  }
  return microseconds;
}

void PrintResult(const Options& options, size_t size, const Request& request, const char* check,
                 const std::vector<double>& times) {
  std::string list;
  char text[32];
  for (double time : times) {
    std::snprintf(text, sizeof text, "%s%.4g", list.empty() ? "" : ",", time);
    list += text;
  }
  std::printf("{\"compare\":1,\"collective\":\"%s\",\"size\":%zu,\"bytes\":%zu,\"check\":\"%s\",\"us\":[%s]}\n",
              kNames[static_cast<int>(options.collective)], size, request.count * sizeof(float), check, list.c_str());
  std::fflush(stdout);
}

void MeasureSize(Backend& backend, const Options& options, size_t size, Request request) {
  const size_t ranks = static_cast<size_t>(backend.Ranks());
  request.count = std::max<size_t>(size / sizeof(float), 1);
  if (Splits(options.collective)) request.count = std::max(request.count / ranks, size_t{1}) * ranks;
  request.block = request.count / ranks;
  std::fill_n(request.recv, request.count, -1.0F);
  backend.Prepare(request);
  BoardBarrier();
  backend.Run(request);
  const bool right = !backend.HasResult() || IsRight(request, backend.Rank(), backend.Ranks());
  board->entries[backend.Rank()].begin = right ? 1 : 0;
  BoardBarrier();
  bool all_right = true;
  for (int rank = 0; rank < board_ranks; ++rank) all_right &= board->entries[rank].begin == 1;
  BoardBarrier();
  const std::vector<double> times = Measure(backend, request, options.seconds);
  if (backend.Rank() == 0) PrintResult(options, size, request, all_right ? "ok" : "wrong result", times);
}

}  // namespace

float* Backend::Allocate(size_t bytes) { return static_cast<float*>(std::malloc(bytes)); }

void BoardBarrier() {
  const uint32_t generation = board->generation.load(std::memory_order_acquire);
  if (board->arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<uint32_t>(board_ranks)) {
    board->arrived.store(0, std::memory_order_relaxed);
    board->generation.store(generation + 1, std::memory_order_release);
    return;
  }
  for (uint32_t turns = 1; board->generation.load(std::memory_order_acquire) == generation; ++turns) {
    if (crowded || turns % 1024 == 0) sched_yield();
  }
}

int NumberFromEnvironment(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr) Fail(std::string(name) + " is not set; run.py sets it");
  return std::atoi(text);
}

std::string TextFromEnvironment(const char* name, const char* fallback) {
  const char* text = std::getenv(name);
  return text != nullptr ? text : fallback;
}

void Fail(const std::string& reason) {
  std::fprintf(stderr, "compare: %s\n", reason.c_str());
  std::_Exit(3);
}

int RunRank(Backend& backend, int argc, char** argv) {
  const Options options = Parse(argc, argv);
  const std::string missing = backend.Missing(options.collective);
  if (!missing.empty()) Fail(missing);
  MapBoard(backend.Ranks());
  const size_t largest = *std::max_element(options.sizes.begin(), options.sizes.end());
  const size_t bytes = std::max<size_t>(largest, 64 * sizeof(float));
  Request request{options.collective, backend.Allocate(bytes), backend.Allocate(bytes), 0, 0};
  if (request.send == nullptr || request.recv == nullptr) Fail("no memory for the buffers");
  for (size_t i = 0; i < bytes / sizeof(float); ++i) request.send[i] = Value(backend.Rank(), i);  // and first touch
  std::fill_n(request.recv, bytes / sizeof(float), 0.0F);
  for (size_t size : options.sizes) MeasureSize(backend, options, size, request);
  BoardBarrier();
  return 0;
}

}  // namespace compare
