#pragma once

// The plan: stages, buffers and queues that carry one kind of call out on all ranks. Data, not code; its text form and
// meaning are docs/plan-text.md. Families (families/*.cc) build it; check, simulate, explain and the engine read it.
//
// Pure: a plan is a function of (cluster, request class, epoch). It does not know the count, the type or the operation:
// they bind when it runs, so a plan is small and cached for ever.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/types.h"
#include "plan/expression.h"

namespace amalgam::plan {

inline constexpr std::uint32_t kPlannerVersion = 3;
inline constexpr int kChannels = 4;  // lanes that a plan may use between two ranks, per direction

enum class Shape : std::uint8_t { kWhole, kCut, kBlocks, kVector };
enum class Role : std::uint8_t { kIn, kOut, kScratch };

struct Buffer {
  std::string name;
  Role role = Role::kScratch;
  Shape shape = Shape::kWhole;  // user buffers
  Expression extent{1};         // parts of a user buffer, rows of a scratch buffer
  int like = -1;                // scratch: the user buffer that its slices' lengths are taken from,
  Expression like_part;         // … and which part of it
};

struct Operand {
  int buffer = -1;  // index into Plan::buffers
  Expression part;  // part of a user buffer, row of a scratch buffer
};

struct Dependency {
  enum class Step : std::uint8_t { kSame, kAt, kAll } which = Step::kSame;
  int stage = -1;    // index into Plan::stages
  Expression step;   // kAt
  int distance = 0;  // chunks back; kWindow: W
  static constexpr int kWindow = -1;
};

enum class Action : std::uint8_t { kSend, kRecv, kReduce, kSum, kCopy };

struct Stage {
  std::string name;
  Action action = Action::kCopy;
  bool has_steps = false;
  Expression first, last;  // steps first … last
  Expression when{1};
  int channel = 0;
  Operand to;       // recv, reduce, sum, copy
  Operand from;     // send, reduce, sum, copy
  int land = -1;    // sum: the scratch buffer
  Expression peer;  // send, recv, reduce
  bool finish = false;
  std::vector<Dependency> after;
};

enum class Order : std::uint8_t { kChunk, kStep };

struct Plan {
  std::string family;  // "ring"
  Collective collective = Collective::kAllReduce;
  int ranks = 1;
  Order order = Order::kChunk;
  std::uint32_t slice_bytes = 65536;
  int window = 2;
  int credits = 1;
  bool wide = false;
  std::vector<Buffer> buffers;
  std::vector<Stage> stages;

  std::string name() const;                 // "allreduce.ring"
  int buffer(std::string_view name) const;  // index or -1
  int stage(std::string_view name) const;
};

std::string print(const Plan& plan);        // canonical text
Result<Plan> parse(std::string_view text);  // errors name the line; validates names, shapes, ranges
Status validate(
    const Plan& plan);  // structure only (what parse checks): indices, roles, one channel per lane is check's job
std::uint64_t hash(const Plan& plan);  // of the text
bool operator==(const Plan& a, const Plan& b);

// A plan seen by one rank for one root: every expression bound but for the step. O(stages).
struct Program {
  struct Step {
    std::int64_t first = 0;
    std::int64_t count = 1;  // 0: no instances
  };
  Plan plan;                          // bound expressions
  std::vector<Step> steps;            // per stage
  std::vector<std::int64_t> extents;  // per buffer
  int rank = 0;
};
Program project(const Plan& plan, int rank, int root);

}  // namespace amalgam::plan
