#include "plugins/island/loader/find.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "plugins/island/loader/cache.h"
#include "plugins/island/loader/identity.h"
#include "plugins/island/loader/mapped.h"

namespace amalgam::loader {
namespace {

namespace fs = std::filesystem;

std::string read_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class Finder {
 public:
  void add(const std::string& path, const char* why) {
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    if (error || is_own_file(real)) return;
    const auto same = [&](const Candidate& other) { return other.path == real; };
    if (std::none_of(found_.begin(), found_.end(), same)) found_.push_back({real, why});
  }
  std::vector<Candidate> take() { return std::move(found_); }

 private:
  std::vector<Candidate> found_;
};

// "libnccl.so.2" is also a file libnccl.so.2.28.9.
bool is_named(const fs::path& file, std::string_view soname) {
  const std::string name = file.filename();
  return name == soname || name.starts_with(std::string(soname) + ".");
}

}  // namespace

std::vector<Candidate> find(const Search& search) {
  if (!search.path.empty()) return {{search.path, "the setting"}};
  Finder finder;
  const std::vector<std::string> mapped = mapped_files();
  for (const fs::path file : mapped)
    for (const char* soname : search.sonames)
      if (is_named(file, soname)) finder.add(file, "already mapped");
  for (const fs::path file : mapped)
    if (file.filename().string().starts_with("libtorch"))
      for (const char* place : search.torch) finder.add(file.parent_path() / place, "beside torch");
  const std::string cache = read_file("/etc/ld.so.cache");
  for (const char* soname : search.sonames)
    for (const std::string& path : find_in_cache(cache, soname)) finder.add(path, "ldconfig");
  for (const char* folder : search.folders)
    for (const char* soname : search.sonames) finder.add(fs::path(folder) / soname, "the vendor's folder");
  return finder.take();
}

}  // namespace amalgam::loader
