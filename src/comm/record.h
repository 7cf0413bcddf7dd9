#pragma once

// What a rank tells all others at init, and the agreement on it: a difference that matters is an error that names both
// sides.

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/transport.h"
#include "comm/stack.h"
#include "topo/local.h"

namespace amalgam::comm {

struct TransportOffer {
  std::string name;
  transport::Capabilities capabilities;
  std::vector<std::byte> description;
};

struct Record {
  std::string library;            // our version
  std::int32_t nccl_version = 0;  // the version reported to users
  std::uint32_t planner = 0;
  std::string settings;  // config::agreed_text()
  std::string host;      // its name, for people
  std::int32_t device = 0;
  std::int32_t pid = 0;
  StackFacts stack;
  topo::LocalFacts facts;
  std::vector<TransportOffer> transports;  // most wanted first
};

std::vector<std::byte> encode(const Record& record);
Result<Record> decode(ConstBytes bytes);

// All records by rank: versions, planner and agreed settings must be equal. The error names the first differing pair,
// the setting, and both values.
Status agree(const std::vector<Record>& records);

}  // namespace amalgam::comm
