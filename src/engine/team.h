#pragma once

// Some ranks of a communicator that run collectives among themselves: one of each island, for an exchange.

#include "base/request.h"
#include "base/status.h"
#include "engine/operation.h"

namespace amalgam::engine {

class Team {
 public:
  struct Program {
    const Prepared* prepared = nullptr;
    bool fp32 = false;
  };
  virtual ~Team() = default;
  virtual Context& context() = 0;                            // ranks are places in the team
  virtual Result<Program> find(const Request& request) = 0;  // kept; by one thread at a time
};

// Teams by their members, made at first use.
class Teams {
 public:
  virtual ~Teams() = default;
  virtual Result<Team*> team(const std::vector<int>& members) = 0;
};

}  // namespace amalgam::engine
