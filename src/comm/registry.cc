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

// One communicator's part: its records are still on their way.
struct Answer {
  std::string text;
  std::function<bootstrap::Group::FlightRecords()> records;
};

Answer ask(const Communicator& communicator) {
  Answer answer;
  answer.text = fmt::format("communicator '{}' rank {} of {}: {}\n", communicator.config().name, communicator.rank(),
                            communicator.ranks(), to_string(communicator.state().code()));
  if (communicator.state().failed()) answer.text += fmt::format("  {}\n", communicator.state().reason().message());
  answer.records = communicator.ask_flight_records(std::chrono::seconds(2));
  return answer;
}

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

std::string Registry::status() { return ask_status()(); }

std::function<std::string()> Registry::ask_status() {
  std::lock_guard lock(live().mutex);  // a communicator that is asked cannot end meanwhile; nothing here waits
  std::vector<Answer> answers;
  for (const Communicator* communicator : live().communicators) answers.push_back(ask(*communicator));
  return [answers = std::move(answers)] {
    std::string text = fmt::format("{} communicators\n", answers.size());
    for (const Answer& answer : answers) text += answer.text + observe::merge_flight_records(answer.records());
    return text;
  };
}

}  // namespace amalgam::comm
