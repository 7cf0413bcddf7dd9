#pragma once

// The Group that callers hold: posts to its Member on the service thread and waits for the answers.
//
// Threads and ownership  as Group says. Nothing but the waiting happens on the caller's thread.

#include "bootstrap/group.h"
#include "bootstrap/member.h"
#include "bootstrap/service.h"

namespace amalgam::bootstrap {

class TreeGroup final : public Group {
 public:
  // Last in join: the ranks exchange their contacts over the tree.
  static Result<std::unique_ptr<Group>> create(Service& service, std::shared_ptr<Member> member, const Key& session,
                                               const JoinOptions& options, TimePoint deadline);
  ~TreeGroup() override;

  std::uint64_t id() const override { return id_; }
  Result<std::vector<std::vector<std::byte>>> allgather(ConstBytes mine, const AbortToken* abort,
                                                        std::chrono::milliseconds timeout) override;
  void fail(const Status& reason) override;
  std::function<FlightRecords()> ask_flight_records(std::chrono::milliseconds timeout) override;
  Result<UniqueId> derive_id(std::string_view label, int leader) override;
  transport::Connector& connector() override { return *streams_; }

 private:
  TreeGroup(Service& service, std::shared_ptr<Member> member, const Key& session, int rank, int ranks);
  Status learn_contacts(const std::vector<std::vector<std::byte>>& contacts);
  Status gather_timeout(std::chrono::milliseconds timeout);

  Service& service_;
  std::shared_ptr<Member> member_;
  std::shared_ptr<Streams> streams_;
  Key session_;
  std::uint64_t id_;
  int rank_;
  int ranks_;
  std::vector<Contact> contacts_;  // by rank
};

}  // namespace amalgam::bootstrap
