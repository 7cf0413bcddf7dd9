#include "bootstrap/connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/wire.h"

namespace amalgam::bootstrap {
namespace {

constexpr std::size_t kHeader = 8;
constexpr std::size_t kReadBytes = 64 << 10;
constexpr int kReadsPerEvent = 8;  // then others get their turn
constexpr std::size_t kTrustedReserve = 1 << 20;
constexpr std::chrono::seconds kLinger{5};

std::vector<std::byte> header_of(FrameType type, std::size_t length) {
  Writer writer;
  writer.integer(static_cast<std::uint32_t>(length))
      .integer(static_cast<std::uint8_t>(type))
      .raw(std::array<std::byte, 3>{});
  return writer.take();
}

}  // namespace

Connection::Connection(Loop& loop, UniqueFd fd, Handlers handlers)
    : loop_(loop), fd_(std::move(fd)), handlers_(std::move(handlers)) {
  header_.reserve(kHeader);
}

std::shared_ptr<Connection> Connection::open(Loop& loop, UniqueFd fd, Handlers handlers) {
  std::shared_ptr<Connection> connection(new Connection(loop, std::move(fd), std::move(handlers)));
  Connection* raw = connection.get();
  connection->watch_ = Watch(loop, raw->fd_.get(), EPOLLIN, [raw](std::uint32_t events) { raw->on_event(events); });
  return connection;
}

void Connection::send(FrameType type, std::vector<std::byte> payload) {
  send(type, std::make_shared<const std::vector<std::byte>>(std::move(payload)));
}

void Connection::send(FrameType type, Payload payload) {
  if (!fd_.valid() || lingering_ || write_failed_) return;
  const bool idle = queue_.empty();
  queue_.push_back({std::make_shared<const std::vector<std::byte>>(header_of(type, payload ? payload->size() : 0))});
  if (payload && !payload->empty()) queue_.push_back({std::move(payload)});
  if (idle) flush();
}

void Connection::flush() {
  while (!queue_.empty()) {
    std::array<iovec, 16> pieces;
    std::size_t count = 0;
    for (const Chunk& chunk : queue_) {
      if (count == pieces.size()) break;
      auto* start = const_cast<std::byte*>(chunk.bytes->data()) + chunk.offset;  // NOLINT: iovec has no const form
      pieces[count++] = {start, chunk.bytes->size() - chunk.offset};
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    const ssize_t sent = sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) break;
    if (sent < 0) {  // the reader will tell, after it delivered what is still to be read
      write_failed_ = true;
      queue_.clear();
      break;
    }
    std::size_t left = static_cast<std::size_t>(sent);
    while (left > 0) {
      Chunk& front = queue_.front();
      const std::size_t step = std::min(left, front.bytes->size() - front.offset);
      front.offset += step;
      left -= step;
      if (front.offset == front.bytes->size()) queue_.pop_front();
    }
  }
  watch_.change(queue_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

void Connection::on_event(std::uint32_t events) {
  const std::shared_ptr<Connection> self = shared_from_this();
  if ((events & EPOLLOUT) != 0) flush();
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0 && fd_.valid()) read_some();
  if (lingering_ && queue_.empty() && fd_.valid()) close();
}

void Connection::read_some() {
  std::array<std::byte, kReadBytes> buffer;
  for (int i = 0; i < kReadsPerEvent; ++i) {
    const ssize_t got = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0)
      return lost(
          Status(Code::kRemote, errno == ECONNRESET ? "connection reset" : system_error("read", errno).message()));
    if (got == 0) return lost(Status(Code::kRemote, "connection closed"));
    last_received_ = Clock::now();
    if (!lingering_ && !consume(ConstBytes(buffer).first(static_cast<std::size_t>(got)))) return;
    if (static_cast<std::size_t>(got) < buffer.size()) return;
  }
}

bool Connection::unread() const {
  std::byte first;
  return recv(fd_.get(), &first, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

bool Connection::consume(ConstBytes bytes) {
  while (!bytes.empty()) {
    const bool in_header = header_.size() < kHeader;
    std::vector<std::byte>& target = in_header ? header_ : payload_;
    const std::size_t wanted = in_header ? kHeader - header_.size() : length_ - payload_.size();
    const std::size_t step = std::min(wanted, bytes.size());
    target.insert(target.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(step));
    bytes = bytes.subspan(step);
    if (in_header && header_.size() == kHeader && !finish_header()) return false;
    if (header_.size() < kHeader || payload_.size() < length_) continue;
    std::vector<std::byte> payload = std::exchange(payload_, {});
    header_.clear();
    handlers_.on_frame(type_, std::move(payload));
    if (!fd_.valid()) return false;
    if (lingering_) return true;
  }
  return true;
}

bool Connection::finish_header() {
  Reader reader(header_);
  length_ = reader.integer<std::uint32_t>();
  type_ = static_cast<FrameType>(reader.integer<std::uint8_t>());
  if (const std::size_t limit = handlers_.limit(type_); length_ > limit) {
    lost(Status(Code::kProtocol, "frame of type " + std::to_string(static_cast<int>(type_)) + " with " +
                                     std::to_string(length_) + " bytes, allowed " + std::to_string(limit)));
    return false;
  }
  payload_.reserve(std::min(length_, kTrustedReserve));
  return true;
}

void Connection::lost(const Status& cause) {
  std::function<void(const Status&)> tell = std::move(handlers_.on_close);
  close();
  if (tell) tell(cause);
}

void Connection::close() {
  watch_.reset();
  fd_.reset();
  queue_.clear();
  linger_.reset();  // last: may hold the last reference
}

void Connection::close_after_flush() {
  if (!fd_.valid()) return;
  lingering_ = true;
  handlers_.on_close = nullptr;
  if (queue_.empty()) return close();
  const std::shared_ptr<Connection> self = shared_from_this();  // lives until its queue is empty
  linger_ = Timer(loop_, Clock::now() + kLinger, [self] { self->close(); });
}

}  // namespace amalgam::bootstrap
