// Speed of src/reduce: traffic in GB/s (operands read + result written) per type and operation, next to memcpy and a
// plain loop of the same compiler, and the cost of a call on two elements. Prints, judges nothing.
//
//   fold [BYTES_PER_OPERAND] [OPERANDS]        default 65536 (fits the second cache) and 2

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "reduce/fold.h"
#include "reduce/kernels.h"

namespace amalgam::reduce {
namespace {

using Clock = std::chrono::steady_clock;

// Best of several runs, in nanoseconds per call.
template <typename Call>
double time_of(const Call& call, std::size_t calls_per_run) {
  double best = 1e30;
  for (int run = 0; run < 9; ++run) {
    const Clock::time_point start = Clock::now();
    for (std::size_t i = 0; i < calls_per_run; ++i) call();
    const std::chrono::duration<double, std::nano> took = Clock::now() - start;
    best = std::min(best, took.count() / static_cast<double>(calls_per_run));
  }
  return best;
}

struct Operands {
  Operands(std::size_t bytes, std::size_t operand_count) : bytes_per_operand(bytes) {
    for (std::size_t j = 0; j <= operand_count; ++j) {
      memory.emplace_back(bytes + 8192,
                          static_cast<unsigned char>(0x30 + j % 8));  // an ordinary number in every format
      // Cache lines apart from each other within a page: equal offsets would make loads wait for unrelated stores.
      const auto address = reinterpret_cast<std::uintptr_t>(memory.back().data());
      unsigned char* aligned = memory.back().data() + (4096 - address % 4096) + 448 * (j % 8);
      if (j == operand_count) {
        result = aligned;
      } else {
        pointers.push_back(aligned);
      }
    }
  }
  double gigabytes_per_second(double nanoseconds) const {
    return static_cast<double>(bytes_per_operand * (pointers.size() + 1)) / nanoseconds;
  }
  std::size_t bytes_per_operand;
  std::vector<std::vector<unsigned char>> memory;
  std::vector<const void*> pointers;
  unsigned char* result = nullptr;
};

__attribute__((noinline)) void plain_loop(float* dst, const float* a, const float* b, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) dst[i] = a[i] + b[i];
}

void print_baselines(Operands& data, std::size_t calls) {
  const auto copy_all = [&] { std::memcpy(data.result, data.pointers[0], data.bytes_per_operand); };
  fmt::print("memcpy                {:8.1f} GB/s (read + written)\n",
             2.0 * static_cast<double>(data.bytes_per_operand) / time_of(copy_all, calls));
  const auto* a = static_cast<const float*>(data.pointers[0]);
  const auto* b = static_cast<const float*>(data.pointers[data.pointers.size() > 1 ? 1 : 0]);
  const auto add = [&] {
    plain_loop(reinterpret_cast<float*>(data.result), a, b, data.bytes_per_operand / sizeof(float));
  };
  fmt::print("plain float loop, sum {:8.1f} GB/s (two operands)\n\n",
             3.0 * static_cast<double>(data.bytes_per_operand) / time_of(add, calls));
}

void print_target(const Kernels& kernels, Operands& data, std::size_t calls) {
  fmt::print("{:10} {:>8} {:>8} {:>8} {:>8} {:>10} {:>10}\n", kernels.name, "sum", "prod", "max", "min", "avg",
             "premulsum");
  for (int type = 0; type < kDataTypes; ++type) {
    const std::size_t count = data.bytes_per_operand / size_of(static_cast<DataType>(type));
    fmt::print("{:10}", name_of(static_cast<DataType>(type)));
    for (const FoldKernel kernel : kernels.fold[type]) {
      const auto call = [&] { kernel(data.result, data.pointers.data(), data.pointers.size(), 0, count); };
      fmt::print(" {:8.1f}", data.gigabytes_per_second(time_of(call, calls)));
    }
    const Scale divide{Scale::Kind::kDivide, 3.0, 3}, multiply{Scale::Kind::kMultiply, 2.0, 2};
    for (const Scaling& scaling : {Scaling{{}, divide, -1}, Scaling{multiply, {}, 0}}) {
      const auto call = [&] {
        kernels.scaled[type][0](scaling, data.result, data.pointers.data(), data.pointers.size(), 0, count);
      };
      fmt::print(" {:10.1f}", data.gigabytes_per_second(time_of(call, std::max<std::size_t>(1, calls / 4))));
    }
    fmt::print("\n");
  }
  fmt::print("\n");
}

void print_call_costs() {
  fmt::print("fold() on two operands, ns per call, by elements\n{:10} {:>8} {:>8} {:>8} {:>8} {:>8}\n", target_name(),
             1, 2, 8, 31, 256);
  Operands data(4096, 2);
  for (const DataType type : {DataType::kFloat32, DataType::kBfloat16, DataType::kFloat8e4m3, DataType::kInt8}) {
    fmt::print("{:10}", name_of(type));
    for (const std::size_t count : {1, 2, 8, 31, 256}) {
      const Reduction reduction{type, ReduceOp::kSum, {}, {}};
      const auto call = [&] { fold(reduction, data.result, data.pointers, count, -1, false); };
      fmt::print(" {:8.1f}", time_of(call, 20000));
    }
    fmt::print("\n");
  }
}

}  // namespace
}  // namespace amalgam::reduce

int main(int argc, char** argv) {
  using namespace amalgam::reduce;
  const std::size_t bytes = argc > 1 ? std::strtoull(argv[1], nullptr, 0) : 65536;
  const std::size_t operand_count = argc > 2 ? std::strtoull(argv[2], nullptr, 0) : 2;
  if (bytes < 8 || operand_count < 1) return 2;
  Operands data(bytes, operand_count);
  const std::size_t calls = std::max<std::size_t>(1, (std::size_t{4} << 20) / (bytes * operand_count));
  fmt::print("{} bytes per operand, {} operands\n", bytes, operand_count);
  print_baselines(data, calls);
  const Targets targets = usable_targets();
  for (const Kernels* const* table = targets.tables; *table != nullptr; ++table) print_target(**table, data, calls);
  print_call_costs();
  return 0;
}
