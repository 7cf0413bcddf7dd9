// Joining: from an id to a communicator that knows its cluster, its routes and its plans.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/version.h"
#include "comm/communicator.h"
#include "config/settings.h"
#include "observe/log.h"
#include "topo/assemble.h"

namespace amalgam::comm {
namespace {

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "unknown host";
}

Result<std::vector<Record>> decode_all(const std::vector<std::vector<std::byte>>& encoded) {
  std::vector<Record> records;
  records.reserve(encoded.size());
  for (std::size_t r = 0; r < encoded.size(); ++r) {
    Result<Record> record = decode(encoded[r]);
    if (!record) return Status(record.status().code(), fmt::format("rank {}: {}", r, record.status().message()));
    records.push_back(record.take());
  }
  return records;
}

std::vector<topo::LocalFacts> facts_of(const std::vector<Record>& records) {
  std::vector<topo::LocalFacts> facts;
  facts.reserve(records.size());
  for (const Record& record : records) facts.push_back(record.facts);
  return facts;
}

std::vector<StackFacts> stacks_of(const std::vector<Record>& records) {
  std::vector<StackFacts> stacks;
  stacks.reserve(records.size());
  for (const Record& record : records) stacks.push_back(record.stack);
  return stacks;
}

}  // namespace

Status Communicator::join(const Communicator* parent) {
  abort_.follow(parent != nullptr ? &parent->abort_ : nullptr);
  Status joined = connect();
  abort_.follow(nullptr);  // the parent may end first
  return joined;
}

Status Communicator::connect() {
  bootstrap::JoinOptions options;
  options.id = membership_.id;
  options.rank = membership_.rank;
  options.ranks = membership_.ranks;
  options.timeout = std::chrono::milliseconds(config::settings().init_timeout);
  options.abort = &abort_;
  options.on_error = [this](const Status& reason) { on_group_error(reason); };
  options.flight_record = [this] { return flight_.encode(); };
  auto group = bootstrap::Group::join(std::move(options));
  if (!group) return group.status();
  group_ = group.take();
  Status exchanged = exchange();
  if (!exchanged.ok()) {
    group_->fail(exchanged);
    return exchanged;
  }
  ready_.store(true, std::memory_order_seq_cst);
  if (state_.failed())
    group_->fail(state_.reason());  // an abort that did not see us ready leaves it to us to tell the others
  // Asked on every rank: the first look at the log also says what was wrong with this process's settings.
  if (log::enabled(log::Level::kInfo) && membership_.rank == 0) log::info("{}", describe());
  return {};
}

Status Communicator::exchange() {
  find_library(membership_.stack);
  transport::Environment environment{membership_.rank, membership_.ranks, group_->id(), &group_->connector()};
  auto transports = transport::create_transports(environment, config::settings().transports);
  if (!transports) return transports.status();
  routes_ = std::make_unique<Routes>(membership_.rank, transports.take());
  auto offers = routes_->offers();
  if (!offers) return offers.status();
  Record mine;
  mine.library = library_version();
  mine.nccl_version = static_cast<std::int32_t>(config::settings().version);
  mine.planner = plan::kPlannerVersion;
  mine.settings = config::agreed_text();
  mine.host = host_name();
  mine.device = membership_.stack.device;
  mine.stack = membership_.stack.facts;
  mine.pid = static_cast<std::int32_t>(getpid());
  mine.facts = topo::read_local(topo::interfaces_of(group_->connector().listeners()));
  mine.transports = offers.take();
  auto gathered = allgather(encode(mine));
  if (!gathered) return gathered.status();
  auto records = decode_all(*gathered);
  if (!records) return records.status();
  AMALGAM_TRY(agree(*records));
  islands_ = islands_of(stacks_of(*records));
  if (islands_.carrier() == Carrier::kHost) return exchange_routes(*records);
  Result<bool> opened = open_islands();
  if (!opened) return opened.status();
  whole_ = islands_.carrier() == Carrier::kDelegate && *opened;
  if (whole_) {
    routes_.reset();  // the library does all the rest
    return {};
  }
  AMALGAM_TRY(exchange_routes(*records));
  return prepare_mixed();
}

Status Communicator::prepare_mixed() {
  if (!membership_.stack.facts.problem.empty())
    log::warn("rank {} goes without its vendor's library: {}", membership_.rank, membership_.stack.facts.problem);
  auto mixed = std::make_unique<Mixed>(
      Mixed::World{membership_.rank, &cluster_, limits(), config::settings().fp32_wire, &context_});
  Result<std::size_t> mine = mixed->prepare(membership_.stack, membership_.ranks);
  if (!mine) return mine.status();
  auto gathered = allgather(Writer().integer<std::uint64_t>(*mine).take());
  if (!gathered) return gathered.status();
  std::uint64_t smallest = *mine;
  for (const std::vector<std::byte>& theirs : *gathered) {
    Reader in(theirs);
    smallest = std::min(smallest, in.integer<std::uint64_t>());
    if (!in.finished()) return Status(Code::kProtocol, "a rank told the size of its pieces in another form");
  }
  if (smallest < engine::WholePieces::needed(membership_.ranks))
    return Status(Code::kProtocol, fmt::format("a rank can only take pieces of {} bytes", smallest));
  mixed->agree(smallest);
  AMALGAM_TRY(mixed->split_by(plan::Hierarchy(working_, membership_.ranks), premultiply_));
  mixed_ = std::move(mixed);
  return {};
}

Status Communicator::exchange_routes(const std::vector<Record>& records) {
  AMALGAM_TRY(routes_->learn(records));
  auto reachable = allgather(routes_->reachable());
  if (!reachable) return reachable.status();
  AMALGAM_TRY(routes_->agree(records, *reachable));
  const std::vector<topo::LocalFacts> facts = facts_of(records);
  oversubscribed_ = topo::oversubscribed(facts, static_cast<std::size_t>(membership_.rank));
  auto assembled = topo::assemble(facts, topo::domains_of(routes_->memory()));
  if (!assembled) return assembled.status();
  cluster_ = assembled.take();
  assemble_engine();
  return {};
}

plan::Limits Communicator::limits() const {
  plan::Limits limits;
  limits.slice_bytes = routes_->slice_bytes();
  limits.lane_window = routes_->window();
  limits.family = config::settings().family;
  limits.force_slice = static_cast<std::uint32_t>(config::settings().slice_bytes);
  return limits;
}

void Communicator::assemble_engine() {
  plans_ = std::make_unique<PlanCache>(cluster_, membership_.rank, limits(), config::settings().fp32_wire);
  lanes_ = std::make_unique<engine::Lanes>(membership_.ranks, *routes_);
  context_.lanes = lanes_.get();
  context_.communicator_tag = static_cast<std::uint32_t>(group_->id());
  track_ = make_track();
}

}  // namespace amalgam::comm
