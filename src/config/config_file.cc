#include "config/config_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/status.h"
#include "base/unique_fd.h"

namespace amalgam::config {
namespace {

// A configuration file larger than this is a mistake (a device, a log): refused rather than read for ever.
constexpr std::size_t kLargestFile = 1 << 20;

Result<std::string> read_all(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd.valid())
    return errno == ENOENT || errno == ENOTDIR ? Result<std::string>(std::string())
                                               : system_error("open " + path, errno);
  std::string text;
  std::array<char, 4096> buffer;
  while (text.size() <= kLargestFile) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read " + path, errno);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return Status(Code::kInvalidArgument, fmt::format("read {}: larger than {} bytes", path, kLargestFile));
}

void parse_line(ConfigFile& file, std::string_view line, int number) {
  if (line.empty() || line.front() == '#') return;
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    file.warnings.push_back(fmt::format("{} line {}: not KEY=VALUE, ignored", file.path, number));
    return;
  }
  file.values.emplace(line.substr(0, equals), line.substr(equals + 1));
}

}  // namespace

ConfigFile parse_config(std::string path, std::string_view text) {
  ConfigFile file{std::move(path), {}, {}};
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    parse_line(file, line, number);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return file;
}

ConfigFile read_config(const std::string& path) {
  Result<std::string> text = read_all(path);
  if (text.ok()) return parse_config(path, *text);
  return ConfigFile{path, {}, {text.status().message() + ": the file is not used"}};
}

}  // namespace amalgam::config
