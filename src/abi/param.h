#pragma once

// This library's settings as NCCL's parameter calls show them: key AMALGAM_<FIELD> (NCCL_AMALGAM_<FIELD> is understood
// too), value as text and, where it is a number, as a number. Read only; the values are those of init, secrets are
// hidden.
//
// Threads: any. The table is made on first use and lives as long as the process.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace amalgam::abi {

struct Parameter {
  std::string key;
  std::string text;
  bool is_number = false;
  std::int64_t number = 0;
};

const std::vector<Parameter>& parameters();
const Parameter* find_parameter(std::string_view key);  // null when unknown

}  // namespace amalgam::abi
