#pragma once

// A group of one rank: no sockets, no service thread.

#include <mutex>

#include "bootstrap/group.h"
#include "bootstrap/secret.h"

namespace amalgam::bootstrap {

class SoloGroup final : public Group, private transport::Connector {
 public:
  static Result<std::unique_ptr<Group>> create(const Key& secret,
                                               std::function<std::vector<std::byte>()> flight_record);

  std::uint64_t id() const override { return id_; }
  Result<std::vector<std::vector<std::byte>>> allgather(ConstBytes mine, const AbortToken* abort,
                                                        std::chrono::milliseconds timeout) override;
  void fail(const Status& reason) override;
  std::function<FlightRecords()> ask_flight_records(std::chrono::milliseconds timeout) override;
  Result<UniqueId> derive_id(std::string_view label, int leader) override;
  transport::Connector& connector() override { return *this; }

 private:
  SoloGroup(const Key& session, std::function<std::vector<std::byte>()> flight_record)
      : session_(session), id_(number_of(session)), flight_record_(std::move(flight_record)) {}

  void want(int peer, transport::StreamKey key, const SocketAddress& local, const SocketAddress& remote) override;
  Result<UniqueFd> take(int peer, transport::StreamKey key) override;
  std::vector<SocketAddress> listeners() const override { return {}; }

  Key session_;
  std::uint64_t id_;
  std::function<std::vector<std::byte>()> flight_record_;
  std::mutex mutex_;
  Status failure_;  // guarded by mutex_
};

}  // namespace amalgam::bootstrap
