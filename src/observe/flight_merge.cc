// Flight records of all ranks, merged for a reader: who is where, and who is missing where.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "observe/flight.h"
#include "observe/flight_wire.h"

namespace amalgam::observe {
namespace {

constexpr std::size_t kLargestReport = 64;  // lines of each kind; a job of thousands of ranks must stay readable

struct RankRecord {
  bool answered = false;
  std::vector<FlightLine> lines;  // oldest first
};

bool has_root(Collective what) {
  return what == Collective::kReduce || what == Collective::kBroadcast || what == Collective::kGather ||
         what == Collective::kScatter;
}

double seconds(std::int64_t ns) { return static_cast<double>(ns) / 1e9; }

// "0-3, 7"
std::string ranges(const std::set<int>& ranks) {
  std::string text;
  for (auto first = ranks.begin(); first != ranks.end();) {
    auto last = first;
    while (std::next(last) != ranks.end() && *std::next(last) == *last + 1) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", *first);
    if (last != first) text += fmt::format("-{}", *last);
    first = std::next(last);
  }
  return text;
}

std::string subject(const std::set<int>& ranks) {
  return fmt::format("{} {}", ranks.size() == 1 ? "rank" : "ranks", ranges(ranks));
}

std::string describe(const FlightEntry& entry) {
  const std::string what = fmt::format("{} #{}", name_of(entry.collective), entry.sequence);
  if (is_pair(entry.collective))
    return fmt::format("{} {} rank {} ({} {})", what, entry.collective == Collective::kSend ? "to" : "from", entry.root,
                       entry.count, name_of(entry.type));
  const std::string op = reduces(entry.collective) ? fmt::format(" {}", name_of(entry.op)) : "";
  const std::string root = has_root(entry.collective) && entry.root >= 0 ? fmt::format(", root {}", entry.root) : "";
  return fmt::format("{} ({} {}{}{})", what, entry.count, name_of(entry.type), op, root);
}

std::vector<RankRecord> decode_all(const std::vector<std::vector<std::byte>>& records, std::string& text) {
  std::vector<RankRecord> ranks(records.size());
  std::set<int> silent, malformed;
  for (std::size_t rank = 0; rank < records.size(); ++rank) {
    if (records[rank].empty()) {
      silent.insert(static_cast<int>(rank));
      continue;
    }
    Result<std::vector<FlightLine>> lines = decode_flight(records[rank]);
    if (!lines.ok()) malformed.insert(static_cast<int>(rank));
    if (lines.ok()) ranks[rank] = {true, lines.take()};
  }
  if (!silent.empty()) text += fmt::format("{}: no answer\n", subject(silent));
  if (!malformed.empty()) text += fmt::format("{}: malformed record\n", subject(malformed));
  return ranks;
}

std::string last_operation(const RankRecord& record) {
  if (record.lines.empty()) return "no operation yet";
  const FlightLine& last = record.lines.back();
  return fmt::format("last {}, {}", describe(last.entry), last.running ? "running" : "complete");
}

// One line for all ranks whose last operation reads the same.
void report_last(const std::vector<RankRecord>& ranks, std::string& text) {
  std::map<std::string, std::set<int>> groups;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank)
    if (ranks[rank].answered) groups[last_operation(ranks[rank])].insert(static_cast<int>(rank));
  std::map<int, std::string> by_first_rank;
  for (const auto& [operation, members] : groups)
    by_first_rank[*members.begin()] = fmt::format("{}: {}\n", subject(members), operation);
  std::size_t lines = 0;
  for (const auto& [rank, line] : by_first_rank) {
    if (++lines > kLargestReport) break;
    text += line;
  }
  if (by_first_rank.size() > kLargestReport) text += fmt::format("({} more)\n", by_first_rank.size() - kLargestReport);
}

// The newest collective of a rank, if its record has one.
std::optional<std::uint64_t> newest_collective(const RankRecord& record) {
  std::optional<std::uint64_t> newest;
  for (const FlightLine& line : record.lines)
    if (!is_pair(line.entry.collective)) newest = std::max(newest.value_or(0), line.entry.sequence);
  return newest;
}

struct Waiting {
  FlightEntry entry;
  std::int64_t oldest_ns = 0;
  std::set<int> entered;
};

// Collectives that some rank still runs, with all ranks that have entered them.
std::map<std::uint64_t, Waiting> waiting_collectives(const std::vector<RankRecord>& ranks) {
  std::map<std::uint64_t, Waiting> waiting;
  for (const RankRecord& record : ranks)
    for (const FlightLine& line : record.lines)
      if (line.running && !is_pair(line.entry.collective))
        waiting.try_emplace(line.entry.sequence, Waiting{line.entry, 0, {}});
  for (std::size_t rank = 0; rank < ranks.size(); ++rank)
    for (const FlightLine& line : ranks[rank].lines) {
      const auto found = is_pair(line.entry.collective) ? waiting.end() : waiting.find(line.entry.sequence);
      if (found == waiting.end()) continue;
      found->second.entered.insert(static_cast<int>(rank));
      if (line.running) found->second.oldest_ns = std::max(found->second.oldest_ns, line.age_ns);
    }
  return waiting;
}

void report_missing(const std::vector<RankRecord>& ranks, std::string& text) {
  std::size_t lines = 0;
  std::set<int> reported;  // a rank that is missing in one operation is missing in all later ones
  for (const auto& [sequence, waiting] : waiting_collectives(ranks)) {
    std::set<int> missing;
    for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
      if (!ranks[rank].answered || reported.contains(static_cast<int>(rank))) continue;
      const auto newest = newest_collective(ranks[rank]);
      if (!newest || *newest < sequence) missing.insert(static_cast<int>(rank));
    }
    if (missing.empty() || ++lines > kLargestReport) continue;
    reported.insert(missing.begin(), missing.end());
    text += fmt::format("{} {} not entered {} #{} (entered by {}; {:.1f} s ago)\n", subject(missing),
                        missing.size() == 1 ? "has" : "have", name_of(waiting.entry.collective), sequence,
                        ranges(waiting.entered), seconds(waiting.oldest_ns));
  }
}

