#include "base/transport.h"

#include <fmt/format.h>

namespace amalgam::transport {
namespace {

// The likeliest story behind a difference, most telling field first.
const char* guess(const SliceTag& expected, const SliceTag& arrived) {
  if (expected.communicator != arrived.communicator) return "the slice belongs to another communicator";
  if (expected.sequence != arrived.sequence) return "the two ranks did not issue the same operations in the same order";
  if (expected.plan != arrived.plan) return "the two ranks called the operation with different arguments";
  if (expected.bytes != arrived.bytes) return "the two ranks gave different sizes";
  return "the two ranks are at different places of one operation";
}

}  // namespace

std::string explain_mismatch(const SliceTag& expected, const SliceTag& arrived, int self, int peer) {
  const auto words = [](const SliceTag& tag) {
    return fmt::format("communicator {:08x} operation {} plan {:08x} slice {} of {} bytes", tag.communicator,
                       tag.sequence, tag.plan, tag.position, tag.bytes);
  };
  return fmt::format("rank {} expected from rank {}: {}; rank {} sent: {}; {}", self, peer, words(expected), peer,
                     words(arrived), guess(expected, arrived));
}

}  // namespace amalgam::transport
