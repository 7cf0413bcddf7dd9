// The run as JSON: the same facts as the table, and what does not fit into it. The fields are described in
// docs/benchmarks.md.

#include <dlfcn.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "failure.h"
#include "report.h"

namespace perf {
namespace {

using nlohmann::ordered_json;

ordered_json json_of(const Options& options) {
  return {{"min_bytes", options.min_bytes},
          {"max_bytes", options.max_bytes},
          {"step_bytes", options.step_factor == 0 ? ordered_json(options.step_bytes) : ordered_json(nullptr)},
          {"step_factor", options.step_factor == 0 ? ordered_json(nullptr) : ordered_json(options.step_factor)},
          {"iterations", options.iterations},
          {"aggregated", options.aggregated},
          {"warmups", options.warmups},
          {"cycles", options.cycles},
          {"checks", options.checks},
          {"threads", options.threads},
          {"ranks_per_thread", options.ranks_per_thread},
          {"average", static_cast<int>(options.average)},
          {"cpu_time", options.cpu_time},
          {"blocking", options.blocking},
          {"registration", static_cast<int>(options.registration)},
          {"memory", options.nccl_memory ? "nccl" : "malloc"},
          {"devices", options.devices},
          {"synchronous", options.synchronous},
          {"null_stream", options.null_stream}};
}

ordered_json json_of(const Row& row, const Timing& timing, double factor) {
  return {{"time_us", timing.time_us},
          {"median_us", timing.median_us},
          {"algbw_gbps", row.bandwidth(timing)},
          {"busbw_gbps", row.bandwidth(timing) * factor},
          {"wrong", timing.wrong ? ordered_json(*timing.wrong) : ordered_json(nullptr)},
          {"iterations_us", timing.iterations_us}};
}

ordered_json json_of(const Row& row, const Collective& collective, double factor) {
  return {{"bytes", row.bytes},
          {"count", row.count},
          {"type", row.type->name},
          {"op", name_of(row.op)},
          {"root", collective.rooted ? row.root : -1},
          {"cycle", row.cycle},
          {"out_of_place", json_of(row, row.out_of_place, factor)},
          {"in_place", row.in_place ? json_of(row, *row.in_place, factor) : ordered_json(nullptr)},
          {"bound_us", row.bound_us},
          {"predicted_us", row.predicted_us}};
}

std::string library() {
  const auto marker = reinterpret_cast<decltype(&amalgam_marker)>(dlsym(RTLD_DEFAULT, "amalgam_marker"));
  if (marker != nullptr) return marker();
  int version = 0;
  (void)ncclGetVersion(&version);
  return "NCCL " + std::to_string(version);
}

}  // namespace

void Report::write_json() const {
  const double factor = setting_.collective.bus_factor(static_cast<int>(setting_.ranks.size()));
  ordered_json results = ordered_json::array();
  for (const Row& row : rows_) results.push_back(json_of(row, setting_.collective, factor));
  const ordered_json all = {{"program", setting_.collective.program},
                            {"library", library()},
                            {"launcher", setting_.launcher},
                            {"description", setting_.description},
                            {"ranks", setting_.ranks},
                            {"options", json_of(setting_.options)},
                            {"results", results},
                            {"out_of_bounds", wrong()},
                            {"average_busbw_gbps", average_bus_bandwidth()}};
  std::ofstream file(setting_.options.json_file);
  file << all.dump(1) << '\n';
  if (!file.flush()) throw Failure("writing " + setting_.options.json_file + " failed");
}

}  // namespace perf
