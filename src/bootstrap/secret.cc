#include "bootstrap/secret.h"

#include <sodium/crypto_generichash.h>
#include <sodium/utils.h>
#include <sys/random.h>

#include <cerrno>

namespace amalgam::bootstrap {
namespace {

const unsigned char* raw(const std::byte* bytes) { return reinterpret_cast<const unsigned char*>(bytes); }
unsigned char* raw(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

// BLAKE2b over a list of pieces, each preceded by its length so that no two lists collide.
class Digest {
 public:
  Digest(const Key* key, std::size_t size) {
    crypto_generichash_init(&state_, key == nullptr ? nullptr : raw(key->data()), key == nullptr ? 0 : key->size(),
                            size);
  }
  Digest& add(ConstBytes bytes) {
    const unsigned char length[4] = {
        static_cast<unsigned char>(bytes.size()), static_cast<unsigned char>(bytes.size() >> 8),
        static_cast<unsigned char>(bytes.size() >> 16), static_cast<unsigned char>(bytes.size() >> 24)};
    crypto_generichash_update(&state_, length, sizeof(length));
    crypto_generichash_update(&state_, raw(bytes.data()), bytes.size());
    return *this;
  }
  Digest& add(std::string_view text) { return add(std::as_bytes(std::span(text.data(), text.size()))); }
  template <std::size_t N>
  std::array<std::byte, N> finish() {
    std::array<std::byte, N> result{};
    crypto_generichash_final(&state_, raw(result.data()), N);
    return result;
  }

 private:
  crypto_generichash_state state_;
};

}  // namespace

Status fill_random(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("getrandom", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

Key derive_key(const Key& from, std::string_view purpose, ConstBytes context) {
  return Digest(&from, sizeof(Key)).add(purpose).add(context).finish<sizeof(Key)>();
}

Key key_from_text(std::string_view secret, std::string_view context) {
  return Digest(nullptr, sizeof(Key)).add("amalgam key from text").add(secret).add(context).finish<sizeof(Key)>();
}

std::uint64_t number_of(const Key& session) {
  const Key hash = derive_key(session, "group id", {});
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number |= static_cast<std::uint64_t>(hash[i]) << (8 * i);
  return number;
}

KeyId name_of(const Key& key) { return Digest(&key, sizeof(KeyId)).add("amalgam key name").finish<sizeof(KeyId)>(); }

Proof prove(const Key& key, Side side, ConstBytes hello, const Nonce& listener_nonce) {
  const std::byte who[1] = {static_cast<std::byte>(side)};
  return Digest(&key, sizeof(Proof))
      .add("amalgam proof")
      .add(ConstBytes(who))
      .add(hello)
      .add(ConstBytes(listener_nonce))
      .finish<sizeof(Proof)>();
}

bool same(const Proof& one, const Proof& other) { return sodium_memcmp(one.data(), other.data(), one.size()) == 0; }

}  // namespace amalgam::bootstrap
