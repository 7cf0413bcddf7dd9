#include "base/request.h"

#include <utility>

namespace amalgam {
namespace {

// A part of a call's buffers that goes to, or comes from, one peer.
struct Part {
  std::uint64_t elements = 0;
  std::uint64_t offset = 0;
  bool wanted = true;
};

std::pair<Part, Part> parts_of(const Request& call, int rank, int peer) {
  const auto at = static_cast<std::size_t>(peer);
  const Part block{call.count, call.count * at, true};
  // A root has a block for every peer; everybody's part is the whole of its other buffer.
  const Part of_root{block.elements, block.offset, rank == call.root};
  const Part of_rank{call.count, 0, peer == call.root};
  switch (call.collective) {
    case Collective::kAllToAllV:
      return {{call.vectors->send_counts[at], call.vectors->send_offsets[at]},
              {call.vectors->receive_counts[at], call.vectors->receive_offsets[at]}};
    case Collective::kGather: return {of_rank, of_root};
    case Collective::kScatter: return {of_root, of_rank};
    default: return {block, block};
  }
}

}  // namespace

std::vector<Request> messages_of(const Request& call, int rank, int ranks) {
  std::vector<Request> messages;
  const std::uint64_t size = size_of(call.type);
  Request message = call;
  message.vectors = nullptr;
  for (int peer = 0; peer < ranks; ++peer) {
    const auto [to, from] = parts_of(call, rank, peer);
    message.root = peer;
    if (to.wanted) {
      message.collective = Collective::kSend;
      message.in = static_cast<const std::byte*>(call.in) + to.offset * size;
      message.out = nullptr;
      message.count = to.elements;
      messages.push_back(message);
    }
    if (from.wanted) {
      message.collective = Collective::kRecv;
      message.in = nullptr;
      message.out = static_cast<std::byte*>(call.out) + from.offset * size;
      message.count = from.elements;
      messages.push_back(message);
    }
  }
  return messages;
}

}  // namespace amalgam
