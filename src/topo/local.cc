#include "topo/local.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "config/settings.h"
#include "topo/cpu_list.h"

namespace amalgam::topo {
namespace {

// First line of a small file, or empty. sysfs answers some reads with an error (the speed of a virtual NIC): also
// empty.
std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::uint64_t bytes_per_second(const std::string& root, const std::string& interface) {
  if (interface == "lo") return kLoopbackSpeed;
  const std::string text = first_line(root + "/sys/class/net/" + interface + "/speed");
  std::int64_t megabits = 0;
  std::from_chars(text.data(), text.data() + text.size(), megabits);
  return megabits > 0 && megabits < 100'000'000 ? static_cast<std::uint64_t>(megabits) * 125'000 : kDefaultRailSpeed;
}

// Interfaces that are up, by name; loopback only when there is no other.
std::vector<std::string> interfaces_up(const std::string& root) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(root + "/sys/class/net", error)) {
    const std::string name = entry.path().filename().string();
    const std::string state = first_line(entry.path().string() + "/operstate");
    const bool up = state == "up" || state == "unknown";  // tunnels and some virtual NICs tell no state
    if (up && name != "lo" && !name.starts_with("docker")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  if (names.empty()) names.emplace_back("lo");
  return names;
}

std::string machine_identity(const std::string& root) {
  std::string boot = first_line(root + "/proc/sys/kernel/random/boot_id");
  return boot.empty() ? first_line(root + "/proc/sys/kernel/hostname") : boot;
}

// "net:[4026531840]", or the kind alone where /proc is not there.
std::string namespace_identity(const std::string& root, const std::string& kind) {
  char name[PATH_MAX];
  const ssize_t length = ::readlink((root + "/proc/self/ns/" + kind).c_str(), name, sizeof(name));
  return length > 0 ? std::string(name, static_cast<std::size_t>(length)) : kind;
}

// Shared memory needs one kernel and, as far as names go, one IPC namespace; whether it works is probed later.
std::string host_identity(const std::string& root) {
  if (!config::settings().host_id.empty()) return config::settings().host_id;
  if (std::string id = config::lookup("NCCL_HOSTID"); !id.empty()) return id;
  return machine_identity(root) + "/" + namespace_identity(root, "ipc");
}

std::vector<std::uint32_t> cpus_of_thread() {
  for (std::size_t size = 1024; size <= (1U << 20); size *= 2) {  // the kernel refuses a mask smaller than its own
    std::vector<unsigned long> mask(size / (8 * sizeof(unsigned long)));
    if (::sched_getaffinity(0, size / 8, reinterpret_cast<cpu_set_t*>(mask.data())) != 0) continue;
    std::vector<std::uint32_t> cpus;
    for (std::size_t cpu = 0; cpu < size; ++cpu)
      if ((mask[cpu / (8 * sizeof(unsigned long))] >> (cpu % (8 * sizeof(unsigned long)))) & 1)
        cpus.push_back(static_cast<std::uint32_t>(cpu));
    return cpus;
  }
  return {};
}

std::vector<std::uint32_t> cpus_of_fixture(const std::string& root) {
  constexpr std::string_view kKey = "Cpus_allowed_list:";
  std::ifstream file(root + "/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(kKey)) return parse_cpu_list(std::string_view(line).substr(kKey.size()));
  return {};
}

}  // namespace

LocalFacts read_local(const std::vector<std::string>& interfaces, const std::string& root) {
  LocalFacts facts;
  facts.host = host_identity(root);
  facts.machine = machine_identity(root);
  facts.network = namespace_identity(root, "net");
  facts.cpus = root.empty() ? cpus_of_thread() : cpus_of_fixture(root);
  if (facts.cpus.empty()) facts.cpus = {0};
  facts.bytes_per_second = static_cast<std::uint64_t>(config::settings().memory_bandwidth);
  for (const std::string& name : interfaces.empty() ? interfaces_up(root) : interfaces)
    facts.rails.push_back({name, bytes_per_second(root, name), kRailLatency});
  return facts;
}

std::vector<std::string> interfaces_of(const std::vector<SocketAddress>& addresses) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) list = nullptr;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, [](ifaddrs* at) {
    if (at) ::freeifaddrs(at);
  });
  std::vector<std::string> names;
  for (const SocketAddress& address : addresses) {
    std::string name = "any";
    for (const ifaddrs* at = list; at; at = at->ifa_next) {
      if (!at->ifa_addr || at->ifa_addr->sa_family != address.family()) continue;
      const bool v6 = address.family() == AF_INET6;
      const auto* mine = reinterpret_cast<const char*>(address.get());
      const auto* theirs = reinterpret_cast<const char*>(at->ifa_addr);
      const std::size_t offset = v6 ? offsetof(sockaddr_in6, sin6_addr) : offsetof(sockaddr_in, sin_addr);
      if (std::memcmp(mine + offset, theirs + offset, v6 ? sizeof(in6_addr) : sizeof(in_addr)) == 0)
        name = at->ifa_name;
    }
    names.push_back(name);
  }
  return names;
}

}  // namespace amalgam::topo
