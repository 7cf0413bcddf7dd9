#include "transports/tcp/send_lane.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

namespace amalgam::tcp {

using transport::SliceTag;

Result<bool> SendLane::fail(Status status) {
  failed_ = std::move(status);
  return failed_;
}

Result<bool> SendLane::send(const SliceTag& tag, ConstBytes bytes) {
  if (!failed_.ok()) return failed_;
  if (bytes.size() > slice_bytes_)
    return fail(
        Status(Code::kInvalidArgument, fmt::format("slice of {} bytes, lanes take {}", bytes.size(), slice_bytes_)));
  auto fd = link_->socket(turn());
  if (!fd.ok()) return fail(fd.status());
  return *fd < 0 ? Result<bool>(false) : push(*fd, tag, bytes);
}

// Hands the socket what it takes of the frame that is not sent yet.
Result<bool> SendLane::push(int fd, const SliceTag& tag, ConstBytes bytes) {
  const Frame frame = encode(tag);
  const std::size_t total = kFrameBytes + bytes.size();
  const std::size_t header = std::min(sent_, kFrameBytes);
  iovec pieces[2] = {{const_cast<std::byte*>(frame.data()) + header, kFrameBytes - header},
                     {const_cast<std::byte*>(bytes.data()) + (sent_ - header), total - kFrameBytes - (sent_ - header)}};
  msghdr message{};
  message.msg_iov = header < kFrameBytes ? pieces : pieces + 1;
  message.msg_iovlen = header < kFrameBytes ? 2 : 1;
  const ssize_t sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) return explain(errno);
  sent_ += static_cast<std::size_t>(sent);
  if (sent_ < total) return false;
  sent_ = 0;
  ++slices_;
  return true;
}

Result<bool> SendLane::explain(int error_number) {
  if (error_number == EAGAIN || error_number == EWOULDBLOCK || error_number == EINTR || error_number == ENOBUFS)
    return false;
  if (error_number == EPIPE || error_number == ECONNRESET)
    return fail(Status(Code::kRemote, fmt::format("rank {} closed its connection to rank {}", peer_, self_)));
  const Status cause = system_error(fmt::format("rank {}: sending to rank {}", self_, peer_), error_number);
  return fail(Status(error_number == ETIMEDOUT || error_number == EHOSTUNREACH ? Code::kRemote : Code::kSystem,
                     cause.message()));
}

Result<std::byte*> SendLane::reserve(const SliceTag& tag) {
  if (!failed_.ok()) return failed_;
  if (tag.bytes > slice_bytes_) return fail(Status(Code::kInvalidArgument, "slice too large")).status();
  if (reserved_.empty()) reserved_.resize(slice_bytes_);
  return reserved_.data();
}

Result<bool> SendLane::commit(const SliceTag& tag) { return send(tag, ConstBytes(reserved_).first(tag.bytes)); }

Result<std::uint64_t> SendLane::completed() {
  if (!failed_.ok()) return failed_;
  return slices_;
}

}  // namespace amalgam::tcp
