#include "comm/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "bootstrap/service.h"
#include "comm/communicator.h"

namespace amalgam::comm {
namespace {

struct Live {
  std::mutex mutex;
  std::vector<Communicator*> communicators;
};

Live& live() {
  static Live* const instance = new Live;  // never destroyed: communicators may outlive static destructors
  return *instance;
}

}  // namespace

void Registry::add(Communicator* communicator) {
  std::lock_guard lock(live().mutex);
  if (live().communicators.empty()) bootstrap::set_status_reporter([] { return Registry::status(); });
  live().communicators.push_back(communicator);
}

void Registry::remove(Communicator* communicator) {
  std::lock_guard lock(live().mutex);
  auto& all = live().communicators;
  all.erase(std::remove(all.begin(), all.end(), communicator), all.end());
}

std::string Registry::status() {
  std::lock_guard lock(live().mutex);  // held while gathering: a communicator that is asked cannot end meanwhile
  std::string text = fmt::format("{} communicators\n", live().communicators.size());
  for (Communicator* communicator : live().communicators) {
    text += fmt::format("communicator '{}' rank {} of {}: {}\n", communicator->config().name, communicator->rank(),
                        communicator->ranks(), to_string(communicator->state().code()));
    if (communicator->state().failed()) text += fmt::format("  {}\n", communicator->state().reason().message());
    text += observe::merge_flight_records(communicator->gather_flight_records(std::chrono::seconds(2)));
  }
  return text;
}

}  // namespace amalgam::comm
