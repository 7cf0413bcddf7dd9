#include "tools/question.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>

#include "config/settings.h"
#include "config/value_parser.h"
#include "plan/choose.h"
#include "topo/assemble.h"
#include "topo/local.h"

namespace amalgam::tools {
namespace {

constexpr int kMostRanks = 1 << 20;

Status misused(std::string text) { return Status(Code::kInvalidArgument, std::move(text)); }

Result<std::string> read_text(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream file(path);
  if (!file) return system_error("cannot read " + path, errno);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<Collective> collective_named(const std::string& name) {
  std::string known;
  for (int i = 0; i < kCollectives; ++i) {
    const auto collective = static_cast<Collective>(i);
    if (name_of(collective) == name) return collective;
    known += " " + std::string(name_of(collective));
  }
  return misused("no collective '" + name + "'; there are" + known);
}

Result<cluster::Cluster> read_cluster(const Options& options) {
  if (options.cluster == "this") return this_machine(options.ranks);
  Result<std::string> text = read_text(options.cluster);
  if (!text) return text.status();
  Result<cluster::Cluster> cluster = cluster::parse(*text);
  if (!cluster) return Status(cluster.status().code(), options.cluster + ": " + cluster.status().message());
  return cluster;
}

// What the transports' lanes take, as init would agree on it for such a cluster.
plan::Limits limits_for(const cluster::Cluster& cluster, const std::string& family) {
  const config::Settings& settings = config::settings();
  const std::int64_t slice =
      cluster.single_domain() ? settings.slot_bytes : std::min(settings.slot_bytes, settings.tcp_slice_bytes);
  plan::Limits limits;
  limits.slice_bytes = static_cast<std::uint32_t>(slice);
  limits.lane_window = static_cast<int>(settings.slots);
  limits.family = family.empty() ? settings.family : family;
  limits.force_slice = static_cast<std::uint32_t>(settings.slice_bytes);
  return limits;
}

Result<plan::Plan> make_plan(const Options& options, Collective collective, const cluster::Cluster& cluster,
                             std::uint64_t bytes) {
  const plan::Limits limits = limits_for(cluster, options.family);
  if (!options.family.empty()) return plan::build(options.family, collective, cluster, bytes, limits);
  Result<plan::PlanTable> table = plan::PlanTable::make(collective, cluster, limits);
  if (!table) return table.status();
  return table->find(bytes);
}

// The call's count argument: total_bytes() backwards, rounded down.
std::uint64_t count_for(Collective collective, std::uint64_t bytes, std::uint64_t element_bytes, int ranks) {
  return bytes / std::max<std::uint64_t>(1, plan::total_bytes(collective, 1, element_bytes, ranks));
}

}  // namespace

Result<cluster::Cluster> this_machine(int ranks) {
  if (ranks < 1 || ranks > kMostRanks) return misused("ranks must be from 1 to 1048576");
  const auto count = static_cast<std::size_t>(ranks);
  return topo::assemble(std::vector<topo::LocalFacts>(count, topo::read_local()), std::vector<int>(count, 0));
}

Result<Question> read_question(const Options& options) {
  const auto bytes =
      config::parse_number(config::Kind::kSize, options.bytes, {0, std::numeric_limits<std::int64_t>::max()});
  if (!bytes)
    return misused("--bytes: '" + options.bytes + "' is not a size; give bytes, with K, M or G (1024) if you like");
  if (options.element_bytes == 0) return misused("--element must be at least 1 byte");
  Question question;
  Options wanted = options;
  if (!options.file.empty()) {
    Result<std::string> text = read_text(options.file);
    if (!text) return text.status();
    Result<plan::Plan> parsed = plan::parse(*text);
    if (!parsed) return misused(options.file + ": " + parsed.status().message());
    question.plan = parsed.take();
    wanted.ranks = question.plan.ranks;
  }
  Result<cluster::Cluster> cluster = read_cluster(wanted);
  if (!cluster) return cluster.status();
  question.cluster = cluster.take();
  question.bytes = static_cast<std::uint64_t>(*bytes);
  if (options.file.empty()) {
    Result<Collective> collective = collective_named(options.collective);
    if (!collective) return collective.status();
    Result<plan::Plan> built = make_plan(options, *collective, question.cluster, question.bytes);
    if (!built) return built.status();
    question.plan = built.take();
  }
  if (question.plan.ranks != question.cluster.size())
    return misused(
        fmt::format("the plan is for {} ranks, the cluster has {}", question.plan.ranks, question.cluster.size()));
  if (options.root < 0 || options.root >= question.plan.ranks) return misused("there is no such root");
  question.request = {count_for(question.plan.collective, question.bytes, options.element_bytes, question.plan.ranks),
                      options.element_bytes, options.root, options.in_place};
  return question;
}

}  // namespace amalgam::tools
