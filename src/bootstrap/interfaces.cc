#include "bootstrap/interfaces.h"

#include <ifaddrs.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "config/settings.h"

namespace amalgam::bootstrap {
namespace {

struct Pattern {
  bool exclude = false;
  bool exact = false;
  std::vector<std::string_view> names;

  bool mentions(std::string_view interface) const {
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view name) { return exact ? interface == name : interface.starts_with(name); });
  }
  bool allows(std::string_view interface) const { return names.empty() || mentions(interface) != exclude; }
  bool names_explicitly() const { return !names.empty() && !exclude; }
};

bool take_front(std::string_view* text, char c) {
  if (!text->starts_with(c)) return false;
  text->remove_prefix(1);
  return true;
}

Pattern parse_pattern(std::string_view text) {
  Pattern pattern;
  pattern.exclude = take_front(&text, '^');
  pattern.exact = take_front(&text, '=');
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) pattern.names.push_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return pattern;
}

// Lower is more wanted; from kLastResort on only when nothing better is there.
enum Rank { kInfiniband, kOrdinary, kLastResort, kDocker = kLastResort, kLoopback };

Rank rank_of(const Interface& interface) {
  if (interface.address.is_loopback() || interface.name == "lo") return kLoopback;
  if (interface.name.starts_with("docker")) return kDocker;
  return interface.name.starts_with("ib") ? kInfiniband : kOrdinary;
}

bool usable_address(const SocketAddress& address, sa_family_t family) {
  if (address.family() != AF_INET && address.family() != AF_INET6) return false;
  if (family != AF_UNSPEC && address.family() != family) return false;
  if (address.family() == AF_INET) return true;
  return !IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_addr);
}

// One address per interface, IPv4 before IPv6.
void add_once(std::vector<Interface>* chosen, const Interface& candidate) {
  for (Interface& present : *chosen) {
    if (present.name != candidate.name) continue;
    if (present.address.family() == AF_INET6 && candidate.address.family() == AF_INET) present = candidate;
    return;
  }
  chosen->push_back(candidate);
}

sa_family_t wanted_family() {
  const std::string family = config::lookup("NCCL_SOCKET_FAMILY");
  if (family == "AF_INET") return AF_INET;
  if (family == "AF_INET6") return AF_INET6;
  return AF_UNSPEC;
}

Result<std::vector<Interface>> interfaces_up() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return system_error("getifaddrs", errno);
  std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  std::vector<Interface> result;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) continue;
    const sa_family_t family = entry->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    const socklen_t length = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    result.push_back({entry->ifa_name, SocketAddress::from(entry->ifa_addr, length)});
  }
  return result;
}

std::string names_of(const std::vector<Interface>& interfaces) {
  std::string names;
  for (const Interface& interface : interfaces) {
    if (names.find(interface.name) != std::string::npos) continue;
    names += (names.empty() ? "" : ", ") + interface.name;
  }
  return names.empty() ? "none" : names;
}

}  // namespace

std::vector<Interface> choose_interfaces(const std::vector<Interface>& all, std::string_view grammar,
                                         sa_family_t family) {
  const Pattern pattern = parse_pattern(grammar);
  std::vector<Interface> chosen;
  for (const Interface& candidate : all)
    if (usable_address(candidate.address, family) && pattern.allows(candidate.name)) add_once(&chosen, candidate);
  std::stable_sort(chosen.begin(), chosen.end(),
                   [](const Interface& one, const Interface& other) { return rank_of(one) < rank_of(other); });
  if (pattern.names_explicitly() || chosen.empty()) return chosen;
  const Rank best = rank_of(chosen.front());
  const Rank worst = best < kLastResort ? kOrdinary : best;
  std::erase_if(chosen, [&](const Interface& interface) { return rank_of(interface) > worst; });
  return chosen;
}

Result<std::vector<Interface>> usable_interfaces() {
  Result<std::vector<Interface>> all = interfaces_up();
  if (!all) return all;
  const bool ours = !config::settings().interfaces.empty();
  const std::string grammar = ours ? config::settings().interfaces : config::lookup("NCCL_SOCKET_IFNAME");
  std::vector<Interface> chosen = choose_interfaces(*all, grammar, wanted_family());
  if (!chosen.empty()) return chosen;
  if (grammar.empty())
    return Status(Code::kSystem, "no network interface is up, not even loopback (up: " + names_of(*all) + ")");
  return Status(Code::kInvalidUsage,
                std::string(ours ? "AMALGAM_INTERFACES" : "NCCL_SOCKET_IFNAME") + "='" + grammar +
                    "' matches no interface that is up with a usable address (up: " + names_of(*all) + ")");
}

}  // namespace amalgam::bootstrap
