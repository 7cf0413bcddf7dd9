#include "id_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "failure.h"

namespace perf {
namespace {

constexpr int kWaitSeconds = 60;

Failure failure(const std::string& path, const std::string& what) { return Failure(path + ": " + what); }

std::string private_directory() {
  const char* temp = std::getenv("TMPDIR");
  const std::string path =
      std::string(temp != nullptr && *temp != '\0' ? temp : "/tmp") + "/amalgam-perf-" + std::to_string(getuid());
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) throw failure(path, std::strerror(errno));
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) throw failure(path, std::strerror(errno));
  if (!S_ISDIR(found.st_mode) || found.st_uid != getuid() || (found.st_mode & 077) != 0)
    throw failure(path, "is not a directory that belongs to this user alone");
  return path;
}

std::string file_name(const std::string& job) {
  std::string name = job;
  for (char& letter : name)
    if (letter == '/') letter = '_';
  return name + "-" + std::to_string(getppid());
}

bool read_id(const std::string& path, time_t not_before, ncclUniqueId* id) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return false;
  struct stat found {};
  const bool recent = fstat(descriptor, &found) == 0 && found.st_mtime >= not_before;
  const bool complete = recent && read(descriptor, id, sizeof(*id)) == sizeof(*id);
  close(descriptor);
  return complete;
}

}  // namespace

IdFile::IdFile(const std::string& job) : path_(private_directory() + "/" + file_name(job)) {}

IdFile::~IdFile() {
  if (written_) unlink(path_.c_str());
}

void IdFile::write(const ncclUniqueId& id) {
  const std::string draft = path_ + ".new";  // renamed when complete: nobody reads half of it
  unlink(draft.c_str());
  const int descriptor = open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) throw failure(draft, std::strerror(errno));
  const bool complete = ::write(descriptor, &id, sizeof(id)) == sizeof(id);
  close(descriptor);
  if (!complete || rename(draft.c_str(), path_.c_str()) != 0) throw failure(draft, std::strerror(errno));
  written_ = true;
}

ncclUniqueId IdFile::wait() const {
  constexpr int kTryMilliseconds = 20;
  const time_t not_before = std::time(nullptr) - kWaitSeconds;
  ncclUniqueId id;
  for (int waited = 0; waited < kWaitSeconds * 1000; waited += kTryMilliseconds) {
    if (read_id(path_, not_before, &id)) return id;
    poll(nullptr, 0, kTryMilliseconds);
  }
  throw failure(
      path_,
      "rank 0 left no unique id there. Processes on several hosts need NCCL_COMM_ID=host:port and AMALGAM_SECRET");
}

}  // namespace perf
