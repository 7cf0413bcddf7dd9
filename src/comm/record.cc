#include "comm/record.h"

#include <fmt/format.h>

#include "base/wire.h"
#include "config/sources.h"

namespace amalgam::comm {
namespace {

constexpr std::uint32_t kFormat = 3;
constexpr std::uint32_t kMostTransports = 16;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// The first line in which two canonical setting texts differ, for people.
std::string difference(const std::string& mine, const std::string& theirs) {
  const auto a = lines_of(mine);
  const auto b = lines_of(theirs);
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const std::string left = i < a.size() ? a[i] : "(nothing)";
    const std::string right = i < b.size() ? b[i] : "(nothing)";
    if (left == right) continue;
    const std::string name = left.substr(0, left.find('='));
    return fmt::format("setting {}: '{}' against '{}'", config::variable_of(name), left, right);
  }
  return "equal lines, unequal text";
}

Status differ(int rank, const Record& record, const Record& first, const std::string& what) {
  return Status(Code::kInvalidUsage, fmt::format("rank 0 ({}) and rank {} ({}) disagree: {}; set it alike on all ranks",
                                                 first.host, rank, record.host, what));
}

}  // namespace

std::vector<std::byte> encode(const Record& record) {
  Writer out;
  out.integer(kFormat)
      .text(record.library)
      .integer(record.nccl_version)
      .integer(record.planner)
      .text(record.settings)
      .text(record.host);
  out.integer(record.device).integer(record.pid);
  write(out, record.stack);
  out.blob(topo::encode(record.facts));
  out.integer(static_cast<std::uint32_t>(record.transports.size()));
  for (const TransportOffer& offer : record.transports) {
    out.text(offer.name).integer(offer.capabilities.slice_bytes);
    out.integer(static_cast<std::uint32_t>(offer.capabilities.window));
    out.integer(static_cast<std::uint8_t>(offer.capabilities.shared_domain)).blob(offer.description);
  }
  return out.take();
}

Result<Record> decode(ConstBytes bytes) {
  Reader in(bytes);
  if (in.integer<std::uint32_t>() != kFormat) return Status(Code::kProtocol, "the init record has another format");
  Record record;
  record.library = in.text();
  record.nccl_version = in.integer<std::int32_t>();
  record.planner = in.integer<std::uint32_t>();
  record.settings = in.text();
  record.host = in.text();
  record.device = in.integer<std::int32_t>();
  record.pid = in.integer<std::int32_t>();
  record.stack = read_stack(in);
  auto facts = topo::decode(in.blob());
  if (!facts) return facts.status();
  record.facts = facts.take();
  const auto offers = in.integer<std::uint32_t>();
  if (offers > kMostTransports)
    return Status(Code::kProtocol, fmt::format("an init record with {} transports", offers));
  for (std::uint32_t i = 0; i < offers; ++i) {
    TransportOffer& offer = record.transports.emplace_back();
    offer.name = in.text();
    offer.capabilities.slice_bytes = in.integer<std::uint32_t>();
    offer.capabilities.window = in.integer<std::int32_t>();
    offer.capabilities.shared_domain = in.integer<std::uint8_t>() != 0;
    const ConstBytes description = in.blob();
    offer.description.assign(description.begin(), description.end());
  }
  if (!in.finished()) return Status(Code::kProtocol, "the init record is cut short or too long");
  return record;
}

Status agree(const std::vector<Record>& records) {
  const Record& first = records.front();
  for (std::size_t r = 1; r < records.size(); ++r) {
    const Record& record = records[r];
    const int rank = static_cast<int>(r);
    if (record.library != first.library)
      return differ(rank, record, first, fmt::format("Amalgam {} against {}", first.library, record.library));
    if (record.planner != first.planner)
      return differ(rank, record, first, fmt::format("planner version {} against {}", first.planner, record.planner));
    if (record.nccl_version != first.nccl_version)
      return differ(rank, record, first,
                    fmt::format("reported NCCL version {} against {} (AMALGAM_VERSION)", first.nccl_version,
                                record.nccl_version));
    if (record.settings != first.settings)
      return differ(rank, record, first, difference(first.settings, record.settings));
  }
  return {};
}

}  // namespace amalgam::comm
