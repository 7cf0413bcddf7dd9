#include "plugins/island/nccl_shaped/library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "plugins/island/nccl_shaped/island.h"

namespace amalgam::nccl_shaped {
namespace {

constexpr int kFirstWithFp8 = 22400;

std::string dotted(int version) {
  constexpr int kLastShort = 10000;  // up to 2.8 the minor version had one digit
  return version < kLastShort ? fmt::format("{}.{}.{}", version / 1000, version / 100 % 10, version % 100)
                              : fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

}  // namespace

Code code_of(int result) {
  switch (result) {
    case 0: return Code::kOk;
    case 1: return Code::kDevice;
    case 2: return Code::kSystem;
    case 3: return Code::kInternal;
    case 4: return Code::kInvalidArgument;
    case 5: return Code::kInvalidUsage;
    case 6: return Code::kRemote;
    case 7: return Code::kInProgress;
    case 8: return Code::kTimeout;
    default: return Code::kInternal;
  }
}

Library::Library(const Table& table, void* handle, std::string path, std::string how)
    : table_(table), handle_(handle), path_(std::move(path)), how_(std::move(how)), calls_(load(handle)) {}

Result<std::unique_ptr<Library>> Library::create(const Table& table, void* handle, std::string path, std::string how) {
  std::unique_ptr<Library> library(new Library(table, handle, std::move(path), std::move(how)));
  if (!library->calls_.missing.empty())
    return Status(Code::kSystem,
                  fmt::format("{} is not {}: it has no {}", library->path_, table.name, library->calls_.missing));
  AMALGAM_TRY(library->status_of("ncclGetVersion", library->calls_.GetVersion(&library->version_)));
  if (library->version_ < table.oldest)
    return Status(Code::kSystem, fmt::format("{} is {} {}; {} or newer is needed", library->path_, table.name,
                                             dotted(library->version_), dotted(table.oldest)));
  return library;
}

std::string Library::describe() const {
  return fmt::format("{} {} ({}, {})", table_.name, dotted(version_), path_, how_);
}

Result<std::vector<std::byte>> Library::make_id() const {
  UniqueId id;
  AMALGAM_TRY(status_of("ncclGetUniqueId", calls_.GetUniqueId(&id)));
  return std::vector<std::byte>(id.bytes.begin(), id.bytes.end());
}

std::unique_ptr<island::Island> Library::make_island() const { return std::make_unique<Island>(*this); }

Result<void*> Library::allocate(std::size_t bytes) const {
  if (calls_.MemAlloc == nullptr) return missing("ncclMemAlloc");
  void* memory = nullptr;
  AMALGAM_TRY(status_of("ncclMemAlloc", calls_.MemAlloc(&memory, bytes)));
  return memory;
}

Status Library::release(void* memory) const {
  return calls_.MemFree == nullptr ? missing("ncclMemFree") : status_of("ncclMemFree", calls_.MemFree(memory));
}

void* Library::function(const char* name) const { return ::dlsym(handle_, name); }

Status Library::missing(const char* call) const {
  return Status(Code::kInvalidUsage, fmt::format("{} {} has no {}", table_.name, dotted(version_), call));
}

// The vendor's own last error says more than the name of its code.
Status Library::failure(const char* call, int result) const {
  const Code code = code_of(result);
  if (code == Code::kInProgress) return Status(code, "");
  const char* words = calls_.GetErrorString != nullptr ? calls_.GetErrorString(result) : nullptr;
  const char* detail = calls_.GetLastError != nullptr ? calls_.GetLastError(nullptr) : nullptr;
  std::string text = fmt::format("{} {}: {}: {} ({})", table_.name, dotted(version_), call,
                                 words != nullptr ? words : "error", result);
  if (detail != nullptr && *detail != '\0') text += fmt::format(": {}", detail);
  return Status(code, std::move(text));
}

int Library::number_of(DataType type) const {
  switch (type) {
    case DataType::kInt8: return 0;
    case DataType::kUint8: return 1;
    case DataType::kInt32: return 2;
    case DataType::kUint32: return 3;
    case DataType::kInt64: return 4;
    case DataType::kUint64: return 5;
    case DataType::kFloat16: return 6;
    case DataType::kFloat32: return 7;
    case DataType::kFloat64: return 8;
    case DataType::kBfloat16: return 9;
    case DataType::kFloat8e4m3: return version_ >= kFirstWithFp8 ? 10 : kNone;
    case DataType::kFloat8e5m2: return version_ >= kFirstWithFp8 ? 11 : kNone;
  }
  return kNone;
}

int Library::number_of(ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum: return 0;
    case ReduceOp::kProd: return 1;
    case ReduceOp::kMax: return 2;
    case ReduceOp::kMin: return 3;
    case ReduceOp::kAvg: return 4;
    case ReduceOp::kPreMulSum: break;  // an operation is made for it
  }
  return kNone;
}

}  // namespace amalgam::nccl_shaped
