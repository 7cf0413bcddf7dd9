// The ...Config forms of 2.31: the configuration is checked, then the plain call is made. Its hints concern device
// kernels and have no effect on CPU ranks. A refused configuration fails the group it stands in, as any wrong argument.

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <string_view>

#include "abi/config_parse.h"
#include "abi/entry.h"

namespace amalgam::abi {
namespace {

constexpr std::array<std::string_view, 11> kAlgorithms = {"ring",     "tree",     "collnetdirect", "collnetchain",
                                                          "nvls",     "nvlstree", "pat",           "direct",
                                                          "doubling", "pairwise", "chain"};

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  });
}

bool known_algorithm(std::string_view name) {
  name = name.substr(0, name.find('_'));  // "pat_simple": a protocol may follow
  return std::any_of(kAlgorithms.begin(), kAlgorithms.end(),
                     [name](std::string_view known) { return equal_ignoring_case(known, name); });
}

// A comma-separated list; '^' in front means every other one.
Status check_selection(const char* function, std::string_view selection) {
  if (!selection.empty() && selection.front() == '^') selection.remove_prefix(1);
  while (true) {
    const std::size_t comma = selection.find(',');
    const std::string_view name = selection.substr(0, comma);
    if (!known_algorithm(name))
      return invalid_argument(
          "{}: config.algSelection names '{}', which is no algorithm; with forceAlgSelection = 0 "
          "unknown names are ignored",
          function, name);
    if (comma == std::string_view::npos) return {};
    selection.remove_prefix(comma + 1);
  }
}

Status check_collective_config(const char* function, const ncclCollConfig_t* config) {
  if (config == nullptr) return {};
  if (config->size < sizeof(ncclCollConfig_t) || config->magic != kConfigMagic)
    return invalid_argument("{}: initialise config with NCCL_COLLCONFIG_INITIALIZER", function);
  if (config->forceAlgSelection != 0 && config->forceAlgSelection != 1)
    return invalid_argument("{}: config.forceAlgSelection is {}; allowed: 0, 1", function, config->forceAlgSelection);
  if (config->CTAPolicy != kUnset && (config->CTAPolicy < 0 || config->CTAPolicy > 3))
    return invalid_argument("{}: config.CTAPolicy is {}; allowed: 0 to 3", function, config->CTAPolicy);
  if (config->algSelection == nullptr || config->forceAlgSelection == 0) return {};
  return check_selection(function, config->algSelection);
}

template <typename Plain>
ncclResult_t with_config(const char* function, ncclComm_t comm, const ncclCollConfig_t* config, Plain&& plain) {
  const ncclResult_t checked = groupable_entry(function, [&]() -> Status {
    AMALGAM_TRY(check_communicator(function, comm));
    return check_collective_config(function, config);
  });
  return checked == ncclSuccess ? plain() : checked;
}

}  // namespace
}  // namespace amalgam::abi

using amalgam::abi::with_config;

ncclResult_t pncclAllReduceConfig(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                                  ncclRedOp_t op, ncclComm_t comm, ncclStream_t stream,
                                  const ncclCollConfig_t* config) {
  return with_config("ncclAllReduceConfig", comm, config,
                     [&] { return pncclAllReduce(sendbuff, recvbuff, count, datatype, op, comm, stream); });
}
AMALGAM_PUBLIC_NAME(ncclAllReduceConfig);

ncclResult_t pncclBroadcastConfig(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, int root,
                                  ncclComm_t comm, ncclStream_t stream, const ncclCollConfig_t* config) {
  return with_config("ncclBroadcastConfig", comm, config,
                     [&] { return pncclBroadcast(sendbuff, recvbuff, count, datatype, root, comm, stream); });
}
AMALGAM_PUBLIC_NAME(ncclBroadcastConfig);

ncclResult_t pncclReduceConfig(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                               ncclRedOp_t op, int root, ncclComm_t comm, ncclStream_t stream,
                               const ncclCollConfig_t* config) {
  return with_config("ncclReduceConfig", comm, config,
                     [&] { return pncclReduce(sendbuff, recvbuff, count, datatype, op, root, comm, stream); });
}
AMALGAM_PUBLIC_NAME(ncclReduceConfig);

ncclResult_t pncclAllGatherConfig(const void* sendbuff, void* recvbuff, size_t sendcount, ncclDataType_t datatype,
                                  ncclComm_t comm, ncclStream_t stream, const ncclCollConfig_t* config) {
  return with_config("ncclAllGatherConfig", comm, config,
                     [&] { return pncclAllGather(sendbuff, recvbuff, sendcount, datatype, comm, stream); });
}
AMALGAM_PUBLIC_NAME(ncclAllGatherConfig);

ncclResult_t pncclReduceScatterConfig(const void* sendbuff, void* recvbuff, size_t recvcount, ncclDataType_t datatype,
                                      ncclRedOp_t op, ncclComm_t comm, ncclStream_t stream,
                                      const ncclCollConfig_t* config) {
  return with_config("ncclReduceScatterConfig", comm, config,
                     [&] { return pncclReduceScatter(sendbuff, recvbuff, recvcount, datatype, op, comm, stream); });
}
AMALGAM_PUBLIC_NAME(ncclReduceScatterConfig);

ncclResult_t pncclAlltoAllConfig(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype,
                                 ncclComm_t comm, ncclStream_t stream, const ncclCollConfig_t* config) {
  return with_config("ncclAlltoAllConfig", comm, config,
                     [&] { return pncclAlltoAll(sendbuff, recvbuff, count, datatype, comm, stream); });
}
AMALGAM_PUBLIC_NAME(ncclAlltoAllConfig);

ncclResult_t pncclGatherConfig(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, int root,
                               ncclComm_t comm, ncclStream_t stream, const ncclCollConfig_t* config) {
  return with_config("ncclGatherConfig", comm, config,
                     [&] { return pncclGather(sendbuff, recvbuff, count, datatype, root, comm, stream); });
}
AMALGAM_PUBLIC_NAME(ncclGatherConfig);

ncclResult_t pncclScatterConfig(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, int root,
                                ncclComm_t comm, ncclStream_t stream, const ncclCollConfig_t* config) {
  return with_config("ncclScatterConfig", comm, config,
                     [&] { return pncclScatter(sendbuff, recvbuff, count, datatype, root, comm, stream); });
}
AMALGAM_PUBLIC_NAME(ncclScatterConfig);
