#include "observe/log.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/unique_fd.h"
#include "config/loader.h"
#include "observe/log_file_name.h"

// Everything static here is constant-initialised and trivially destroyed: the log works before main and during exit.

namespace amalgam::log {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"error", "warn", "info", "debug", "trace"};
constexpr int kNotLoaded = -1;
constexpr std::size_t kErrorBytes = 2048;

std::atomic<int> level{kNotLoaded};
std::atomic<int> sink{STDERR_FILENO};
std::mutex load_mutex;
bool settings_reported = false;  // with load_mutex held

std::mutex last_error_mutex;
char process_error[kErrorBytes];
thread_local char thread_error[kErrorBytes];
thread_local char process_error_copy[kErrorBytes];

int level_of(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<int>(i);
  return static_cast<int>(Level::kWarn);
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nowhere left to complain
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Prefixes every line and keeps terminals safe from what a peer may have sent.
std::string format_lines(Level line_level, std::string_view text) {
  const std::string prefix = fmt::format("{}:{}:{} amalgam {} ", host_name(), ::getpid(), ::gettid(),
                                         kNames[static_cast<std::size_t>(line_level)]);
  std::string lines = prefix;
  for (char c : text) {
    if (c == '\n') {
      lines += '\n';
      lines += prefix;
    } else {
      const bool printable = static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
      lines += printable || c == '\t' ? c : '?';
    }
  }
  return lines += '\n';
}

// Returns the file's descriptor, or standard error's when there is no file.
int open_sink(const std::string& pattern) {
  if (pattern.empty()) return STDERR_FILENO;
  const std::string path = expand_file_name(pattern, host_name(), ::getpid());
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644));
  if (file.valid()) return file.release();
  const Status problem = system_error("open log file " + path, errno);
  write_all(STDERR_FILENO, format_lines(Level::kWarn, problem.message() + ": standard error is used"));
  return STDERR_FILENO;
}

// What loading the settings had to say goes to the log once, before its first line.
void report_settings() {
  if (std::exchange(settings_reported, true)) return;
  if (level.load(std::memory_order_relaxed) < static_cast<int>(Level::kWarn)) return;
  for (const std::string& warning : config::warnings())
    write_all(sink.load(std::memory_order_relaxed), format_lines(Level::kWarn, warning));
}

// With load_mutex held. A previous file stays open: another thread may be writing to it, and its number must not become
// something else's meanwhile. Jobs reload their log a few times at most.
void apply(const config::Settings& settings) {
  sink.store(open_sink(settings.log_file), std::memory_order_relaxed);
  level.store(level_of(settings.log), std::memory_order_release);
  report_settings();
}

int current_level() {
  const int now = level.load(std::memory_order_relaxed);
  if (now != kNotLoaded) return now;
  const std::lock_guard lock(load_mutex);
  if (level.load(std::memory_order_relaxed) == kNotLoaded) apply(config::settings());
  return level.load(std::memory_order_relaxed);
}

void copy_text(char (&target)[kErrorBytes], std::string_view text) {
  const std::size_t size = std::min(text.size(), kErrorBytes - 1);
  std::memcpy(target, text.data(), size);
  target[size] = '\0';
}

}  // namespace

bool enabled(Level wanted) { return static_cast<int>(wanted) <= current_level(); }

void write(Level line_level, std::string_view text) {
  if (line_level <= Level::kWarn) set_last_error(text);
  if (!enabled(line_level)) return;
  const std::string lines = format_lines(line_level, text);
  write_all(sink.load(std::memory_order_relaxed), lines);
}

void reload() {
  const std::lock_guard lock(load_mutex);
  apply(config::load(config::Sources::of_process()).settings);
}

void set_last_error(std::string_view text) {
  copy_text(thread_error, text);
  // When the lock is taken, another thread is setting its error at this moment and is as much the last as this one.
  // Never waiting also keeps a child that was forked at the wrong moment from hanging.
  const std::unique_lock lock(last_error_mutex, std::try_to_lock);
  if (lock.owns_lock()) copy_text(process_error, text);
}

const char* last_error() {
  if (thread_error[0] != '\0') return thread_error;
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const std::unique_lock lock(last_error_mutex, std::try_to_lock);
    if (lock.owns_lock()) {
      std::memcpy(process_error_copy, process_error, kErrorBytes);
      return process_error_copy;
    }
    ::sched_yield();
  }
  return "";
}

}  // namespace amalgam::log
