#include "tools/doctor/run.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

extern "C" char** environ;

namespace amalgam::doctor {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() : path_((fs::temp_directory_path() / "amalgam-doctor.XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~Folder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What a shell does while it waits: the keyboard's signals end the command, and we live to tell.
class Deaf {
 public:
  Deaf() {
    for (std::size_t i = 0; i < std::size(kSignals); ++i) before_[i] = std::signal(kSignals[i], SIG_IGN);
  }
  ~Deaf() {
    for (std::size_t i = 0; i < std::size(kSignals); ++i) std::signal(kSignals[i], before_[i]);
  }
  Deaf(const Deaf&) = delete;
  Deaf& operator=(const Deaf&) = delete;

  static constexpr int kSignals[] = {SIGINT, SIGQUIT};

 private:
  void (*before_[std::size(kSignals)])(int);
};

std::vector<std::string> environment_with(const std::string& output) {
  std::vector<std::string> variables = {"LD_DEBUG=libs,files", "LD_DEBUG_OUTPUT=" + output};
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (!std::string_view(*variable).starts_with("LD_DEBUG")) variables.emplace_back(*variable);
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

Result<pid_t> start(std::vector<std::string> command, const std::string& output) {
  std::vector<std::string> variables = environment_with(output);
  sigset_t heard;
  sigemptyset(&heard);
  for (int signal : Deaf::kSignals) sigaddset(&heard, signal);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setsigdefault(&attributes, &heard);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t process = 0;
  const int error = ::posix_spawnp(&process, command[0].c_str(), nullptr, &attributes, pointers(command).data(),
                                   pointers(variables).data());
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) return system_error(command[0], error);
  return process;
}

std::vector<Image> read_all(const std::string& folder) {
  std::vector<Image> images;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const int process = std::atoi(entry.path().extension().c_str() + 1);  // "trace.4711"
    for (Image& image : read_trace(process, text)) images.push_back(std::move(image));
  }
  std::stable_sort(images.begin(), images.end(), [](const Image& a, const Image& b) { return a.process < b.process; });
  return images;
}

}  // namespace

Result<Traced> run_traced(const std::vector<std::string>& command) {
  const Folder folder;
  if (folder.path().empty()) return system_error("making a folder for the dynamic linker's notes", errno);
  const Deaf deaf;
  const Result<pid_t> process = start(command, folder.path() + "/trace");
  if (!process) return process.status();
  int status = 0;
  while (::waitpid(*process, &status, 0) < 0)
    if (errno != EINTR) return system_error("waiting for the command", errno);
  Traced traced;
  traced.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  traced.images = read_all(folder.path());
  return traced;
}

}  // namespace amalgam::doctor
