#include "transports/shm/description.h"

#include <fcntl.h>
#include <unistd.h>

#include <string_view>

#include "base/unique_fd.h"
#include "base/wire.h"
#include "config/settings.h"

namespace amalgam::shm {

std::vector<std::byte> Description::encode() const {
  Writer writer;
  writer.text(host).integer(pid).integer(fd);
  for (const Nonce& nonce : {directory, memory}) writer.integer(nonce.words[0]).integer(nonce.words[1]);
  return writer.take();
}

std::optional<Description> Description::decode(const std::vector<std::byte>& bytes) {
  Reader reader(bytes);
  Description description;
  description.host = reader.text();
  description.pid = reader.integer<std::int64_t>();
  description.fd = reader.integer<std::int32_t>();
  for (Nonce* nonce : {&description.directory, &description.memory})
    for (std::uint64_t& word : nonce->words) word = reader.integer<std::uint64_t>();
  if (!reader.finished() || description.pid <= 0 || description.fd < 0) return std::nullopt;
  return description;
}

std::string host_identity() {
  char text[64] = {};
  const UniqueFd file(open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  const ssize_t length = file.valid() ? read(file.get(), text, sizeof(text)) : 0;
  std::string identity(text, static_cast<std::size_t>(length < 0 ? 0 : length));
  while (!identity.empty() && identity.back() == '\n') identity.pop_back();
  return identity + "/" + config::settings().host_id;
}

bool pids_are_private() {
  char target[64];
  const ssize_t length = readlink("/proc/self/ns/pid", target, sizeof(target));
  constexpr std::string_view kInitialNamespace = "pid:[4026531836]";  // PROC_PID_INIT_INO, part of the kernel's ABI
  return length <= 0 || std::string_view(target, static_cast<std::size_t>(length)) != kInitialNamespace;
}

}  // namespace amalgam::shm
