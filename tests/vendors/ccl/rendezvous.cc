// Unique ids and the names under which ranks meet.

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include "tests/vendors/ccl/face.h"

namespace standin_ccl {
namespace {

constexpr std::uint64_t kIdMagic = 0x6469206e69647473;  // a foreign id is refused

struct Id {
  std::uint64_t magic;
  std::uint64_t words[2];
};

std::string name(std::uint64_t a, std::uint64_t b) {
  char text[64];
  std::snprintf(text, sizeof(text), "/standin-ccl-%016llx%016llx", static_cast<unsigned long long>(a),
                static_cast<unsigned long long>(b));
  return text;
}

// "address:port" of IPv4 alone.
bool parse(const std::string& text, sockaddr_in* address) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return false;
  address->sin_family = AF_INET;
  address->sin_port = htons(static_cast<std::uint16_t>(std::atoi(text.c_str() + colon + 1)));
  return inet_pton(AF_INET, text.substr(0, colon).c_str(), &address->sin_addr) == 1;
}

}  // namespace

std::string name_of(const ncclUniqueId& id) {
  Id parts;
  std::memcpy(&parts, id.internal, sizeof(parts));
  return parts.magic == kIdMagic ? name(parts.words[0], parts.words[1]) : std::string();
}

std::string child_name(const ncclComm& parent, const std::string& which) {
  const std::hash<std::string> hash;
  return name(hash(parent.name + which), hash(which + parent.name));
}

bool hold_setting_address(int* held) {
  const char* setting = std::getenv("NCCL_COMM_ID");
  if (setting == nullptr) return true;
  sockaddr_in address{};
  if (!parse(setting, &address)) return false;
  *held = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(*held, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  return bind(*held, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 && listen(*held, 16) == 0;
}

}  // namespace standin_ccl

using namespace standin_ccl;

// With NCCL_COMM_ID every process makes the same id.
ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  if (id == nullptr) return invalid("no place for the id");
  std::random_device random;
  Id parts{kIdMagic, {random() | std::uint64_t{random()} << 32, static_cast<std::uint64_t>(getpid())}};
  if (const char* setting = std::getenv("NCCL_COMM_ID"); setting != nullptr) {
    sockaddr_in address{};
    if (!parse(setting, &address)) return invalid("NCCL_COMM_ID is no address:port");
    parts.words[0] = address.sin_addr.s_addr;
    parts.words[1] = address.sin_port;
  }
  std::memset(id, 0, sizeof(*id));
  std::memcpy(id->internal, &parts, sizeof(parts));
  return ncclSuccess;
}
