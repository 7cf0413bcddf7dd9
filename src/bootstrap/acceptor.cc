#include "bootstrap/acceptor.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "observe/log.h"

namespace amalgam::bootstrap {
namespace {

constexpr int kBacklog = 4096;
constexpr int kAcceptsPerEvent = 64;  // then others get their turn

std::size_t pending_bound() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return Acceptor::kMaxPending;
  return std::clamp<std::size_t>(limit.rlim_cur / 4, 16, Acceptor::kMaxPending);
}

Status listen_error(const SocketAddress& address) { return system_error("cannot listen on " + address.text(), errno); }

// A fresh socket's buffer holds every frame of the handshake, so a short write means a dead connection.
bool send_whole(int fd, ConstBytes frame) {
  return send(fd, frame.data(), frame.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(frame.size());
}

}  // namespace

Acceptor::Acceptor(Loop& loop, Directory& directory) : loop_(loop), directory_(directory), bound_(pending_bound()) {}

Result<std::unique_ptr<Listener>> Acceptor::listen(const SocketAddress& address) {
  auto listener = std::make_unique<Listener>();
  listener->fd_.reset(socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int fd = listener->fd_.get();
  if (fd < 0) return listen_error(address);
  const int on = 1;
  (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address.family() == AF_INET6) (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  if (bind(fd, address.get(), address.length()) != 0 || ::listen(fd, kBacklog) != 0) return listen_error(address);
  socklen_t length = sizeof(sockaddr_storage);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&listener->address_.storage), &length) != 0)
    return listen_error(address);
  listener->watch_ = Watch(loop_, fd, EPOLLIN, [this, raw = listener.get()](std::uint32_t) { accept_some(raw); });
  return listener;
}

void Acceptor::accept_some(Listener* listener) {
  for (int i = 0; i < kAcceptsPerEvent; ++i) {
    UniqueFd fd(accept4(listener->fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      admit(std::move(fd));
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN) return;
    if (pending_.empty()) return pause(listener);
    drop(pending_.begin());  // the oldest stranger makes room
  }
}

void Acceptor::pause(Listener* listener) {
  constexpr std::chrono::milliseconds kPause{50};
  if (const int error = errno; !std::exchange(listener->warned_, true))
    log::warn("cannot accept connections on {}: {}; raise `ulimit -n`, peers cannot reach this rank",
              listener->address_.text(), std::strerror(error));
  listener->watch_.change(0);
  listener->pause_ = Timer(loop_, Clock::now() + kPause, [listener] { listener->watch_.change(EPOLLIN); });
}

void Acceptor::admit(UniqueFd fd) {
  if (pending_.size() >= bound_) drop(pending_.begin());
  const int on = 1;
  (void)setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const Place place = pending_.emplace(pending_.end());
  place->limit = Timer(loop_, Clock::now() + kPendingLimit, [this, place] { drop(place); });
  place->watch = Watch(loop_, fd.get(), EPOLLIN, [this, place](std::uint32_t) { advance(place); });
  place->fd = std::move(fd);
}

void Acceptor::advance(Place place) {
  if (place->challenged) {
    if (receive(place, place->proof)) check_proof(place);
  } else if (receive(place, place->frame)) {
    answer_hello(place);
  }
}

bool Acceptor::receive(Place place, Bytes frame) {
  const ssize_t got = recv(place->fd.get(), frame.data() + place->have, frame.size() - place->have, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got <= 0) {
    drop(place);
    return false;
  }
  place->have += static_cast<std::size_t>(got);
  return place->have == frame.size();
}

void Acceptor::answer_hello(Place place) {
  const std::optional<ReceivedHello> received = decode_hello(place->frame);
  if (!received) return drop(place);  // not one of us: no word
  if (received->version != kProtocolVersion) return refuse(place, Answer::kVersion);
  place->hello = received->hello;
  const Key* key = directory_.key(place->hello.key);
  if (key == nullptr) {
    if (!place->hello.early) tell_refusal(*place);
    return refuse(place, Answer::kUnknownKey);
  }
  Challenge challenge;
  if (!fill_random(place->nonce).ok()) return drop(place);
  challenge.nonce = place->nonce;
  challenge.proof = prove(*key, Side::kListener, place->frame, place->nonce);
  if (!send_whole(place->fd.get(), encode(challenge))) return drop(place);
  place->challenged = true;
  place->have = 0;
}

void Acceptor::check_proof(Place place) {
  const Key* key = directory_.key(place->hello.key);
  if (key == nullptr || !same(place->proof, prove(*key, Side::kDialer, place->frame, place->nonce))) {
    tell_refusal(*place);
    return drop(place);
  }
  Endpoint* endpoint = directory_.find(place->hello.key, place->hello.to);
  Answer answer = Answer::kAccepted;
  if (endpoint == nullptr)
    answer = Answer::kUnknownTarget;
  else if (!endpoint->expects(place->hello))
    answer = Answer::kRefused;
  if (!send_whole(place->fd.get(), encode_welcome(answer)) || answer != Answer::kAccepted) return drop(place);
  place->watch.reset();
  UniqueFd fd = std::move(place->fd);
  const Hello hello = place->hello;
  drop(place);
  endpoint->arrive(hello, std::move(fd));
}

// Whoever waits for ranks can name who tried, which is more than that a rank is missing.
void Acceptor::tell_refusal(const Pending& pending) const {
  if (pending.hello.purpose != Purpose::kJoin) return;
  SocketAddress from;
  socklen_t length = sizeof(from.storage);
  if (getpeername(pending.fd.get(), reinterpret_cast<sockaddr*>(&from.storage), &length) == 0)
    directory_.tell_refusal(from);
}

void Acceptor::refuse(Place place, Answer answer) {
  Challenge challenge;
  challenge.answer = answer;
  (void)send_whole(place->fd.get(), encode(challenge));
  drop(place);
}

}  // namespace amalgam::bootstrap
