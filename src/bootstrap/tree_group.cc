#include "bootstrap/tree_group.h"

#include "bootstrap/fork_guard.h"
#include "config/settings.h"
#include "observe/log.h"

namespace amalgam::bootstrap {
namespace {

constexpr std::chrono::seconds kServiceGrace{3};

Status after_fork() {
  return Status(Code::kInvalidUsage, "this communicator was made before fork and cannot be used in the child");
}

}  // namespace

TreeGroup::TreeGroup(Service& service, std::shared_ptr<Member> member, const Key& session, int rank, int ranks)
    : service_(service),
      member_(std::move(member)),
      streams_(member_->streams().shared_from_this()),
      session_(session),
      id_(number_of(session)),
      rank_(rank),
      ranks_(ranks) {}

Result<std::unique_ptr<Group>> TreeGroup::create(Service& service, std::shared_ptr<Member> member, const Key& session,
                                                 const JoinOptions& options, TimePoint deadline) {
  std::unique_ptr<TreeGroup> group(new TreeGroup(service, std::move(member), session, options.rank, options.ranks));
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
  const Contact mine = own_contact(static_cast<std::uint32_t>(options.rank), service.listener_addresses());
  auto contacts =
      group->allgather(encode(mine), options.abort, std::max(left, std::chrono::milliseconds(kServiceGrace)));
  Status status = contacts ? group->learn_contacts(*contacts) : contacts.status();
  if (!status.ok()) {
    group->fail(status);  // the others must not wait for us
    return status;
  }
  return std::unique_ptr<Group>(std::move(group));
}

TreeGroup::~TreeGroup() {
  if (fork_guard::forked()) {  // its mutexes may be held by threads that do not exist here: leak
    (void)new (std::nothrow) std::pair(std::move(member_), std::move(streams_));
    return;
  }
  member_->mute();
  // Waits until the goodbye is with the kernel, not for any rank: the process may end next, which must not look like a
  // death.
  auto left = std::make_shared<Outcome<bool>>();
  service_.loop().post([member = std::move(member_), streams = std::move(streams_), left]() mutable {
    member->leave();
    streams.reset();
    left->set(true);
  });
  if (!service_.loop().on_thread()) (void)left->wait(Clock::now() + kServiceGrace, nullptr);
}

Status TreeGroup::learn_contacts(const std::vector<std::vector<std::byte>>& contacts) {
  for (std::size_t rank = 0; rank < contacts.size(); ++rank) {
    Result<Contact> contact = decode_contact(contacts[rank]);
    if (!contact || contact->rank != rank)
      return Status(Code::kProtocol, "rank " + std::to_string(rank) + " sent a malformed contact");
    contacts_.push_back(contact.take());
  }
  return {};
}

Result<std::vector<std::vector<std::byte>>> TreeGroup::allgather(ConstBytes mine, const AbortToken* abort,
                                                                 std::chrono::milliseconds timeout) {
  if (fork_guard::forked()) return after_fork();
  if (timeout.count() <= 0) timeout = std::chrono::milliseconds(config::settings().init_timeout);
  auto outcome = std::make_shared<GatherOutcome>();
  std::vector<std::byte> copy(mine.begin(), mine.end());
  service_.loop().post([member = member_, outcome, bytes = std::move(copy)]() mutable {
    member->tree().gather(std::move(bytes), outcome);
  });
  auto answer = outcome->wait(Clock::now() + timeout, abort);
  if (!answer) return gather_timeout(timeout);
  if (!*answer) return answer->status();
  return decode_gathered(**answer, static_cast<std::uint32_t>(ranks_));
}

Status TreeGroup::gather_timeout(std::chrono::milliseconds timeout) {
  auto outcome = std::make_shared<Outcome<std::string>>();
  service_.loop().post([member = member_, outcome] { outcome->set(member->tree().missing_in_oldest_gather()); });
  auto answer = outcome->wait(Clock::now() + kServiceGrace, nullptr);
  const std::string who = answer && *answer ? **answer : "the service thread is busy";
  Status status(Code::kTimeout, fmt::format("a gather of the control plane timed out after {:.1f} s: {}",
                                            std::chrono::duration<double>(timeout).count(), who));
  log::error("rank {}: {}", rank_, status.message());
  return status;
}

void TreeGroup::fail(const Status& reason) {
  if (fork_guard::forked() || reason.ok()) return;
  service_.loop().post([member = member_, reason, rank = static_cast<std::uint32_t>(rank_)] {
    member->tree().fail({rank, false, reason});
  });
}

std::function<Group::FlightRecords()> TreeGroup::ask_flight_records(std::chrono::milliseconds timeout) {
  const auto ranks = static_cast<std::size_t>(ranks_);
  if (fork_guard::forked()) return [ranks] { return FlightRecords(ranks); };
  auto outcome = std::make_shared<RecordsOutcome>();
  service_.loop().post([member = member_, outcome, timeout] { member->tree().collect_records(timeout, outcome); });
  return [ranks, outcome, until = Clock::now() + timeout + kServiceGrace] {
    auto answer = outcome->wait(until, nullptr);
    return answer && *answer ? answer->take() : FlightRecords(ranks);
  };
}

Result<UniqueId> TreeGroup::derive_id(std::string_view label, int leader) {
  if (leader < 0 || leader >= ranks_)
    return Status(Code::kInvalidArgument,
                  "rank " + std::to_string(leader) + " of " + std::to_string(ranks_) + " as the leader of a new group");
  const Contact& contact = contacts_[static_cast<std::size_t>(leader)];
  return encode_id(derived_content(session_, label, contact.rank, contact.listeners));
}

}  // namespace amalgam::bootstrap
