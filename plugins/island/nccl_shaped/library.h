#pragma once

// An opened NCCL-shaped library.

#include <string>

#include "base/island.h"
#include "plugins/island/nccl_shaped/calls.h"
#include "plugins/island/nccl_shaped/table.h"

namespace amalgam::nccl_shaped {

class Library final : public island::Library {
 public:
  // `handle` stays open for ever; `how` says for people why it is this file and how it was bound.
  static Result<std::unique_ptr<Library>> create(const Table& table, void* handle, std::string path, std::string how);

  std::string_view vendor() const override { return table_.vendor; }
  std::string_view name() const override { return table_.name; }
  int version() const override { return version_; }
  const std::string& path() const override { return path_; }
  std::string describe() const override;
  bool premultiplies() const override {
    return calls_.RedOpCreatePreMulSum != nullptr && calls_.RedOpDestroy != nullptr;
  }
  Result<std::vector<std::byte>> make_id() const override;
  std::unique_ptr<island::Island> make_island() const override;
  Status group_start() const override { return status_of("ncclGroupStart", calls_.GroupStart()); }
  Status group_end() const override { return status_of("ncclGroupEnd", calls_.GroupEnd()); }
  Result<void*> allocate(std::size_t bytes) const override;
  Status release(void* memory) const override;
  void* function(const char* name) const override;
  Status status_of(const char* call, int result) const override {
    return result == 0 ? Status() : failure(call, result);
  }

  const Calls& calls() const { return calls_; }
  Status missing(const char* call) const;
  // NCCL's numbers, which every library of this shape shares; kNone where its version has no such thing.
  static constexpr int kNone = -1;
  int number_of(DataType type) const;
  static int number_of(ReduceOp op);

 private:
  Library(const Table& table, void* handle, std::string path, std::string how);
  Status failure(const char* call, int result) const;

  const Table& table_;
  void* handle_;
  std::string path_, how_;
  Calls calls_;
  int version_ = 0;
};

// The code that the rest of the library knows a result by.
Code code_of(int result);

}  // namespace amalgam::nccl_shaped
