// What a call would take, asked for by measuring programs: the bound of its collective and the cost of its plan.

#include "comm/communicator.h"
#include "launch/api.h"
#include "launch/told.h"
#include "observe/log.h"
#include "plan/choose.h"

namespace amalgam::launch {
namespace {

constexpr double kNanosecondsPerMicrosecond = 1000.0;

}  // namespace

Result<Prediction> predict(Communicator* communicator, Collective collective, std::uint64_t count, DataType type) {
  comm::Use use(communicator);
  if (Status gone = use.status(); !gone.ok()) return told(gone);
  if (Status usable = communicator->usable(); !usable.ok()) return told(usable);
  if (communicator->delegate() != nullptr)
    return told(Status(Code::kInvalidUsage,
                       "this communicator is carried by its vendor's library: there is no plan of ours to predict"));
  Request request;
  request.collective = collective;
  request.type = type;
  request.count = count;
  Result<std::uint64_t> predicted = communicator->plans().predict_ns(request);
  if (!predicted) return told(predicted.status());
  const std::uint64_t bytes = plan::total_bytes(collective, count, size_of(type), communicator->ranks());
  const std::uint64_t bound = plan::bound_ns(collective, communicator->cluster(), bytes);
  return Prediction{static_cast<double>(bound) / kNanosecondsPerMicrosecond,
                    static_cast<double>(*predicted) / kNanosecondsPerMicrosecond};
}

Result<std::string> describe(Communicator* communicator) {
  comm::Use use(communicator);
  if (Status gone = use.status(); !gone.ok()) return told(gone);
  if (Status usable = communicator->usable(); !usable.ok()) return told(usable);
  return communicator->describe();
}

}  // namespace amalgam::launch