bool same_call(const FlightEntry& a, const FlightEntry& b) {
  const bool same_kind = a.collective == b.collective && a.root == b.root;
  if (a.collective == Collective::kAllToAllV) return same_kind && a.type == b.type;  // counts differ by right
  return same_kind && a.type == b.type && a.count == b.count && (!reduces(a.collective) || a.op == b.op);
}

// Ranks whose call with this number differs from the lowest rank's.
void report_differences(const std::vector<RankRecord>& ranks, std::string& text) {
  std::map<std::uint64_t, std::pair<int, FlightEntry>> first;
  std::size_t lines = 0;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank)
    for (const FlightLine& line : ranks[rank].lines) {
      if (is_pair(line.entry.collective)) continue;
      const auto [known, added] = first.try_emplace(line.entry.sequence, static_cast<int>(rank), line.entry);
      if (added || same_call(known->second.second, line.entry) || ++lines > kLargestReport) continue;
      text += fmt::format("calls differ: rank {} entered {}, rank {} entered {}\n", known->second.first,
                          describe(known->second.second), rank, describe(line.entry));
    }
}

// Whether `record` shows the other half of a message: the same number, the opposite direction, this peer.
bool has_other_half(const RankRecord& record, const FlightEntry& entry, int peer) {
  const Collective opposite = entry.collective == Collective::kSend ? Collective::kRecv : Collective::kSend;
  return std::any_of(record.lines.begin(), record.lines.end(), [&](const FlightLine& line) {
    return line.entry.collective == opposite && line.entry.root == peer && line.entry.sequence >= entry.sequence;
  });
}

void report_messages(const std::vector<RankRecord>& ranks, std::string& text) {
  std::size_t lines = 0;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank)
    for (const FlightLine& line : ranks[rank].lines) {
      const FlightEntry& entry = line.entry;
      if (!line.running || !is_pair(entry.collective)) continue;
      if (entry.root < 0 || static_cast<std::size_t>(entry.root) >= ranks.size()) continue;
      const RankRecord& peer = ranks[static_cast<std::size_t>(entry.root)];
      if (!peer.answered || has_other_half(peer, entry, static_cast<int>(rank)) || ++lines > kLargestReport) continue;
      const bool sends = entry.collective == Collective::kSend;
      text +=
          fmt::format("rank {} has not entered {} #{} {} rank {} (entered by {}; {:.1f} s ago)\n", entry.root,
                      sends ? "recv" : "send", entry.sequence, sends ? "from" : "to", rank, rank, seconds(line.age_ns));
    }
}

}  // namespace

std::string last_of_flight_record(const std::vector<std::byte>& record) {
  Result<std::vector<FlightLine>> lines = decode_flight(record);
  return lines.ok() ? last_operation({true, lines.take()}) : "malformed record";
}

std::string merge_flight_records(const std::vector<std::vector<std::byte>>& records) {
  std::string text;
  const std::vector<RankRecord> ranks = decode_all(records, text);
  report_last(ranks, text);
  report_missing(ranks, text);
  report_differences(ranks, text);
  report_messages(ranks, text);
  return text;
}

}  // namespace amalgam::observe
