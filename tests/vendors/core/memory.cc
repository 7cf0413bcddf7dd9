// Device and pinned memory. The record of written memory has one byte for each granule of 64 bytes: a write anywhere in
// a granule counts for all of it, so a read of memory never written is found to within 64 bytes.

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "tests/vendors/core/core.h"

namespace standin {
namespace {

constexpr std::size_t kGranule = 64;
constexpr std::size_t kAlignment = 512;

// As CUDA reads its list: up to the first that is not there.
std::vector<int> visible_ordinals(int devices) {
  std::vector<int> visible;
  const char* text = face_visible();
  for (int one = 0; text == nullptr && one < devices; ++one) visible.push_back(one);
  while (text != nullptr && *text != '\0') {
    char* end = nullptr;
    const long one = std::strtol(text, &end, 10);
    if (end == text || one < 0 || one >= devices) break;
    visible.push_back(static_cast<int>(one));
    text = *end == ',' ? end + 1 : end;
  }
  return visible;
}

struct Memory {
  std::mutex lock;
  int devices = 0;
  std::vector<int> ordinals;
  std::size_t bytes = 0;
  std::vector<unsigned char*> written;
  std::map<std::uintptr_t, Range> ranges;  // by base
  std::uint64_t made = 0;                  // ranges ever
};

void map_device(Memory& memory, int device) {
  const int file = memfd_create("standin-device", MFD_CLOEXEC);
  if (file < 0 || ftruncate(file, static_cast<off_t>(memory.bytes)) != 0) misuse("start", "no memory for a device");
  const std::uintptr_t at = kDeviceBase + static_cast<std::uintptr_t>(device) * kDeviceStride;
  const auto map = [&](std::uintptr_t address, int protection) {
    void* wanted = reinterpret_cast<void*>(address);
    if (mmap(wanted, memory.bytes, protection, MAP_SHARED | MAP_FIXED_NOREPLACE, file, 0) != wanted)
      misuse("start", "the fixed addresses of a device are taken");
  };
  map(at, PROT_NONE);
  map(at - kMirror, PROT_READ | PROT_WRITE);
  close(file);
  memory.written.push_back(static_cast<unsigned char*>(std::calloc(memory.bytes / kGranule + 1, 1)));
}

Memory& memory() {
  static Memory* const all = [] {
    auto* made = new Memory;
    made->ordinals = visible_ordinals(static_cast<int>(number_from("STANDIN_DEVICES", 1)));
    made->devices = static_cast<int>(made->ordinals.size());
    made->bytes = number_from("STANDIN_MEMORY", std::size_t{1} << 30) & ~std::size_t{4095};
    if (made->bytes == 0 || made->bytes > kDeviceStride) misuse("start", "STANDIN_MEMORY is 4 KiB to 64 GiB");
    for (int device = 0; device < made->devices; ++device) map_device(*made, device);
    return made;
  }();
  return *all;
}

bool is_device_address(std::uintptr_t address) {
  const Memory& all = memory();
  return address >= kDeviceBase && address < kDeviceBase + static_cast<std::uintptr_t>(all.devices) * kDeviceStride;
}

const Range* find_locked(const Memory& all, std::uintptr_t address) {
  auto after = all.ranges.upper_bound(address);
  if (after == all.ranges.begin()) return nullptr;
  const Range& range = std::prev(after)->second;
  return address < range.base + range.bytes ? &range : nullptr;
}

unsigned char* granule(const Memory& all, std::uintptr_t address) {
  const std::uintptr_t offset = address - kDeviceBase;
  return all.written[offset / kDeviceStride] + offset % kDeviceStride / kGranule;
}

std::size_t granules(std::uintptr_t address, std::size_t bytes) {
  return bytes == 0 ? 0 : (address % kGranule + bytes - 1) / kGranule + 1;
}

// First fit; a granule of 512 bytes stays free between two allocations so that an overrun meets no neighbour.
std::uintptr_t free_place(const Memory& all, int device, std::size_t bytes) {
  std::uintptr_t at = kDeviceBase + static_cast<std::uintptr_t>(device) * kDeviceStride;
  const std::uintptr_t end = at + all.bytes;
  for (auto next = all.ranges.lower_bound(at); next != all.ranges.end() && next->first < end; ++next) {
    if (next->first - at >= bytes + kAlignment) return at;
    at = (next->first + next->second.bytes + 2 * kAlignment - 1) / kAlignment * kAlignment;
  }
  return at <= end && end - at >= bytes ? at : 0;
}

void add(Memory& all, const Range& range) {
  all.ranges[range.base] = range;
  ++all.made;
}

}  // namespace

void misuse(const char* call, const char* rule) {
  std::fprintf(stderr, "stand-in: %s: %s\n", call, rule);
  std::abort();
}

std::size_t number_from(const char* variable, std::size_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

int device_count() { return memory().devices; }
int ordinal(int device) { return memory().ordinals[static_cast<std::size_t>(device)]; }
std::size_t device_bytes() { return memory().bytes; }

std::size_t device_bytes_free(int device) {
  Memory& all = memory();
  const std::lock_guard<std::mutex> hold(all.lock);
  std::size_t used = 0;
  for (const auto& [base, range] : all.ranges)
    if (range.kind == Kind::kDevice && range.device == device) used += range.bytes;
  return all.bytes - used;
}

void* allocate(int device, std::size_t bytes) {
  Memory& all = memory();
  const std::lock_guard<std::mutex> hold(all.lock);
  const std::uintptr_t base = free_place(all, device, bytes);
  if (base == 0) return nullptr;
  std::memset(granule(all, base), 0, granules(base, bytes));
  add(all, Range{Kind::kDevice, device, base, bytes, false});
  return reinterpret_cast<void*>(base);
}

void* allocate_pinned(int device, std::size_t bytes) {
  void* made = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (made == MAP_FAILED) return nullptr;
  Memory& all = memory();
  const std::lock_guard<std::mutex> hold(all.lock);
  const auto base = reinterpret_cast<std::uintptr_t>(made);
  add(all, Range{Kind::kPinned, device, base, bytes, false});
  return made;
}

bool add_pinned(int device, void* pointer, std::size_t bytes) {
  Memory& all = memory();
  const std::lock_guard<std::mutex> hold(all.lock);
  const auto base = reinterpret_cast<std::uintptr_t>(pointer);
  const auto next = all.ranges.lower_bound(base);
  if (find_locked(all, base) != nullptr || (next != all.ranges.end() && next->first < base + bytes)) return false;
  add(all, Range{Kind::kPinned, device, base, bytes, true});
  return true;
}

void forget(const Range& range) {
  Memory& all = memory();
  const std::lock_guard<std::mutex> hold(all.lock);
  all.ranges.erase(range.base);
  if (range.kind == Kind::kPinned && !range.registered) munmap(reinterpret_cast<void*>(range.base), range.bytes);
}

std::uint64_t allocations() {
  Memory& all = memory();
  const std::lock_guard<std::mutex> hold(all.lock);
  return all.made;
}

std::optional<Range> find(const void* pointer) {
  Memory& all = memory();
  const std::lock_guard<std::mutex> hold(all.lock);
  const Range* range = find_locked(all, reinterpret_cast<std::uintptr_t>(pointer));
  return range == nullptr ? std::nullopt : std::optional<Range>(*range);
}

char* reach(const char* call, const void* pointer, std::size_t bytes) {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  Memory& all = memory();
  if (!is_device_address(address)) return reinterpret_cast<char*>(address);
  const std::lock_guard<std::mutex> hold(all.lock);
  const Range* range = find_locked(all, address);
  if (range == nullptr) misuse(call, "device memory that is not allocated (never, or freed already)");
  if (bytes > range->base + range->bytes - address) misuse(call, "beyond the end of a device allocation");
  return reinterpret_cast<char*>(address - kMirror);
}

const char* reach_read(const char* call, const void* pointer, std::size_t bytes) {
  const char* at = reach(call, pointer, bytes);
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  if (!is_device_address(address)) return at;
  Memory& all = memory();
  const std::lock_guard<std::mutex> hold(all.lock);
  if (std::memchr(granule(all, address), 0, granules(address, bytes)) != nullptr)
    misuse(call, "read of device memory that was never written");
  return at;
}

char* reach_write(const char* call, void* pointer, std::size_t bytes) {
  char* at = reach(call, pointer, bytes);
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  if (!is_device_address(address)) return at;
  Memory& all = memory();
  const std::lock_guard<std::mutex> hold(all.lock);
  std::memset(granule(all, address), 1, granules(address, bytes));
  return at;
}

}  // namespace standin
