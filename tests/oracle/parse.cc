#include "oracle/parse.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace oracle {
namespace {

struct Broken {
  std::string why;
};  // thrown inside this file only

[[noreturn]] void fail(std::string why) { throw Broken{std::move(why)}; }

constexpr std::array<std::string_view, 11> kCollectives = {"allreduce", "reduce",   "broadcast", "reducescatter",
                                                           "allgather", "alltoall", "alltoallv", "gather",
                                                           "scatter",   "send",     "recv"};

// One line, eaten from the front.
class Line {
 public:
  explicit Line(std::string_view text) : rest_(text) {}

  bool empty() {
    skip();
    return rest_.empty();
  }
  bool take(std::string_view symbol) {
    skip();
    if (!rest_.starts_with(symbol)) return false;
    rest_.remove_prefix(symbol.size());
    return true;
  }
  void expect(std::string_view symbol) {
    if (!take(symbol)) fail("expected '" + std::string(symbol) + "' before '" + std::string(rest_) + "'");
  }
  std::string_view peek_word() {
    skip();
    std::size_t length = 0;
    while (length < rest_.size() && (std::isalnum(static_cast<unsigned char>(rest_[length])) || rest_[length] == '_'))
      ++length;
    return rest_.substr(0, length);
  }
  std::string word() {
    const std::string found(peek_word());
    if (found.empty()) fail("expected a word before '" + std::string(rest_) + "'");
    rest_.remove_prefix(found.size());
    return found;
  }
  bool take_word(std::string_view which) {
    if (peek_word() != which) return false;
    rest_.remove_prefix(which.size());
    return true;
  }
  void expect_word(std::string_view which) {
    if (!take_word(which)) fail("expected '" + std::string(which) + "' before '" + std::string(rest_) + "'");
  }
  std::int64_t number() {
    const std::string digits = word();
    if (digits.size() > 15 ||
        !std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c); })) {
      fail("'" + digits + "' is no number");
    }
    return std::stoll(digits);
  }
  Expression expression() {
    skip();
    const std::string before(rest_);
    std::optional<Expression> found = take_expression(rest_);
    if (!found) fail("malformed expression '" + before + "'");
    return *found;
  }
  void end() {
    if (!empty()) fail("unexpected '" + std::string(rest_) + "'");
  }

 private:
  void skip() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) rest_.remove_prefix(1);
  }
  std::string_view rest_;
};

int buffer_named(const Plan& plan, std::string_view name) {
  for (std::size_t i = 0; i < plan.buffers.size(); ++i) {
    if (plan.buffers[i].name == name) return static_cast<int>(i);
  }
  fail("no buffer '" + std::string(name) + "'");
}

void read_name(Line& line, Plan& plan) {
  line.expect_word("plan");
  const std::string collective = line.word();
  line.expect(".");
  plan.name = collective + "." + line.word();
}

void read_collective(Line& line, Plan& plan) {
  line.expect_word("collective");
  plan.collective = line.word();
  if (std::find(kCollectives.begin(), kCollectives.end(), plan.collective) == kCollectives.end())
    fail("no such collective");
  if (!plan.name.starts_with(plan.collective + ".")) fail("the plan's name is of another collective");
}

std::int64_t read_number(Line& line, std::string_view word, std::int64_t least) {
  line.expect_word(word);
  const std::int64_t value = line.number();
  if (value < least) fail(std::string(word) + " is too small");
  return value;
}

bool read_choice(Line& line, std::string_view word, std::string_view yes, std::string_view no) {
  line.expect_word(word);
  if (line.take_word(yes)) return true;
  line.expect_word(no);
  return false;
}

void read_head(Line& line, int index, Plan& plan) {
  switch (index) {
    case 0: read_name(line, plan); break;
    case 1: read_collective(line, plan); break;
    case 2: plan.ranks = read_number(line, "ranks", 1); break;
    case 3: plan.chunk_outer = read_choice(line, "order", "chunk", "step"); break;
    case 4: plan.slice_bytes = static_cast<std::uint64_t>(read_number(line, "slice", 1)); break;
    case 5: plan.window = read_number(line, "window", 1); break;
    case 6: plan.credits = read_number(line, "credits", 0); break;
    default: plan.wide = read_choice(line, "accumulate", "wide", "hop"); break;
  }
}

Operand read_operand(Line& line, const Plan& plan) {
  Operand operand;
  operand.buffer = buffer_named(plan, line.word());
  if (!line.take("[")) return operand;
  operand.part = line.expression();
  line.expect("]");
  return operand;
}

void read_like(Line& line, const Plan& plan, Buffer& buffer) {
  line.expect_word("like");
  const Operand like = read_operand(line, plan);
  if (plan.buffers[static_cast<std::size_t>(like.buffer)].shape == Shape::kScratch)
    fail("scratch is like a user buffer");
  buffer.like = like.buffer;
  buffer.like_part = like.part;
}

void read_buffer(Line& line, Plan& plan) {
  Buffer buffer;
  buffer.name = line.word();
  for (const Buffer& other : plan.buffers) {
    if (other.name == buffer.name) fail("two buffers '" + buffer.name + "'");
  }
  const bool user = line.take_word("user");
  if (!user) line.expect_word("scratch");
  if (user != (buffer.name == "in" || buffer.name == "out")) fail("user buffers are 'in' and 'out', and only they");
  if (!user) {
    buffer.shape = Shape::kScratch;
  } else if (line.take_word("whole")) {
    buffer.shape = Shape::kWhole;
  } else {
    const std::string shape = line.word();
    if (shape != "cut" && shape != "blocks" && shape != "vector") fail("no shape '" + shape + "'");
    if (shape == "vector" && plan.collective != "alltoallv") fail("vectors are alltoallv's");
    buffer.shape = shape == "cut" ? Shape::kCut : shape == "blocks" ? Shape::kBlocks : Shape::kVector;
  }
  if (buffer.shape != Shape::kWhole) buffer.extent = line.expression();
  if (!user) read_like(line, plan, buffer);
  plan.buffers.push_back(buffer);
}

