#include "base/nonce.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdio>

namespace amalgam {

Result<Nonce> make_nonce() {
  Nonce nonce;
  ssize_t got = 0;
  do {
    got = getrandom(nonce.words.data(), sizeof(nonce.words), 0);
  } while (got < 0 && errno == EINTR);
  if (got != sizeof(nonce.words)) return system_error("getrandom", errno);
  return nonce;
}

std::string hex(const Nonce& nonce) {
  char text[33];
  std::snprintf(text, sizeof(text), "%016llx%016llx", static_cast<unsigned long long>(nonce.words[0]),
                static_cast<unsigned long long>(nonce.words[1]));
  return text;
}

}  // namespace amalgam
