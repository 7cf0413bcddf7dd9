#include "tools/doctor/report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string_view>
#include <utility>

#include "tools/doctor/look.h"

namespace amalgam::doctor {
namespace {

struct Row {
  std::string program, library, why, what;
  int times = 0;
};

// The file behind a program's name, as a shell would find it; empty when there is none (its folder may be another).
std::string file_of(const std::string& program) {
  if (program.find('/') != std::string::npos) return ::access(program.c_str(), R_OK) == 0 ? program : "";
  const char* variable = std::getenv("PATH");
  std::string_view folders = variable != nullptr ? variable : "";
  while (!folders.empty()) {
    const std::size_t end = std::min(folders.find(':'), folders.size());
    std::string file = std::string(folders.substr(0, end)) + "/" + program;
    if (::access(file.c_str(), X_OK) == 0) return file;
    folders.remove_prefix(std::min(end + 1, folders.size()));
  }
  return "";
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

class Report {
 public:
  Report(std::string ours, const std::string& preload) : ours_(std::move(ours)), preload_names_it_(names_it(preload)) {}

  void add(const Image& image) {
    const std::size_t before = rows_of_all_;
    Look::Kind first = Look::Kind::kNone, last = first;  // what names lead to, and whether there is another
    if (const std::string file = file_of(image.program); !file.empty()) add_inside(image, file);
    for (const Load& load : image.loads) {
      const Look& look = looker_.at(load.path);
      const bool missing = load.path.empty() && is_nccl_name(load.name);
      if (missing) add_missing(image, load);
      missing_ |= missing && first != Look::Kind::kOurs;
      if (look.kind == Look::Kind::kInside) add_inside(image, load.path);
      if (look.kind != Look::Kind::kOurs && look.kind != Look::Kind::kVendors) continue;
      add_row({image.program, load.path, why(load), look.words});
      if (first == Look::Kind::kNone) first = look.kind;
      last = look.kind;
      by_rpath_ |= first == Look::Kind::kVendors && load.how.starts_with("RPATH");
    }
    if (rows_of_all_ == before) ++without_;
    some_ours_ |= first == Look::Kind::kOurs;
    some_vendors_ |= first == Look::Kind::kVendors;
    beside_ |= first == Look::Kind::kOurs && last == Look::Kind::kVendors;
  }

  std::string text() const {
    std::string text = table();
    if (without_ > 0) text += fmt::format("{} program{} no NCCL\n", without_, without_ == 1 ? " has" : "s have");
    return text + advice();
  }

 private:
  // Ours, or a file that is not there; not a vendor's own.
  bool names_it(std::string_view preload) {
    while (!preload.empty()) {
      const std::size_t end = std::min(preload.find_first_of(": "), preload.size());
      const std::string file(preload.substr(0, end));
      if (is_nccl_name(file) && looker_.at(file).kind != Look::Kind::kVendors) return true;
      preload.remove_prefix(std::min(end + 1, preload.size()));
    }
    return false;
  }
  static std::string why(const Load& load) {
    if (load.how == "LD_PRELOAD") return load.how;
    const std::size_t of = load.how.find(" of ");  // RPATH and RUNPATH are some file's, most often the asking one's
    const std::string how =
        of == std::string::npos ? load.how : load.how.substr(0, of + 4) + name_of(load.how.substr(of + 4));
    return how.ends_with(" of " + name_of(load.by)) ? how : how + ", for " + name_of(load.by);
  }

  void add_row(Row row) {
    ++rows_of_all_;
    const auto same = std::find_if(rows_.begin(), rows_.end(), [&](const Row& other) {
      return other.program == row.program && other.library == row.library && other.why == row.why;
    });
    ++(same != rows_.end() ? *same : rows_.emplace_back(std::move(row))).times;
  }
  void add_missing(const Image& image, const Load& load) {
    add_row({image.program, load.name, "asked for by " + name_of(load.by), "not found"});
  }
  void add_inside(const Image& image, const std::string& file) {
    const Look& look = looker_.at(file);
    if (look.kind != Look::Kind::kInside) return;
    add_row({image.program, file, "linked statically", look.words});
    inside_.insert(file);
  }

  std::string table() const {
    const Row head{"PROGRAM", "LIBRARY", "WHY", "IS"};
    std::size_t program = head.program.size(), library = head.library.size(), why = head.why.size();
    for (const Row& row : rows_) {
      program = std::max(program, row.program.size());
      library = std::max(library, row.library.size());
      why = std::max(why, row.why.size());
    }
    const auto line = [&](const Row& row, const std::string& times) {
      return fmt::format("{:>5}  {:<{}}  {:<{}}  {:<{}}  {}\n", times, row.program, program, row.library, library,
                         row.why, why, row.what);
    };
    std::string text = rows_.empty() ? "" : line(head, "TIMES");
    for (const Row& row : rows_) text += line(row, std::to_string(row.times));
    return text;
  }

  std::string advice() const {
    std::string text;
    if (some_vendors_ || missing_) text += preload_names_it_ ? lost_preload() : set_preload();
    if (some_vendors_ && some_ours_)
      text += "some programs have Amalgam and some a vendor's library: their unique ids do not fit together\n";
    if (beside_) text += "a vendor's library is mapped beside Amalgam, which came first: calls by name reach Amalgam\n";
    for (const std::string& file : inside_)
      text += fmt::format(
          "{} has its own NCCL inside: nothing that is set replaces it; build it with the system's NCCL "
          "(PyTorch: USE_SYSTEM_NCCL=1)\n",
          file);
    if (some_ours_ && !some_vendors_ && !missing_ && inside_.empty())
      text += "nothing to set: every program's NCCL is Amalgam\n";
    if (text.empty()) text = "nothing to set: no NCCL was asked for\n";
    return text;
  }

  std::string set_preload() const {
    return fmt::format("set LD_PRELOAD={}\n", ours_) +
           (by_rpath_ ? "LD_LIBRARY_PATH alone would not do: RPATH comes before it\n" : "");
  }
  static std::string lost_preload() {
    return "LD_PRELOAD names it but did not reach a program, or the file is not there (see the dynamic linker's own "
           "message): look at what the launcher passes on\n";
  }

  const std::string ours_;
  Looker looker_;
  const bool preload_names_it_;
  std::vector<Row> rows_;  // as they came: the first of a program is what its names lead to
  std::size_t rows_of_all_ = 0;
  int without_ = 0;
  bool some_ours_ = false, some_vendors_ = false, beside_ = false, by_rpath_ = false, missing_ = false;
  std::set<std::string> inside_;
};

}  // namespace

std::string report(const std::vector<Image>& images, const std::string& ours, const std::string& preload) {
  Report report(ours, preload);
  for (const Image& image : images) report.add(image);
  return report.text();
}

}  // namespace amalgam::doctor
