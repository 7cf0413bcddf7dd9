#include "plugins/island/nccl_shaped/config.h"

#include <cstring>

namespace amalgam::nccl_shaped {
namespace {

using island::Config;

constexpr std::uint32_t kMagic = 0xcafebeef;

struct Number {
  int Config::*field;
  std::size_t offset;
  int since;  // NCCL_VERSION_CODE
};
constexpr Number kNumbers[] = {
    {&Config::blocking, 16, 21400},
    {&Config::cga_cluster_size, 20, 21700},
    {&Config::min_ctas, 24, 21700},
    {&Config::max_ctas, 28, 21700},
    {&Config::split_share, 40, 21800},
    {&Config::traffic_class, 44, 22600},
    {&Config::collnet_enable, 56, 22700},
    {&Config::cta_policy, 60, 22700},
    {&Config::shrink_share, 64, 22700},
    {&Config::nvls_ctas, 68, 22700},
    {&Config::channels_per_net_peer, 72, 22800},
    {&Config::nvlink_centric_sched, 76, 22800},
    {&Config::graph_usage_mode, 80, 22900},
    {&Config::rma_contexts, 84, 22900},
    {&Config::max_p2p_peers, 88, 23003},
    {&Config::graph_stream_ordering, 92, 23005},
};

struct Text {
  std::string Config::*field;
  std::size_t offset;
  int since;
};
constexpr Text kTexts[] = {{&Config::net_name, 32, 21700}, {&Config::name, 48, 22700}};

// Fields of 2.31 and later stay unset: a library takes a struct of an older version.
struct Version {
  int since;
  std::size_t bytes;
};
constexpr Version kVersions[] = {{23003, 96}, {22900, 88}, {22800, 80}, {22700, 72},
                                 {21800, 48}, {21700, 40}, {21400, 24}};

std::size_t bytes_at(int version) {
  for (const Version& one : kVersions)
    if (version >= one.since) return one.bytes;
  return kVersions[std::size(kVersions) - 1].bytes;
}

}  // namespace

ConfigBytes::ConfigBytes(const Config& config, int version) : size_(bytes_at(version)) {
  const auto put = [this](std::size_t offset, const auto& value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof(value));
  };
  put(0, size_);
  put(8, kMagic);
  put(12, static_cast<std::uint32_t>(version));
  for (const Number& number : kNumbers)
    put(number.offset, version >= number.since ? config.*number.field : Config::kUnset);
  for (const Text& text : kTexts) {
    const std::string& value = config.*text.field;
    put(text.offset, version >= text.since && !value.empty() ? value.c_str() : static_cast<const char*>(nullptr));
  }
}

}  // namespace amalgam::nccl_shaped
