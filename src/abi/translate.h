#pragma once

// Our error codes as NCCL's results, and NCCL's results in words.
//
//   kInvalidArgument ncclInvalidArgument     kInvalidUsage ncclInvalidUsage     kSystem ncclSystemError
//   kInternal        ncclInternalError       kRemote       ncclRemoteError      kInProgress ncclInProgress
//   kProtocol        ncclRemoteError: a peer sent what it may not, or two sides disagree; it takes more than this rank
//   to mend kTimeout         ncclTimeout where the reported version knows it (2.30), else ncclRemoteError: it is a peer
//   that was waited for kAborted         ncclInvalidUsage: this side's program ended the communicator under the call
//
// Total in both directions. Threads: any. translate.cc needs no other layer.

#include "base/status.h"
#include "nccl.h"

namespace amalgam::abi {

ncclResult_t to_result(Code code, long reported_version);
ncclResult_t to_result(Code code);           // with the version that ncclGetVersion reports
const char* words_for(int result) noexcept;  // static text for any number, never null

}  // namespace amalgam::abi
