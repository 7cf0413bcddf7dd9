#pragma once

// Ranks as threads: each joins one group and runs a function.

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bootstrap/group.h"

namespace amalgam::bootstrap {

inline constexpr std::chrono::seconds kPatience{60};

using Joined = Result<std::unique_ptr<Group>>;

inline UniqueId new_id() {
  Result<UniqueId> id = create_unique_id();
  EXPECT_TRUE(id.ok()) << id.status().message();
  return id ? *id : UniqueId{};
}

inline JoinOptions options_of(const UniqueId& id, int rank, int ranks, std::chrono::milliseconds timeout = kPatience) {
  JoinOptions options;
  options.id = id;
  options.rank = rank;
  options.ranks = ranks;
  options.timeout = timeout;
  return options;
}

// Runs f(rank) on a thread per rank.
inline void on_threads(int ranks, const std::function<void(int)>& run) {
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) threads.emplace_back([&run, rank] { run(rank); });
  for (std::thread& thread : threads) thread.join();
}

// All ranks join; the groups by rank, or an empty list and a failed expectation.
inline std::vector<std::unique_ptr<Group>> join_all(const UniqueId& id, int ranks,
                                                    const std::function<void(JoinOptions&)>& adjust = {}) {
  std::vector<std::unique_ptr<Group>> groups(static_cast<std::size_t>(ranks));
  on_threads(ranks, [&](int rank) {
    JoinOptions options = options_of(id, rank, ranks);
    if (adjust) adjust(options);
    Joined joined = Group::join(std::move(options));
    EXPECT_TRUE(joined.ok()) << "rank " << rank << ": " << joined.status().message();
    if (joined) groups[static_cast<std::size_t>(rank)] = joined.take();
  });
  for (const auto& group : groups)
    if (group == nullptr) return {};
  return groups;
}

inline std::vector<std::byte> blob(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {bytes.begin(), bytes.end()};
}

inline std::string text(const std::vector<std::byte>& bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// An error that a callback delivers once.
class ErrorBox {
 public:
  std::function<void(const Status&)> hook() {
    return [this](const Status& status) { promise_.set_value(status); };  // a second call would throw
  }
  Status wait() {
    auto future = promise_.get_future();
    if (future.wait_for(kPatience) != std::future_status::ready) return Status(Code::kTimeout, "no error came");
    return future.get();
  }

 private:
  std::promise<Status> promise_;
};

}  // namespace amalgam::bootstrap
