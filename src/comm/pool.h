#pragma once

#include <memory>
#include <vector>

namespace amalgam::comm {

// Objects that are made once and used again, so that a repeated call allocates nothing. No lock of its own.
template <typename T>
class Pool {
 public:
  T* take() {
    if (idle_.empty()) {
      all_.push_back(std::make_unique<T>());
      idle_.reserve(all_.size());
      return all_.back().get();
    }
    T* taken = idle_.back();
    idle_.pop_back();
    return taken;
  }
  void give(T* taken) { idle_.push_back(taken); }

 private:
  std::vector<std::unique_ptr<T>> all_;
  std::vector<T*> idle_;
};

}  // namespace amalgam::comm
