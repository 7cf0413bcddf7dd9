#pragma once

// An authenticated connection that carries frames: u32 payload length, u8 type, 3 zero bytes, payload.
//
// Threads    the service thread only.
// Ownership  owns its socket. Held by shared_ptr because a callback may drop its owner's reference while the connection
//            still runs. After close() no callback is called.
// Errors     a frame that is longer than its type allows, or any read error, closes the connection and is told once by
//            on_close. What the peer sent before it went away is delivered first, also after a failed write.
// Blocking   never; send() queues.

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/types.h"
#include "bootstrap/loop.h"

namespace amalgam::bootstrap {

enum class FrameType : std::uint8_t {
  // between a joining rank and the root
  kJoin = 1,
  kAssign = 2,
  kAttached = 3,
  kGo = 4,
  // over an edge of the tree
  kHeartbeat = 16,
  kGatherUp = 17,
  kGatherDown = 18,
  kGoodbye = 19,
  kDone = 20,
  kRecordRequest = 21,
  kRecordReply = 22,
  // both
  kError = 32,
};

using Payload = std::shared_ptr<const std::vector<std::byte>>;  // shared by the queues of several neighbours

inline constexpr std::size_t kSmallFrame = 4096;

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  struct Handlers {
    std::function<std::size_t(FrameType)>
        limit;  // largest payload of a type; longer, or 0 with a payload: protocol error
    std::function<void(FrameType, std::vector<std::byte>)> on_frame;
    std::function<void(const Status& cause)> on_close;
  };

  static std::shared_ptr<Connection> open(Loop& loop, UniqueFd fd, Handlers handlers);

  void send(FrameType type, Payload payload = nullptr);
  void send(FrameType type, std::vector<std::byte> payload);
  void close();
  void close_after_flush();  // no callback either; gives up after a few seconds

  bool flushed() const { return queue_.empty(); }
  TimePoint last_received() const { return last_received_; }
  bool unread() const;  // has something arrived that this busy process has not read yet?
  void forgive_silence(TimePoint now) { last_received_ = now; }

 private:
  struct Chunk {
    Payload bytes;
    std::size_t offset = 0;
  };

  Connection(Loop& loop, UniqueFd fd, Handlers handlers);
  void on_event(std::uint32_t events);
  void flush();
  void read_some();
  bool consume(ConstBytes bytes);  // false: closed
  bool finish_header();
  void lost(const Status& cause);

  Loop& loop_;
  UniqueFd fd_;
  Watch watch_;
  Timer linger_;
  Handlers handlers_;
  std::deque<Chunk> queue_;
  bool write_failed_ = false;
  bool lingering_ = false;

  std::vector<std::byte> header_;
  std::size_t length_ = 0;
  FrameType type_{};
  std::vector<std::byte> payload_;
  TimePoint last_received_ = Clock::now();
};

}  // namespace amalgam::bootstrap
