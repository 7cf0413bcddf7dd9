#include "bootstrap/id_content.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/hash.h"
#include "base/unique_fd.h"
#include "base/wire.h"
#include "bootstrap/address_wire.h"
#include "config/settings.h"
#include "observe/log.h"

namespace amalgam::bootstrap {
namespace {

constexpr std::string_view kMagic = "AMLGM-ID";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kAddressesAt = 44;
constexpr std::size_t kChecksumAt = 124;

ConstBytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

std::uint32_t checksum(const UniqueId& id) {
  return static_cast<std::uint32_t>(Hash().add(ConstBytes(id.bytes).first(kChecksumAt)).value());
}

Result<SocketAddress> resolve(const std::string& host, const std::string& port, const std::string& comm_id) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  if (error != 0)
    return Status(Code::kInvalidArgument,
                  "NCCL_COMM_ID='" + comm_id + "': cannot resolve '" + host + "': " + gai_strerror(error));
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, freeaddrinfo);
  return SocketAddress::from(list->ai_addr, list->ai_addrlen);
}

Result<SocketAddress> comm_id_address(const std::string& comm_id) {
  if (Result<SocketAddress> literal = SocketAddress::parse(comm_id); literal) return literal;
  const std::size_t colon = comm_id.rfind(':');
  if (colon == std::string::npos || colon == 0)
    return Status(Code::kInvalidArgument, "NCCL_COMM_ID='" + comm_id + "' is not ip:port or host:port");
  return resolve(comm_id.substr(0, colon), comm_id.substr(colon + 1), comm_id);
}

Result<std::string> read_secret_file(const std::string& path) {
  UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return system_error("AMALGAM_SECRET_FILE '" + path + "'", errno);
  struct stat status {};
  if (fstat(file.get(), &status) == 0 && (status.st_mode & 077) != 0)
    log::warn("secret file '{}' can be read by others: chmod 600 it", path);
  char buffer[4096];
  const ssize_t size = read(file.get(), buffer, sizeof(buffer));
  if (size < 0) return system_error("AMALGAM_SECRET_FILE '" + path + "'", errno);
  std::string secret(buffer, static_cast<std::size_t>(size));
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  if (secret.empty()) return Status(Code::kInvalidArgument, "AMALGAM_SECRET_FILE '" + path + "' is empty");
  return secret;
}

}  // namespace

UniqueId encode_id(const IdContent& content) {
  Writer addresses;
  std::uint8_t count = 0;
  for (const SocketAddress& address : content.addresses) {
    if (kAddressesAt + addresses.bytes().size() + wire_size(address) > kChecksumAt) continue;
    write_address(addresses, address);
    ++count;
  }
  Writer writer;
  writer.raw(bytes_of(kMagic)).integer(kVersion).integer(static_cast<std::uint8_t>(content.place)).integer(count);
  writer.raw(content.secret).raw(addresses.bytes());
  UniqueId id;
  std::copy(writer.bytes().begin(), writer.bytes().end(), id.bytes.begin());
  Writer tail;
  tail.integer(checksum(id));
  std::copy(tail.bytes().begin(), tail.bytes().end(), id.bytes.begin() + kChecksumAt);
  return id;
}

Result<IdContent> decode_id(const UniqueId& id) {
  Reader reader{ConstBytes(id.bytes)};
  const ConstBytes magic = reader.raw(kMagic.size());
  if (std::memcmp(magic.data(), kMagic.data(), kMagic.size()) != 0)
    return Status(
        Code::kInvalidArgument,
        "this unique id was not made by Amalgam but by another NCCL library: is the library preloaded on every host, "
        "and in the process that called ncclGetUniqueId?");
  if (const auto version = reader.integer<std::uint16_t>(); version != kVersion)
    return Status(Code::kInvalidArgument, "this unique id has version " + std::to_string(version) +
                                              ", this library reads version " + std::to_string(kVersion) +
                                              ": is the same Amalgam installed on every host?");
  Reader tail(ConstBytes(id.bytes).subspan(kChecksumAt));
  if (tail.integer<std::uint32_t>() != checksum(id))
    return Status(Code::kInvalidArgument, "this unique id was damaged on its way: all 128 bytes must be copied");
  IdContent content;
  content.place = static_cast<RootPlace>(reader.integer<std::uint8_t>());
  const int count = reader.integer<std::uint8_t>();
  const ConstBytes secret = reader.raw(content.secret.size());
  std::copy(secret.begin(), secret.end(), content.secret.begin());
  for (int i = 0; i < count; ++i) content.addresses.push_back(read_address(reader));
  const bool sound = reader.ok() && count > 0 && content.place <= RootPlace::kLeader &&
                     std::all_of(content.addresses.begin(), content.addresses.end(),
                                 [](const SocketAddress& address) { return address.family() != AF_UNSPEC; });
  if (!sound) return Status(Code::kInvalidArgument, "this unique id is malformed");
  return content;
}

Result<IdContent> content_from_comm_id(const std::string& comm_id, const std::string& secret) {
  Result<SocketAddress> address = comm_id_address(comm_id);
  if (!address) return address.status();
  if (address->port() == 0) return Status(Code::kInvalidArgument, "NCCL_COMM_ID='" + comm_id + "' needs a port");
  if (secret.empty() && !address->is_loopback())
    return Status(Code::kInvalidUsage, "NCCL_COMM_ID='" + comm_id +
                                           "' carries no secret: set AMALGAM_SECRET or AMALGAM_SECRET_FILE to the " +
                                           "same value on every rank (only loopback addresses work without)");
  Writer context;
  context.text(secret.empty() ? "loopback" : "secret")
      .integer<std::uint16_t>(static_cast<std::uint16_t>(address->port()));
  IdContent content;
  content.place = RootPlace::kFixedAddress;
  content.secret = key_from_text(
      secret, std::string_view(reinterpret_cast<const char*>(context.bytes().data()), context.bytes().size()));
  content.addresses.push_back(*address);
  return content;
}

IdContent derived_content(const Key& session, std::string_view label, std::uint32_t leader,
                          std::vector<SocketAddress> addresses) {
  Writer context;
  context.text(label).integer(leader);
  return {RootPlace::kLeader, derive_key(session, "derived id", context.bytes()), std::move(addresses)};
}

Result<std::string> configured_secret() {
  const config::Settings& settings = config::settings();
  if (!settings.secret.empty()) return settings.secret;
  if (!settings.secret_file.empty()) return read_secret_file(settings.secret_file);
  return std::string();
}

}  // namespace amalgam::bootstrap
