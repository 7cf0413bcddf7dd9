// The program from its command line to its exit status: who am I, join the others, run every size, report.

#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>

#include "failure.h"
#include "launch.h"
#include "report.h"

namespace perf {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongOptions = 2;

std::string late;  // written before the handler is there

void on_alarm(int) {
  (void)!write(STDERR_FILENO, late.data(), late.size());
  _exit(kFailed);
}

void prepare_timeout(const Collective& collective, const Options& options, const World& world) {
  if (options.timeout_s == 0) return;
  late = std::string(collective.program) + ": process " + std::to_string(world.rank) + ": one size took longer than " +
         std::to_string(options.timeout_s) + " s (-T)\n";
  signal(SIGALRM, on_alarm);
}

// Other ranks of this process may be inside calls that will not end: no destructors.
[[noreturn]] void give_up(const Collective& collective, int rank, const std::exception& failure) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s: rank %d: %s\n", collective.program, rank, failure.what());
  _exit(kFailed);
}

using Teams = std::vector<std::unique_ptr<Team>>;

std::uint64_t largest_buffer(const Collective& collective, const Options& options, int ranks) {
  std::uint64_t largest = 0;
  for (const Type* type : options.types)
    largest = std::max(largest, count_for(collective, *type, options.max_bytes, ranks) * type->bytes *
                                    (collective.split() ? static_cast<std::uint64_t>(ranks) : 1));
  return largest;
}

void make_communicators(const World& world, const Options& options, const std::vector<Seat>& seats,
                        std::vector<ncclComm_t>& comms) {
  const int local = options.local_ranks(), ranks = world.size * local;
  const Invitation invitation = share_unique_id(world);
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = options.blocking ? 1 : 0;
  check(ncclGroupStart(), "ncclGroupStart");
  for (int i = 0; i < local; ++i) {
    const auto at = static_cast<std::size_t>(i);
    seats[at].use();
    check(ncclCommInitRankConfig(&comms[at], ranks, invitation.id, world.rank * local + i, &config),
          "ncclCommInitRankConfig");
  }
  check(ncclGroupEnd(), "ncclCommInitRankConfig");
  for (ncclComm_t comm : comms)
    for (ncclResult_t state = ncclInProgress; state == ncclInProgress && !options.blocking; usleep(100)) {
      check(ncclCommGetAsyncError(comm, &state), "ncclCommGetAsyncError");
      check(state, "ncclCommInitRankConfig");
    }
}

// A seat for each rank of this process.
std::vector<Seat> make_seats(const Options& options) {
  std::vector<Seat> seats(static_cast<std::size_t>(options.local_ranks()));
  if (options.devices.empty()) return seats;
  static const bench::Runtime runtime = bench::open_runtime(options.runtime);
  for (std::size_t i = 0; i < seats.size(); ++i)
    seats[i] = Seat(runtime, options.devices[i % options.devices.size()], options.null_stream);
  return seats;
}

Teams make_teams(const World& world, const Collective& collective, const Options& options) {
  const int local = options.local_ranks(), ranks = world.size * local;
  const std::vector<Seat> seats = make_seats(options);
  std::vector<ncclComm_t> comms(static_cast<std::size_t>(local));
  make_communicators(world, options, seats, comms);
  Teams teams;
  for (int i = 0; i < local; ++i) {
    if (i % options.ranks_per_thread == 0)
      teams.push_back(std::make_unique<Team>(options, ranks, largest_buffer(collective, options, ranks)));
    const auto at = static_cast<std::size_t>(i);
    teams.back()->add(world.rank * local + i, comms[at], seats[at]);
  }
  return teams;
}

std::vector<int> roots_of(const Collective& collective, const Options& options, int ranks) {
  if (!collective.rooted) return {0};
  if (options.root >= 0) return {options.root};
  std::vector<int> roots;
  for (int root = 0; root < ranks; ++root) roots.push_back(root);
  return roots;
}

std::string line_of(int rank, const Seat& seat) {
  char host[128] = "?";
  gethostname(host, sizeof(host) - 1);
  char line[200];
  std::snprintf(line, sizeof(line), "Rank %2d Pid %6d on %s", rank, static_cast<int>(getpid()), host);
  return line + (seat.on_device() ? " device " + std::to_string(seat.device()) : std::string());
}

