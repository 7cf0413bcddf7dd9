#include "launch/self.h"

#include <fmt/format.h>

namespace amalgam::launch {

Result<std::vector<SelfMessage>> self_messages(const comm::Communicator& communicator, std::span<const Work> work) {
  std::vector<const Request*> sends, receives;
  for (const Work& item : work) {
    if (item.communicator != &communicator || !is_self(communicator, item.request)) continue;
    (item.request.collective == Collective::kSend ? sends : receives).push_back(&item.request);
  }
  if (sends.size() != receives.size())
    return Status(
        Code::kInvalidUsage,
        fmt::format("a group has {} sends to and {} receives from the own rank {}: each needs its other half in "
                    "the same group",
                    sends.size(), receives.size(), communicator.rank()));
  std::vector<SelfMessage> messages;
  for (std::size_t i = 0; i < sends.size(); ++i) {
    const std::uint64_t bytes = sends[i]->count * size_of(sends[i]->type);
    if (bytes != receives[i]->count * size_of(receives[i]->type))
      return Status(Code::kInvalidArgument, fmt::format("message {} to the own rank has {} bytes, its receive {}", i,
                                                        bytes, receives[i]->count * size_of(receives[i]->type)));
    messages.push_back({sends[i], receives[i]});
  }
  return messages;
}

}  // namespace amalgam::launch
