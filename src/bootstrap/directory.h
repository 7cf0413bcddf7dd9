#pragma once

// Whom an authenticated connection is for: the endpoints of this process, by key name and target.
//
// Threads    the service thread only.
// Ownership  entries borrow their endpoints, which remove themselves before they end.

#include <map>
#include <utility>

#include "base/socket_address.h"
#include "base/unique_fd.h"
#include "bootstrap/handshake.h"

namespace amalgam::bootstrap {

class Endpoint {
 public:
  virtual ~Endpoint() = default;
  virtual bool expects(const Hello& hello) = 0;              // before the welcome is sent
  virtual void arrive(const Hello& hello, UniqueFd fd) = 0;  // fd: authenticated, non-blocking, empty
  virtual void refused(const SocketAddress& from) {}  // somebody wanted to join in this process with another secret
};

class Directory {
 public:
  // False when the place is taken.
  bool add(const Key& key, std::uint32_t target, Endpoint* endpoint) {
    Keyed& keyed = keys_[name_of(key)];
    keyed.key = key;
    return keyed.endpoints.emplace(target, endpoint).second;
  }

  void remove(const Key& key, std::uint32_t target) {
    auto found = keys_.find(name_of(key));
    if (found == keys_.end()) return;
    found->second.endpoints.erase(target);
    if (found->second.endpoints.empty()) keys_.erase(found);
  }

  const Key* key(const KeyId& id) const {
    auto found = keys_.find(id);
    return found == keys_.end() ? nullptr : &found->second.key;
  }

  void tell_refusal(const SocketAddress& from) const {
    for (const auto& [id, keyed] : keys_)
      for (const auto& [target, endpoint] : keyed.endpoints) endpoint->refused(from);
  }

  Endpoint* find(const KeyId& id, std::uint32_t target) const {
    auto keyed = keys_.find(id);
    if (keyed == keys_.end()) return nullptr;
    auto found = keyed->second.endpoints.find(target);
    return found == keyed->second.endpoints.end() ? nullptr : found->second;
  }

 private:
  struct Keyed {
    Key key{};
    std::map<std::uint32_t, Endpoint*> endpoints;
  };
  std::map<KeyId, Keyed> keys_;
};

}  // namespace amalgam::bootstrap
