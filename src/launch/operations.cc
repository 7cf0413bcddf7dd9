// User-made operations: a premultiplied sum keeps its scalar from the moment it is made.

#include <fmt/format.h>

#include <cstring>

#include "comm/communicator.h"
#include "launch/api.h"
#include "observe/log.h"

namespace amalgam::launch {
namespace {

// NCCL reserves small numbers for built-in operations and 31 bits in all.
constexpr int kFirstHandle = 5;

Status told(Status status) {
  if (!status.ok()) log::error("{}", status.message());
  return status;
}

Result<comm::UserOperation*> find(Communicator* communicator, int handle) {
  auto& all = communicator->user_operations();
  const auto index = static_cast<std::size_t>(handle - kFirstHandle);
  if (handle < kFirstHandle || index >= all.size() || !all[index].live)
    return Status(Code::kInvalidArgument, fmt::format("{} is not a live reduction operation of this communicator", handle));
  return &all[index];
}

}  // namespace

Status create_premul_sum(Communicator* communicator, DataType type, const void* scalar, int* handle) {
  auto& all = communicator->user_operations();
  std::size_t index = 0;
  while (index < all.size() && all[index].live) ++index;
  if (index == all.size()) all.emplace_back();
  all[index].live = true;
  all[index].type = type;
  std::memcpy(all[index].scalar.data(), scalar, size_of(type));
  *handle = kFirstHandle + static_cast<int>(index);
  return {};
}

Status destroy_operation(Communicator* communicator, int handle) {
  Result<comm::UserOperation*> operation = find(communicator, handle);
  if (!operation) return told(operation.status());
  (*operation)->live = false;
  return {};
}

Status resolve_operation(Communicator* communicator, int handle, engine::Request* request) {
  Result<comm::UserOperation*> operation = find(communicator, handle);
  if (!operation) return told(operation.status());
  if ((*operation)->type != request->type)
    return told(Status(Code::kInvalidArgument, fmt::format("reduction operation {} was made for {}, not {}", handle,
                                                           name_of((*operation)->type), name_of(request->type))));
  request->op = ReduceOp::kPreMulSum;
  request->scalar = (*operation)->scalar;
  return {};
}

}  // namespace amalgam::launch
