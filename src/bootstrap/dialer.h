#pragma once

// The dialler's half of the handshake, tried over a peer's addresses until one is authenticated or the deadline passes.
//
// What went wrong decides: time-outs, resets and full listeners are tried again; a refused connection or a listener
// that does not know the key is tried again only by a patient dialler (the other side may not be ready yet); another
// protocol version or a wrong proof ends it. The error names peer and address.
//
// Threads    the service thread only.
// Ownership  destroying a Dialer cancels it; `done` is called at most once, never from the constructor, and may
//            destroy it.

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "bootstrap/handshake.h"
#include "bootstrap/loop.h"

namespace amalgam::bootstrap {

struct DialOptions {
  std::string peer;  // for error texts: "the root", "rank 3"
  std::vector<SocketAddress> addresses;
  SocketAddress local;  // source address to bind; AF_UNSPEC: any
  Key key{};
  Purpose purpose{};
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  transport::StreamKey stream{};
  TimePoint deadline;
  bool patient = false;
  bool early = false;       // the listener may not have heard of the key yet
  std::string unknown_key;  // for the error's text: what it means that the listener does not know the key
};

class Dialer {
 public:
  using Done = std::function<void(Result<UniqueFd>)>;
  Dialer(Loop& loop, DialOptions options, Done done);
  const Status& last_failure() const { return last_failure_; }

 private:
  enum class Step { kConnect, kChallenge, kWelcome };
  enum class Weight { kRetry, kRefused, kFatal };

  const SocketAddress& address() const { return options_.addresses[attempt_ % options_.addresses.size()]; }
  void start();
  void no_socket(int error);
  void advance();
  void connected();
  void challenged();
  void welcomed();
  bool receive(Bytes frame);  // true when the frame is whole
  void answered(Answer answer, std::uint16_t version);
  void unknown_key();
  Status failure(Code code, const std::string& cause) const;
  void failed(Weight weight, Code code, const std::string& cause);
  void finish(Result<UniqueFd> result);

  Loop& loop_;
  DialOptions options_;
  Done done_;
  std::size_t attempt_ = 0;
  bool only_refusals_ = true;  // in this round over the addresses
  Status last_failure_;
  bool other_secret_ = false;  // the listener's: last_failure_ says so and stays, what follows says less

  UniqueFd fd_;
  Watch watch_;
  Timer limit_;
  Timer next_;
  Step step_ = Step::kConnect;
  HelloFrame hello_{};
  std::array<std::byte, sizeof(ChallengeFrame)> frame_{};
  std::size_t have_ = 0;
};

}  // namespace amalgam::bootstrap
