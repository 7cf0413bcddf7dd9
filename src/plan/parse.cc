// Reads a plan's text. The text may come from a file of anybody: sizes are bounded, every error names its line.

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "plan/plan.h"

namespace amalgam::plan {
namespace {

constexpr std::size_t kMaxText = 1 << 20;

Status wrong(std::string what) { return Status(Code::kInvalidArgument, std::move(what)); }

// One line being read from the left.
class Line {
 public:
  explicit Line(std::string_view text) : text_(text.substr(0, text.find('#'))) { blanks(); }

  bool at_end() const { return text_.empty(); }

  // A word of letters, digits and _ that begins with a letter; empty when there is none.
  std::string_view word() {
    std::size_t length = 0;
    while (length < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[length])) || text_[length] == '_'))
      ++length;
    if (length > 0 && std::isdigit(static_cast<unsigned char>(text_[0]))) length = 0;
    return take(length);
  }

  bool accept(std::string_view token) {
    if (!text_.starts_with(token)) return false;
    const bool is_word = std::isalpha(static_cast<unsigned char>(token.front()));
    const bool runs_on = text_.size() > token.size() &&
                         (std::isalnum(static_cast<unsigned char>(text_[token.size()])) || text_[token.size()] == '_');
    if (is_word && runs_on) return false;
    take(token.size());
    return true;
  }

  Status expect(std::string_view token) {
    return accept(token) ? Status() : wrong(fmt::format("expected '{}' before '{}'", token, rest()));
  }

  Status integer(std::int64_t least, std::int64_t most, std::int64_t* value) {
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), *value);
    if (error != std::errc() || *value < least || *value > most)
      return wrong(fmt::format("expected a number in {}..{} before '{}'", least, most, rest()));
    take(static_cast<std::size_t>(end - text_.data()));
    return {};
  }

  Status formula(Expression* result) {
    auto parsed = Expression::parse_prefix(text_);
    if (!parsed.ok()) return parsed.status();
    *result = parsed.take();
    blanks();
    return {};
  }

  std::string_view rest() const { return text_.substr(0, 32); }

 private:
  std::string_view take(std::size_t length) {
    const std::string_view taken = text_.substr(0, length);
    text_.remove_prefix(length);
    blanks();
    return taken;
  }
  void blanks() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\t' || text_.front() == '\r'))
      text_.remove_prefix(1);
  }
  std::string_view text_;
};

std::optional<Collective> collective_named(std::string_view name) {
  for (int i = 0; i < kCollectives; ++i)
    if (name_of(static_cast<Collective>(i)) == name) return static_cast<Collective>(i);
  return std::nullopt;
}

class PlanParser {
 public:
  Result<Plan> run(std::string_view text) {
    if (text.size() > kMaxText) return wrong("plan text larger than 1 MiB");
    Status status = lines(text);
    if (!status.ok()) return Status(status.code(), fmt::format("line {}: {}", line_number_, status.message()));
    AMALGAM_TRY(validate(plan_));
    return std::move(plan_);
  }

 private:
  struct Wanted {  // stages may be named before they are written
    std::size_t stage, dependency;
    std::string name;
    int line;
  };

  Status lines(std::string_view text) {
    while (!text.empty() && !ended_) {
      const std::size_t length = text.find('\n');
      ++line_number_;
      Line line(text.substr(0, length));
      text.remove_prefix(length == std::string_view::npos ? text.size() : length + 1);
      if (!line.at_end()) AMALGAM_TRY(one(line));
    }
    if (!ended_) return wrong("the plan ends without 'end'");
    for (; !text.empty(); text.remove_prefix(1))
      if (!std::isspace(static_cast<unsigned char>(text.front()))) return wrong("text after 'end'");
    return resolve();
  }

  Status one(Line& line) {
    if (head_ < kHeadLines)
      AMALGAM_TRY(head(line));
    else if (line.accept("buffer"))
      AMALGAM_TRY(buffer(line));
    else if (line.accept("stage"))
      AMALGAM_TRY(stage(line));
    else if (line.accept("end"))
      ended_ = true;
    else
      return wrong(fmt::format("expected buffer, stage or end before '{}'", line.rest()));
    return line.at_end() ? Status() : wrong(fmt::format("unexpected '{}'", line.rest()));
  }

