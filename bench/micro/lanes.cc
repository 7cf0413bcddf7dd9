// What a lane costs by itself: latency of a tiny slice in ping-pong and bandwidth of large ones, between two processes
// (loopback: two threads) that do nothing else. Each is pinned to a core of its own.
//
//   lanes [transport …]      default: loopback shm tcp
//
// Columns: half a round trip in ns; GB/s of copy-in + view-and-sum ("fold"), of copy-in + copy-out ("copy"), of slices
// that the receiver reads where they lie ("refer"; memory from host_memory), one direction.

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <thread>

#include "base/host_memory.h"
#include "base/transport.h"
#include "bench/micro/socket_connector.h"

namespace amalgam {
namespace {

using transport::SliceTag;

[[noreturn]] void die(const Status& status) {
  std::fprintf(stderr, "lanes: %s\n", status.message().c_str());
  std::_Exit(1);
}

template <typename T>
T must(Result<T> result) {
  if (!result.ok()) die(result.status());
  return result.take();
}

// Polling without a pause keeps snatching the line that the peer is writing.
void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

struct Rank {
  int rank;
  int wire;  // to the other rank
  std::unique_ptr<micro::SocketConnector> connector;
  std::unique_ptr<transport::Transport> transport;
  std::unique_ptr<transport::SendLane> send;
  std::unique_ptr<transport::ReceiveLane> receive;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;

  void put(ConstBytes bytes, bool reference = false) {
    const SliceTag tag{1, 2, 3, static_cast<std::uint32_t>(sent++), static_cast<std::uint32_t>(bytes.size())};
    while (!must(reference ? send->send_reference(tag, bytes) : send->send(tag, bytes))) relax();
  }
  SliceTag next(std::size_t bytes) {
    return {1, 2, 3, static_cast<std::uint32_t>(received++), static_cast<std::uint32_t>(bytes)};
  }
  const std::byte* look(std::size_t bytes) {
    const SliceTag tag = next(bytes);
    const std::byte* where = nullptr;
    while (where = must(receive->view(tag)), where == nullptr) relax();
    return where;
  }
  void get(Bytes bytes) {
    const SliceTag tag = next(bytes.size());
    while (!must(receive->receive(tag, bytes))) relax();
  }
  void barrier() {
    std::byte byte{};
    put(ConstBytes(&byte, 1));
    get(Bytes(&byte, 1));
  }
};

void pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(core) % std::thread::hardware_concurrency(), &set);
  sched_setaffinity(0, sizeof(set), &set);
}

std::vector<std::byte> swap(int wire, const std::vector<std::byte>& mine) {
  const std::uint64_t size = mine.size();
  std::uint64_t other = 0;
  if (write(wire, &size, sizeof(size)) < 0 || write(wire, mine.data(), mine.size()) < 0) std::_Exit(1);
  if (recv(wire, &other, sizeof(other), MSG_WAITALL) != sizeof(other)) std::_Exit(1);
  std::vector<std::byte> theirs(other);
  if (other > 0 && recv(wire, theirs.data(), other, MSG_WAITALL) != static_cast<ssize_t>(other)) std::_Exit(1);
  return theirs;
}

void open(Rank& self, const std::string& name) {
  self.connector = std::make_unique<micro::SocketConnector>(self.rank);
  transport::Environment environment{self.rank, 2, 42, self.connector.get()};
  self.transport = std::move(must(transport::create_transports(environment, name)).at(0));
  std::vector<std::vector<std::byte>> all(2);
  const auto mine = must(self.transport->describe());
  all[static_cast<std::size_t>(self.rank)] = mine;
  all[static_cast<std::size_t>(1 - self.rank)] = swap(self.wire, mine);
  if (Status status = self.transport->learn(all); !status.ok()) die(status);
  if (!self.transport->receives_from(1 - self.rank)) die(Status(Code::kInternal, "the ranks do not reach each other"));
  swap(self.wire, {});
  self.send = must(self.transport->open_send(1 - self.rank, 0));
  self.receive = must(self.transport->open_receive(1 - self.rank, 0));
}

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double ping_pong(Rank& self, std::size_t bytes, int rounds) {
  std::vector<std::byte> data(bytes);
  self.barrier();
  return seconds([&] {
           for (int i = 0; i < rounds; ++i) {
             if (self.rank == 0)
               self.put(data), self.get(data);
             else
               self.get(data), self.put(data);
           }
         }) /
         rounds / 2 * 1e9;
}

