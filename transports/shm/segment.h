#pragma once

// A piece of memory that processes of one machine share, and the ways to find a peer's.
//
// Memory is a memfd, which no size of /dev/shm limits and which leaves nothing behind. A peer opens it through
// /proc/<pid>/fd/<fd>. Where that is impossible (another pid namespace) and both see one /dev/shm, it is a file there,
// mode 0600, unlinked as soon as the peer has mapped it. The name contains a nonce; a path that leads to anything but
// that name is not opened, and memfds are sealed against shrinking, so a peer cannot make us fault.
//
// Threads    one at a time. Ownership: a Segment owns mapping, descriptor and name. Errors: kSystem with errno.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/nonce.h"
#include "base/status.h"
#include "base/unique_fd.h"

namespace amalgam::shm {

// How a peer's memory is reached.
enum class Reach : std::uint8_t { kNone = 0, kProc = 1, kName = 2 };

class Mapping {
 public:
  Mapping() = default;
  static Result<Mapping> map(int fd, std::size_t size, bool writable);
  Mapping(Mapping&& other) noexcept { swap(other); }
  Mapping& operator=(Mapping&& other) noexcept {
    swap(other);
    return *this;
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  std::byte* base() const { return base_; }
  std::size_t size() const { return size_; }

 private:
  void swap(Mapping& other) noexcept;
  std::byte* base_ = nullptr;
  std::size_t size_ = 0;
};

class Segment {
 public:
  Segment() = default;
  static Result<Segment> create(const Nonce& nonce, std::size_t size, Reach reach);
  Segment(Segment&&) = default;
  Segment& operator=(Segment&& other) noexcept {
    unlink();
    mapping_ = std::move(other.mapping_);
    fd_ = std::move(other.fd_);
    path_ = std::exchange(other.path_, {});
    return *this;
  }
  ~Segment() { unlink(); }

  std::byte* base() const { return mapping_.base(); }
  std::size_t size() const { return mapping_.size(); }
  int fd() const { return fd_.get(); }
  bool named() const { return !path_.empty(); }
  void unlink();

 private:
  Mapping mapping_;
  UniqueFd fd_;
  std::string path_;  // in /dev/shm, while it exists
};

// A peer's file. `name` is what create() or host_memory gave it; `size` its least size.
Result<UniqueFd> open_by_proc(pid_t pid, int fd, const std::string& name, std::size_t size, bool writable);
Result<UniqueFd> open_by_name(const Nonce& nonce, std::size_t size);
void unlink_by_name(const Nonce& nonce);
std::string segment_name(const Nonce& nonce);

}  // namespace amalgam::shm
