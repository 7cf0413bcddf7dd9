#pragma once

// Answers to the NCCL variables that users have already set: translated into a setting of ours, accepted in silence
// because they concern a vendor library, or warned about once, naming our setting where there is one. Names we do not
// know are left alone: users carry large environment blocks.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/sources.h"

namespace amalgam::config {

enum class Answer : std::uint8_t {
  kTranslated,   // becomes our setting `ours` unless that is given
  kHonoured,     // read by the layer that needs it, or true of CPU ranks whatever its value
  kPassThrough,  // concerns devices or a vendor library only
  kWarned,       // known, and without effect here
};

struct NcclVariable {
  std::string_view name;
  Answer answer;
  std::string_view ours;  // field of our setting, or empty
  std::string_view note;  // for documents and warnings: why, or what instead
};

std::span<const NcclVariable> nccl_variables();

struct Translation {
  std::string field;  // of ours
  std::string value;
  std::string origin;  // "NCCL_DEBUG from environment"
};

struct NcclAnswers {
  std::vector<Translation> translations;
  std::vector<std::string> warnings;
};

NcclAnswers answer_nccl_variables(const Sources& sources);

}  // namespace amalgam::config