// Bytes per second of the best of a few passes over `message` bytes, from rank 0 to rank 1.
enum class How { kFold, kCopy, kRefer };

double pass(Rank& self, How how, std::size_t slice, Bytes message) {
  self.barrier();
  return seconds([&] {
    for (std::size_t at = 0; at < message.size(); at += slice) {
      const Bytes piece = message.subspan(at, slice);
      if (self.rank == 0)
        self.put(piece, how == How::kRefer);
      else if (how == How::kCopy)
        self.get(piece);
      else {
        const auto* in = reinterpret_cast<const float*>(self.look(slice));
        auto* out = reinterpret_cast<float*>(piece.data());
        for (std::size_t i = 0; i < slice / sizeof(float); ++i) out[i] += in[i];
        self.receive->release();
      }
    }
    self.barrier();
  });
}

double bandwidth(Rank& self, How how, std::size_t slice, std::size_t total) {
  void* memory = must(host_memory::allocate(total));
  std::memset(memory, 0, total);
  const Bytes message(static_cast<std::byte*>(memory), total);
  double best = 1e9;
  for (int i = 0; i < 8; ++i) best = std::min(best, pass(self, how, slice, message));
  if (Status status = host_memory::release(memory); !status.ok()) die(status);
  return static_cast<double>(total) / best / 1e9;
}

void measure(Rank& self, const std::string& name) {
  pin(self.rank);
  open(self, name);
  const bool memory = self.transport->capabilities().shared_domain;
  for (std::size_t bytes : {8, 64, 512, 4096}) {
    ping_pong(self, bytes, 2000);
    const double ns = ping_pong(self, bytes, memory ? 50000 : 2000);
    if (self.rank == 1) std::printf("%-10s %7zu B   %8.0f ns one way\n", name.c_str(), bytes, ns);
    std::fflush(stdout);
  }
  for (std::size_t slice : {16384, 65536, 131072}) {
    const double fold = bandwidth(self, How::kFold, slice, 1 << 20);
    const double copy = bandwidth(self, How::kCopy, slice, 1 << 20);
    const double large = bandwidth(self, How::kFold, slice, 64 << 20);
    const double refer = bandwidth(self, How::kRefer, slice, 64 << 20);
    if (self.rank == 1)
      std::printf("%-10s %7zu B   1 MiB: fold %5.1f copy %5.1f   64 MiB: fold %5.1f refer %5.1f GB/s\n", name.c_str(),
                  slice, fold, copy, large, refer);
  }
  std::fflush(stdout);
  self.barrier();
}

void run(const std::string& name) {
  int wires[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, wires) != 0) std::_Exit(1);
  micro::SocketConnector::make_pairs();
  const auto side = [&](int rank) {
    Rank self{rank, wires[rank], {}, {}, {}, {}};
    measure(self, name);
  };
  if (name == "loopback") {
    std::thread other(side, 0);
    std::thread self(side, 1);
    other.join();
    self.join();
    return;
  }
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a rank that spins for a peer that is gone would never end
    side(0);
    std::_Exit(0);
  }
  side(1);
  waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace amalgam

int main(int argc, char** argv) {
  std::vector<std::string> names(argv + 1, argv + argc);
  if (names.empty()) names = {"loopback", "shm", "tcp"};
  for (const std::string& name : names) amalgam::run(name);
}
