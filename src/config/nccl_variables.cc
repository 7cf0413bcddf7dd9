#include "config/nccl_variables.h"

#include <fmt/format.h>

#include <array>
#include <cctype>

#include "config/nccl_lists.h"

namespace amalgam::config {
namespace {

constexpr std::string_view kNoRdma = "there is no RDMA transport yet; ranks use shared memory and TCP";
constexpr std::string_view kNoTopologyFile =
    "topology files are not read yet; 'amalgam plan --cluster FILE' takes a cluster's text form";
constexpr std::string_view kNoPlugin = "NCCL plug-ins are not loaded";
constexpr std::string_view kDevice = "concerns devices";
constexpr std::string_view kDelegate = "concerns a vendor library";

constexpr auto kVariables = std::to_array<NcclVariable>({
    {"NCCL_CONF_FILE", Answer::kHonoured, "", "configuration file, replaces ~/.nccl.conf"},
    {"NCCL_DEBUG", Answer::kTranslated, "log", "VERSION and INFO become info, WARN warn, TRACE trace"},
    {"NCCL_DEBUG_FILE", Answer::kTranslated, "log_file", "%h and %p are replaced"},
    {"NCCL_DEBUG_SUBSYS", Answer::kWarned, "log", "the log has levels, no subsystems"},
    {"NCCL_DEBUG_TIMESTAMP_FORMAT", Answer::kWarned, "", "log lines carry no time"},
    {"NCCL_SOCKET_IFNAME", Answer::kTranslated, "interfaces", "same grammar"},
    {"NCCL_OOB_NET_IFNAME", Answer::kWarned, "interfaces", "bootstrap and data use the same interfaces"},
    {"NCCL_OOB_NET_ENABLE", Answer::kWarned, "interfaces", "bootstrap and data use the same interfaces"},
    {"NCCL_SOCKET_FAMILY", Answer::kHonoured, "", "AF_INET or AF_INET6"},
    {"NCCL_SOCKET_NTHREADS", Answer::kWarned, "sockets_per_rail", "a rank's sockets are served by its own thread"},
    {"NCCL_NSOCKS_PERTHREAD", Answer::kWarned, "sockets_per_rail", "a rank's sockets are served by its own thread"},
    {"NCCL_COMM_ID", Answer::kHonoured, "",
     "rendezvous address; needs AMALGAM_SECRET or AMALGAM_SECRET_FILE off loopback"},
    {"NCCL_SOCKET_RETRY_CNT", Answer::kWarned, "init_timeout", "connecting is tried until init's deadline"},
    {"NCCL_SOCKET_RETRY_SLEEP_MSEC", Answer::kWarned, "init_timeout", "connecting is tried until init's deadline"},
    {"NCCL_NET", Answer::kTranslated, "transports",
     "Socket is what CPU ranks use between hosts; others have no effect"},
    {"NCCL_NET_PLUGIN", Answer::kWarned, "", kNoPlugin},
    {"NCCL_TUNER_PLUGIN", Answer::kWarned, "", kNoPlugin},
    {"NCCL_PROFILER_PLUGIN", Answer::kWarned, "", kNoPlugin},
    {"NCCL_ENV_PLUGIN", Answer::kWarned, "", kNoPlugin},
    {"NCCL_IB_DISABLE", Answer::kHonoured, "", kNoRdma},
    {"NCCL_IB_HCA", Answer::kWarned, "interfaces", kNoRdma},
    {"NCCL_IB_GID_INDEX", Answer::kWarned, "", kNoRdma},
    {"NCCL_IB_ADDR_FAMILY", Answer::kWarned, "", kNoRdma},
    {"NCCL_IB_ADDR_RANGE", Answer::kWarned, "", kNoRdma},
    {"NCCL_IB_ROCE_VERSION_NUM", Answer::kWarned, "", kNoRdma},
    {"NCCL_IB_TIMEOUT", Answer::kWarned, "silence_timeout", kNoRdma},
    {"NCCL_IB_RETRY_CNT", Answer::kWarned, "silence_timeout", kNoRdma},
    {"NCCL_IB_PKEY", Answer::kWarned, "", kNoRdma},
    {"NCCL_IB_SL", Answer::kWarned, "", kNoRdma},
    {"NCCL_IB_TC", Answer::kWarned, "", kNoRdma},
    {"NCCL_IB_FIFO_TC", Answer::kWarned, "", kNoRdma},
    {"NCCL_IB_USE_INLINE", Answer::kWarned, "", kNoRdma},
    {"NCCL_IB_QPS_PER_CONNECTION", Answer::kWarned, "", kNoRdma},
    {"NCCL_IB_SPLIT_DATA_ON_QPS", Answer::kWarned, "", kNoRdma},
    {"NCCL_IB_AR_THRESHOLD", Answer::kWarned, "", kNoRdma},
    {"NCCL_IB_ADAPTIVE_ROUTING", Answer::kWarned, "", kNoRdma},
    {"NCCL_IB_MERGE_NICS", Answer::kWarned, "", kNoRdma},
    {"NCCL_IB_PCI_RELAXED_ORDERING", Answer::kWarned, "", kNoRdma},
    {"NCCL_IB_RETURN_ASYNC_EVENTS", Answer::kWarned, "", kNoRdma},
    {"NCCL_IB_RESILIENCY_PORT_FAILOVER", Answer::kWarned, "", kNoRdma},
    {"NCCL_IB_RESILIENCY_PORT_RECOVERY", Answer::kWarned, "", kNoRdma},
    {"NCCL_SHM_DISABLE", Answer::kTranslated, "transports", "1 takes shm out of the list"},
    {"NCCL_P2P_DISABLE", Answer::kPassThrough, "", kDevice},
    {"NCCL_P2P_LEVEL", Answer::kPassThrough, "", kDevice},
    {"NCCL_NET_GDR_LEVEL", Answer::kPassThrough, "", kDevice},
    {"NCCL_NET_GDR_READ", Answer::kPassThrough, "", kDevice},
    {"NCCL_NET_GDR_C2C", Answer::kPassThrough, "", kDevice},
    {"NCCL_DMABUF_ENABLE", Answer::kPassThrough, "", kDevice},
    {"NCCL_CROSS_NIC", Answer::kWarned, "interfaces", "rails are chosen by the plan"},
    {"NCCL_ALGO", Answer::kTranslated, "family",
     "a single Ring or Tree is honoured; other lists are accepted without effect"},
    {"NCCL_PROTO", Answer::kWarned, "", "CPU ranks have one protocol for each transport"},
    {"NCCL_MIN_NCHANNELS", Answer::kWarned, "", "channels are chosen by the plan"},
    {"NCCL_MAX_NCHANNELS", Answer::kWarned, "", "channels are chosen by the plan"},
    {"NCCL_MIN_CTAS", Answer::kPassThrough, "", kDevice},
    {"NCCL_MAX_CTAS", Answer::kPassThrough, "", kDevice},
    {"NCCL_NTHREADS", Answer::kPassThrough, "", kDevice},
    {"NCCL_BUFFSIZE", Answer::kWarned, "slot_bytes", "a lane's memory is AMALGAM_SLOTS x AMALGAM_SLOT_BYTES"},
    {"NCCL_P2P_NET_CHUNKSIZE", Answer::kWarned, "tcp_slice_bytes", "slices are sized by the plan"},
    {"NCCL_TOPO_FILE", Answer::kWarned, "", kNoTopologyFile},
    {"NCCL_TOPO_DUMP_FILE", Answer::kWarned, "", kNoTopologyFile},
    {"NCCL_TOPO_DUMP_FILE_RANK", Answer::kWarned, "", kNoTopologyFile},
    {"NCCL_GRAPH_FILE", Answer::kWarned, "", "plans are made, not read; 'amalgam plan show' prints them"},
    {"NCCL_GRAPH_DUMP_FILE", Answer::kWarned, "", "plans are made, not read; 'amalgam plan show' prints them"},
    {"NCCL_HOSTID", Answer::kTranslated, "host_id", "same meaning"},
    {"NCCL_MNNVL_ENABLE", Answer::kPassThrough, "", kDevice},
    {"NCCL_IGNORE_CPU_AFFINITY", Answer::kPassThrough, "", "threads of CPU ranks are not moved"},
    {"NCCL_MULTI_RANK_GPU_ENABLE", Answer::kPassThrough, "", kDevice},
    {"NCCL_CHECK_POINTERS", Answer::kWarned, "", "host pointers cannot be checked"},
    {"NCCL_CHECK_MODE", Answer::kWarned, "",
     "arguments are always checked on this rank; ranks are compared by each slice's tag"},
    {"NCCL_COMM_BLOCKING", Answer::kWarned, "", "pass blocking in the communicator's config"},
    {"NCCL_LAUNCH_MODE", Answer::kPassThrough, "", kDevice},
    {"NCCL_LAUNCH_ORDER_IMPLICIT", Answer::kPassThrough, "", kDevice},
    {"NCCL_GRAPH_MIXING_SUPPORT", Answer::kPassThrough, "", kDevice},
    {"NCCL_GRAPH_REGISTER", Answer::kPassThrough, "", kDevice},
    {"NCCL_LOCAL_REGISTER", Answer::kPassThrough, "", kDevice},
    {"NCCL_CUMEM_ENABLE", Answer::kPassThrough, "", kDelegate},
    {"NCCL_CUMEM_HOST_ENABLE", Answer::kPassThrough, "", kDelegate},
    {"NCCL_NVLS_ENABLE", Answer::kPassThrough, "", kDelegate},
    {"NCCL_COLLNET_ENABLE", Answer::kPassThrough, "", kDelegate},
    {"NCCL_PXN_DISABLE", Answer::kPassThrough, "", kDelegate},
    {"NCCL_WIN_ENABLE", Answer::kPassThrough, "", kDelegate},
    {"NCCL_CTA_POLICY", Answer::kPassThrough, "", kDelegate},
    {"NCCL_RAS_ENABLE", Answer::kPassThrough, "", "there is no RAS service; 'amalgam status PID' asks a process"},
    {"NCCL_RAS_ADDR", Answer::kWarned, "", "there is no RAS service; 'amalgam status PID' asks a process"},
    {"NCCL_SET_THREAD_NAME", Answer::kPassThrough, "", "threads always have names"},
    {"NCCL_NVTX_DISABLE", Answer::kPassThrough, "", kDelegate},
    {"NCCL_WORK_FIFO_BYTES", Answer::kPassThrough, "", kDevice},
    {"NCCL_UID_STAGGER_RATE", Answer::kPassThrough, "", "the rendezvous is a tree and needs no staggering"},
    {"NCCL_UID_STAGGER_THRESHOLD", Answer::kPassThrough, "", "the rendezvous is a tree and needs no staggering"},
    {"NCCL_RUNTIME_CONNECT", Answer::kPassThrough, "", "lanes always connect when first used"},
});

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

// Value of our setting that answers `value`, or a warning.
struct Translated {
  std::string value;
  std::string warning;
};

Translated translate_debug(std::string_view value) {
  const std::string level = lower(value);
  if (level == "version" || level == "info") return {"info", ""};
  if (level == "warn" || level == "abort") return {"warn", ""};
  if (level == "trace") return {"trace", ""};
  if (level == "none") return {"error", ""};
  return {"", "is no level of NCCL: allowed are VERSION, WARN, INFO and TRACE"};
}

Translated translate_net(std::string_view value) {
  if (lower(value) == "socket") return {};
  return {"", fmt::format("not honoured: {}; AMALGAM_TRANSPORTS chooses transports", kNoRdma)};
}

Translated translate_shm_disable(std::string_view value) {
  const std::string flag = lower(value);
  if (flag == "1") return {"loopback,tcp", ""};
  if (flag == "0") return {};
  return {"", "is not understood: allowed are 0 and 1; AMALGAM_TRANSPORTS chooses transports"};
}

Translated translate(std::string_view name, std::string_view value) {
  if (name == "NCCL_DEBUG") return translate_debug(value);
  if (name == "NCCL_NET") return translate_net(value);
  if (name == "NCCL_SHM_DISABLE") return translate_shm_disable(value);
  if (name == "NCCL_ALGO") {
    NcclListAnswer answer = answer_algo(value);
    return {std::move(answer.family), std::move(answer.warning)};
  }
  return {std::string(value), ""};
}

std::string warn_of(const NcclVariable& variable) {
  std::string text = fmt::format("not honoured: {}", variable.note);
  if (!variable.ours.empty()) text += fmt::format("; see {}", variable_of(variable.ours));
  return text;
}

void answer(const NcclVariable& variable, const Found& found, NcclAnswers& answers) {
  std::string warning;
  if (variable.answer == Answer::kWarned) {
    warning = variable.name == "NCCL_PROTO" ? answer_proto(found.value).warning : warn_of(variable);
  } else if (variable.answer == Answer::kTranslated) {
    Translated translated = translate(variable.name, found.value);
    warning = std::move(translated.warning);
    if (!translated.value.empty())
      answers.translations.push_back(
          {std::string(variable.ours), std::move(translated.value), found.name + " from " + found.where});
  }
  if (!warning.empty()) answers.warnings.push_back(fmt::format("{}={}: {}", found.name, found.value, warning));
}

}  // namespace

std::span<const NcclVariable> nccl_variables() { return kVariables; }

NcclAnswers answer_nccl_variables(const Sources& sources) {
  NcclAnswers answers;
  for (const NcclVariable& variable : kVariables) {
    const auto found = sources.find(variable.name);
    if (found && !found->value.empty()) answer(variable, *found, answers);
  }
  return answers;
}

}  // namespace amalgam::config
