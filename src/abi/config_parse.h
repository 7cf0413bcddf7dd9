#pragma once

// Reads an ncclConfig_t of any NCCL version from 2.14 to 2.32, and newer ones as far as they are known.
//
// A field counts only if it lies within the caller's size AND the caller's version had it: two versions put a new field
// into what was padding before (trafficClass in 2.26, graphStreamOrdering in 2.30.5), and RCCL has another field at
// offset 80. Everything else keeps its default. A newer version than ours is never refused. Strings are copied.
//
// Threads: any, pure. Errors: kInvalidArgument with a text that names the field.

#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "launch/api.h"

namespace amalgam::abi {

inline constexpr std::uint32_t kConfigMagic = 0xcafebeef;
inline constexpr std::int32_t kUnset = INT32_MIN;

// The layout of 2.32, the newest known; older ones are prefixes of it.
struct ConfigFields {
  std::uint64_t size = sizeof(ConfigFields);
  std::uint32_t magic = kConfigMagic;
  std::uint32_t version = 0;
  std::int32_t blocking = kUnset;
  std::int32_t cga_cluster_size = kUnset;
  std::int32_t min_ctas = kUnset;
  std::int32_t max_ctas = kUnset;
  const char* net_name = nullptr;
  std::int32_t split_share = kUnset;
  std::int32_t traffic_class = kUnset;
  const char* comm_name = nullptr;
  std::int32_t collnet_enable = kUnset;
  std::int32_t cta_policy = kUnset;
  std::int32_t shrink_share = kUnset;
  std::int32_t nvls_ctas = kUnset;
  std::int32_t channels_per_net_peer = kUnset;
  std::int32_t nvlink_centric_sched = kUnset;
  std::int32_t graph_usage_mode = kUnset;
  std::int32_t rma_contexts = kUnset;
  std::int32_t max_p2p_peers = kUnset;
  std::int32_t graph_stream_ordering = kUnset;
  std::int32_t launch_order_implicit = kUnset;
  std::int32_t rma_signals = kUnset;
  std::int32_t rma_eager_init = kUnset;
  std::int32_t host_cft_mode = kUnset;
  std::int32_t nvls_host_mode = kUnset;
  std::int32_t reserved = 0;
};
static_assert(sizeof(ConfigFields) == 120);

// Step 1: what the caller set, version gates applied, nothing range-checked but the header.
Result<ConfigFields> read_config(const char* function, const void* config);
// Step 2: ranges as NCCL checks them, and the form that the layers below use.
Result<launch::CommConfig> check_config(const char* function, const ConfigFields& fields);

// Both; null means defaults.
Result<launch::CommConfig> parse_config(const char* function, const void* config);

}  // namespace amalgam::abi
