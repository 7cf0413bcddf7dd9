// The record form of LocalFacts: what a rank tells the others. CPUs travel as ranges, so that a large host costs bytes,
// not kilobytes, for each of its ranks.

#include <algorithm>
#include <cctype>

#include "base/wire.h"
#include "topo/cpu_list.h"
#include "topo/local.h"

namespace amalgam::topo {
namespace {

constexpr std::uint16_t kVersion = 2;
constexpr std::size_t kLongestText = 256;
constexpr std::size_t kMostRails = 64;

// Names enter the cluster's text form, where words end at blanks and comments begin with '#'.
bool is_word(const std::string& text) {
  return !text.empty() && text.size() <= kLongestText &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isgraph(c) != 0 && c != '#'; });
}

bool read_cpus(Reader* reader, std::vector<std::uint32_t>* cpus) {
  const auto ranges = reader->integer<std::uint32_t>();
  std::uint32_t next = 0;
  for (std::uint32_t i = 0; i < ranges && reader->ok(); ++i) {
    const auto first = reader->integer<std::uint32_t>(), last = reader->integer<std::uint32_t>();
    if (first < next || last < first || last >= kMostCpus) return false;
    for (std::uint32_t cpu = first; cpu <= last; ++cpu) cpus->push_back(cpu);
    next = last + 1;
  }
  return reader->ok() && !cpus->empty();
}

bool read_rails(Reader* reader, std::vector<cluster::Rail>* rails) {
  const auto count = reader->integer<std::uint8_t>();
  if (count > kMostRails) return false;
  for (int i = 0; i < count && reader->ok(); ++i) {
    cluster::Rail rail;
    rail.network = reader->text();
    rail.bytes_per_second = reader->integer<std::uint64_t>();
    rail.latency_ns = reader->integer<std::uint64_t>();
    if (!is_word(rail.network) || rail.bytes_per_second == 0) return false;
    rails->push_back(std::move(rail));
  }
  return true;
}

}  // namespace

std::vector<std::byte> encode(const LocalFacts& facts) {
  Writer writer;
  writer.integer(kVersion)
      .text(facts.host)
      .text(facts.machine)
      .text(facts.network)
      .integer(facts.bytes_per_second)
      .integer(facts.latency_ns)
      .text(facts.vendor);
  const std::vector<CpuRange> ranges = to_ranges(facts.cpus);
  writer.integer(static_cast<std::uint32_t>(ranges.size()));
  for (const auto& [first, last] : ranges) writer.integer(first).integer(last);
  const std::size_t rails = std::min(facts.rails.size(), kMostRails);
  writer.integer(static_cast<std::uint8_t>(rails));
  for (std::size_t i = 0; i < rails; ++i)
    writer.text(facts.rails[i].network).integer(facts.rails[i].bytes_per_second).integer(facts.rails[i].latency_ns);
  return writer.take();
}

Result<LocalFacts> decode(ConstBytes record) {
  Reader reader(record);
  if (const auto version = reader.integer<std::uint16_t>(); version != kVersion)
    return Status(Code::kProtocol, "topology record of version " + std::to_string(version) + ", this library reads " +
                                       std::to_string(kVersion));
  LocalFacts facts;
  facts.host = reader.text();
  facts.machine = reader.text();
  facts.network = reader.text();
  facts.bytes_per_second = reader.integer<std::uint64_t>();
  facts.latency_ns = reader.integer<std::uint64_t>();
  facts.vendor = reader.text();
  const bool complete = read_cpus(&reader, &facts.cpus) && read_rails(&reader, &facts.rails) && reader.finished();
  if (!complete || !is_word(facts.vendor) || facts.bytes_per_second == 0 || facts.host.size() > kLongestText ||
      facts.machine.size() > kLongestText || facts.network.size() > kLongestText)
    return Status(Code::kProtocol, "malformed topology record");
  return facts;
}

}  // namespace amalgam::topo
