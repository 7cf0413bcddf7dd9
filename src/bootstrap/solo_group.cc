#include "bootstrap/solo_group.h"

#include "bootstrap/id_content.h"

namespace amalgam::bootstrap {

Result<std::unique_ptr<Group>> SoloGroup::create(const Key& secret,
                                                 std::function<std::vector<std::byte>()> flight_record) {
  Nonce session{};
  AMALGAM_TRY(fill_random(session));
  return std::unique_ptr<Group>(new SoloGroup(derive_key(secret, "session", session), std::move(flight_record)));
}

Result<std::vector<std::vector<std::byte>>> SoloGroup::allgather(ConstBytes mine, const AbortToken* abort,
                                                                 std::chrono::milliseconds) {
  if (abort != nullptr && abort->fired()) return Status(Code::kAborted, "aborted by this process");
  std::lock_guard lock(mutex_);
  if (!failure_.ok()) return failure_;
  return std::vector<std::vector<std::byte>>{{mine.begin(), mine.end()}};
}

void SoloGroup::fail(const Status& reason) {
  std::lock_guard lock(mutex_);
  if (failure_.ok()) failure_ = reason;
}

std::function<Group::FlightRecords()> SoloGroup::ask_flight_records(std::chrono::milliseconds) {
  FlightRecords own = {flight_record_ ? flight_record_() : std::vector<std::byte>()};
  return [own = std::move(own)] { return own; };
}

// Only a group of one rank can come from it, which dials nobody: any address will do.
Result<UniqueId> SoloGroup::derive_id(std::string_view label, int leader) {
  if (leader != 0)
    return Status(Code::kInvalidArgument, "rank " + std::to_string(leader) + " of 1 as the leader of a new group");
  Result<SocketAddress> nowhere = SocketAddress::parse("127.0.0.1:0");
  if (!nowhere) return nowhere.status();
  return encode_id(derived_content(session_, label, 0, {*nowhere}));
}

void SoloGroup::want(int, transport::StreamKey, const SocketAddress&, const SocketAddress&) {}

Result<UniqueFd> SoloGroup::take(int, transport::StreamKey) {
  return Status(Code::kInvalidArgument, "a group of one rank has no peers");
}

}  // namespace amalgam::bootstrap
