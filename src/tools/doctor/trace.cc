#include "tools/doctor/trace.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace amalgam::doctor {
namespace {

// The text between two marks, if both are there.
std::optional<std::string_view> between(std::string_view line, std::string_view before, std::string_view after) {
  const std::size_t start = line.find(before);
  if (start == std::string_view::npos) return std::nullopt;
  line.remove_prefix(start + before.size());
  const std::size_t end = after.empty() ? line.size() : line.find(after);
  if (end == std::string_view::npos) return std::nullopt;
  return line.substr(0, end);
}

// "RPATH from file /a/b" → "RPATH of /a/b"
std::string rule(std::string_view words) {
  constexpr std::string_view kFrom = " from file ";
  const std::size_t from = words.find(kFrom);
  if (from != std::string_view::npos)
    return std::string(words.substr(0, from)) + " of " + std::string(words.substr(from + kFrom.size()));
  return words == "system search path" ? "the default folders" : std::string(words);
}

class Reader {
 public:
  explicit Reader(int process) : process_(process) {}

  void read(std::string_view line) {
    if (const auto base = between(line, "file=", " [0];  "); base && line.starts_with("file="))
      return read_file(*base, line);
    if (line.starts_with("find library=")) return search();
    if (const auto words = between(line, "\t\t(", ")"); words && line.starts_with(" search path=")) how_ = rule(*words);
    if (line.starts_with(" search cache=")) how_ = "ld.so.cache";
    if (const auto path = between(line, "  trying file=", "")) tried_ = *path;
    if (const auto program = between(line, "initialize program: ", "")) start(*program);
  }

  std::vector<Image> take() {
    finish();
    return std::move(images_);
  }

 private:
  void read_file(std::string_view name, std::string_view line) {
    constexpr std::string_view kAtStart = ";  needed by ", kLater = ";  dynamically loaded by ";
    if (line.ends_with("generating link map")) return loaded(name);
    if (line.ends_with("(relocation dependency)")) return;
    if (const auto by = between(line, kAtStart, " [")) ask(name, *by, false);
    if (const auto by = between(line, kLater, " [")) ask(name, *by, true);
  }

  // Once a program runs, whoever needs a library is a library itself: else it is the next program's start.
  void ask(std::string_view name, std::string_view by, bool while_running) {
    finish_load();
    if (images_.empty() || (started_ && !while_running && !is_library(by))) {
      images_.push_back({process_, std::string(by), {}});
      started_ = false;
    }
    search();
    asked_ = Load{std::string(name), "", std::string(by), ""};
    if (name.find('/') == std::string_view::npos) return;
    asked_->how = while_running ? "opened by path" : by == images_.back().program ? "LD_PRELOAD" : "needed by path";
  }

  void search() {
    how_.clear();
    tried_.clear();
  }

  // An audit module may have put another name in the place of the one that was asked for.
  void loaded(std::string_view name) {
    if (!asked_) return;
    const bool by_path = name.find('/') != std::string_view::npos;
    asked_->path = by_path ? name : std::string_view(tried_);
    if (asked_->how.empty()) asked_->how = by_path ? "LD_AUDIT" : how_;
    images_.back().loads.push_back(*std::exchange(asked_, std::nullopt));
  }

  // No link map followed: it was not found, or it is one that the process has under another name.
  void finish_load() {
    if (!asked_) return;
    Load load = *std::exchange(asked_, std::nullopt);
    const auto& loads = images_.back().loads;
    const bool known = std::any_of(loads.begin(), loads.end(), [&](const Load& one) { return one.path == tried_; });
    if (!known) images_.back().loads.push_back(std::move(load));
  }

  void start(std::string_view program) {
    finish_load();
    if (images_.empty() || started_) images_.push_back({process_, "", {}});
    images_.back().program = program;
    started_ = true;
  }

  bool is_library(std::string_view path) const {
    const auto& loads = images_.back().loads;
    return std::any_of(loads.begin(), loads.end(), [&](const Load& one) { return one.path == path; });
  }

  void finish() {
    if (!images_.empty()) finish_load();
  }

  const int process_;
  std::vector<Image> images_;
  bool started_ = false;  // the last image runs
  std::optional<Load> asked_;
  std::string how_, tried_;  // of the search that goes on
};

}  // namespace

std::vector<Image> read_trace(int process, std::string_view text) {
  Reader reader(process);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t tab = line.find(":\t");  // behind the number of the process that wrote it
    if (tab != std::string_view::npos) reader.read(line.substr(tab + 2));
  }
  return reader.take();
}

}  // namespace amalgam::doctor
