#include "transports/shm/segment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace amalgam::shm {
namespace {

std::string path_of(const Nonce& nonce) { return "/dev/shm/" + segment_name(nonce); }

// Reserves the pages: writing beyond what /dev/shm can hold would be a fatal signal later.
Result<UniqueFd> make_named(const std::string& path, std::size_t size) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return system_error("creation of " + path, errno);
  if (const int error = posix_fallocate(fd.get(), 0, static_cast<off_t>(size)); error != 0) {
    ::unlink(path.c_str());
    return system_error(fmt::format("reservation of {} bytes in /dev/shm", size), error);
  }
  return fd;
}

Result<UniqueFd> make_anonymous(const Nonce& nonce, std::size_t size) {
  UniqueFd fd(memfd_create(segment_name(nonce).c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) return system_error("memfd_create", errno);
  if (ftruncate(fd.get(), static_cast<off_t>(size)) != 0) return system_error("ftruncate of a memfd", errno);
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return system_error("sealing of a memfd", errno);
  return fd;
}

Status check_file(int fd, std::size_t size, bool sealed) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return system_error("fstat of a peer's memory", errno);
  if (!S_ISREG(status.st_mode) || status.st_size < 0 || static_cast<std::uint64_t>(status.st_size) < size)
    return Status(Code::kProtocol, fmt::format("a peer's memory has {} bytes, not {}", status.st_size, size));
  const int seals = sealed ? fcntl(fd, F_GET_SEALS) : F_SEAL_SHRINK;
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) return Status(Code::kProtocol, "a peer's memory is not sealed");
  return {};
}

bool leads_to(const std::string& link, const std::string& name) {
  char target[PATH_MAX];
  const ssize_t length = readlink(link.c_str(), target, sizeof(target));
  if (length <= 0) return false;
  const std::string_view found(target, static_cast<std::size_t>(length));
  return found == "/memfd:" + name + " (deleted)";
}

}  // namespace

Result<Mapping> Mapping::map(int fd, std::size_t size, bool writable) {
  void* base = mmap(nullptr, size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return system_error(fmt::format("mmap of {} shared bytes", size), errno);
  madvise(base, size, MADV_HUGEPAGE);
  Mapping mapping;
  mapping.base_ = static_cast<std::byte*>(base);
  mapping.size_ = size;
  return mapping;
}

Mapping::~Mapping() {
  if (base_ != nullptr) munmap(base_, size_);
}

void Mapping::swap(Mapping& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(size_, other.size_);
}

std::string segment_name(const Nonce& nonce) { return "amalgam-" + hex(nonce); }

Result<Segment> Segment::create(const Nonce& nonce, std::size_t size, Reach reach) {
  Segment segment;
  const std::string path = reach == Reach::kName ? path_of(nonce) : std::string();
  auto fd = reach == Reach::kName ? make_named(path, size) : make_anonymous(nonce, size);
  if (!fd.ok()) return fd.status();
  segment.fd_ = fd.take();
  segment.path_ = path;
  auto mapping = Mapping::map(segment.fd_.get(), size, true);
  if (!mapping.ok()) return mapping.status();
  segment.mapping_ = mapping.take();
  return segment;
}

void Segment::unlink() {
  if (!path_.empty()) ::unlink(path_.c_str());
  path_.clear();
}

Result<UniqueFd> open_by_proc(pid_t pid, int fd, const std::string& name, std::size_t size, bool writable) {
  const std::string link = fmt::format("/proc/{}/fd/{}", pid, fd);
  struct stat there {};
  if (::lstat(link.c_str(), &there) != 0 && errno == ENOENT) return Status(Code::kRemote, link + " has gone");
  if (!leads_to(link, name)) return Status(Code::kSystem, link + " is not the peer's memory");
  UniqueFd file(::open(link.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC));
  if (!file.valid()) return system_error("open of " + link, errno);
  if (!leads_to(fmt::format("/proc/self/fd/{}", file.get()), name))
    return Status(Code::kSystem, link + " changed while it was opened");
  AMALGAM_TRY(check_file(file.get(), size, true));
  return file;
}

Result<UniqueFd> open_by_name(const Nonce& nonce, std::size_t size) {
  const std::string path = path_of(nonce);
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) return system_error("open of " + path, errno);
  AMALGAM_TRY(check_file(file.get(), size, false));
  return file;
}

void unlink_by_name(const Nonce& nonce) { ::unlink(path_of(nonce).c_str()); }

}  // namespace amalgam::shm
