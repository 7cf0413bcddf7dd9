// User-made operations. A handle carries a number of its communicator, so that one used with another is noticed.

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <limits>

#include "comm/communicator.h"
#include "launch/api.h"
#include "launch/told.h"
#include "observe/log.h"

namespace amalgam::launch {
namespace {

// NCCL reserves small numbers for built-in operations and 31 bits in all. Two communicators of a process have the same
// salt only when as many as there are salts were made between them.
constexpr int kFirstHandle = 5;
constexpr int kSalts = 65536;  // handle = first + index · salts + the communicator's salt
constexpr std::size_t kMostAtOnce = (std::numeric_limits<int>::max() - kFirstHandle) / kSalts;

int salt_of(const Communicator* communicator) { return static_cast<int>(communicator->ordinal() % kSalts); }

Result<comm::UserOperation*> find(Communicator* communicator, int handle) {
  auto& all = communicator->user_operations();
  const int number = handle - kFirstHandle;
  const auto index = static_cast<std::size_t>(number / kSalts);
  if (number < 0 || number % kSalts != salt_of(communicator) || index >= all.size() || !all[index].live)
    return Status(Code::kInvalidArgument,
                  fmt::format("{} is not a live reduction operation of this communicator", handle));
  return &all[index];
}

}  // namespace

Status create_premul_sum(Communicator* communicator, DataType type, const void* scalar, Scalar when, int* handle) {
  auto& all = communicator->user_operations();
  std::size_t index = 0;
  while (index < all.size() && all[index].live) ++index;
  if (index == kMostAtOnce)
    return told(Status(Code::kInvalidUsage,
                       fmt::format("this communicator has {} reduction operations: destroy some first", index)));
  if (index == all.size()) all.emplace_back();
  comm::UserOperation& operation = all[index];
  operation = {.live = true, .type = type, .scalar = {}, .read_from = when == Scalar::kAtUse ? scalar : nullptr};
  if (when == Scalar::kNow) std::memcpy(operation.scalar.data(), scalar, size_of(type));
  *handle = kFirstHandle + static_cast<int>(index) * kSalts + salt_of(communicator);
  return {};
}

Status destroy_operation(Communicator* communicator, int handle) {
  Result<comm::UserOperation*> operation = find(communicator, handle);
  if (!operation) return told(operation.status());
  (*operation)->live = false;
  return {};
}

Status resolve_operation(Communicator* communicator, int handle, Request* request) {
  Result<comm::UserOperation*> operation = find(communicator, handle);
  if (!operation) return told(operation.status());
  if ((*operation)->type != request->type)
    return told(Status(Code::kInvalidArgument, fmt::format("reduction operation {} was made for {}, not {}", handle,
                                                           name_of((*operation)->type), name_of(request->type))));
  request->op = ReduceOp::kPreMulSum;
  request->scalar = (*operation)->scalar;
  if (communicator->stack().runtime != nullptr) {
    request->scalar_at = (*operation)->read_from;  // device memory: read when the operation runs
  } else if ((*operation)->read_from != nullptr) {
    std::memcpy(request->scalar.data(), (*operation)->read_from, size_of(request->type));
  }
  return {};
}

}  // namespace amalgam::launch
