#include "unit/oracle/mutate.h"

#include <algorithm>
#include <functional>
#include <sstream>

namespace oracle {
namespace {

// A stage line in pieces; only the pieces that its action has are not empty.
struct StageText {
  std::string name, first, last, when, channel, action, to, from, land, peer;
  bool finish = false;
  std::vector<std::string> after;
};

struct PlanText {
  std::vector<std::string> head;  // up to the first stage
  std::vector<StageText> stages;
};

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::vector<std::string> split_after(const std::string& list) {
  std::vector<std::string> found(1);
  int depth = 0;
  for (char c : list) {
    depth += c == '[' || c == '(' ? 1 : c == ']' || c == ')' ? -1 : 0;
    if (c == ',' && depth == 0) {
      found.emplace_back();
    } else if (c != ' ') {
      found.back() += c;
    }
  }
  return found;
}

StageText read_stage(std::string line) {
  StageText stage;
  if (const std::size_t at = line.find(" after "); at != std::string::npos) {
    stage.after = split_after(line.substr(at + 7));
    line.resize(at);
  }
  const std::vector<std::string> words = words_of(line);
  std::size_t i = 2;
  stage.name = words[1];
  if (words[i].starts_with("s=")) {
    const std::size_t dots = words[i].find("..");
    stage.first = words[i].substr(2, dots - 2);
    stage.last = words[i++].substr(dots + 2);
  }
  if (words[i] == "when") stage.when = words[i + 1], i += 2;
  if (words[i] == "channel") stage.channel = words[i + 1], i += 2;
  stage.action = words[i++];
  (stage.action == "send" ? stage.from : stage.to) = words[i++];
  for (; i < words.size(); ++i) {
    if (words[i] == "=")
      stage.from = words[++i];
    else if (words[i] == "->" || words[i] == "<-")
      stage.peer = words[++i];
    else if (words[i] == "finish")
      stage.finish = true;
    else if (words[i] == "+" && words[i + 1] != "recv")
      stage.land = words[++i];
  }
  return stage;
}

PlanText read(std::string_view text) {
  PlanText plan;
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("stage "))
      plan.stages.push_back(read_stage(line));
    else if (line != "end")
      plan.head.push_back(line);
  }
  return plan;
}

std::string write(const StageText& stage) {
  std::string line = "stage " + stage.name;
  if (!stage.first.empty()) line += " s=" + stage.first + ".." + stage.last;
  if (!stage.when.empty()) line += " when " + stage.when;
  if (!stage.channel.empty()) line += " channel " + stage.channel;
  line += " " + stage.action;
  if (stage.action == "send") line += " " + stage.from + " -> " + stage.peer;
  if (stage.action == "recv") line += " " + stage.to + " <- " + stage.peer;
  if (stage.action == "reduce") line += " " + stage.to + " = " + stage.from + " + recv <- " + stage.peer;
  if (stage.action == "sum") line += " " + stage.to + " = " + stage.from + " + " + stage.land;
  if (stage.action == "copy") line += " " + stage.to + " = " + stage.from;
  if (stage.finish) line += " finish";
  for (std::size_t i = 0; i < stage.after.size(); ++i) line += (i == 0 ? " after " : ", ") + stage.after[i];
  return line + "\n";
}

std::string write(const PlanText& plan) {
  std::string text;
  for (const std::string& line : plan.head) text += line + "\n";
  for (const StageText& stage : plan.stages) text += write(stage);
  return text + "end\n";
}

std::string base_name(const std::string& reference) { return reference.substr(0, reference.find('[')); }

// Other parts for "BUFFER[E]" or "BUFFER".
std::vector<std::string> other_parts(const std::string& operand) {
  const std::size_t open = operand.find('[');
  if (open == std::string::npos) return {operand + "[1]"};
  const std::string buffer = operand.substr(0, open), part = operand.substr(open + 1, operand.size() - open - 2);
  return {buffer + "[(" + part + "+1)%N]", buffer + "[(" + part + "-1)%N]", buffer + "[0]", buffer};
}

