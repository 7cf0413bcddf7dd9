// Our own extensions of amalgam/amalgam.h: what a call would take, and what the communicator looks like.

#include <algorithm>
#include <cstring>

#include "abi/entry.h"
#include "amalgam/amalgam.h"

using namespace amalgam;

static_assert(AMALGAM_ALLREDUCE == static_cast<int>(Collective::kAllReduce));
static_assert(AMALGAM_REDUCESCATTER == static_cast<int>(Collective::kReduceScatter));
static_assert(AMALGAM_RECV == static_cast<int>(Collective::kRecv) && AMALGAM_RECV == kCollectives - 1);

ncclResult_t amalgam_predict(ncclComm_t comm, int collective, size_t count, ncclDataType_t datatype, double* bound_us,
                             double* predicted_us) {
  constexpr const char* kName = "amalgam_predict";
  return abi::entry(kName, [&]() -> Status {
    AMALGAM_TRY(abi::check_communicator(kName, comm));
    launch::Communicator* communicator = abi::communicator_of(comm);
    if (collective < 0 || collective >= kCollectives)
      return abi::invalid_argument("{}: {} is not a collective", kName, collective);
    const int type = abi::raw_value(datatype);
    if (type < 0 || type >= kDataTypes) return abi::invalid_argument("{}: {} is not a data type", kName, type);
    Result<launch::Prediction> prediction =
        launch::predict(communicator, static_cast<Collective>(collective), count, static_cast<DataType>(type));
    if (!prediction.ok()) return prediction.status();
    if (bound_us != nullptr) *bound_us = prediction->bound_us;
    if (predicted_us != nullptr) *predicted_us = prediction->predicted_us;
    return {};
  });
}

ncclResult_t amalgam_describe(ncclComm_t comm, char* text, size_t size) {
  constexpr const char* kName = "amalgam_describe";
  return abi::entry(kName, [&]() -> Status {
    AMALGAM_TRY(abi::check_communicator(kName, comm));
    launch::Communicator* communicator = abi::communicator_of(comm);
    AMALGAM_TRY(abi::check_pointer(kName, "text", text));
    if (size == 0) return abi::invalid_argument("{}: no room for the text", kName);
    Result<std::string> description = launch::describe(communicator);
    if (!description.ok()) return description.status();
    const std::size_t length = std::min(size - 1, description->size());
    std::memcpy(text, description->data(), length);
    text[length] = '\0';
    return {};
  });
}
