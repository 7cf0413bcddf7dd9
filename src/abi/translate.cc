#include "abi/translate.h"

#include "config/settings.h"

namespace amalgam::abi {

ncclResult_t to_result(Code code, long reported_version) {
  constexpr long kFirstWithTimeout = NCCL_VERSION(2, 30, 0);
  switch (code) {
    case Code::kOk: return ncclSuccess;
    case Code::kInProgress: return ncclInProgress;
    case Code::kInvalidArgument: return ncclInvalidArgument;
    case Code::kInvalidUsage: return ncclInvalidUsage;
    case Code::kSystem: return ncclSystemError;
    case Code::kInternal: return ncclInternalError;
    case Code::kRemote:
    case Code::kProtocol: return ncclRemoteError;
    case Code::kTimeout: return reported_version >= kFirstWithTimeout ? ncclTimeout : ncclRemoteError;
    case Code::kDevice: return ncclUnhandledCudaError;
    case Code::kAborted: return ncclInvalidUsage;
  }
  return ncclInternalError;
}

ncclResult_t to_result(Code code) { return to_result(code, config::settings().version); }

const char* words_for(int result) noexcept {
  switch (result) {
    case ncclSuccess: return "no error";
    case ncclUnhandledCudaError: return "device runtime error (ncclGetLastError has the details)";
    case ncclSystemError: return "system error (ncclGetLastError has the details)";
    case ncclInternalError:
      return "internal error (a fault of the library: please report it with the text of ncclGetLastError)";
    case ncclInvalidArgument: return "invalid argument (ncclGetLastError has the details)";
    case ncclInvalidUsage: return "invalid usage (ncclGetLastError has the details)";
    case ncclRemoteError:
      return "remote process exited or there was a network error (ncclGetLastError has the details)";
    case ncclInProgress: return "operation in progress";
    case ncclTimeout: return "timeout (ncclGetLastError has the details)";
    default: return "unknown result code";
  }
}

}  // namespace amalgam::abi
