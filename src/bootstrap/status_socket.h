#pragma once

// Answers `amalgam status PID`: an abstract unix socket "amalgam-PID" that takes one request line and returns text.
//
// Only the same user or root is answered (SO_PEERCRED). The text is made by the registered reporter on a helper thread,
// so that a slow reader or reporter never holds up the service thread; at most kHelpers at a time.
//
// Threads  open(): before the loop runs. set_reporter(): any.

#include <functional>
#include <string>

#include "base/unique_fd.h"
#include "bootstrap/loop.h"

namespace amalgam::bootstrap {

class StatusSocket {
 public:
  static constexpr int kHelpers = 4;

  explicit StatusSocket(Loop& loop) : loop_(loop) {}
  void open();  // without it the library works as well: failures are only logged
  static void set_reporter(std::function<std::string()> reporter);

 private:
  void accept_one();

  Loop& loop_;
  UniqueFd fd_;
  Watch watch_;
};

}  // namespace amalgam::bootstrap
