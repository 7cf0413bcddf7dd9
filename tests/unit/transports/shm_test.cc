// What only shared memory promises: between processes, without traces, against a peer that lies.

#include <dirent.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <algorithm>

#include "base/host_memory.h"
#include "tests/unit/transports/world.h"
#include "transports/shm/description.h"
#include "transports/shm/layout.h"

namespace amalgam::transport {
namespace {

int count_entries(const char* path, const std::string& prefix) {
  int count = 0;
  DIR* folder = opendir(path);
  if (folder == nullptr) return -1;
  while (const dirent* entry = readdir(folder)) count += std::string(entry->d_name).starts_with(prefix) ? 1 : 0;
  closedir(folder);
  return count;
}

std::string directory_file(const shm::Description& description) { return shm::segment_name(description.directory); }

template <typename Attempt>
void until(Attempt attempt) {
  while (!attempt()) sched_yield();
}

// One rank in a process of its own.
struct Process {
  int rank;
  int wire;
  std::unique_ptr<Transport> transport;

  bool meet(const std::string& kind) {
    transport = make_transport(kind, {rank, 2, 99, nullptr}).take();
    std::vector<std::vector<std::byte>> all(2);
    auto& mine = all[static_cast<std::size_t>(rank)] = transport->describe().take();
    auto& theirs = all[static_cast<std::size_t>(1 - rank)];
    if (write(wire, mine.data(), mine.size()) != static_cast<ssize_t>(mine.size())) return false;
    theirs.resize(4096);
    theirs.resize(static_cast<std::size_t>(std::max<ssize_t>(0, read(wire, theirs.data(), theirs.size()))));
    if (!transport->learn(all).ok()) return false;
    char byte = 1;  // all have learned before lanes open
    return write(wire, &byte, 1) == 1 && read(wire, &byte, 1) == 1 && transport->receives_from(1 - rank);
  }
};

// Slices of all sizes to the other process and back, half of them by reference where that works; 0 on success.
int exchange(Process& self, const std::string& kind) {
  if (!self.meet(kind)) return 2;
  auto lane = self.transport->open_send(1 - self.rank, 3).take();
  auto end = self.transport->open_receive(1 - self.rank, 3).take();
  auto* memory = static_cast<std::byte*>(host_memory::allocate(1 << 20).take());
  if (lane->can_reference(ConstBytes(memory, kSliceBytes)) != (kind == "shm")) return 3;
  for (std::uint32_t i = 0; i < 400; ++i) {
    const std::size_t size = odd_sizes()[i % odd_sizes().size()];
    const auto data = content(self.rank, i, size);
    std::byte* place = memory + (i % 16) * kSliceBytes;
    std::copy(data.begin(), data.end(), place);
    until([&] { return *lane->send_reference(tag_of(i, size), ConstBytes(place, size)); });
    const std::byte* where = nullptr;
    until([&] { return (where = *end->view(tag_of(i, size))) != nullptr; });
    const auto expected = content(1 - self.rank, i, size);
    if (!std::equal(expected.begin(), expected.end(), where)) return 4;
    end->release();
    until([&] { return *lane->completed() == i + 1; });
  }
  until([&] { return lane->drained(); });
  return host_memory::release(memory).ok() ? 0 : 5;
}

class Processes : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(BothWays, Processes, testing::Values("shm", "named"),
                         [](const auto& chosen) { return std::string(chosen.param); });

TEST_P(Processes, ExchangeSlicesAndLeaveNothingInDevShm) {
  const int before = count_entries("/dev/shm", "amalgam-");
  int wires[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, wires), 0);
  const pid_t child = fork();
  if (child == 0) {
    Process self{1, wires[1], nullptr};
    _exit(exchange(self, GetParam()));
  }
  {
    Process self{0, wires[0], nullptr};
    EXPECT_EQ(exchange(self, GetParam()), 0);
    EXPECT_EQ(count_entries("/dev/shm", "amalgam-"), before) << "unlinked while in use";
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(WIFEXITED(status));
  close(wires[0]);
  close(wires[1]);
}

TEST(Shm, DoesNotReachAProcessThatIsNotWhatItWasSaidToBe) {
  World world("shm", 2);
  auto description = *shm::Description::decode(world[1].describe().take());
  const auto reaches = [&](const shm::Description& told) {
    EXPECT_TRUE(world[0].learn({{}, told.encode()}).ok());
    return world[0].receives_from(1);
  };
  EXPECT_TRUE(reaches(description));
  auto other = description;
  other.directory.words[1] ^= 1;
  EXPECT_FALSE(reaches(other)) << "wrong nonce";
  other = description;
  other.host += "x";
  EXPECT_FALSE(reaches(other)) << "other host";
  other = description;
  other.fd = 0;
  EXPECT_FALSE(reaches(other)) << "another file of the process";
  other = description;
  other.pid = 1;
  EXPECT_FALSE(reaches(other)) << "another process";
}

TEST(Shm, DoesNotMapADirectoryOfAnotherRankOrCommunicator) {
  World world("shm", 3), other("shm", 3, 8);
  const auto second = world[2].describe().take();
  EXPECT_TRUE(world[0].learn({{}, second, {}}).ok());
  EXPECT_FALSE(world[0].receives_from(1));
  EXPECT_TRUE(world[0].learn({{}, other[1].describe().take(), {}}).ok());
  EXPECT_FALSE(world[0].receives_from(1));
}

// A fake rank 1 whose directory is written by the test.
struct Liar {
  UniqueFd directory;
  shm::Description description;
  std::byte* base = nullptr;
  std::size_t size = shm::directory_bytes(2);

