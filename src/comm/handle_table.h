#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace amalgam::comm {

// Registered buffers and windows of one communicator. A handle is the address of its entry, so it is unique among live
// ones and never NULL; a handle is looked up, never followed.
//
// Threads    any (frameworks register from their allocator's thread)
class HandleTable {
 public:
  enum class Kind : unsigned char { kBuffer, kWindow };

  void* add(Kind kind, void* buffer, std::size_t bytes) {
    auto entry = std::make_unique<Entry>(Entry{kind, buffer, bytes});
    void* handle = entry.get();
    std::lock_guard lock(mutex_);
    entries_.emplace(handle, std::move(entry));
    return handle;
  }
  // A handle that a vendor's library made.
  void remember(Kind kind, void* handle, void* buffer, std::size_t bytes) {
    std::lock_guard lock(mutex_);
    entries_.insert_or_assign(handle, std::make_unique<Entry>(Entry{kind, buffer, bytes}));
  }
  bool remove(Kind kind, void* handle) {
    std::lock_guard lock(mutex_);
    const auto found = entries_.find(handle);
    if (found == entries_.end() || found->second->kind != kind) return false;
    entries_.erase(found);
    return true;
  }
  void* buffer(Kind kind, void* handle) const {  // null when it is no live handle of that kind
    std::lock_guard lock(mutex_);
    const auto found = entries_.find(handle);
    return found == entries_.end() || found->second->kind != kind ? nullptr : found->second->buffer;
  }

 private:
  struct Entry {
    Kind kind;
    void* buffer;
    std::size_t bytes;
  };
  mutable std::mutex mutex_;
  std::unordered_map<void*, std::unique_ptr<Entry>> entries_;
};

}  // namespace amalgam::comm
