#pragma once

// Host memory that other processes of this machine can map: what ncclMemAlloc gives to CPU ranks.
//
// A buffer of malloc can reach a peer only by copying; one from here is backed by a memfd, so a transport can name it
// (file, offset) and the peer reads it where it lies. Whole pages, zeroed, pre-faulted; huge pages when the system
// allows. When no memfd can be had (descriptors exhausted), the memory is plain: region.fd is -1 and it cannot be
// shared.
//
// Threads    all functions: any. find() takes no lock and is two loads while nothing is allocated.
// Ownership  release() returns the pages at once; a peer that still maps them reads zeros, never faults.
// Errors     allocate: kSystem; release of an address that allocate() did not return: kInvalidArgument.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/nonce.h"
#include "base/status.h"
#include "base/types.h"

namespace amalgam::host_memory {

struct Region {
  std::uint64_t id = 0;  // never used twice in this process
  int fd = -1;
  std::byte* base = nullptr;
  std::size_t size = 0;
};

Result<void*> allocate(std::size_t bytes);
Status release(void* address);

// The region that holds all of `range`. May miss while another thread allocates or releases, so a miss only means:
// copy.
bool find(ConstBytes range, Region* region);

// Names the memfd of a region, so that a peer can prove that a descriptor number of this process still means that
// region.
std::string file_name(const Nonce& process, std::uint64_t id);
Result<Nonce> process_nonce();

}  // namespace amalgam::host_memory
