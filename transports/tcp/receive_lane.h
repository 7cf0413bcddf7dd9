#pragma once

// Receives frames from a link: the header into the lane, the payload straight into its destination, in one call and
// never a byte beyond the frame. view() receives into a ring of the lane's own.
//
// Errors     sticky. Another tag is kProtocol; a peer that closed or reset its end is kRemote.

#include <sys/uio.h>

#include <memory>

#include "base/transport.h"
#include "transports/tcp/link.h"
#include "transports/tcp/wire.h"

namespace amalgam::tcp {

class ReceiveLane final : public transport::ReceiveLane {
 public:
  ReceiveLane(std::shared_ptr<Link> link, transport::Capabilities capabilities, int self, int peer)
      : link_(std::move(link)), capabilities_(capabilities), self_(self), peer_(peer) {}

  Result<const std::byte*> view(const transport::SliceTag& expected) override;
  void release() override { ++released_; }
  Result<bool> receive(const transport::SliceTag& expected, Bytes destination) override;
  int poll_fd() const override { return link_->known_socket(turn()); }

 private:
  std::size_t turn() const { return slices_ % link_->count(); }
  Result<bool> fail(Status status);
  Result<bool> pull(const transport::SliceTag& expected, Bytes destination);
  Result<bool> advance(std::size_t got, const transport::SliceTag& expected);
  Result<bool> explain(ssize_t got, int error_number);

  const std::shared_ptr<Link> link_;  // shared with the lane of the other direction
  const transport::Capabilities capabilities_;
  const int self_;
  const int peer_;
  std::uint64_t slices_ = 0;
  std::size_t got_ = 0;  // of the slice under way, header included
  Frame frame_{};
  std::unique_ptr<std::byte[]> staging_;  // window × slice bytes, from the first view on
  std::uint64_t viewed_ = 0;
  std::uint64_t released_ = 0;
  Status failed_;
};

}  // namespace amalgam::tcp
