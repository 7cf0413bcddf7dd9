#include "bootstrap/service.h"

#include <mutex>

#include "bootstrap/fork_guard.h"
#include "bootstrap/interfaces.h"
#include "bootstrap/threads.h"
#include "observe/log.h"

namespace amalgam::bootstrap {
namespace {

constinit std::mutex start_mutex;
constinit std::atomic<Service*> instance{nullptr};

}  // namespace

Service::Service() : acceptor_(loop_, directory_), status_(loop_) {}

Service* Service::running() { return fork_guard::forked() ? nullptr : instance.load(std::memory_order_acquire); }

Result<Service*> Service::get() {
  if (fork_guard::forked())
    return Status(
        Code::kInvalidUsage,
        "Amalgam does not work after fork: this child process must exec, or make its communicators in a new process");
  if (Service* service = instance.load(std::memory_order_acquire); service != nullptr) return service;
  std::lock_guard lock(start_mutex);
  if (Service* service = instance.load(std::memory_order_acquire); service != nullptr) return service;
  std::unique_ptr<Service> service(new Service());
  AMALGAM_TRY(service->start());
  instance.store(service.get(), std::memory_order_release);
  return service.release();
}

Status Service::start() {
  fork_guard::install();
  AMALGAM_TRY(loop_.open());
  Result<std::vector<Interface>> interfaces = usable_interfaces();
  if (!interfaces) return interfaces.status();
  for (const Interface& interface : *interfaces) {
    Result<std::unique_ptr<Listener>> listener = acceptor_.listen(interface.address);
    if (!listener) {
      log::warn("interface {} is not used: {}", interface.name, listener.status().message());
      continue;
    }
    log::debug("listening on {} {}", interface.name, (*listener)->address().text());
    addresses_.push_back((*listener)->address());
    listeners_.push_back(listener.take());
  }
  if (listeners_.empty()) return Status(Code::kSystem, "cannot listen on any network interface");
  status_.open();
  return start_thread(thread_main, this, "amalgam");
}

void* Service::thread_main(void* service) { static_cast<Service*>(service)->loop_.run(); }

Status Service::open_root(const Key& key, const SocketAddress* fixed) {
  const KeyId id = name_of(key);
  if (auto found = roots_.find(id); found != roots_.end()) {
    const std::shared_ptr<Root> old = found->second;  // retire() erases it from the map
    if (!old->failed())
      return Status(Code::kInvalidUsage, "a rendezvous with this unique id is already going on in this process");
    old->retire();
  }
  std::unique_ptr<Listener> listener;
  if (fixed != nullptr) {
    Result<std::unique_ptr<Listener>> opened = acceptor_.listen(*fixed);
    if (!opened) return Status(opened.status().code(), "NCCL_COMM_ID: rank 0 " + opened.status().message());
    listener = opened.take();
  }
  auto root = std::make_shared<Root>(loop_, directory_, key, std::move(listener), [this, id] { roots_.erase(id); });
  roots_[id] = std::move(root);
  return {};
}

void Service::drop_root(const Key& key) {
  auto found = roots_.find(name_of(key));
  if (found == roots_.end() || found->second->in_use()) return;
  const std::shared_ptr<Root> root = found->second;
  root->retire();
}

void set_status_reporter(std::function<std::string()> reporter) { StatusSocket::set_reporter(std::move(reporter)); }

}  // namespace amalgam::bootstrap
