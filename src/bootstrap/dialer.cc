#include "bootstrap/dialer.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "observe/log.h"

namespace amalgam::bootstrap {
namespace {

constexpr std::chrono::milliseconds kAttempt{5000};
constexpr std::chrono::milliseconds kFirstAttempt{1500};  // per address, while there are others to try
constexpr std::chrono::milliseconds kLongestPause{200};

bool send_whole(int fd, ConstBytes frame) {
  return send(fd, frame.data(), frame.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(frame.size());
}

std::string reason(int error) { return system_error("connect", error).message(); }

// A dial to a free port of this host may meet itself when the kernel picks that port as the source.
bool connected_to_itself(int fd) {
  sockaddr_storage own{};
  sockaddr_storage peer{};
  socklen_t own_length = sizeof(own);
  socklen_t peer_length = sizeof(peer);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_length) != 0) return false;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_length) != 0) return false;
  return own_length == peer_length && std::memcmp(&own, &peer, own_length) == 0;
}

}  // namespace

Dialer::Dialer(Loop& loop, DialOptions options, Done done)
    : loop_(loop), options_(std::move(options)), done_(std::move(done)) {
  next_ = Timer(loop_, Clock::now(), [this] { start(); });
}

void Dialer::start() {
  if (options_.addresses.empty()) return finish(Status(Code::kProtocol, options_.peer + " has no address"));
  step_ = Step::kConnect;
  fd_.reset(socket(address().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_.valid()) return no_socket(errno);
  const int on = 1;
  (void)setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (options_.local.family() == address().family()) {
    (void)setsockopt(fd_.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    SocketAddress local = options_.local;
    local.set_port(0);
    if (bind(fd_.get(), local.get(), local.length()) != 0)
      return failed(Weight::kFatal, Code::kSystem, system_error("bind to " + local.text(), errno).message());
  }
  const bool others = options_.addresses.size() > 1 && attempt_ < options_.addresses.size();
  const TimePoint limit = std::min(options_.deadline, Clock::now() + (others ? kFirstAttempt : kAttempt));
  limit_ = Timer(loop_, limit, [this] { failed(Weight::kRetry, Code::kTimeout, "no answer"); });
  if (connect(fd_.get(), address().get(), address().length()) != 0 && errno != EINPROGRESS)
    return failed(errno == ECONNREFUSED ? Weight::kRefused : Weight::kRetry, Code::kRemote, reason(errno));
  watch_ = Watch(loop_, fd_.get(), EPOLLOUT, [this](std::uint32_t) { advance(); });
}

void Dialer::no_socket(int error) {
  if (error != EMFILE && error != ENFILE)  // another address may be of a family that this host has
    return failed(Weight::kRetry, Code::kSystem, system_error("socket", error).message());
  failed(Weight::kFatal, Code::kSystem, system_error("no socket", error).message() + "; raise `ulimit -n`");
}

void Dialer::advance() {
  switch (step_) {
    case Step::kConnect: return connected();
    case Step::kChallenge:
      if (receive(std::span(frame_).first(sizeof(ChallengeFrame)))) challenged();
      return;
    case Step::kWelcome:
      if (receive(std::span(frame_).first(sizeof(WelcomeFrame)))) welcomed();
      return;
  }
}

void Dialer::connected() {
  int error = 0;
  socklen_t length = sizeof(error);
  (void)getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error == 0 && connected_to_itself(fd_.get())) error = ECONNREFUSED;
  if (error != 0)
    return failed(error == ECONNREFUSED ? Weight::kRefused : Weight::kRetry, Code::kRemote, reason(error));
  Hello hello{options_.purpose, options_.from, options_.to, options_.early, options_.stream, name_of(options_.key), {}};
  if (Status random = fill_random(hello.nonce); !random.ok()) return finish(random);
  hello_ = encode(hello);
  if (!send_whole(fd_.get(), hello_))
    return failed(Weight::kRetry, Code::kRemote, "the connection broke before the hello");
  step_ = Step::kChallenge;
  have_ = 0;
  watch_.change(EPOLLIN);
}

bool Dialer::receive(Bytes frame) {
  const ssize_t got = recv(fd_.get(), frame.data() + have_, frame.size() - have_, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got <= 0) {
    const char* closed = step_ == Step::kWelcome ? "closed after our proof of the secret, which may have been refused"
                                                 : "closed during the handshake";
    failed(Weight::kRetry, Code::kRemote, got == 0 ? closed : system_error("handshake", errno).message());
    return false;
  }
  have_ += static_cast<std::size_t>(got);
  return have_ == frame.size();
}

void Dialer::challenged() {
  const std::optional<Challenge> challenge = decode_challenge(frame_);
  if (!challenge)
    return failed(Weight::kRefused, Code::kProtocol, "the listener there does not speak Amalgam's protocol");
  if (challenge->answer != Answer::kAccepted) return answered(challenge->answer, challenge->version);
  if (!same(challenge->proof, prove(options_.key, Side::kListener, hello_, challenge->nonce)))
    return failed(Weight::kFatal, Code::kProtocol, "the listener could not prove that it knows the secret");
  if (!send_whole(fd_.get(), prove(options_.key, Side::kDialer, hello_, challenge->nonce)))
    return failed(Weight::kRetry, Code::kRemote, "the connection broke before the proof");
  step_ = Step::kWelcome;
  have_ = 0;
}

void Dialer::welcomed() {
  const std::optional<Answer> answer = decode_welcome(frame_);
  if (!answer) return failed(Weight::kFatal, Code::kProtocol, "malformed welcome");
  if (*answer != Answer::kAccepted) return answered(*answer, kProtocolVersion);
  watch_.reset();
  finish(std::move(fd_));
}

void Dialer::answered(Answer answer, std::uint16_t version) {
  switch (answer) {
    case Answer::kVersion:
      return failed(Weight::kFatal, Code::kProtocol,
                    "this side speaks bootstrap protocol " + std::to_string(kProtocolVersion) + ", the other " +
                        std::to_string(version) + ": install the same Amalgam on every host");
    case Answer::kUnknownKey: return unknown_key();
    case Answer::kUnknownTarget:
      return failed(Weight::kRefused, Code::kRemote, "the process there has no such rank (it has left)");
    default: return failed(Weight::kFatal, Code::kProtocol, "the process there refused this connection");
  }
}

void Dialer::unknown_key() {
  if (!options_.early && !other_secret_) {
    other_secret_ = true;
    last_failure_ = failure(Code::kRemote, options_.unknown_key);
    if (options_.patient) log::warn("{}; dialling on until the deadline", last_failure_.message());
  }
  failed(Weight::kRefused, Code::kRemote, options_.unknown_key);
}

Status Dialer::failure(Code code, const std::string& cause) const {
  return Status(code, "cannot reach " + options_.peer + " at " + address().text() + ": " + cause);
}

void Dialer::failed(Weight weight, Code code, const std::string& cause) {
  const TimePoint now = Clock::now();
  const bool cut_short = code == Code::kTimeout && now >= options_.deadline && !last_failure_.ok();
  if (weight == Weight::kFatal || (!other_secret_ && !cut_short)) last_failure_ = failure(code, cause);
  watch_.reset();
  limit_.reset();
  fd_.reset();
  if (weight == Weight::kFatal) return finish(last_failure_);
  only_refusals_ &= weight == Weight::kRefused;
  ++attempt_;
  TimePoint next = now;
  if (const std::size_t round = attempt_ / options_.addresses.size(); attempt_ % options_.addresses.size() == 0) {
    if (only_refusals_ && !options_.patient) return finish(last_failure_);
    only_refusals_ = true;
    next += std::min(kLongestPause, std::chrono::milliseconds(5) * (1 << std::min<std::size_t>(round, 8)));
  }
  if (next >= options_.deadline)
    return finish(Status(Code::kTimeout, last_failure_.message() + " (until the deadline)"));
  next_ = Timer(loop_, next, [this] { start(); });
}

void Dialer::finish(Result<UniqueFd> result) {
  watch_.reset();
  limit_.reset();
  Done done = std::move(done_);
  done(std::move(result));  // may destroy this
}

}  // namespace amalgam::bootstrap
