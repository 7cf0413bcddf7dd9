// Reads a cluster's text. The text may come from a file of anybody or from another rank: counts are bounded, indices
// are checked, every error names its line.

#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "cluster/cluster.h"

namespace amalgam::cluster {
namespace {

constexpr std::size_t kMaxText = 64 << 20;
constexpr std::size_t kMaxRanks = 1 << 20;
constexpr std::size_t kMaxRails = 64;
constexpr std::size_t kMaxName = 64;
constexpr std::uint64_t kMaxSpeed = 1'000'000'000'000'000;  // 1 PB/s: sums of all ranks' rails still fit 64 bits
constexpr std::uint64_t kMaxLatency = 1'000'000'000'000;    // 1000 s
constexpr std::uint64_t kMaxCores = 1 << 20;

Status wrong(std::string what) { return Status(Code::kInvalidArgument, std::move(what)); }

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  line = line.substr(0, line.find('#'));
  for (;;) {
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return words;
    const std::size_t end = std::min(line.find_first_of(" \t\r", begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
}

std::uint64_t unit_of(char suffix) {
  switch (suffix) {
    case 'K': return 1'000;
    case 'M': return 1'000'000;
    case 'G': return 1'000'000'000;
    case 'T': return 1'000'000'000'000;
    default: return 0;
  }
}

Status number(std::string_view word, std::uint64_t least, std::uint64_t most, std::uint64_t* value) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), *value);
  const std::string_view suffix(end, static_cast<std::size_t>(word.data() + word.size() - end));
  const std::uint64_t unit = suffix.empty() ? 1 : suffix.size() == 1 ? unit_of(suffix.front()) : 0;
  const bool fits = error == std::errc() && unit != 0 && !__builtin_mul_overflow(*value, unit, value);
  if (fits && *value >= least && *value <= most) return {};
  return wrong(fmt::format("expected a number in {}..{} instead of '{}'", least, most, word.substr(0, 32)));
}

// The words of one line, read from the left.
class Words {
 public:
  explicit Words(std::string_view line) : words_(words_of(line)) {}

  bool at_end() const { return next_ == words_.size(); }
  std::string_view take() { return at_end() ? std::string_view() : words_[next_++]; }

  Status expect(std::string_view wanted) {
    const std::string_view word = take();
    return word == wanted ? Status() : wrong(fmt::format("expected '{}' instead of '{}'", wanted, word.substr(0, 32)));
  }
  Status field(std::string_view key, std::uint64_t least, std::uint64_t most, std::uint64_t* value) {
    AMALGAM_TRY(expect(key));
    return number(take(), least, most, value);
  }
  Status name(std::string* text) {
    const std::string_view word = take();
    if (word.empty() || word.size() > kMaxName) return wrong("expected a name of at most 64 characters");
    *text = std::string(word);
    return {};
  }
  Status index(std::size_t expected) {
    std::uint64_t value = 0;
    AMALGAM_TRY(number(take(), 0, kMaxRanks, &value));
    return value == expected ? Status() : wrong(fmt::format("expected number {}: they are listed in order", expected));
  }

 private:
  std::vector<std::string_view> words_;
  std::size_t next_ = 0;
};

class ClusterParser {
 public:
  Result<Cluster> run(std::string_view text) {
    if (text.size() > kMaxText) return wrong("cluster text larger than 64 MiB");
    int line_number = 0;
    while (!text.empty()) {
      const std::size_t length = text.find('\n');
      Words words(text.substr(0, length));
      text.remove_prefix(length == std::string_view::npos ? text.size() : length + 1);
      ++line_number;
      if (words.at_end()) continue;
      const Status status = line(words);
      if (!status.ok()) return Status(status.code(), fmt::format("line {}: {}", line_number, status.message()));
    }
    if (cluster_.ranks.empty()) return wrong("the cluster has no ranks");
    return std::move(cluster_);
  }

 private:
  Status line(Words& words) {
    const std::string_view kind = words.take();
    if (!begun_) {
      if (kind != "cluster") return wrong("the first line is 'cluster'");
      begun_ = true;
    } else if (kind == "island") {
      AMALGAM_TRY(island(words));
    } else if (kind == "domain") {
      AMALGAM_TRY(domain(words));
    } else if (kind == "rank") {
      AMALGAM_TRY(rank(words));
    } else {
      return wrong(fmt::format("expected island, domain or rank instead of '{}'", kind.substr(0, 32)));
    }
    return words.at_end() ? Status() : wrong(fmt::format("unexpected '{}'", words.take().substr(0, 32)));
  }

  Status island(Words& words) {
    Island island;
    AMALGAM_TRY(words.index(cluster_.islands.size()));
    AMALGAM_TRY(words.expect("vendor"));
    AMALGAM_TRY(words.name(&island.vendor));
    cluster_.islands.push_back(std::move(island));
    return {};
  }

  Status domain(Words& words) {
    Domain domain;
    AMALGAM_TRY(words.index(cluster_.domains.size()));
    AMALGAM_TRY(words.field("cores", 1, kMaxCores, &domain.cores));
    AMALGAM_TRY(words.field("memory", 1, kMaxSpeed, &domain.bytes_per_second));
    AMALGAM_TRY(words.field("latency", 0, kMaxLatency, &domain.latency_ns));
    cluster_.domains.push_back(domain);
    return {};
  }

  Status rank(Words& words) {
    if (cluster_.ranks.size() == kMaxRanks) return wrong("more than 1048576 ranks");
    if (cluster_.domains.empty() || cluster_.islands.empty()) return wrong("ranks come after islands and domains");
    Rank rank;
    std::uint64_t domain = 0;
    std::uint64_t island = 0;
    AMALGAM_TRY(words.index(cluster_.ranks.size()));
    AMALGAM_TRY(words.field("domain", 0, cluster_.domains.size() - 1, &domain));
    AMALGAM_TRY(words.field("island", 0, cluster_.islands.size() - 1, &island));
    rank.domain = static_cast<int>(domain);
    rank.island = static_cast<int>(island);
    while (!words.at_end()) AMALGAM_TRY(rail(words, &rank));
    cluster_.ranks.push_back(std::move(rank));
    return {};
  }

  static Status rail(Words& words, Rank* rank) {
    if (rank->rails.size() == kMaxRails) return wrong("more than 64 rails");
    Rail rail;
    AMALGAM_TRY(words.expect("rail"));
    AMALGAM_TRY(words.name(&rail.network));
    AMALGAM_TRY(number(words.take(), 1, kMaxSpeed, &rail.bytes_per_second));
    AMALGAM_TRY(words.field("latency", 0, kMaxLatency, &rail.latency_ns));
    rank->rails.push_back(std::move(rail));
    return {};
  }

  Cluster cluster_;
  bool begun_ = false;
};

}  // namespace

Result<Cluster> parse(std::string_view text) { return ClusterParser().run(text); }

}  // namespace amalgam::cluster