std::unique_ptr<Report> make_report(Team& team, const Collective& collective, const World& world, std::size_t rows) {
  std::vector<std::string> mine;
  for (int i = 0; i < team.options().ranks_per_thread; ++i)
    mine.push_back(line_of(team.first_rank() + i, team.seat(i)));
  const std::vector<std::string> ranks = team.gather_text(mine);
  if (team.first_rank() != 0) return nullptr;
  char description[4096] = "another NCCL than Amalgam";
  const auto describe = reinterpret_cast<decltype(&amalgam_describe)>(dlsym(RTLD_DEFAULT, "amalgam_describe"));
  if (describe != nullptr) check(describe(team.first().comm, description, sizeof(description)), "amalgam_describe");
  auto report = std::make_unique<Report>(Setting{collective, team.options(), world.launcher, description, ranks}, rows);
  report->begin();
  return report;
}

// Everything that one thread does. Returns the number of wrong elements (known to the thread of rank 0).
std::uint64_t drive(Team& team, const Collective& collective, const World& world) {
  const Options& options = team.options();
  const std::vector<int> roots = roots_of(collective, options, team.ranks());
  const std::vector<std::uint64_t> sizes = options.sizes();
  const std::size_t rows = sizes.size() * roots.size() * options.ops.size() * options.types.size() *
                           static_cast<std::size_t>(options.cycles);
  team.register_buffers();
  const std::unique_ptr<Report> report = make_report(team, collective, world, rows);
  for (int cycle = 0; cycle < options.cycles; ++cycle)
    for (const Type* type : options.types)
      for (const Op op : options.ops) {
        Data data(*type, op, team.ranks());
        for (const int root : roots)
          for (const std::uint64_t size : sizes) {
            if (options.timeout_s > 0) alarm(static_cast<unsigned>(options.timeout_s));
            Row row = measure(team, collective, data, size, root);
            row.cycle = cycle;
            if (report) report->add(std::move(row));
          }
      }
  const std::uint64_t wrong = report ? report->end() : 0;
  team.end();
  return wrong;
}

int run_ranks(const World& world, const Collective& collective, const Options& options) {
  prepare_timeout(collective, options, world);
  Teams teams;
  try {
    teams = make_teams(world, collective, options);
  } catch (const std::exception& failure) {
    give_up(collective, world.rank * options.local_ranks(), failure);
  }
  std::uint64_t wrong = 0;
  const auto body = [&](Team& team) {
    try {
      team.use_seat();
      const std::uint64_t found = drive(team, collective, world);
      if (team.first_rank() == 0) wrong = found;
    } catch (const std::exception& failure) {
      give_up(collective, team.first_rank(), failure);
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < teams.size(); ++i) threads.emplace_back([&, i] { body(*teams[i]); });
  body(*teams.front());
  for (std::thread& thread : threads) thread.join();
  return wrong == 0 ? 0 : kFailed;
}

int refuse(const Collective& collective, const char* text) {
  std::fprintf(stderr, "%s: %s\n", collective.program, text);
  return kWrongOptions;
}

}  // namespace

int perf_main(int argc, char** argv, const Collective& collective) {
  const Parsed parsed = parse_options(argc, argv, collective.program, collective.reduces);
  if (parsed.exit_code >= 0) return parsed.exit_code;
  const Options& options = parsed.options;
  try {
    const std::optional<World> world = world_from_environment();
    const bool ours = world && std::getenv(kProcessVariable) != nullptr;
    if (world && !ours && options.processes_given)
      return refuse(collective,
                    ("--ranks starts processes, but " + world->launcher + " already did: leave it out").c_str());
    const int processes = world ? world->size : options.processes;
    if (options.root >= processes * options.local_ranks()) return refuse(collective, "--root is not a rank");
    if (!world && processes > 1) return run_processes(processes, argv, collective.program);
    return run_ranks(world.value_or(World{}), collective, options);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s: %s\n", collective.program, failure.what());
    return kFailed;
  }
}

}  // namespace perf
