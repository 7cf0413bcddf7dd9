#pragma once

// Gathers the ranks' flight records over the tree, from whoever asks, through whatever of the tree still stands.
//
//   kRecordRequest  asker u32, number u64, time allowed in ms u32
//   kRecordReply    asker u32, number u64, entries u32, then per entry: rank u32, blob
//
// A request is passed on to all other neighbours with less time at each hop, so that a node answers with what it has
// before its asker gives up. Who did not answer is simply not in the reply.
//
// Threads  the service thread only; RecordsOutcome: any.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "bootstrap/connection.h"
#include "bootstrap/outcome.h"

namespace amalgam::bootstrap {

using RecordsOutcome = Outcome<std::vector<std::vector<std::byte>>>;

class Records {
 public:
  struct Ways {
    std::function<std::vector<std::byte>()> own;
    std::function<std::vector<std::uint32_t>()> neighbours;  // those that can be reached now
    std::function<void(std::uint32_t neighbour, FrameType, Payload)> send;
  };

  Records(Loop& loop, std::uint32_t rank, std::uint32_t ranks, Ways ways);

  static std::size_t reply_limit() { return kReplyBytes; }

  void ask(std::chrono::milliseconds timeout, std::shared_ptr<RecordsOutcome> outcome);
  Status on_request(std::uint32_t from, ConstBytes payload);
  Status on_reply(std::uint32_t from, ConstBytes payload);
  void on_gone(std::uint32_t neighbour);
  void finish_all();

 private:
  static constexpr std::size_t kReplyBytes = 64u << 20;
  static constexpr std::size_t kRecordBytes = 256u << 10;
  static constexpr std::size_t kOpen = 256;  // requests under way at one node

  using Name = std::pair<std::uint32_t, std::uint64_t>;  // asker, number
  struct Open {
    std::set<std::uint32_t> awaited;
    std::map<std::uint32_t, std::vector<std::byte>> entries;
    std::size_t bytes = 0;
    std::uint32_t asker = 0;  // neighbour to answer, unless outcome is set
    std::shared_ptr<RecordsOutcome> outcome;
    Timer limit;
  };

  void start(Name name, Open open, std::chrono::milliseconds allowed, std::uint32_t except);
  void add(Open& open, std::uint32_t rank, ConstBytes blob);
  void finish(Name name);

  Loop& loop_;
  std::uint32_t rank_;
  std::uint32_t ranks_;
  Ways ways_;
  std::uint64_t next_ = 0;
  std::map<Name, Open> open_;
};

}  // namespace amalgam::bootstrap
