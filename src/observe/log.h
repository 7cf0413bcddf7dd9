#pragma once

// The log: standard error or a file, never standard output. A line is "host:pid:tid amalgam LEVEL text", one write(2).
//
// error  the operation or communicator failed      warn  it goes on, but the user should know
// info   one screen at init                        debug what was decided and why          trace each operation
// error and warn texts are also what ncclGetLastError returns (of this thread, else of the process).

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/status.h"

namespace amalgam::log {

enum class Level : int { kError = 0, kWarn = 1, kInfo = 2, kDebug = 3, kTrace = 4 };

bool enabled(Level level);  // one relaxed load after the first call
void write(Level level, std::string_view text);
void reload();  // re-reads level and file (ncclResetDebugInit)

const char* last_error();  // never null; valid until this thread's next call
void set_last_error(std::string_view text);

template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kError, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kWarn, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kInfo)) write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug)) write(Level::kDebug, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace amalgam::log