void read_reduce(Line& line, const Plan& plan, Stage& stage) {
  stage.to = read_operand(line, plan);
  line.expect("=");
  stage.from = read_operand(line, plan);
  line.expect("+");
  line.expect_word("recv");
  line.expect("<-");
  stage.peer = line.expression();
}

void read_sum(Line& line, const Plan& plan, Stage& stage) {
  stage.to = read_operand(line, plan);
  line.expect("=");
  stage.from = read_operand(line, plan);
  line.expect("+");
  stage.land = buffer_named(plan, line.word());
  if (plan.buffers[static_cast<std::size_t>(stage.land)].shape != Shape::kScratch)
    fail("sum takes its rows from scratch");
  line.expect("[");
  line.expect("*");
  line.expect("]");
}

void read_action(Line& line, const Plan& plan, Stage& stage) {
  const std::string action = line.word();
  if (action == "send") {
    stage.action = Action::kSend;
    stage.from = read_operand(line, plan);
    line.expect("->");
    stage.peer = line.expression();
  } else if (action == "recv") {
    stage.action = Action::kRecv;
    stage.to = read_operand(line, plan);
    line.expect("<-");
    stage.peer = line.expression();
  } else if (action == "reduce") {
    stage.action = Action::kReduce;
    read_reduce(line, plan, stage);
  } else if (action == "sum") {
    stage.action = Action::kSum;
    read_sum(line, plan, stage);
  } else if (action == "copy") {
    stage.action = Action::kCopy;
    stage.to = read_operand(line, plan);
    line.expect("=");
    stage.from = read_operand(line, plan);
  } else {
    fail("no action '" + action + "'");
  }
}

std::int64_t read_distance(Line& line, const Plan& plan) {
  line.expect_word("k");
  if (!line.take("-")) return 0;
  return line.take_word("W") ? plan.window : line.number();
}

Dependency read_dependency(Line& line, const Plan& plan) {
  Dependency found;
  found.name = line.word();
  if (!line.take("[")) return found;
  if (line.peek_word() == "k") {
    found.distance = read_distance(line, plan);
  } else {
    found.step = line.take("*") ? Dependency::Step::kAll : Dependency::Step::kAt;
    if (found.step == Dependency::Step::kAt) found.at = line.expression();
    if (line.take(",")) found.distance = read_distance(line, plan);
  }
  line.expect("]");
  return found;
}

void read_stage(Line& line, Plan& plan) {
  Stage stage;
  stage.name = line.word();
  for (const Stage& other : plan.stages) {
    if (other.name == stage.name) fail("two stages '" + stage.name + "'");
  }
  if (line.take_word("s")) {
    stage.has_steps = true;
    line.expect("=");
    stage.first = line.expression();
    line.expect("..");
    stage.last = line.expression();
  }
  if (line.take_word("when")) stage.when = line.expression();
  if (line.take_word("channel")) stage.channel = static_cast<int>(line.number());
  read_action(line, plan, stage);
  stage.finish = line.take_word("finish");
  if (stage.finish && stage.action == Action::kSend) fail("a send stores nothing to finish");
  if (line.take_word("after")) {
    do stage.after.push_back(read_dependency(line, plan));
    while (line.take(","));
  }
  plan.stages.push_back(std::move(stage));
}

void bind_dependencies(Plan& plan) {
  for (Stage& stage : plan.stages) {
    for (Dependency& dependency : stage.after) {
      for (std::size_t i = 0; i < plan.stages.size(); ++i) {
        if (plan.stages[i].name == dependency.name) dependency.stage = static_cast<int>(i);
      }
      if (dependency.stage < 0) fail("stage '" + stage.name + "' comes after '" + dependency.name + "', which is none");
    }
  }
}

// What `line` is to the plan: 0 … 7 head lines, then buffers, stages and "end".
constexpr int kHeadLines = 8;

bool read_line(Line& line, int index, Plan& plan) {  // false: the end
  if (index < kHeadLines) {
    read_head(line, index, plan);
  } else if (line.take_word("end")) {
    line.end();
    return false;
  } else if (plan.stages.empty() && line.take_word("buffer")) {
    read_buffer(line, plan);
  } else {
    line.expect_word("stage");
    read_stage(line, plan);
  }
  line.end();
  return true;
}

}  // namespace

Parsed parse(std::string_view text) {
  Parsed result;
  Plan plan;
  int number = 0, index = 0;
  bool more = true;
  try {
    while (more) {
      if (text.empty()) fail("no 'end'");
      const std::string_view raw = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), raw.size() + 1));
      ++number;
      Line line(raw.substr(0, raw.find('#')));
      if (!line.empty()) more = read_line(line, index++, plan);
    }
    bind_dependencies(plan);
    result.plan = std::move(plan);
  } catch (const Broken& broken) {
    result.error = "line " + std::to_string(number) + ": " + broken.why;
  }
  return result;
}

}  // namespace oracle
