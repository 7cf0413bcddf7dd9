#include "tools/doctor/look.h"

#include <cctype>
#include <string_view>

#include "plugins/island/loader/elf_file.h"
#include "plugins/island/tables/tables.h"

namespace amalgam::doctor {
namespace {

// "NCCL version 2.28.9+cuda13.0" anywhere in the file; RCCL says "RCCL version 2.21.5+hip6.2".
std::string version_in(std::string_view bytes) {
  constexpr std::string_view kMark = "CCL version ";
  for (std::size_t at = bytes.find(kMark); at != std::string_view::npos; at = bytes.find(kMark, at + 1)) {
    const std::string_view rest = bytes.substr(at + kMark.size(), 64);
    if (at == 0 || rest.empty() || !std::isdigit(static_cast<unsigned char>(rest[0]))) continue;
    std::size_t end = 0;
    while (end < rest.size() &&
           (std::isalnum(static_cast<unsigned char>(rest[end])) || rest[end] == '.' || rest[end] == '+'))
      ++end;
    return std::string(1, bytes[at - 1]) + "CCL " + std::string(rest.substr(0, end));
  }
  return "";
}

Look look(const std::string& path) {
  const Result<loader::ElfFile> file = loader::ElfFile::open(path);
  if (!file) return {};
  if (file->defines("amalgam_marker")) return {Look::Kind::kOurs, "Amalgam"};
  const std::string version = version_in(file->bytes());
  const bool has_names = file->defines("ncclGetVersion");
  if (version.empty() && !has_names) return {};
  const std::string words = version.empty() ? "NCCL of unknown version" : version;
  if (is_nccl_name(file->soname()) || is_nccl_name(path)) return {Look::Kind::kVendors, words};
  return {Look::Kind::kInside, words + " inside"};
}

}  // namespace

const Look& Looker::at(const std::string& path) {
  const auto found = seen_.find(path);
  return found != seen_.end() ? found->second : seen_.emplace(path, look(path)).first->second;
}

bool is_nccl_name(std::string_view name) {
  name = name.substr(name.rfind('/') + 1);  // npos + 1 is 0
  for (const nccl_shaped::Table* table : tables::all_collective_libraries())
    for (std::string_view known : table->sonames) {
      known = known.substr(0, known.find(".so") + std::string_view(".so").size());
      if (name == known || name.starts_with(std::string(known) + ".")) return true;
    }
  return false;
}

}  // namespace amalgam::doctor