  Status head(Line& line) {
    switch (head_++) {
      case 0: return name(line);
      case 1: return collective(line);
      case 2: return number(line, "ranks", 1, 1 << 20, &plan_.ranks);
      case 3:
        return choice(line, "order", "chunk", "step",
                      [&](bool chunk) { plan_.order = chunk ? Order::kChunk : Order::kStep; });
      case 4: return number(line, "slice", 1, 1 << 30, &plan_.slice_bytes);
      case 5: return number(line, "window", 1, 1024, &plan_.window);
      case 6: return number(line, "credits", 0, 1024, &plan_.credits);
      default: return choice(line, "accumulate", "wide", "hop", [&](bool wide) { plan_.wide = wide; });
    }
  }

  Status name(Line& line) {
    AMALGAM_TRY(line.expect("plan"));
    named_ = std::string(line.word());
    AMALGAM_TRY(line.expect("."));
    plan_.family = std::string(line.word());
    return named_.empty() || plan_.family.empty() ? wrong("expected plan COLLECTIVE.FAMILY") : Status();
  }

  Status collective(Line& line) {
    AMALGAM_TRY(line.expect("collective"));
    const std::string_view word = line.word();
    const auto found = collective_named(word);
    if (!found) return wrong(fmt::format("unknown collective '{}'", word));
    if (word != named_) return wrong(fmt::format("the plan is named after {}, not {}", named_, word));
    plan_.collective = *found;
    return {};
  }

  template <typename T>
  static Status number(Line& line, const char* key, std::int64_t least, std::int64_t most, T* field) {
    std::int64_t value = 0;
    AMALGAM_TRY(line.expect(key));
    AMALGAM_TRY(line.integer(least, most, &value));
    *field = static_cast<T>(value);
    return {};
  }

  template <typename Set>
  static Status choice(Line& line, const char* key, const char* yes, const char* no, Set set) {
    AMALGAM_TRY(line.expect(key));
    const bool first = line.accept(yes);
    if (!first && !line.accept(no)) return wrong(fmt::format("expected {} or {} before '{}'", yes, no, line.rest()));
    set(first);
    return {};
  }

  Status buffer(Line& line) {
    if (!plan_.stages.empty()) return wrong("buffers come before stages");
    Buffer buffer;
    buffer.name = std::string(line.word());
    if (buffer.name.empty()) return wrong("a buffer needs a name");
    if (plan_.buffer(buffer.name) >= 0) return wrong(fmt::format("buffer '{}' appears twice", buffer.name));
    if (line.accept("scratch")) {
      AMALGAM_TRY(scratch(line, &buffer));
    } else {
      AMALGAM_TRY(line.expect("user"));
      AMALGAM_TRY(user(line, &buffer));
    }
    plan_.buffers.push_back(std::move(buffer));
    return {};
  }

  Status scratch(Line& line, Buffer* buffer) {
    AMALGAM_TRY(line.formula(&buffer->extent));
    AMALGAM_TRY(line.expect("like"));
    Operand like;
    AMALGAM_TRY(operand(line, &like));
    buffer->like = like.buffer;
    buffer->like_part = like.part;
    return {};
  }

  static Status user(Line& line, Buffer* buffer) {
    if (buffer->name != "in" && buffer->name != "out") return wrong("the buffers of a caller are named in and out");
    buffer->role = buffer->name == "in" ? Role::kIn : Role::kOut;
    if (line.accept("whole")) return {};
    if (line.accept("cut"))
      buffer->shape = Shape::kCut;
    else if (line.accept("blocks"))
      buffer->shape = Shape::kBlocks;
    else if (line.accept("vector"))
      buffer->shape = Shape::kVector;
    else
      return wrong(fmt::format("expected whole, cut, blocks or vector before '{}'", line.rest()));
    return line.formula(&buffer->extent);
  }

  Status stage(Line& line) {
    Stage stage;
    stage.name = std::string(line.word());
    if (stage.name.empty()) return wrong("a stage needs a name");
    if (plan_.stage(stage.name) >= 0) return wrong(fmt::format("stage '{}' appears twice", stage.name));
    if (line.accept("s")) AMALGAM_TRY(steps(line, &stage));
    if (line.accept("when")) AMALGAM_TRY(line.formula(&stage.when));
    const bool channel = line.accept("channel");
    std::int64_t number = 0;
    if (channel) AMALGAM_TRY(line.integer(0, 255, &number));
    stage.channel = static_cast<int>(number);
    AMALGAM_TRY(action(line, &stage));
    if (channel && (stage.action == Action::kSum || stage.action == Action::kCopy))
      return wrong("sum and copy have no channel");
    stage.finish = line.accept("finish");
    if (line.accept("after")) AMALGAM_TRY(dependencies(line, &stage));
    plan_.stages.push_back(std::move(stage));
    return {};
  }

