#include "transports/ring/layout.h"

#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace amalgam::ring {

bool populate(std::byte* data, const Geometry& geometry) {
  // Best effort: before Linux 5.14 the advice is unknown and the pages come one by one.
  madvise(data, geometry.slots * geometry.stride(), MADV_POPULATE_WRITE);
  return true;
}

}  // namespace amalgam::ring
