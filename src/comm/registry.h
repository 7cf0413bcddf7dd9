#pragma once

#include <functional>
#include <string>

namespace amalgam::comm {

class Communicator;

// The process's live communicators, for `amalgam status`. Not on any hot path.
class Registry {
 public:
  static void add(Communicator* communicator);
  static void remove(Communicator* communicator);
  static std::string status();  // every communicator: who it is, its state, the merged flight record of its ranks
  // status() in two steps: asks all ranks; the returned function waits for them. Communicators may end in between.
  static std::function<std::string()> ask_status();
};

}  // namespace amalgam::comm