  static Status steps(Line& line, Stage* stage) {
    stage->has_steps = true;
    AMALGAM_TRY(line.expect("="));
    AMALGAM_TRY(line.formula(&stage->first));
    AMALGAM_TRY(line.expect(".."));
    return line.formula(&stage->last);
  }

  Status action(Line& line, Stage* stage) {
    if (line.accept("send")) {
      stage->action = Action::kSend;
      AMALGAM_TRY(operand(line, &stage->from));
      AMALGAM_TRY(line.expect("->"));
      return line.formula(&stage->peer);
    }
    if (line.accept("recv")) {
      stage->action = Action::kRecv;
      AMALGAM_TRY(operand(line, &stage->to));
      AMALGAM_TRY(line.expect("<-"));
      return line.formula(&stage->peer);
    }
    if (line.accept("reduce")) return reduce(line, stage);
    if (line.accept("sum")) return sum(line, stage);
    AMALGAM_TRY(line.expect("copy"));
    stage->action = Action::kCopy;
    return assign(line, stage);
  }

  Status assign(Line& line, Stage* stage) {
    AMALGAM_TRY(operand(line, &stage->to));
    AMALGAM_TRY(line.expect("="));
    return operand(line, &stage->from);
  }

  Status reduce(Line& line, Stage* stage) {
    stage->action = Action::kReduce;
    AMALGAM_TRY(assign(line, stage));
    AMALGAM_TRY(line.expect("+"));
    AMALGAM_TRY(line.expect("recv"));
    AMALGAM_TRY(line.expect("<-"));
    return line.formula(&stage->peer);
  }

  Status sum(Line& line, Stage* stage) {
    stage->action = Action::kSum;
    AMALGAM_TRY(assign(line, stage));
    AMALGAM_TRY(line.expect("+"));
    AMALGAM_TRY(buffer_named(line, &stage->land));
    AMALGAM_TRY(line.expect("["));
    AMALGAM_TRY(line.expect("*"));
    return line.expect("]");
  }

  Status buffer_named(Line& line, int* index) {
    const std::string_view name = line.word();
    *index = plan_.buffer(name);
    return *index < 0 ? wrong(fmt::format("unknown buffer '{}'", name)) : Status();
  }

  Status operand(Line& line, Operand* operand) {
    AMALGAM_TRY(buffer_named(line, &operand->buffer));
    if (!line.accept("[")) return {};
    AMALGAM_TRY(line.formula(&operand->part));
    return line.expect("]");
  }

  Status dependencies(Line& line, Stage* stage) {
    do {
      Dependency dependency;
      const std::string name(line.word());
      if (line.accept("[")) AMALGAM_TRY(inside(line, &dependency));
      wanted_.push_back({plan_.stages.size(), stage->after.size(), name, line_number_});
      stage->after.push_back(std::move(dependency));
    } while (line.accept(","));
    return {};
  }

  static Status inside(Line& line, Dependency* dependency) {
    if (line.accept("k")) {
      AMALGAM_TRY(distance(line, dependency));
      return line.expect("]");
    }
    if (line.accept("*")) {
      dependency->which = Dependency::Step::kAll;
    } else {
      dependency->which = Dependency::Step::kAt;
      AMALGAM_TRY(line.formula(&dependency->step));
    }
    if (line.accept(",")) {
      AMALGAM_TRY(line.expect("k"));
      AMALGAM_TRY(distance(line, dependency));
    }
    return line.expect("]");
  }

  static Status distance(Line& line, Dependency* dependency) {
    AMALGAM_TRY(line.expect("-"));
    if (line.accept("W")) {
      dependency->distance = Dependency::kWindow;
      return {};
    }
    std::int64_t value = 0;
    AMALGAM_TRY(line.integer(1, 1 << 20, &value));
    dependency->distance = static_cast<int>(value);
    return {};
  }

  Status resolve() {
    for (const Wanted& wanted : wanted_) {
      const int index = plan_.stage(wanted.name);
      line_number_ = wanted.line;
      if (index < 0) return wrong(fmt::format("unknown stage '{}'", wanted.name));
      plan_.stages[wanted.stage].after[wanted.dependency].stage = index;
    }
    return {};
  }

  static constexpr int kHeadLines = 8;
  Plan plan_;
  std::string named_;
  std::vector<Wanted> wanted_;
  int head_ = 0;
  int line_number_ = 0;
  bool ended_ = false;
};

}  // namespace

Result<Plan> parse(std::string_view text) { return PlanParser().run(text); }

}  // namespace amalgam::plan
