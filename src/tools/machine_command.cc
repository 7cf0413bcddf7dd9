#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "cluster/cluster.h"
#include "config/settings.h"
#include "plan/plan.h"
#include "reduce/fold.h"
#include "tools/commands.h"
#include "tools/question.h"

namespace amalgam::tools {
namespace {

int info() {
  const std::int64_t version = config::settings().version;
  const Result<cluster::Cluster> machine = this_machine(1);
  std::string text =
      fmt::format("amalgam {}\nreports NCCL {}.{}.{}\nplanner {}\nreduction kernels {}\n", AMALGAM_VERSION,
                  version / 10000, version / 100 % 100, version % 100, plan::kPlannerVersion, reduce::target_name());
  if (machine) {
    text += fmt::format("cores {}\n", machine->domains[0].cores);
    for (const cluster::Rail& rail : machine->ranks[0].rails)
      text += fmt::format("rail {} {} MB/s\n", rail.network, rail.bytes_per_second / 1'000'000);
  }
  for (const std::string& warning : config::warnings()) text += "warning: " + warning + "\n";
  std::fputs((text + "\n" + config::dump()).c_str(), stdout);
  return 0;
}

int topo(int ranks) {
  const Result<cluster::Cluster> machine = this_machine(ranks);
  if (!machine) return fail(machine.status().message(), kMisused);
  std::fputs(cluster::print(*machine).c_str(), stdout);
  return 0;
}

int settings() {
  std::fputs(config::dump().c_str(), stdout);
  for (const std::string& warning : config::warnings()) fail(warning, 0);
  return 0;
}

}  // namespace

void add_machine(CLI::App* program, int* exit_code) {
  program->add_subcommand("info", "version, machine and settings")->callback([exit_code] { *exit_code = info(); });
  program->add_subcommand("settings", "every setting, its value and where it is from")->callback([exit_code] {
    *exit_code = settings();
  });
  CLI::App* command = program->add_subcommand("topo", "this machine as a cluster, for plan --cluster");
  auto ranks = std::make_shared<int>(1);
  command->add_option("--ranks", *ranks, "ranks on it")->capture_default_str();
  command->callback([ranks, exit_code] { *exit_code = topo(*ranks); });
}

}  // namespace amalgam::tools
