#pragma once

// The one service thread of the process: listeners, handshakes, rendezvous, trees and the status socket of all groups.
//
// Started by the first create_unique_id() or join(), named "amalgam", with all signals blocked; it runs until the
// process ends and holds nothing that a destructor would have to release. In a forked child nothing works: get() says
// so.
//
// Threads    get(), loop().post(), listener_addresses() and set_status_reporter(): any. Everything else: the
//            service thread.
// Ownership  never destroyed (deliberately leaked).

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bootstrap/acceptor.h"
#include "bootstrap/directory.h"
#include "bootstrap/loop.h"
#include "bootstrap/root.h"
#include "bootstrap/status_socket.h"

namespace amalgam::bootstrap {

// What `amalgam status PID` shows. Runs on a helper thread; may block; replaces an earlier reporter. It must stay
// callable.
void set_status_reporter(std::function<std::string()> reporter);

class Service {
 public:
  static Result<Service*> get();  // starts it
  static Service* running();      // or null

  Loop& loop() { return loop_; }
  Directory& directory() { return directory_; }
  const std::vector<SocketAddress>& listener_addresses() const { return addresses_; }

  // A rendezvous: on the shared listeners, or, for `fixed` (NCCL_COMM_ID), on an own one.
  Status open_root(const Key& key, const SocketAddress* fixed);
  void drop_root(const Key& key);  // unless ranks are waiting at it
  std::size_t roots() const { return roots_.size(); }

 private:
  Service();
  Status start();
  static void* thread_main(void* service);

  Loop loop_;
  Directory directory_;
  Acceptor acceptor_;
  StatusSocket status_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<SocketAddress> addresses_;
  std::map<KeyId, std::shared_ptr<Root>> roots_;
};

}  // namespace amalgam::bootstrap
