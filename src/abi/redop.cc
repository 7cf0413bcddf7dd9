// User operations: PreMulSum, each rank with its own scalar. A device scalar may still be written after the handle was
// made; CPU ranks' "device" memory is plain memory.

#include "abi/entry.h"

using namespace amalgam;
using abi::check_communicator;
using abi::check_pointer;
using abi::communicator_of;
using abi::invalid_argument;
using abi::raw_value;

ncclResult_t pncclRedOpCreatePreMulSum(ncclRedOp_t* op, void* scalar, ncclDataType_t datatype,
                                       ncclScalarResidence_t residence, ncclComm_t comm) {
  constexpr const char* kName = "ncclRedOpCreatePreMulSum";
  return abi::entry(kName, [&]() -> Status {
    AMALGAM_TRY(check_communicator(kName, comm));
    AMALGAM_TRY(check_pointer(kName, "op", op));
    AMALGAM_TRY(check_pointer(kName, "scalar", scalar));
    const int type = raw_value(datatype);
    if (type < 0 || type >= kDataTypes) return invalid_argument("{}: {} is not a data type", kName, type);
    const int where = raw_value(residence);
    if (where != ncclScalarDevice && where != ncclScalarHostImmediate)
      return invalid_argument("{}: {} is neither ncclScalarDevice nor ncclScalarHostImmediate", kName, where);
    const auto when = where == ncclScalarDevice ? launch::Scalar::kAtUse : launch::Scalar::kNow;
    int handle = 0;
    AMALGAM_TRY(launch::create_premul_sum(communicator_of(comm), static_cast<DataType>(type), scalar, when, &handle));
    *op = static_cast<ncclRedOp_t>(handle);
    return {};
  });
}
AMALGAM_PUBLIC_NAME(ncclRedOpCreatePreMulSum);

ncclResult_t pncclRedOpDestroy(ncclRedOp_t op, ncclComm_t comm) {
  constexpr const char* kName = "ncclRedOpDestroy";
  return abi::entry(kName, [&]() -> Status {
    AMALGAM_TRY(check_communicator(kName, comm));
    const int handle = raw_value(op);
    if (handle < ncclNumOps) return invalid_argument("{}: {} is not an operation that was created", kName, handle);
    return launch::destroy_operation(communicator_of(comm), handle);
  });
}
AMALGAM_PUBLIC_NAME(ncclRedOpDestroy);
