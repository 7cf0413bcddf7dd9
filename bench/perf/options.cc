#include "options.h"

#include <CLI/CLI.hpp>

#include <cstdlib>

namespace perf {
namespace {

using Text = std::string;

// "8", "64K", "1.5M": powers of 1024.
std::uint64_t to_bytes(const Text& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  double unit = 1;
  switch (*end) {
    case 'k':
    case 'K': unit = 1024; break;
    case 'm':
    case 'M': unit = 1024.0 * 1024; break;
    case 'g':
    case 'G': unit = 1024.0 * 1024 * 1024; break;
    default: break;
  }
  if (unit > 1) ++end;
  if (unit > 1 && (*end == 'B' || *end == 'b')) ++end;
  const bool valid =
      end != text.c_str() && *end == '\0' && number >= 0 && number * unit <= static_cast<double>(1ULL << 50);
  if (!valid) throw CLI::ValidationError("size", "'" + text + "' is not a size such as 8, 64K, 1.5M or 2G");
  return static_cast<std::uint64_t>(number * unit);
}

std::vector<Op> to_ops(const Text& text) {
  if (text == "all") return {std::begin(kReductions), std::end(kReductions)};
  for (const Op op : kReductions)
    if (text == name_of(op)) return {op};
  throw CLI::ValidationError("--op", "'" + text + "' is none of sum prod max min avg mulsum all");
}

std::vector<const Type*> to_types(const Text& text) {
  std::vector<const Type*> types;
  for (const Type& type : kTypes)
    if (text == "all") types.push_back(&type);
  if (const Type* type = find_type(text)) types.push_back(type);
  if (!types.empty()) return types;
  throw CLI::ValidationError("--datatype", "'" + text +
                                               "' is none of int8 uint8 int32 uint32 int64 uint64 half float double "
                                               "bfloat16 f8e4m3 f8e5m2 all");
}

// What is read as text and becomes something else.
struct Raw {
  Text min_bytes = "32M", max_bytes = "32M", step_bytes = "1M", op = "sum", type = "float", memory = "malloc";
  int average = 3, registration = 0, cpu_time = 0, device_side = 0, blocking = 0, blocking_comm = 1, null_stream = 0;
  Text graph, policy, parallel, report;
};

void add_sizes(CLI::App& app, Options& options, Raw& raw) {
  app.add_option("-b,--minbytes", raw.min_bytes, "smallest size, with K, M or G")->capture_default_str();
  app.add_option("-e,--maxbytes", raw.max_bytes, "largest size")->capture_default_str();
  app.add_option("-i,--stepbytes", raw.step_bytes, "difference between sizes")->capture_default_str();
  app.add_option("-f,--stepfactor", options.step_factor, "factor between sizes, instead of -i")
      ->check(CLI::Range(2, 1 << 20));
  app.add_option("-o,--op", raw.op, "sum prod max min avg mulsum or all")->capture_default_str();
  app.add_option("-d,--datatype", raw.type, "element type, or all")->capture_default_str();
  app.add_option("-r,--root", options.root, "root of rooted collectives, -1: each in turn")
      ->check(CLI::Range(-1, 1 << 20));
}

void add_runs(CLI::App& app, Options& options, Raw& raw) {
  app.add_option("-n,--iters", options.iterations, "timed iterations")
      ->check(CLI::Range(1, 1 << 24))
      ->capture_default_str();
  app.add_option("-w,--warmup_iters", options.warmups, "iterations before")
      ->check(CLI::Range(0, 1 << 24))
      ->capture_default_str();
  app.add_option("-m,--agg_iters", options.aggregated, "calls in one group")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str();
  app.add_option("-N,--run_cycles", options.cycles, "times to run everything")->check(CLI::Range(1, 1 << 24));
  app.add_option("-c,--check", options.checks, "checked calls per size, 0: none")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  app.add_option("-a,--average", raw.average, "time shown: 0 rank 0's, 1 mean, 2 min, 3 max over ranks")
      ->check(CLI::Range(0, 3))
      ->capture_default_str();
  app.add_option("-C,--cputime", raw.cpu_time, "1: CPU time of the calling thread instead of elapsed time")
      ->check(CLI::Range(0, 1));
  app.add_option("-T,--timeout", options.timeout_s, "seconds for one size, 0: no limit")->check(CLI::Range(0, 1 << 20));
  app.add_option("-J,--json", options.json_file, "write everything, with each iteration's time, to this file");
}

void add_ranks(CLI::App& app, Options& options, Raw& raw) {
  app.add_option("--ranks", options.processes,
                 "local processes to start (default 2; 1 with -t or -g; under mpirun, srun or torchrun: not allowed)")
      ->check(CLI::Range(1, 4096));
  app.add_option("-t,--nthreads", options.threads, "threads per process")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("-g,--ngpus", options.ranks_per_thread, "ranks per thread, driven in one group")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--memory", raw.memory, "malloc or nccl (ncclMemAlloc)")
      ->check(CLI::IsMember({"malloc", "nccl"}))
      ->capture_default_str();
  app.add_option("-R,--local_register", raw.registration, "0 none, 1 ncclCommRegister, 2 ncclCommWindowRegister")
      ->check(CLI::Range(0, 2));
  app.add_option("--device", options.devices,
                 "this process's ranks work on these devices in turn: 0 or 0,1; CPU ranks without")
      ->delimiter(',')
      ->check(CLI::Range(0, 1023));
  app.add_option("--runtime", options.runtime, "file of the devices' runtime (default: libcudart.so, newest first)");
  app.add_option("-z,--blocking", raw.blocking,
                 "1: device ranks wait for their stream after each call, as CPU ranks do anyway")
      ->check(CLI::Range(0, 1));
  app.add_option("-y,--stream_null", raw.null_stream, "1: device ranks call on the null stream")
      ->check(CLI::Range(0, 1));
  app.add_option("--blocking-comm", raw.blocking_comm,
                 "0: non-blocking communicators, waited for by ncclCommGetAsyncError")
      ->check(CLI::Range(0, 1));
}

void add_gpu(CLI::App& app, Raw& raw) {
  const char* const group = "Accepted for nccl-tests' sake";
  app.add_option("-G,--cudagraph", raw.graph, "ignored")->group(group);
  app.add_option("-x,--ctapolicy,--cta_policy", raw.policy, "ignored: no kernels")->group(group);
  app.add_option("-p,--parallel_init", raw.parallel, "ignored: a process's ranks are always made in one group")
      ->group(group);
  app.add_option("-S,--report_cputime,--report", raw.report, "ignored: use -C 1")->group(group);
  app.add_option("-D,--device_implementation", raw.device_side, "only 0: CPU ranks have no device-side calls")
      ->group(group)
      ->check(CLI::Range(0, 0));
}

void note_ignored(const Raw& raw, Options& options) {
  const std::pair<const Text&, const char*> ignored[] = {
      {raw.graph, "-G is ignored"},
      {raw.policy, "-x is ignored: CPU ranks have no kernels"},
      {raw.parallel, "-p is ignored: a process makes its ranks in one group"},
      {raw.report, "-S is ignored: -C 1 shows CPU time"}};
  for (const auto& [value, note] : ignored)
    if (!value.empty() && value != "0") options.notes.emplace_back(note);
}

void convert(const Raw& raw, bool reduces, CLI::App& app, Options& options) {
  options.min_bytes = to_bytes(raw.min_bytes);
  options.max_bytes = to_bytes(raw.max_bytes);
  options.step_bytes = to_bytes(raw.step_bytes);
  if (options.min_bytes > options.max_bytes) {
    if (app.count("-e") != 0) throw CLI::ValidationError("-b", "is larger than -e");
    options.max_bytes = options.min_bytes;
  } else if (app.count("-b") == 0 && options.max_bytes < options.min_bytes) {
    options.min_bytes = options.max_bytes;
  }
  if (options.step_bytes == 0) throw CLI::ValidationError("-i", "must be larger than 0");
  options.ops = to_ops(raw.op);
  if (!reduces) options.ops = {Op::kNone};
  options.types = to_types(raw.type);
  options.average = static_cast<Average>(raw.average);
  options.registration = static_cast<Registration>(raw.registration);
  options.nccl_memory = raw.memory == "nccl";
  options.synchronous = raw.blocking != 0;
  options.null_stream = raw.null_stream != 0;
  options.cpu_time = raw.cpu_time != 0;
  options.blocking = raw.blocking_comm != 0;
  options.processes_given = app.count("--ranks") != 0;
  if (!options.processes_given && (app.count("-t") != 0 || app.count("-g") != 0)) options.processes = 1;
  note_ignored(raw, options);
}

}  // namespace

std::vector<std::uint64_t> Options::sizes() const {
  std::vector<std::uint64_t> sizes;
  for (std::uint64_t size = min_bytes; size <= max_bytes;) {
    sizes.push_back(size);
    if (step_factor == 0) {
      size += step_bytes;
    } else {
      size = size == 0 ? 1 : size * static_cast<std::uint64_t>(step_factor);
    }
  }
  return sizes;
}

Parsed parse_options(int argc, char** argv, const char* program, bool reduces) {
  Parsed parsed;
  Raw raw;
  CLI::App app("Times and checks one NCCL collective on CPU ranks and device ranks.", program);
  add_sizes(app, parsed.options, raw);
  add_runs(app, parsed.options, raw);
  add_ranks(app, parsed.options, raw);
  add_gpu(app, raw);
  try {
    app.parse(argc, argv);
    convert(raw, reduces, app, parsed.options);
  } catch (const CLI::ParseError& error) {
    constexpr int kWrongOptions = 2;
    parsed.exit_code = app.exit(error) == 0 ? 0 : kWrongOptions;
  }
  return parsed;
}

}  // namespace perf
