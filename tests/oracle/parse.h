#pragma once

// A plan's text as a structure, read by the oracle's own parser (docs/plan-text.md §1–§4). It shares nothing with
// src/plan: an error in the library's reading of the text must not hide in the judge's.
//
// Values; no threads. A text that breaks the grammar gives no plan and a message that names the line.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/expression.h"

namespace oracle {

enum class Shape { kWhole, kCut, kBlocks, kVector, kScratch };

struct Buffer {
  std::string name;
  Shape shape = Shape::kWhole;
  Expression extent{1};  // parts, or rows of a scratch buffer
  int like = -1;         // scratch: the user buffer and its part that say how long a slot's slice is
  Expression like_part;
};

struct Operand {
  int buffer = -1;
  Expression part;
};

struct Dependency {
  enum class Step { kSame, kAt, kAll };
  Step step = Step::kSame;
  std::string name;  // of the stage
  int stage = -1;
  Expression at;              // kAt
  std::int64_t distance = 0;  // chunks back, W already put in
};

enum class Action { kSend, kRecv, kReduce, kSum, kCopy };

struct Stage {
  std::string name;
  Action action = Action::kCopy;
  bool has_steps = false;
  Expression first, last;
  Expression when{1};
  int channel = 0;
  Operand to, from;  // D and A of the page
  int land = -1;
  Expression peer;
  bool finish = false;
  std::vector<Dependency> after;
};

struct Plan {
  std::string name, collective;
  std::int64_t ranks = 1;
  bool chunk_outer = true;  // order chunk
  std::uint64_t slice_bytes = 0;
  std::int64_t window = 1, credits = 0;
  bool wide = false;
  std::vector<Buffer> buffers;
  std::vector<Stage> stages;
};

struct Parsed {
  std::optional<Plan> plan;
  std::string error;
};

Parsed parse(std::string_view text);

}  // namespace oracle
