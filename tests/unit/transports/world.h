#pragma once

// Ranks of one communicator for tests: each has a transport of the kind under test; lanes between any two of them.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "base/transport.h"
#include "transports/loopback/transport.h"
#include "transports/shm/transport.h"
#include "transports/tcp/transport.h"

namespace amalgam::transport {

inline constexpr std::uint32_t kSliceBytes = 8192;
inline constexpr int kSlots = 4;

// Socket pairs between the ranks of one process, made when first asked for.
class Exchange {
 public:
  UniqueFd take(int self, int peer, StreamKey key) {
    const std::lock_guard lock(mutex_);
    const auto pair = std::minmax(self, peer);
    auto& ends = ends_[{pair.first, pair.second, key}];
    if (ends.empty()) {
      int fds[2];
      if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) return {};
      ends.emplace_back(fds[0]);
      ends.emplace_back(fds[1]);
    }
    return std::move(ends[self < peer ? 0 : 1]);
  }

 private:
  std::mutex mutex_;
  std::map<std::tuple<int, int, StreamKey>, std::vector<UniqueFd>> ends_;
};

class TestConnector final : public Connector {
 public:
  TestConnector(Exchange* exchange, int self, int rails) : exchange_(exchange), self_(self), rails_(rails) {}

  void want(int peer, StreamKey key, const SocketAddress&, const SocketAddress&) override { wanted_[{peer, key}] = 1; }
  Result<UniqueFd> take(int peer, StreamKey key) override {
    auto found = wanted_.find({peer, key});
    if (found == wanted_.end()) return Status(Code::kInternal, "taken before it was wanted");
    if (found->second++ < 3) return UniqueFd();  // connecting takes a while
    return exchange_->take(self_, peer, key);
  }
  std::vector<SocketAddress> listeners() const override {
    std::vector<SocketAddress> all;
    for (int i = 0; i < rails_; ++i) all.push_back(*SocketAddress::parse("127.0.0.1:" + std::to_string(4000 + i)));
    return all;
  }

 private:
  Exchange* const exchange_;
  const int self_;
  const int rails_;
  std::map<std::pair<int, StreamKey>, int> wanted_;
};

inline Result<std::unique_ptr<Transport>> make_transport(const std::string& kind, const Environment& environment) {
  const ring::Geometry geometry{kSlots, kSliceBytes};
  if (kind == "loopback") return loopback::Transport::create(environment, geometry);
  if (kind == "shm") return shm::Transport::create(environment, shm::Options{geometry, false, true});
  if (kind == "named") return shm::Transport::create(environment, shm::Options{geometry, true, false});
  return tcp::Transport::create(environment, tcp::Options{2, kSliceBytes});
}

// All ranks in this process; lanes may be driven by any threads.
class World {
 public:
  World(const std::string& kind, int ranks, std::uint64_t communicator = 7) {
    std::vector<std::vector<std::byte>> descriptions;
    for (int rank = 0; rank < ranks; ++rank) {
      connectors_.push_back(std::make_unique<TestConnector>(&exchange_, rank, rank + 1));  // unlike rails
      transports_.push_back(make_transport(kind, {rank, ranks, communicator, connectors_.back().get()}).take());
      descriptions.push_back(transports_.back()->describe().take());
    }
    for (auto& transport : transports_) EXPECT_TRUE(transport->learn(descriptions).ok());
  }

  Transport& operator[](int rank) { return *transports_[static_cast<std::size_t>(rank)]; }
  std::unique_ptr<SendLane> send(int from, int to, int channel = 0) {
    return (*this)[from].open_send(to, channel).take();
  }
  std::unique_ptr<ReceiveLane> receive(int at, int from, int channel = 0) {
    return (*this)[at].open_receive(from, channel).take();
  }
  void close(int rank) { transports_[static_cast<std::size_t>(rank)].reset(); }

 private:
  Exchange exchange_;
  std::vector<std::unique_ptr<TestConnector>> connectors_;
  std::vector<std::unique_ptr<Transport>> transports_;
};

inline SliceTag tag_of(std::uint32_t position, std::size_t bytes, std::uint32_t communicator = 7) {
  return {communicator, 11, 13, position, static_cast<std::uint32_t>(bytes)};
}

// Bytes that differ by sender, slice and place.
inline std::vector<std::byte> content(int rank, std::uint32_t position, std::size_t bytes) {
  std::vector<std::byte> data(bytes);
  for (std::size_t i = 0; i < bytes; ++i)
    data[i] = static_cast<std::byte>(i * 131 + position * 29 + static_cast<std::uint32_t>(rank) * 7 + 1);
  return data;
}

// 0, tiny, around the inline limit and a line, odd, and the whole slot.
inline const std::vector<std::size_t>& odd_sizes() {
  static const auto* const sizes = new std::vector<std::size_t>{
      0, 1, 7, 8, 24, 63, 64, 87, 88, 89, 127, 128, 129, 1000, 4095, 4096, 4097, kSliceBytes - 1, kSliceBytes};
  return *sizes;
}

}  // namespace amalgam::transport
