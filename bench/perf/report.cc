#include "report.h"

#include <cinttypes>
#include <cstdio>
#include <utility>

namespace perf {
namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

constexpr seconds kProgressEvery{10};

const char* name_of(Average average) {
  switch (average) {
    case Average::kRank0: return "rank 0";
    case Average::kMean: return "mean over ranks";
    case Average::kMin: return "fastest rank";
    case Average::kMax: break;
  }
  return "slowest rank";
}

void print_lines(const std::string& text) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = text.find('\n', at);
    if (end == std::string::npos) end = text.size();
    std::printf("# %.*s\n", static_cast<int>(end - at), &text[at]);
    at = end + 1;
  }
}

void print_time(double time_us) { std::printf("  %7.*f", time_us >= 10000 ? 0 : time_us >= 100 ? 1 : 2, time_us); }

}  // namespace

Report::Report(Setting setting, std::size_t rows) : setting_(std::move(setting)), expected_rows_(rows) {}

void Report::begin() const {
  const Options& options = setting_.options;
  for (const std::string& note : options.notes)
    std::fprintf(stderr, "%s: note: %s\n", setting_.collective.program, note.c_str());
  std::printf("# %s, started by %s\n", setting_.collective.program, setting_.launcher.c_str());
  std::printf("# nThread %d nGpus %d minBytes %" PRIu64 " maxBytes %" PRIu64 " step: %" PRIu64
              "(%s) warmup iters: %d iters: %d agg iters: %d validation: %d\n",
              options.threads, options.ranks_per_thread, options.min_bytes, options.max_bytes,
              options.step_factor != 0 ? static_cast<std::uint64_t>(options.step_factor) : options.step_bytes,
              options.step_factor != 0 ? "factor" : "bytes", options.warmups, options.iterations, options.aggregated,
              options.checks);
  std::printf("# time: mean of the iterations, %s%s; memory: %s\n", name_of(options.average),
              options.cpu_time ? ", CPU time" : "", options.nccl_memory ? "ncclMemAlloc" : "malloc");
  print_lines(setting_.description);
  std::printf("#\n# Using ranks\n");
  for (const std::string& rank : setting_.ranks) std::printf("#  %s\n", rank.c_str());
  std::printf("#\n#%74s %34s\n", "out-of-place", "in-place");
  std::printf("#%12s  %12s  %8s  %6s  %6s  %7s  %6s  %6s  %5s  %7s  %6s  %6s  %5s  %7s  %5s\n", "size", "count", "type",
              "redop", "root", "time", "algbw", "busbw", "#wrong", "time", "algbw", "busbw", "#wrong", "bound", "eff");
  std::printf("#%12s  %12s  %8s  %6s  %6s  %7s  %6s  %6s  %6s  %7s  %6s  %6s  %6s  %7s\n", "(B)", "(elements)", "", "",
              "", "(us)", "(GB/s)", "(GB/s)", "", "(us)", "(GB/s)", "(GB/s)", "", "(us)");
  std::fflush(stdout);
}

void Report::print(const Row& row) const {
  const Collective& collective = setting_.collective;
  const double factor = collective.bus_factor(static_cast<int>(setting_.ranks.size()));
  std::printf(" %12" PRIu64 "  %12" PRIu64 "  %8s  %6s  %6d", row.bytes, row.count, row.type->name,
              perf::name_of(row.op), collective.rooted ? row.root : -1);
  const auto print_timing = [&](const Timing& timing) {
    print_time(timing.time_us);
    std::printf("  %6.2f  %6.2f  %6s", row.bandwidth(timing), row.bandwidth(timing) * factor,
                timing.wrong ? std::to_string(*timing.wrong).c_str() : "N/A");
  };
  print_timing(row.out_of_place);
  if (row.in_place)
    print_timing(*row.in_place);
  else
    std::printf("  %7s  %6s  %6s  %6s", "N/A", "N/A", "N/A", "N/A");
  print_time(row.bound_us);
  std::printf("  %5.2f\n", row.out_of_place.time_us > 0 ? row.bound_us / row.out_of_place.time_us : 0.0);
  std::fflush(stdout);
}

void Report::print_progress(const Row& row) {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_progress_ < kProgressEvery) return;
  last_progress_ = now;
  std::fprintf(stderr, "%s: %zu of %zu rows after %lld s, last %" PRIu64 " bytes of %s\n", setting_.collective.program,
               rows_.size(), expected_rows_, static_cast<long long>(duration_cast<seconds>(now - start_).count()),
               row.bytes, row.type->name);
}

void Report::add(Row row) {
  print(row);
  rows_.push_back(std::move(row));
  if (rows_.size() < expected_rows_) print_progress(rows_.back());
}

std::uint64_t Report::wrong() const {
  std::uint64_t wrong = 0;
  for (const Row& row : rows_)
    wrong += row.out_of_place.wrong.value_or(0) + (row.in_place ? row.in_place->wrong.value_or(0) : 0);
  return wrong;
}

double Report::average_bus_bandwidth() const {
  double sum = 0;
  std::size_t timings = 0;
  for (const Row& row : rows_) {
    sum += row.bandwidth(row.out_of_place) + (row.in_place ? row.bandwidth(*row.in_place) : 0);
    timings += row.in_place ? 2 : 1;
  }
  return timings == 0 ? 0
                      : sum * setting_.collective.bus_factor(static_cast<int>(setting_.ranks.size())) /
                            static_cast<double>(timings);
}

std::uint64_t Report::end() const {
  const std::uint64_t all_wrong = wrong();
  std::printf("# Out of bounds values : %" PRIu64 " %s\n", all_wrong, all_wrong == 0 ? "OK" : "FAILED");
  std::printf("# Avg bus bandwidth    : %g\n#\n", average_bus_bandwidth());
  std::fflush(stdout);
  if (!setting_.options.json_file.empty()) write_json();
  return all_wrong;
}

}  // namespace perf
