#include "observe/flight_wire.h"

#include <algorithm>

#include "base/wire.h"

namespace amalgam::observe {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kLineBytes = 8 + 1 + 1 + 1 + 4 + 8 + 8 + 1;

void encode_line(Writer& writer, const FlightEntry& entry, std::int64_t now_ns) {
  writer.integer(entry.sequence);
  writer.integer(static_cast<std::uint8_t>(entry.collective)).integer(static_cast<std::uint8_t>(entry.type));
  writer.integer(static_cast<std::uint8_t>(entry.op)).integer(entry.root).integer(entry.count);
  writer.integer(std::max<std::int64_t>(0, now_ns - entry.entered_ns));
  writer.integer(static_cast<std::uint8_t>(entry.completed_ns == 0 ? 1 : 0));
}

bool decode_line(Reader& reader, FlightLine& line) {
  FlightEntry& entry = line.entry;
  entry.sequence = reader.integer<std::uint64_t>();
  const auto collective = reader.integer<std::uint8_t>();
  const auto type = reader.integer<std::uint8_t>();
  const auto op = reader.integer<std::uint8_t>();
  entry.root = reader.integer<std::int32_t>();
  entry.count = reader.integer<std::uint64_t>();
  line.age_ns = reader.integer<std::int64_t>();
  const auto running = reader.integer<std::uint8_t>();
  if (collective >= kCollectives || type >= kDataTypes || op >= kReduceOps || running > 1 || line.age_ns < 0)
    return false;
  entry.collective = static_cast<Collective>(collective);
  entry.type = static_cast<DataType>(type);
  entry.op = static_cast<ReduceOp>(op);
  line.running = running == 1;
  return true;
}

}  // namespace

std::vector<std::byte> encode_flight(const std::vector<FlightEntry>& entries, std::int64_t now_ns) {
  Writer writer;
  writer.integer(kVersion).integer(static_cast<std::uint32_t>(entries.size()));
  for (const FlightEntry& entry : entries) encode_line(writer, entry, now_ns);
  return writer.take();
}

Result<std::vector<FlightLine>> decode_flight(std::span<const std::byte> bytes) {
  const Status malformed(Code::kProtocol, "malformed flight record");
  Reader reader(bytes);
  const auto version = reader.integer<std::uint8_t>();
  const auto count = reader.integer<std::uint32_t>();
  if (!reader.ok() || version != kVersion || count != reader.remaining() / kLineBytes) return malformed;
  std::vector<FlightLine> lines(count);
  for (FlightLine& line : lines)
    if (!decode_line(reader, line)) return malformed;
  if (!reader.finished()) return malformed;
  return lines;
}

}  // namespace amalgam::observe
