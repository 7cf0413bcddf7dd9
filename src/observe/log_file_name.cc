#include "observe/log_file_name.h"

#include <unistd.h>

#include <array>

namespace amalgam::log {

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown-host";
  const std::string_view text = name.data();
  return std::string(text.substr(0, text.find('.')));
}

std::string expand_file_name(std::string_view pattern, std::string_view host, int process) {
  std::string path;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const char next = at + 1 < pattern.size() ? pattern[at + 1] : '\0';
    if (pattern[at] != '%' || (next != 'h' && next != 'p' && next != '%')) {
      path += pattern[at];
      continue;
    }
    if (next == 'h') path += host;
    if (next == 'p') path += std::to_string(process);
    if (next == '%') path += '%';
    ++at;
  }
  return path;
}

}  // namespace amalgam::log
