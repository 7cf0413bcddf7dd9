#include "transports/shm/region_cache.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include "base/host_memory.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

namespace amalgam::shm {
namespace {

constexpr std::size_t kPopulateAtMost = std::size_t{256} << 20;  // more would stall the rank for too long

}  // namespace

Result<std::shared_ptr<const MappedRegion>> RegionCache::find(const ring::Reference& reference) {
  const std::lock_guard lock(mutex_);
  for (const auto& region : regions_)
    if (region->id == reference.region) return region;
  const std::string name = host_memory::file_name(memory_, reference.region);
  auto file = open_by_proc(pid_, reference.fd, name, reference.size, false);
  if (!file.ok() && file.status().code() == Code::kRemote) return file.status();
  if (!file.ok()) return Status(Code::kProtocol, "a slice by reference cannot be read: " + file.status().message());
  auto mapping = Mapping::map(file->get(), reference.size, false);
  if (!mapping.ok()) return mapping.status();
  if (mapping->size() <= kPopulateAtMost) madvise(mapping->base(), mapping->size(), MADV_POPULATE_READ);
  auto region = std::make_shared<const MappedRegion>(MappedRegion{reference.region, mapping.take()});
  if (regions_.size() == kMost) regions_.erase(regions_.begin());
  regions_.push_back(region);
  return region;
}

}  // namespace amalgam::shm
