#include "base/status.h"

#include <cstring>

namespace amalgam {

const char* to_string(Code code) {
  switch (code) {
    case Code::kOk: return "ok";
    case Code::kInvalidArgument: return "invalid argument";
    case Code::kInvalidUsage: return "invalid usage";
    case Code::kSystem: return "system error";
    case Code::kInternal: return "internal error";
    case Code::kRemote: return "remote error";
    case Code::kProtocol: return "protocol error";
    case Code::kTimeout: return "timeout";
    case Code::kDevice: return "device error";
    case Code::kAborted: return "aborted";
    case Code::kInProgress: return "in progress";
  }
  return "unknown";
}

const std::string& Status::no_message() {
  static const auto* const empty = new std::string;  // never destroyed: read from static destructors too
  return *empty;
}

Status system_error(const std::string& what, int error_number) {
  char text[128] = {};
  const char* reason = strerror_r(error_number, text, sizeof(text));  // the GNU form: thread-safe, may ignore `text`
  return Status(Code::kSystem, what + ": " + reason + " (errno " + std::to_string(error_number) + ")");
}

}  // namespace amalgam
