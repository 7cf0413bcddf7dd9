#pragma once

// The stream side of a call that is split by islands: the calls of the island's own library, and what orders them with
// the exchange, which the engine runs.
//
//   before[0] mark[0] beside[0]  before[1] mark[1] …      as far as the scratch allows, then, chunk by chunk:
//   wait[k] after[k] before[k + ahead] mark[k + ahead]
//
// All in the caller's stream, so a vendor's kernel never has to be launched while something waits for it. Calls of all
// ranks that one thread drives go in one group of the vendor's.
//
// Source  reference/gpu.md, rules 1 and 3

#include <span>
#include <vector>

#include "base/status.h"
#include "comm/communicator.h"
#include "engine/exchange.h"
#include "engine/gate.h"

namespace amalgam::launch {

// One rank's side of one call.
struct Split {
  comm::Communicator* communicator;
  engine::Exchange exchange;
  std::vector<engine::Gate*> gates;  // by chunk
};

// The same call on all ranks of its communicator that this thread drives. Between the two, the engine gets the work.
Status begin_inside(std::span<const Split* const> calls);
Status end_inside(std::span<const Split* const> calls);

}  // namespace amalgam::launch
