#include "bootstrap/group.h"

#include "bootstrap/fork_guard.h"
#include "bootstrap/service.h"
#include "bootstrap/solo_group.h"
#include "bootstrap/tree_group.h"
#include "config/settings.h"
#include "observe/log.h"

namespace amalgam::bootstrap {
namespace {

constexpr std::chrono::seconds kServiceGrace{3};  // beyond the deadline: for the root's own text, and a busy machine

Status check(const JoinOptions& options) {
  if (options.ranks < 1 || options.ranks > static_cast<int>(kMaxRanks))
    return Status(Code::kInvalidArgument, "a group of " + std::to_string(options.ranks) + " ranks");
  if (options.rank < 0 || options.rank >= options.ranks)
    return Status(Code::kInvalidArgument,
                  "rank " + std::to_string(options.rank) + " of " + std::to_string(options.ranks));
  return {};
}

std::chrono::milliseconds or_default(std::chrono::milliseconds timeout) {
  return timeout.count() > 0 ? timeout : std::chrono::milliseconds(config::settings().init_timeout);
}

MemberOptions member_options(JoinOptions& options, IdContent id, const Service& service) {
  MemberOptions result;
  result.rank = static_cast<std::uint32_t>(options.rank);
  result.ranks = static_cast<std::uint32_t>(options.ranks);
  result.id = std::move(id);
  result.deadline = Clock::now() + or_default(options.timeout);
  result.silence = std::chrono::milliseconds(config::settings().silence_timeout);
  result.listeners = service.listener_addresses();
  result.on_error = std::move(options.on_error);
  result.flight_record = std::move(options.flight_record);
  return result;
}

// The service thread's part of join: where the root is rank 0's business, it opens the rendezvous first.
void begin(Service& service, const std::shared_ptr<Member>& member, bool opens_root, const Key& key,
           const SocketAddress* fixed) {
  if (opens_root)
    if (Status opened = service.open_root(key, fixed); !opened.ok()) return member->joining()->set(opened);
  member->start();
}

Result<std::unique_ptr<Group>> join_tree(JoinOptions& options, IdContent id) {
  Result<Service*> started = Service::get();
  if (!started) return started.status();
  Service& service = **started;
  const bool opens_root = id.place != RootPlace::kCreator && options.rank == 0;
  const bool own_listener = id.place == RootPlace::kFixedAddress;
  const Key key = id.secret;
  const SocketAddress address = id.addresses.front();
  MemberOptions setup = member_options(options, std::move(id), service);
  const TimePoint deadline = setup.deadline;
  std::shared_ptr<Member> member = Member::create(service.loop(), service.directory(), std::move(setup));
  service.loop().post([&service, member, opens_root, own_listener, key, address] {
    begin(service, member, opens_root, key, own_listener ? &address : nullptr);
  });
  const std::shared_ptr<Member::JoinOutcome> outcome = member->joining();
  auto answer = outcome->wait(deadline + kServiceGrace, options.abort);
  if (answer && *answer) return TreeGroup::create(service, std::move(member), **answer, options, deadline);
  Status status =
      answer ? answer->status() : Status(Code::kTimeout, "init timed out and the service thread does not answer");
  member->mute();
  service.loop().post([member = std::move(member), status] { member->give_up(status); });
  return status;
}

Result<std::unique_ptr<Group>> join_any(JoinOptions& options) {
  AMALGAM_TRY(check(options));
  if (fork_guard::forked()) return Service::get().status();
  Result<IdContent> id = decode_id(options.id);
  if (!id) return id.status();
  if (options.ranks > 1) return join_tree(options, id.take());
  if (Service* service = Service::running(); service != nullptr)
    service->loop().post([service, key = id->secret] { service->drop_root(key); });
  return SoloGroup::create(id->secret, std::move(options.flight_record));
}

}  // namespace

Result<std::unique_ptr<Group>> Group::join(JoinOptions options) {
  const int rank = options.rank;
  const int ranks = options.ranks;
  Result<std::unique_ptr<Group>> group = join_any(options);
  if (!group) log::error("rank {} of {} cannot join: {}", rank, ranks, group.status().message());
  return group;
}

}  // namespace amalgam::bootstrap
