#include "base/host_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>

#include "base/unique_fd.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace amalgam::host_memory {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Regions sorted by address, read under a sequence lock: a writer makes `version` odd, changes the entries, makes it
// even. Arrays that became too small stay allocated because a reader may still look at them; their sum is less than the
// last one.
class Table {
 public:
  bool find(const std::byte* first, std::size_t bytes, Region* region) const {
    if (first < low_.load(std::memory_order_relaxed) || first >= high_.load(std::memory_order_relaxed)) return false;
    for (int attempt = 0; attempt < 3; ++attempt) {
      const std::uint64_t version = version_.load(std::memory_order_acquire);
      const bool found = search(first, bytes, region);
      if (version % 2 == 0 && version_.load(std::memory_order_relaxed) == version) return found;
    }
    return false;
  }

  void insert(const Region& region) {
    const std::size_t count = count_.load(std::memory_order_relaxed);
    if (count == capacity_) grow();
    Entry* entries = entries_.load(std::memory_order_relaxed);
    begin_write();
    std::size_t at = count;
    for (; at > 0 && entries[at - 1].load().base > region.base; --at) entries[at].store(entries[at - 1].load());
    entries[at].store(region);
    end_write(count + 1);
  }

  bool remove(const std::byte* base, Region* removed) {
    const std::size_t count = count_.load(std::memory_order_relaxed);
    Entry* entries = entries_.load(std::memory_order_relaxed);
    std::size_t at = 0;
    while (at < count && entries[at].load().base != base) ++at;
    if (at == count) return false;
    *removed = entries[at].load();
    begin_write();
    for (; at + 1 < count; ++at) entries[at].store(entries[at + 1].load());
    end_write(count - 1);
    return true;
  }

 private:
  struct Entry {
    std::atomic<std::byte*> base;
    std::atomic<std::size_t> size;
    std::atomic<std::uint64_t> id;
    std::atomic<int> fd;

    // Acquire and release keep the accesses between the two of `version` without fences.
    Region load() const {
      return {id.load(std::memory_order_acquire), fd.load(std::memory_order_acquire),
              base.load(std::memory_order_acquire), size.load(std::memory_order_acquire)};
    }
    void store(const Region& region) {
      base.store(region.base, std::memory_order_release);
      size.store(region.size, std::memory_order_release);
      id.store(region.id, std::memory_order_release);
      fd.store(region.fd, std::memory_order_release);
    }
  };

  bool search(const std::byte* first, std::size_t bytes, Region* region) const {
    std::size_t low = 0;
    std::size_t high =
        count_.load(std::memory_order_acquire);  // before the array: arrays only grow, so it has that many
    const Entry* entries = entries_.load(std::memory_order_acquire);
    while (low < high) {  // the last entry that begins at or before `first`
      const std::size_t middle = (low + high) / 2;
      if (entries[middle].load().base <= first)
        low = middle + 1;
      else
        high = middle;
    }
    if (low == 0) return false;
    *region = entries[low - 1].load();
    const auto offset = static_cast<std::size_t>(first - region->base);
    return offset < region->size && bytes <= region->size - offset;
  }