// The dependency with its chunk distance moved; "" where there is no such text.
std::string moved(const std::string& dependency, int by) {
  const std::size_t k = dependency.find("k-"), close = dependency.find(']');
  if (k == std::string::npos) {
    if (by < 0) return {};
    return close == std::string::npos ? dependency + "[k-1]" : dependency.substr(0, close) + ",k-1]";
  }
  const std::string distance = dependency.substr(k + 2, close - k - 2);
  const int chunks = distance == "W" ? 2 : std::stoi(distance);
  if (chunks + by < 0) return {};
  return dependency.substr(0, k + 2) + std::to_string(chunks + by) + "]";
}

class Mutator {
 public:
  explicit Mutator(std::string_view text) : plan_(read(text)) {}

  std::vector<Mutant> all() {
    change_head();
    for (std::size_t i = 0; i < plan_.stages.size(); ++i) {
      change_existence(i);
      change_place(i);
      change_peer(i);
      change_action(i);
      change_dependencies(i);
      for (std::size_t j = i + 1; j < plan_.stages.size(); ++j) change_pair(i, j);
    }
    return std::move(found_);
  }

 private:
  void add(const std::string& what, const PlanText& plan) { found_.push_back({what, write(plan)}); }

  void change(std::size_t i, const std::string& what, const std::function<void(StageText&)>& how) {
    PlanText plan = plan_;
    how(plan.stages[i]);
    add(plan_.stages[i].name + ": " + what, plan);
  }

  void change_head() {
    for (std::size_t i = 0; i < plan_.head.size(); ++i) {
      for (const char* word : {"window", "credits"}) {
        const std::vector<std::string> words = words_of(plan_.head[i]);
        if (words.size() != 2 || words[0] != word) continue;
        PlanText plan = plan_;
        plan.head[i] = words[0] + " " + std::to_string(std::stoi(words[1]) - 1);
        if (words[1] != "0") add(words[0] + " one less", plan);
      }
      replace_in_head(i, "order chunk", "order step");
      replace_in_head(i, "order step", "order chunk");
      replace_in_head(i, "accumulate wide", "accumulate hop");
      replace_in_head(i, "accumulate hop", "accumulate wide");
      replace_in_head(i, " cut ", " blocks ");
      replace_in_head(i, " blocks ", " cut ");
      replace_in_head(i, " like ", "-1 like ");
      replace_in_head(i, "[r]", "[(r+1)%N]");
      replace_in_head(i, "[0]", "[1]");
    }
  }

  void replace_in_head(std::size_t i, std::string_view from, std::string_view to) {
    const std::size_t at = plan_.head[i].find(from);
    if (at == std::string::npos) return;
    PlanText plan = plan_;
    plan.head[i].replace(at, from.size(), to);
    add("'" + plan.head[i] + "'", plan);
  }

  void change_existence(std::size_t i) {
    PlanText dropped = plan_;
    dropped.stages.erase(dropped.stages.begin() + static_cast<std::ptrdiff_t>(i));
    for (StageText& stage : dropped.stages) {
      std::erase_if(stage.after, [&](const std::string& d) { return base_name(d) == plan_.stages[i].name; });
    }
    add(plan_.stages[i].name + ": dropped", dropped);
    PlanText twice = plan_;
    twice.stages.insert(twice.stages.begin() + static_cast<std::ptrdiff_t>(i) + 1, plan_.stages[i]);
    twice.stages[i + 1].name += "x";
    add(plan_.stages[i].name + ": twice", twice);
    twice.stages[i + 1].after = {plan_.stages[i].name};
    add(plan_.stages[i].name + ": twice, one after the other", twice);
    change(i, "never", [](StageText& s) { s.when = "0"; });
    if (!plan_.stages[i].when.empty()) {
      change(i, "always", [](StageText& s) { s.when.clear(); });
      change(i, "when it was not", [](StageText& s) { s.when = "!(" + s.when + ")"; });
    }
    if (plan_.stages[i].when.empty()) change(i, "not on rank 0", [](StageText& s) { s.when = "r!=0"; });
    if (plan_.stages[i].first.empty()) return;
    change(i, "one step earlier", [](StageText& s) { s.first = "(" + s.first + ")-1"; });
    change(i, "without the first step", [](StageText& s) { s.first = "(" + s.first + ")+1"; });
    change(i, "without the last step", [](StageText& s) { s.last = "(" + s.last + ")-1"; });
    change(i, "one step more", [](StageText& s) { s.last = "(" + s.last + ")+1"; });
  }