  Liar() {
    description.host = shm::host_identity();
    description.pid = getpid();
    description.directory = *make_nonce();
    directory = file(directory_file(description), size, F_SEAL_SHRINK);
    description.fd = directory.get();
    base = static_cast<std::byte*>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, directory.get(), 0));
    auto& head = *reinterpret_cast<shm::Head*>(base);
    head.rank = 1;
    head.ranks = 2;
    head.communicator = 7;
    head.nonce = description.directory;
    head.magic = shm::kDirectoryMagic;
  }
  ~Liar() { munmap(base, size); }

  static UniqueFd file(const std::string& name, std::size_t size, int seals) {
    UniqueFd fd(memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
    EXPECT_EQ(ftruncate(fd.get(), static_cast<off_t>(size)), 0);
    EXPECT_EQ(fcntl(fd.get(), F_ADD_SEALS, seals), 0);
    return fd;
  }
  shm::Entry& entry() { return reinterpret_cast<shm::Entry*>(base + shm::kHeadBytes)[0]; }  // rank 0, channel 0
  void announce(int fd, const Nonce& nonce) {
    entry().fd = fd;
    entry().nonce = nonce;
    entry().state = shm::State::kReady;
  }
};

TEST(Shm, AnswersABrokenPeerWithAnError) {
  const ring::Geometry geometry{kSlots, kSliceBytes};
  enum class Lie { kNoFile, kShort, kUnsealed, kUnformatted, kSequence, kKind, kReference, kState };
  for (Lie lie : {Lie::kNoFile, Lie::kShort, Lie::kUnsealed, Lie::kUnformatted, Lie::kSequence, Lie::kKind,
                  Lie::kReference, Lie::kState}) {
    Liar liar;
    auto honest = shm::Transport::create({0, 2, 7, nullptr}, shm::Options{geometry}).take();
    ASSERT_TRUE(honest->learn({honest->describe().take(), liar.description.encode()}).ok());
    ASSERT_TRUE(honest->receives_from(1));
    auto lane = honest->open_receive(1, 0).take();
    EXPECT_EQ(*lane->view(tag_of(0, 1000)), nullptr);

    const Nonce nonce = *make_nonce();
    const UniqueFd fd = Liar::file(shm::segment_name(nonce), lie == Lie::kShort ? 4096 : geometry.total(),
                                   lie == Lie::kUnsealed ? 0 : F_SEAL_SHRINK);
    auto mapping = shm::Mapping::map(fd.get(), geometry.total(), true).take();
    const ring::Ring ring{mapping.base(), geometry};
    if (lie != Lie::kShort && lie != Lie::kUnformatted) {
      ring.format(nonce);
      ring::Slot& slot = ring.slots()[0];
      slot.tag = tag_of(0, 1000);
      slot.kind = lie == Lie::kKind ? static_cast<ring::Kind>(77) : ring::Kind::kReference;
      slot.reference = {1, ~std::uint64_t{0} - 10, 4096, fd.get()};
      slot.sequence = lie == Lie::kSequence ? 5 : 1;
    }
    liar.announce(lie == Lie::kNoFile ? 0 : fd.get(), nonce);
    if (lie == Lie::kState) liar.entry().state = static_cast<shm::State>(9);
    auto seen = lane->view(tag_of(0, 1000));
    EXPECT_FALSE(seen.ok()) << static_cast<int>(lie);
    EXPECT_TRUE(lie == Lie::kNoFile || seen.status().code() == Code::kProtocol) << static_cast<int>(lie);
  }
}

TEST(Shm, AnswersAnImpossibleTailWithAnError) {
  World world("shm", 2);
  auto lane = world.send(0, 1);
  auto end = world.receive(1, 0);
  ASSERT_TRUE(*lane->send(tag_of(0, 1), content(0, 0, 1)));
  ASSERT_NE(*end->view(tag_of(0, 1)), nullptr);
  end->release();
  end->release();  // more than was ever sent
  lane->drained();
  EXPECT_EQ(lane->send(tag_of(1, 1), content(0, 0, 1)).status().code(), Code::kProtocol);
}

TEST(Shm, DescribingAgainLeavesNoNameBehind) {
  const int before = count_entries("/dev/shm", "amalgam-");
  {
    World world("named", 2);
    EXPECT_TRUE(world[0].describe().ok());
    EXPECT_TRUE(world[0].describe().ok());
  }
  EXPECT_EQ(count_entries("/dev/shm", "amalgam-"), before);
}

TEST(Shm, OpensAndClosesAThousandTimesWithoutLeaks) {
  const auto round = [] {
    World world("shm", 2);
    auto lane = world.send(0, 1);
    auto end = world.receive(1, 0);
    auto* memory = static_cast<std::byte*>(host_memory::allocate(4096).take());
    EXPECT_TRUE(*lane->send_reference(tag_of(0, 4096), ConstBytes(memory, 4096)));
    EXPECT_NE(*end->view(tag_of(0, 4096)), nullptr);
    EXPECT_TRUE(host_memory::release(memory).ok());
  };
  round();
  const int fds = count_entries("/proc/self/fd", "");
  const int files = count_entries("/dev/shm", "amalgam-");
  for (int i = 0; i < 1000; ++i) round();
  EXPECT_EQ(count_entries("/proc/self/fd", ""), fds);
  EXPECT_EQ(count_entries("/dev/shm", "amalgam-"), files);
}

// In a mount namespace of its own, where /dev/shm is replaced; 77 when the system does not allow that.
int without_dev_shm(const char* options) {
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 77;
  if (mount("tmpfs", "/dev/shm", "tmpfs", MS_RDONLY * (options == nullptr), options) != 0) return 77;
  const ring::Geometry large{8, 131072};
  std::vector<std::unique_ptr<Transport>> ranks;
  std::vector<std::vector<std::byte>> all;
  for (int rank = 0; rank < 2; ++rank) {
    ranks.push_back(shm::Transport::create({rank, 2, 7, nullptr}, shm::Options{large, true, true}).take());
    auto description = ranks.back()->describe();
    if (!description.ok()) return 1;
    all.push_back(description.take());
  }
  for (auto& rank : ranks)
    if (!rank->learn(all).ok()) return 2;
  if (!ranks[0]->receives_from(1) || !ranks[1]->receives_from(0)) return 3;
  auto lane = ranks[0]->open_send(1, 0).take();
  auto end = ranks[1]->open_receive(0, 0).take();
  const auto data = content(0, 0, 131072);
  if (!*lane->send(tag_of(0, data.size()), data)) return 4;
  const std::byte* where = *end->view(tag_of(0, data.size()));
  return where != nullptr && std::equal(data.begin(), data.end(), where) ? 0 : 5;
}

TEST(Shm, WorksWithATinyOrReadOnlyDevShm) {
  for (const char* options : {"size=4096", static_cast<const char*>(nullptr)}) {
    const pid_t child = fork();
    if (child == 0) _exit(without_dev_shm(options));
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no mount namespaces here";
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
}

}  // namespace
}  // namespace amalgam::transport