  void grow() {
    const std::size_t capacity = capacity_ == 0 ? 64 : capacity_ * 2;
    auto* larger = new Entry[capacity]();
    Entry* old = entries_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < capacity_; ++i) larger[i].store(old[i].load());
    entries_.store(larger, std::memory_order_release);
    outgrown_[outgrown_count_++] = old;
    capacity_ = capacity;
  }

  void begin_write() { version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
  void end_write(std::size_t count) {
    count_.store(count, std::memory_order_release);
    const Entry* entries = entries_.load(std::memory_order_relaxed);
    const Region last = count == 0 ? Region{} : entries[count - 1].load();
    low_.store(count == 0 ? nullptr : entries[0].load().base, std::memory_order_release);
    high_.store(count == 0 ? nullptr : last.base + last.size, std::memory_order_release);
    version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

  std::atomic<const std::byte*> low_{nullptr};
  std::atomic<const std::byte*> high_{nullptr};
  std::atomic<std::uint64_t> version_{0};
  std::atomic<Entry*> entries_{nullptr};
  std::atomic<std::size_t> count_{0};
  std::size_t capacity_ = 0;
  std::array<Entry*, 64>
      outgrown_{};  // each twice the one before: enough for any address space; held, so that they are no leak
  std::size_t outgrown_count_ = 0;
};

constinit Table table;
constinit std::mutex writers;
constinit std::atomic<std::uint64_t> last_id{0};

std::size_t round_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

UniqueFd make_file(std::uint64_t id, std::size_t size) {
  auto nonce = process_nonce();
  if (!nonce.ok()) return {};
  UniqueFd fd(memfd_create(file_name(*nonce, id).c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) return {};
  if (ftruncate(fd.get(), static_cast<off_t>(size)) != 0) return {};
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) return {};
  return fd;
}

// Maps at a multiple of 2 MiB, without which no huge page fits.
std::byte* map(int fd, std::size_t size) {
  const std::size_t alignment = size >= kHugePage ? kHugePage : kPage;
  const std::size_t reserved = size + alignment;
  void* space = mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (space == MAP_FAILED) return nullptr;
  auto* first = static_cast<std::byte*>(space);
  auto* base = reinterpret_cast<std::byte*>(round_up(reinterpret_cast<std::uintptr_t>(first), alignment));
  const int flags = MAP_FIXED | (fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS);
  if (mmap(base, size, PROT_READ | PROT_WRITE, flags, fd, 0) == MAP_FAILED) {
    munmap(space, reserved);
    return nullptr;
  }
  if (base > first) munmap(first, static_cast<std::size_t>(base - first));
  std::byte* end = base + size;
  if (end < first + reserved) munmap(end, static_cast<std::size_t>(first + reserved - end));
  return base;
}

// Pages now rather than in the first operation. Before Linux 5.14 the advice is unknown, and the pages come when
// touched.
int populate(std::byte* base, std::size_t size) {
  madvise(base, size, MADV_HUGEPAGE);
  int error = 0;
  do {
    error = madvise(base, size, MADV_POPULATE_WRITE) == 0 ? 0 : errno;
  } while (error == EINTR || error == EAGAIN);
  return error == EINVAL ? 0 : error;
}

}  // namespace

Result<Nonce> process_nonce() {
  static const Result<Nonce>* const nonce = new Result<Nonce>(make_nonce());  // leaked: usable until the process ends
  return *nonce;
}

std::string file_name(const Nonce& process, std::uint64_t id) {
  return "amalgam-memory-" + hex(process) + "-" + std::to_string(id);
}

Result<void*> allocate(std::size_t bytes) {
  const std::size_t size = round_up(std::max<std::size_t>(bytes, 1), kPage);
  if (size < bytes || size > SIZE_MAX / 4) return Status(Code::kInvalidArgument, "host memory of impossible size");
  Region region{last_id.fetch_add(1, std::memory_order_relaxed) + 1, -1, nullptr, size};
  UniqueFd fd = make_file(region.id, size);
  region.base = map(fd.get(), size);
  if (region.base == nullptr) return system_error("mmap of " + std::to_string(size) + " bytes of host memory", errno);
  if (const int error = populate(region.base, size); error != 0) {
    munmap(region.base, size);
    return system_error("allocation of " + std::to_string(size) + " bytes of host memory", error);
  }
  region.fd = fd.release();
  const std::lock_guard lock(writers);
  table.insert(region);
  return static_cast<void*>(region.base);
}

Status release(void* address) {
  Region region;
  {
    const std::lock_guard lock(writers);
    if (!table.remove(static_cast<const std::byte*>(address), &region))
      return Status(Code::kInvalidArgument, "this address was not allocated by ncclMemAlloc, or is already free");
  }
  if (region.fd >= 0) {  // peers may keep the file mapped for long; its pages go now
    fallocate(region.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(region.size));
    ::close(region.fd);
  }
  munmap(region.base, region.size);
  return {};
}

bool find(ConstBytes range, Region* region) { return table.find(range.data(), range.size(), region); }

}  // namespace amalgam::host_memory
