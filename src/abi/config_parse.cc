#include "abi/config_parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace amalgam::abi {
namespace {

// Where each field is, and the first version (NCCL_VERSION_CODE) whose callers mean it.
struct Gate {
  std::size_t offset;
  std::size_t bytes;
  std::uint32_t since;
};

#define FIELD(member, since) \
  { offsetof(ConfigFields, member), sizeof(ConfigFields::member), since }
constexpr Gate kGates[] = {
    FIELD(blocking, 0),
    FIELD(cga_cluster_size, 21700),
    FIELD(min_ctas, 21700),
    FIELD(max_ctas, 21700),
    FIELD(net_name, 21700),
    FIELD(split_share, 21800),
    FIELD(traffic_class, 22600),
    FIELD(comm_name, 22700),
    FIELD(collnet_enable, 22700),
    FIELD(cta_policy, 22700),
    FIELD(shrink_share, 22700),
    FIELD(nvls_ctas, 22700),
    FIELD(channels_per_net_peer, 22800),
    FIELD(nvlink_centric_sched, 22800),
    FIELD(graph_usage_mode, 22900),
    FIELD(rma_contexts, 22900),
    FIELD(max_p2p_peers, 23000),
    FIELD(graph_stream_ordering, 23005),
    FIELD(launch_order_implicit, 23100),
    FIELD(rma_signals, 23100),
    FIELD(rma_eager_init, 23100),
    FIELD(host_cft_mode, 23100),
    FIELD(nvls_host_mode, 23200),
};
#undef FIELD

constexpr std::size_t kHeaderBytes = 16;  // size, magic, version

Status bad(const char* function, const char* field, const std::string& problem) {
  return Status(Code::kInvalidArgument, fmt::format("{}: config.{} {}", function, field, problem));
}

Status in_range(const char* function, const char* field, std::int32_t value, std::int32_t low, std::int32_t high) {
  if (value == kUnset || (value >= low && value <= high)) return {};
  const std::string allowed = high == INT32_MAX ? fmt::format("at least {}", low) : fmt::format("{} to {}", low, high);
  return bad(function, field, fmt::format("is {}; allowed: {}, or NCCL_CONFIG_UNDEF_INT", value, allowed));
}

Status check_ranges(const char* function, const ConfigFields& fields) {
  constexpr std::int32_t kAny = INT32_MAX;
  AMALGAM_TRY(in_range(function, "blocking", fields.blocking, 0, 1));
  AMALGAM_TRY(in_range(function, "cgaClusterSize", fields.cga_cluster_size, 0, kAny));
  AMALGAM_TRY(in_range(function, "minCTAs", fields.min_ctas, 1, kAny));
  AMALGAM_TRY(in_range(function, "maxCTAs", fields.max_ctas, 1, kAny));
  if (fields.min_ctas != kUnset && fields.max_ctas != kUnset && fields.min_ctas > fields.max_ctas)
    return bad(function, "minCTAs", fmt::format("is {}, above maxCTAs {}", fields.min_ctas, fields.max_ctas));
  AMALGAM_TRY(in_range(function, "splitShare", fields.split_share, 0, 1));
  AMALGAM_TRY(in_range(function, "collnetEnable", fields.collnet_enable, 0, 1));
  AMALGAM_TRY(in_range(function, "CTAPolicy", fields.cta_policy, 0, 3));
  AMALGAM_TRY(in_range(function, "shrinkShare", fields.shrink_share, 0, 1));
  AMALGAM_TRY(in_range(function, "nvlsCTAs", fields.nvls_ctas, 1, kAny));
  AMALGAM_TRY(in_range(function, "nChannelsPerNetPeer", fields.channels_per_net_peer, 1, kAny));
  AMALGAM_TRY(in_range(function, "nvlinkCentricSched", fields.nvlink_centric_sched, 0, 1));
  AMALGAM_TRY(in_range(function, "graphUsageMode", fields.graph_usage_mode, 0, 2));
  return {};
}

island::Config asked(const ConfigFields& fields) {
  island::Config config;
  config.blocking = fields.blocking;
  config.cga_cluster_size = fields.cga_cluster_size;
  config.min_ctas = fields.min_ctas;
  config.max_ctas = fields.max_ctas;
  config.split_share = fields.split_share;
  config.traffic_class = fields.traffic_class;
  config.collnet_enable = fields.collnet_enable;
  config.cta_policy = fields.cta_policy;
  config.shrink_share = fields.shrink_share;
  config.nvls_ctas = fields.nvls_ctas;
  config.channels_per_net_peer = fields.channels_per_net_peer;
  config.nvlink_centric_sched = fields.nvlink_centric_sched;
  config.graph_usage_mode = fields.graph_usage_mode;
  config.rma_contexts = fields.rma_contexts;
  config.max_p2p_peers = fields.max_p2p_peers;
  config.graph_stream_ordering = fields.graph_stream_ordering;
  if (fields.comm_name != nullptr) config.name = fields.comm_name;
  if (fields.net_name != nullptr) config.net_name = fields.net_name;
  return config;
}

}  // namespace

Result<ConfigFields> read_config(const char* function, const void* config) {
  ConfigFields header;
  std::memcpy(static_cast<void*>(&header), config, kHeaderBytes);
  if (header.magic != kConfigMagic)
    return bad(function, "magic", fmt::format("is {:#x}; initialise it with NCCL_CONFIG_INITIALIZER", header.magic));
  if (header.size < kHeaderBytes)
    return bad(function, "size", fmt::format("is {}; initialise it with NCCL_CONFIG_INITIALIZER", header.size));

  ConfigFields fields;
  fields.size = header.size;
  fields.version = header.version;
  for (const Gate& gate : kGates) {
    if (header.version < gate.since || header.size < gate.offset + gate.bytes) continue;
    std::memcpy(reinterpret_cast<char*>(&fields) + gate.offset, static_cast<const char*>(config) + gate.offset,
                gate.bytes);
  }
  return fields;
}

Result<launch::CommConfig> check_config(const char* function, const ConfigFields& fields) {
  if (Status status = check_ranges(function, fields); !status.ok()) return status;
  launch::CommConfig config;
  // Not "!= kUnset": g++ 12.2 at -O2 makes that true for kUnset here, after the range check above. The config matrix
  // test notices.
  config.blocking_set = fields.blocking == 0 || fields.blocking == 1;
  config.blocking = fields.blocking != 0;
  if (fields.comm_name != nullptr) config.name = fields.comm_name;
  config.asked = asked(fields);
  return config;
}

Result<launch::CommConfig> parse_config(const char* function, const void* config) {
  if (config == nullptr) return launch::CommConfig{};
  Result<ConfigFields> fields = read_config(function, config);
  if (!fields.ok()) return fields.status();
  return check_config(function, *fields);
}

}  // namespace amalgam::abi
