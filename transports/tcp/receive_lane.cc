#include "transports/tcp/receive_lane.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace amalgam::tcp {

using transport::SliceTag;

Result<bool> ReceiveLane::fail(Status status) {
  failed_ = std::move(status);
  return failed_;
}

Result<const std::byte*> ReceiveLane::view(const SliceTag& expected) {
  const auto window = static_cast<std::uint64_t>(capabilities_.window);
  if (viewed_ - released_ >= window) return nullptr;
  const std::size_t slice = (capabilities_.slice_bytes + 63) / 64 * 64;
  if (staging_ == nullptr) staging_ = std::make_unique_for_overwrite<std::byte[]>(window * slice + 64);
  auto* first = reinterpret_cast<std::byte*>((reinterpret_cast<std::uintptr_t>(staging_.get()) + 63) / 64 * 64);
  std::byte* place = first + viewed_ % window * slice;
  auto received = pull(expected, Bytes(place, expected.bytes));
  if (!received.ok()) return received.status();
  if (!*received) return nullptr;
  ++viewed_;
  return place;
}

Result<bool> ReceiveLane::receive(const SliceTag& expected, Bytes destination) {
  return pull(expected, destination.first(expected.bytes));
}

Result<bool> ReceiveLane::pull(const SliceTag& expected, Bytes destination) {
  if (!failed_.ok()) return failed_;
  if (expected.bytes > capabilities_.slice_bytes) return fail(Status(Code::kInvalidArgument, "slice too large"));
  auto fd = link_->socket(turn());
  if (!fd.ok()) return fail(fd.status());
  if (*fd < 0) return false;
  const std::size_t header = std::min(got_, kFrameBytes);
  const std::size_t payload = got_ - header;
  iovec pieces[2] = {{frame_.data() + header, kFrameBytes - header},
                     {destination.data() + payload, destination.size() - payload}};
  msghdr message{};
  message.msg_iov = header < kFrameBytes ? pieces : pieces + 1;
  message.msg_iovlen = header < kFrameBytes ? 2 : 1;
  const ssize_t got = recvmsg(*fd, &message, MSG_DONTWAIT);
  return got > 0 ? advance(static_cast<std::size_t>(got), expected) : explain(got, errno);
}

// Compares the tag as soon as the header is whole, so that a slice of another size is never waited for.
Result<bool> ReceiveLane::advance(std::size_t got, const SliceTag& expected) {
  const bool had_header = got_ >= kFrameBytes;
  got_ += got;
  if (!had_header && got_ >= kFrameBytes) {
    const SliceTag arrived = decode(frame_);
    if (arrived != expected)
      return fail(Status(Code::kProtocol, transport::explain_mismatch(expected, arrived, self_, peer_)));
  }
  if (got_ < kFrameBytes + expected.bytes) return false;
  got_ = 0;
  ++slices_;
  return true;
}

Result<bool> ReceiveLane::explain(ssize_t got, int error_number) {
  if (got == 0 || error_number == ECONNRESET || error_number == EPIPE)
    return fail(Status(Code::kRemote, fmt::format("rank {} closed its connection to rank {}", peer_, self_)));
  if (error_number == EAGAIN || error_number == EWOULDBLOCK || error_number == EINTR) return false;
  const Status cause = system_error(fmt::format("rank {}: receiving from rank {}", self_, peer_), error_number);
  return fail(Status(error_number == ETIMEDOUT || error_number == EHOSTUNREACH ? Code::kRemote : Code::kSystem,
                     cause.message()));
}

}  // namespace amalgam::tcp
