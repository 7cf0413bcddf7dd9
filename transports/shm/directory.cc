#include "transports/shm/directory.h"

#include <fmt/format.h>

namespace amalgam::shm {

Result<Directory> Directory::create(const Identity& owner, Reach reach) {
  auto segment = Segment::create(owner.nonce, directory_bytes(owner.ranks), reach);
  if (!segment.ok()) return segment.status();
  Directory directory;
  directory.segment_ = segment.take();
  directory.base_ = directory.segment_.base();
  directory.ranks_ = owner.ranks;
  Head& head = directory.head();
  head.rank = static_cast<std::uint32_t>(owner.rank);
  head.ranks = static_cast<std::uint32_t>(owner.ranks);
  head.communicator = owner.communicator;
  head.nonce = owner.nonce;
  head.magic = kDirectoryMagic;
  return directory;
}

Result<Directory> Directory::open(const Identity& owner, pid_t pid, int fd, Reach reach) {
  const std::size_t size = directory_bytes(owner.ranks);
  auto file = reach == Reach::kProc ? open_by_proc(pid, fd, segment_name(owner.nonce), size, true)
                                    : open_by_name(owner.nonce, size);
  if (!file.ok()) return file.status();
  auto mapping = Mapping::map(file->get(), size, true);
  if (!mapping.ok()) return mapping.status();
  Directory directory;
  directory.mapping_ = mapping.take();
  directory.base_ = directory.mapping_.base();
  directory.ranks_ = owner.ranks;
  AMALGAM_TRY(directory.check(owner));
  return directory;
}

Status Directory::check(const Identity& owner) const {
  const Head& h = head();
  const bool same = h.magic == kDirectoryMagic && h.rank == static_cast<std::uint32_t>(owner.rank) &&
                    h.ranks == static_cast<std::uint32_t>(owner.ranks) && h.communicator == owner.communicator &&
                    h.nonce == owner.nonce;
  if (same) return {};
  return Status(Code::kProtocol, fmt::format("the shared memory of rank {} is not what it described", owner.rank));
}

Entry& Directory::entry(int peer, int channel) const {
  auto* entries = reinterpret_cast<Entry*>(base_ + kHeadBytes);
  return entries[static_cast<std::size_t>(peer) * kChannels + static_cast<std::size_t>(channel)];
}

std::atomic<Reach>& Directory::reach(int peer) const {
  auto* reaches = reinterpret_cast<std::atomic<Reach>*>(base_ + kHeadBytes + entries_bytes(ranks_));
  return reaches[peer];
}

}  // namespace amalgam::shm
