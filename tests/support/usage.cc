#include "support/usage.h"

#include <malloc.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace support {
namespace {

long entries(const char* folder) {
  std::error_code ignored;
  long count = 0;
  for (std::filesystem::directory_iterator at(folder, ignored), end; at != end; at.increment(ignored)) ++count;
  return count;
}

}  // namespace

Usage read_usage() {
  Usage usage;
  usage.files = entries("/proc/self/fd") - 1;  // the look's own
  usage.threads = entries("/proc/self/task");
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) ++usage.mappings;
  long pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  usage.resident_kib = pages * (sysconf(_SC_PAGESIZE) / 1024);
  usage.shared_files = entries("/dev/shm");
  return usage;
}

Usage settled_usage() {
  constexpr int kLooks = 50, kApartMs = 100;
  malloc_trim(0);  // pages that malloc keeps are no leak
  Usage last = read_usage();
  for (int i = 0, equal = 0; i < kLooks && equal < 3; ++i) {
    poll(nullptr, 0, kApartMs);
    const Usage now = read_usage();
    const bool same = now.files == last.files && now.threads == last.threads && now.mappings == last.mappings;
    equal = same ? equal + 1 : 0;
    last = now;
  }
  return last;
}

std::string text(const Usage& usage) {
  std::ostringstream out;
  out << usage.files << ' ' << usage.threads << ' ' << usage.mappings << ' ' << usage.resident_kib << ' '
      << usage.shared_files;
  return out.str();
}

}  // namespace support
