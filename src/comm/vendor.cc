// The vendors' communicators of a communicator's islands: opened at init, on all ranks of an island or on none.

#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "comm/communicator.h"
#include "config/settings.h"
#include "observe/log.h"

namespace amalgam::comm {
namespace {

// What a rank says of its island's library after it tried.
struct Outcome {
  bool works = false;
  bool premultiplies = false;
  std::string problem;
};

std::vector<std::byte> encode(const Outcome& outcome) {
  Writer out;
  out.integer<std::uint8_t>(outcome.works ? 1 : 0).integer<std::uint8_t>(outcome.premultiplies ? 1 : 0);
  return out.text(outcome.problem).take();
}

Result<Outcome> decode_outcome(ConstBytes bytes) {
  Reader in(bytes);
  Outcome outcome;
  outcome.works = in.integer<std::uint8_t>() != 0;
  outcome.premultiplies = in.integer<std::uint8_t>() != 0;
  outcome.problem = in.text();
  if (!in.finished()) return Status(Code::kProtocol, "a rank told how its vendor's library fares in another form");
  return outcome;
}

// A communicator of one rank that is an island of its own beside others needs no library.
bool wants_library(const Islands& islands, const Islands::Island& island) {
  return island.has_library() && (island.ranks.size() > 1 || islands.all.size() == 1);
}

}  // namespace

// A library that fails on one rank may leave the others of its island waiting inside: they wait for half of the time
// that an init has, then all of them go without.
Status Communicator::open_island(ConstBytes id, const Islands::Island& island) {
  const auto patience = std::chrono::milliseconds(config::settings().init_timeout / 2);
  const auto place = std::find(island.ranks.begin(), island.ranks.end(), membership_.rank) - island.ranks.begin();
  island::Config config = config_.asked;
  // A child may have inherited it. Inside a larger communicator its calls must have returned when ours do.
  config.blocking = config_.blocking || islands_.all.size() > 1 ? 1 : 0;
  auto promise = std::make_shared<std::promise<Status>>();
  std::future<Status> opened = promise->get_future();
  if (!retain()) return Status(Code::kAborted, "aborted during init");
  try {
    std::thread([this, promise, config, place = static_cast<int>(place), ranks = static_cast<int>(island.ranks.size()),
                 id = std::vector<std::byte>(id.begin(), id.end())] {
      promise->set_value(guarded([&] { return delegate_.open(membership_.stack, id, place, ranks, config); }));
      release();
    }).detach();
  } catch (const std::exception& problem) {
    release();
    return Status(Code::kSystem, fmt::format("no thread for a vendor's init: {}", problem.what()));
  }
  if (opened.wait_for(patience) == std::future_status::ready) return opened.get();
  return Status(Code::kTimeout, fmt::format("its init has not ended within {} s", patience.count() / 1000));
}

Result<bool> Communicator::open_islands() {
  const Islands::Island& own = islands_.of(membership_.rank);
  const bool wanted = wants_library(islands_, own);
  Outcome mine;
  std::vector<std::byte> id;
  if (wanted && own.ranks.front() == membership_.rank) {
    auto made = membership_.stack.library->make_id();
    if (made) id = made.take();
    if (!made) mine.problem = made.status().message();
  }
  auto ids = allgather(id);
  if (!ids) return ids.status();
  const std::vector<std::byte>& its_id = (*ids)[own.ranks.front()];
  if (wanted && !its_id.empty()) {
    opening_delegate_.store(true, std::memory_order_seq_cst);
    if (state_.failed()) return state_.reason();
    const Status opened = open_island(its_id, own);
    opening_delegate_.store(false, std::memory_order_release);
    mine.works = opened.ok();
    mine.premultiplies = membership_.stack.library->premultiplies();
    mine.problem = opened.message();
  }
  if (state_.failed()) return state_.reason();  // what another rank said is the cause
  auto gathered = allgather(encode(mine));
  if (!gathered) return gathered.status();
  return judge_islands(*gathered);
}

Result<bool> Communicator::judge_islands(const std::vector<std::vector<std::byte>>& gathered) {
  bool all = true;
  for (const Islands::Island& island : islands_.all) {
    if (!wants_library(islands_, island)) continue;
    bool works = true, premultiplies = true;
    for (int rank : island.ranks) {
      Result<Outcome> outcome = decode_outcome(gathered[rank]);
      if (!outcome) return outcome.status();
      if (!outcome->works && works && membership_.rank == island.ranks.front())
        log::warn("{} does not work on rank {}, so the ranks of its island go without: {}", island.stack.library, rank,
                  outcome->problem);
      works = works && outcome->works;
      premultiplies = premultiplies && outcome->premultiplies;
    }
    const bool own = &island == &islands_.of(membership_.rank);
    if (!works && own) delegate_.dissolve();
    if (works && island.ranks.size() > 1) {
      working_.push_back(island.ranks);
      premultiply_ = premultiply_ && premultiplies;
    }
    all = all && works;
  }
  return all;
}

}  // namespace amalgam::comm
