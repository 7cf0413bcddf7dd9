#pragma once

// Sends frames over a link: header and payload in one call, straight from the caller's memory. A slice that the socket
// took only in part is continued by the next call with the same arguments.
//
// Errors     sticky. A peer that closed or reset its end is kRemote.

#include <memory>

#include "base/transport.h"
#include "transports/tcp/link.h"
#include "transports/tcp/wire.h"

namespace amalgam::tcp {

class SendLane final : public transport::SendLane {
 public:
  SendLane(std::shared_ptr<Link> link, std::uint32_t slice_bytes, int self, int peer)
      : link_(std::move(link)), slice_bytes_(slice_bytes), self_(self), peer_(peer) {}

  Result<bool> send(const transport::SliceTag& tag, ConstBytes bytes) override;
  Result<std::byte*> reserve(const transport::SliceTag& tag) override;
  Result<bool> commit(const transport::SliceTag& tag) override;
  Result<std::uint64_t> completed() override;
  int poll_fd() const override { return link_->known_socket(turn()); }

 private:
  std::size_t turn() const { return slices_ % link_->count(); }
  Result<bool> fail(Status status);
  Result<bool> push(int fd, const transport::SliceTag& tag, ConstBytes bytes);
  Result<bool> explain(int error_number);

  const std::shared_ptr<Link> link_;  // shared with the lane of the other direction
  const std::uint32_t slice_bytes_;
  const int self_;
  const int peer_;
  std::uint64_t slices_ = 0;
  std::size_t sent_ = 0;  // of the slice under way, header included
  std::vector<std::byte> reserved_;
  Status failed_;
};

}  // namespace amalgam::tcp
