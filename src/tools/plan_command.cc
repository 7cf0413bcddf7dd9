#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "plan/simulate.h"
#include "tools/commands.h"
#include "tools/question.h"

namespace amalgam::tools {
namespace {

using Answer = int (*)(const Question& question);

int show(const Question& question) {
  std::fputs(plan::print(question.plan).c_str(), stdout);
  return 0;
}

int explain(const Question& question) {
  std::fputs(plan::explain(question.plan, question.cluster, question.request).c_str(), stdout);
  return 0;
}

// In place and not, where the collective has both.
int check(const Question& question) {
  const Collective what = question.plan.collective;
  const bool both = what != Collective::kAllToAll && what != Collective::kAllToAllV && what != Collective::kSend &&
                    what != Collective::kRecv;
  plan::CheckRequest request = question.request;
  for (bool in_place : {false, true}) {
    if (in_place && !both) continue;
    request.in_place = in_place;
    const Status status = plan::check(question.plan, request);
    if (!status.ok())
      return fail(fmt::format("{} is wrong{}: {}", question.plan.name(), in_place ? " in place" : "", status.message()),
                  kNo);
  }
  std::fputs(fmt::format("{} is right: {} ranks, {} elements of {} bytes, root {}{}\n", question.plan.name(),
                         question.plan.ranks, request.count, request.element_bytes, request.root,
                         both ? ", in place and not" : "")
                 .c_str(),
             stdout);
  return 0;
}

void add(CLI::App* parent, const char* name, const char* help, Answer answer, int* exit_code) {
  CLI::App* command = parent->add_subcommand(name, help);
  auto options =
      std::make_shared<Options>();  // shared: the callback outlives this function, the option parser writes it
  command->add_option("plan", options->file,
                      "file with a plan's text, - for standard input (none: the planner makes one)");
  command->add_option("--cluster", options->cluster, "file with a cluster's text, or 'this' for this machine")
      ->capture_default_str();
  command->add_option("--ranks", options->ranks, "ranks on this machine")->capture_default_str();
  command->add_option("--collective", options->collective, "allreduce, reduce, broadcast, …")->capture_default_str();
  command
      ->add_option("--bytes", options->bytes,
                   "size of the call, K M G = 1024^n; all ranks' blocks together where there are blocks")
      ->capture_default_str();
  command->add_option("--family", options->family,
                      "ring, direct, tree, doubling, pairwise or chain (none: the cheapest)");
  command->add_option("--root", options->root, "root, or the rank that runs a send or recv plan")
      ->capture_default_str();
  command->add_option("--element", options->element_bytes, "bytes of an element")->capture_default_str();
  if (answer == &explain) command->add_flag("--in-place", options->in_place, "the call is in place");
  command->callback([options, answer, exit_code] {
    const Result<Question> question = read_question(*options);
    *exit_code = question ? answer(*question) : fail(question.status().message(), kMisused);
  });
}

}  // namespace

void add_plan(CLI::App* program, int* exit_code) {
  CLI::App* plan = program->add_subcommand("plan", "show, check or explain how a collective is carried out");
  plan->require_subcommand(1);
  add(plan, "show", "print a plan's text", &show, exit_code);
  add(plan, "check", "prove a plan right for one size, or say what is wrong", &check, exit_code);
  add(plan, "explain", "a plan in words, with volume, time, bound and a picture", &explain, exit_code);
}

}  // namespace amalgam::tools