  void change_place(std::size_t i) {
    const StageText& stage = plan_.stages[i];
    if (!stage.to.empty()) {
      for (const std::string& to : other_parts(stage.to))
        change(i, "stores in " + to, [&](StageText& s) { s.to = to; });
    }
    if (!stage.from.empty()) {
      for (const std::string& from : other_parts(stage.from))
        change(i, "reads " + from, [&](StageText& s) { s.from = from; });
      const std::string buffer = base_name(stage.from);
      const std::string other = buffer == "in" ? "out" : buffer == "out" ? "in" : "";
      if (!other.empty())
        change(i, "reads " + other, [&](StageText& s) { s.from = other + s.from.substr(buffer.size()); });
    }
    if (stage.action != "send") change(i, "finish or not", [](StageText& s) { s.finish = !s.finish; });
  }

  void change_peer(std::size_t i) {
    if (plan_.stages[i].peer.empty()) return;
    for (const char* by : {"+1", "-1"}) {
      change(i, std::string("peer ") + by, [&](StageText& s) { s.peer = "((" + s.peer + ")" + by + ")%N"; });
    }
    for (const char* channel : {"0", "1", "2"}) {
      const std::string now = plan_.stages[i].channel.empty() ? "0" : plan_.stages[i].channel;
      if (now != channel) change(i, std::string("channel ") + channel, [&](StageText& s) { s.channel = channel; });
    }
  }

  void change_action(std::size_t i) {
    const StageText& stage = plan_.stages[i];
    if (stage.action == "reduce") change(i, "recv instead of reduce", [](StageText& s) { s.action = "recv"; });
    if (stage.action == "recv") {
      change(i, "reduce instead of recv", [](StageText& s) { s.action = "reduce", s.from = s.to; });
      change(i, "reduce with in instead of recv",
             [](StageText& s) { s.action = "reduce", s.from = "in" + s.to.substr(base_name(s.to).size()); });
    }
    if (stage.action == "sum") change(i, "copy instead of sum", [](StageText& s) { s.action = "copy"; });
  }

  void change_dependencies(std::size_t i) {
    const std::vector<std::string>& after = plan_.stages[i].after;
    if (after.size() > 1) change(i, "after nothing", [](StageText& s) { s.after.clear(); });
    for (std::size_t d = 0; d < after.size(); ++d) {
      const auto at = static_cast<std::ptrdiff_t>(d);
      change(i, "not after " + after[d], [&](StageText& s) { s.after.erase(s.after.begin() + at); });
      for (int by : {-1, 1}) {
        const std::string other = moved(after[d], by);
        if (!other.empty())
          change(i, "after " + other + " instead of " + after[d], [&](StageText& s) { s.after[d] = other; });
      }
      if (after[d].find("[*") != std::string::npos) {
        change(i, "after one step of " + after[d],
               [&](StageText& s) { s.after[d].replace(s.after[d].find('*'), 1, "1"); });
      }
    }
  }

  void change_pair(std::size_t i, std::size_t j) {
    const StageText &a = plan_.stages[i], &b = plan_.stages[j];
    const auto swapped = [&](const std::string& what, std::string StageText::*field) {
      if (a.*field == b.*field || (a.*field).empty() || (b.*field).empty()) return;
      PlanText plan = plan_;
      std::swap(plan.stages[i].*field, plan.stages[j].*field);
      add(a.name + ", " + b.name + ": swapped " + what, plan);
    };
    swapped("sources", &StageText::from);
    swapped("destinations", &StageText::to);
    swapped("peers", &StageText::peer);
  }

  PlanText plan_;
  std::vector<Mutant> found_;
};

}  // namespace

std::vector<Mutant> mutate(std::string_view plan) { return Mutator(plan).all(); }

}  // namespace oracle
