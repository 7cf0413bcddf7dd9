#include "comm/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace amalgam::comm {
namespace {

// Position of a transport in a rank's offers, or -1.
int find(const Record& record, const std::string& name) {
  for (std::size_t i = 0; i < record.transports.size(); ++i)
    if (record.transports[i].name == name) return static_cast<int>(i);
  return -1;
}

bool bit(const std::vector<std::byte>& row, std::size_t index) {
  return index / 8 < row.size() && ((static_cast<unsigned>(row[index / 8]) >> (index % 8)) & 1U) != 0;
}

}  // namespace

Result<std::vector<TransportOffer>> Routes::offers() {
  std::vector<TransportOffer> offers;
  for (auto& transport : transports_) {
    auto description = transport->describe();
    if (!description) return description.status();
    offers.push_back({transport->name(), transport->capabilities(), description.take()});
  }
  return offers;
}

Status Routes::learn(const std::vector<Record>& records) {
  for (auto& transport : transports_) {
    std::vector<std::vector<std::byte>> descriptions(records.size());
    for (std::size_t r = 0; r < records.size(); ++r) {
      const int index = find(records[r], transport->name());
      if (index >= 0) descriptions[r] = records[r].transports[index].description;
    }
    AMALGAM_TRY(transport->learn(descriptions));
  }
  send_route_.assign(records.size(), -1);
  receive_route_.assign(records.size(), -1);
  return {};
}

std::vector<std::byte> Routes::reachable() const {
  const std::size_t ranks = send_route_.size();
  std::vector<std::byte> bits((transports_.size() * ranks + 7) / 8);
  for (std::size_t t = 0; t < transports_.size(); ++t)
    for (std::size_t p = 0; p < ranks; ++p)
      if (static_cast<int>(p) != rank_ && transports_[t]->receives_from(static_cast<int>(p)))
        bits[(t * ranks + p) / 8] |= static_cast<std::byte>(1U << ((t * ranks + p) % 8));
  return bits;
}

Status Routes::agree(const std::vector<Record>& records, const std::vector<std::vector<std::byte>>& reachable) {
  const int ranks = static_cast<int>(records.size());
  memory_.assign(ranks, std::vector<bool>(ranks));
  std::set<std::pair<int, int>> used;  // (rank, index of its offer): capabilities that bind
  for (int sender = 0; sender < ranks; ++sender) {
    for (int receiver = 0; receiver < ranks; ++receiver) {
      if (sender == receiver) continue;
      int chosen = -1;
      for (std::size_t t = 0; t < records[sender].transports.size() && chosen < 0; ++t) {
        const int theirs = find(records[receiver], records[sender].transports[t].name);
        // Both ways: a sender also needs the receiver's side, to wake it and to see what it has taken.
        if (theirs >= 0 && bit(reachable[receiver], static_cast<std::size_t>(theirs) * ranks + sender) &&
            bit(reachable[sender], t * static_cast<std::size_t>(ranks) + receiver))
          chosen = static_cast<int>(t);
      }
      if (chosen < 0)
        return Status(Code::kSystem, fmt::format("rank {} ({}) has no transport to rank {} ({})", sender,
                                                 records[sender].host, receiver, records[receiver].host));
      const TransportOffer& offer = records[sender].transports[chosen];
      memory_[receiver][sender] = offer.capabilities.shared_domain;
      used.insert({sender, chosen});
      if (sender == rank_) send_route_[receiver] = own_index(offer.name);
      if (receiver == rank_) receive_route_[sender] = own_index(offer.name);
    }
  }
  for (const auto& [rank, index] : used) {
    const transport::Capabilities& can = records[rank].transports[index].capabilities;
    slice_bytes_ = std::min(slice_bytes_, can.slice_bytes);
    window_ = std::min(window_, can.window);
  }
  for (auto& transport : transports_)
    if (transport->has_doorbell() && doorbell_ == nullptr &&
        std::count(receive_route_.begin(), receive_route_.end(), own_index(transport->name())) > 0)
      doorbell_ = transport.get();
  return {};
}

int Routes::own_index(const std::string& name) const {
  for (std::size_t t = 0; t < transports_.size(); ++t)
    if (transports_[t]->name() == name) return static_cast<int>(t);
  return -1;
}

std::string Routes::describe() const {
  std::string text;
  for (std::size_t t = 0; t < transports_.size(); ++t) {
    const auto peers = std::count(send_route_.begin(), send_route_.end(), static_cast<int>(t));
    if (peers > 0) text += fmt::format("{}{} to {} peers", text.empty() ? "" : ", ", transports_[t]->name(), peers);
  }
  return text.empty() ? "no peers" : text;
}

Result<std::unique_ptr<transport::SendLane>> Routes::open_send(int peer, int channel) {
  return transports_[send_route_[peer]]->open_send(peer, channel);
}

Result<std::unique_ptr<transport::ReceiveLane>> Routes::open_receive(int peer, int channel) {
  return transports_[receive_route_[peer]]->open_receive(peer, channel);
}

}  // namespace amalgam::comm
