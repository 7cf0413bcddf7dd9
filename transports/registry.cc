// The transports there are, and how a list of names becomes objects: "loopback,trace:shm,faults:rate:tcp".

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/transport.h"
#include "config/settings.h"
#include "transports/faults/transport.h"
#include "transports/loopback/transport.h"
#include "transports/rate/transport.h"
#include "transports/shm/transport.h"
#include "transports/tcp/transport.h"
#include "transports/trace/transport.h"

namespace amalgam::transport {
namespace {

using Made = Result<std::unique_ptr<Transport>>;

constexpr std::array kBuiltin = {
    Factory{"loopback", loopback::create},
    Factory{"shm", shm::create},
    Factory{"tcp", tcp::create},
};

Made decorate(std::string_view name, std::unique_ptr<Transport> inner, const Environment& environment) {
  const config::Settings& settings = config::settings();
  if (name == "faults") return faults::Transport::create(std::move(inner), settings.faults);
  if (name == "rate") return std::unique_ptr<Transport>(new rate::Transport(std::move(inner), settings.rate));
  if (name == "trace")
    return std::unique_ptr<Transport>(new trace::Transport(std::move(inner), environment.rank, settings.trace_file));
  return Status(Code::kInvalidArgument, fmt::format("AMALGAM_TRANSPORTS: there is no decorator '{}'", name));
}

// The part before the first colon goes around all that follows.
Made create_one(const Environment& environment, std::string_view name) {
  if (const std::size_t colon = name.find(':'); colon != name.npos) {
    auto inner = create_one(environment, name.substr(colon + 1));
    return inner.ok() ? decorate(name.substr(0, colon), inner.take(), environment) : std::move(inner);
  }
  for (const Factory& factory : kBuiltin)
    if (name == factory.name) return factory.create(environment);
  return Status(Code::kInvalidArgument, fmt::format("AMALGAM_TRANSPORTS: there is no transport '{}'", name));
}

}  // namespace

std::span<const Factory> builtin_transports() { return kBuiltin; }

Result<std::vector<std::unique_ptr<Transport>>> create_transports(const Environment& environment,
                                                                  std::string_view list) {
  std::vector<std::unique_ptr<Transport>> transports;
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), name.size() + 1));
    if (name.empty()) continue;
    auto transport = create_one(environment, name);
    if (!transport.ok()) return transport.status();
    transports.push_back(transport.take());
  }
  return transports;
}

}  // namespace amalgam::transport
