#pragma once

// The Connector of one rank: authenticated data streams to any other rank, dialled by the lower one.
//
// Threads    want() and take(): any. expects(), arrive() and stop(): the service thread.
// Ownership  a stream belongs to the caller from take() on, before that to this object, which closes those never taken.
// Errors     of dialling: sticky per stream, returned by take(); the group's failure is returned for streams not there
//            yet.

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/transport.h"
#include "bootstrap/dialer.h"

namespace amalgam::bootstrap {

class Streams final : public transport::Connector, public std::enable_shared_from_this<Streams> {
 public:
  Streams(Loop& loop, std::uint32_t rank, std::vector<SocketAddress> listeners);

  void want(int peer, transport::StreamKey key, const SocketAddress& local, const SocketAddress& remote) override;
  Result<UniqueFd> take(int peer, transport::StreamKey key) override;
  std::vector<SocketAddress> listeners() const override { return listeners_; }

  void set_session(const Key& session) { session_ = session; }  // before the first want()
  bool expects(const Hello& hello) const;
  void arrive(const Hello& hello, UniqueFd fd);
  void fail(const Status& reason);
  void stop();

 private:
  using Name = std::pair<std::uint32_t, transport::StreamKey>;  // peer
  static constexpr std::size_t kMaxReady = 65536;

  void dial(Name name, const SocketAddress& local, const SocketAddress& remote);

  Loop& loop_;
  std::uint32_t rank_;
  std::vector<SocketAddress> listeners_;
  Key session_{};
  bool stopped_ = false;                             // service thread
  std::map<Name, std::unique_ptr<Dialer>> dialers_;  // service thread

  mutable std::mutex mutex_;  // guards the rest
  std::map<Name, Result<UniqueFd>> ready_;
  Status failure_;
};

}  // namespace amalgam::bootstrap
