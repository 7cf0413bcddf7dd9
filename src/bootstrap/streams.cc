#include "bootstrap/streams.h"

#include "config/settings.h"

namespace amalgam::bootstrap {

Streams::Streams(Loop& loop, std::uint32_t rank, std::vector<SocketAddress> listeners)
    : loop_(loop), rank_(rank), listeners_(std::move(listeners)) {}

void Streams::want(int peer, transport::StreamKey key, const SocketAddress& local, const SocketAddress& remote) {
  const Name name{static_cast<std::uint32_t>(peer), key};
  if (rank_ >= name.first) return;  // the lower rank dials
  loop_.post([self = shared_from_this(), name, local, remote] { self->dial(name, local, remote); });
}

void Streams::dial(Name name, const SocketAddress& local, const SocketAddress& remote) {
  if (stopped_ || dialers_.contains(name)) return;
  DialOptions options;
  options.peer = "rank " + std::to_string(name.first);
  options.addresses = {remote};
  options.local = local;
  options.key = session_;
  options.purpose = Purpose::kStream;
  options.from = rank_;
  options.to = name.first;
  options.stream = name.second;
  options.unknown_key = "the process there does not know the group's secret (any more)";
  options.deadline = Clock::now() + std::chrono::milliseconds(config::settings().silence_timeout);
  dialers_[name] = std::make_unique<Dialer>(loop_, std::move(options), [this, name](Result<UniqueFd> result) {
    {
      std::lock_guard lock(mutex_);
      ready_.insert_or_assign(name, std::move(result));
    }
    dialers_.erase(name);
  });
}

Result<UniqueFd> Streams::take(int peer, transport::StreamKey key) {
  std::lock_guard lock(mutex_);
  auto found = ready_.find({static_cast<std::uint32_t>(peer), key});
  if (found != ready_.end()) {
    if (!found->second) return found->second.status();  // sticks
    UniqueFd fd = found->second.take();
    ready_.erase(found);
    return fd;
  }
  if (!failure_.ok()) return failure_;
  return UniqueFd();
}

bool Streams::expects(const Hello& hello) const {
  std::lock_guard lock(mutex_);
  return !stopped_ && hello.from < rank_ && ready_.size() < kMaxReady;
}

void Streams::arrive(const Hello& hello, UniqueFd fd) {
  std::lock_guard lock(mutex_);
  ready_.insert_or_assign(Name{hello.from, hello.stream},
                          Result<UniqueFd>(std::move(fd)));  // the newest: the dialler may have tried again
}

void Streams::fail(const Status& reason) {
  std::lock_guard lock(mutex_);
  if (failure_.ok()) failure_ = reason;
}

void Streams::stop() {
  stopped_ = true;
  dialers_.clear();
  std::lock_guard lock(mutex_);
  ready_.clear();
}

}  // namespace amalgam::bootstrap
