#include "bootstrap/rendezvous.h"

#include <unistd.h>

#include <algorithm>

#include "base/wire.h"
#include "bootstrap/address_wire.h"

namespace amalgam::bootstrap {
namespace {

constexpr std::size_t kMaxHostName = 64;

void write_contact(Writer& writer, const Contact& contact) {
  const std::size_t count = std::min(contact.listeners.size(), kMaxListeners);
  writer.integer(contact.rank).integer(contact.pid).text(std::string_view(contact.host).substr(0, kMaxHostName));
  writer.integer(static_cast<std::uint8_t>(count));
  for (std::size_t i = 0; i < count; ++i) write_address(writer, contact.listeners[i]);
}

// Host names reach logs: nothing but visible ASCII.
std::string clean(std::string text, std::size_t limit) {
  text.resize(std::min(text.size(), limit));
  for (char& c : text)
    if (c < 0x20 || c > 0x7e) c = '?';
  return text;
}

bool read_contact(Reader& reader, Contact* contact) {
  contact->rank = reader.integer<std::uint32_t>();
  contact->pid = reader.integer<std::uint32_t>();
  contact->host = clean(reader.text(), kMaxHostName);
  const std::size_t count = reader.integer<std::uint8_t>();
  if (count > kMaxListeners) return false;
  for (std::size_t i = 0; i < count; ++i) {
    contact->listeners.push_back(read_address(reader));
    if (contact->listeners.back().family() == AF_UNSPEC) return false;
  }
  return reader.ok();
}

Status malformed(const char* what) {
  return Status(Code::kProtocol, std::string("malformed ") + what + " message in the rendezvous");
}

std::string host_name() {
  char name[256] = {};
  if (gethostname(name, sizeof(name) - 1) != 0) return "unknown host";
  return clean(name, kMaxHostName);
}

}  // namespace

std::string Contact::text() const {
  return "rank " + std::to_string(rank) + " (" + host + ", pid " + std::to_string(pid) + ")";
}

Contact own_contact(std::uint32_t rank, const std::vector<SocketAddress>& listeners) {
  return {rank, static_cast<std::uint32_t>(getpid()), host_name(), listeners};
}

std::vector<std::byte> encode(const JoinRequest& request) {
  Writer writer;
  writer.integer(request.protocol).integer(request.ranks).integer(request.timeout_ms).text(request.library);
  write_contact(writer, request.contact);
  return writer.take();
}

Result<JoinRequest> decode_join(ConstBytes payload) {
  Reader reader(payload);
  JoinRequest request;
  request.protocol = reader.integer<std::uint16_t>();
  request.ranks = reader.integer<std::uint32_t>();
  request.timeout_ms = reader.integer<std::uint64_t>();
  request.library = clean(reader.text(), kMaxHostName);
  if (!read_contact(reader, &request.contact) || !reader.finished()) return malformed("join");
  if (request.ranks == 0 || request.ranks > kMaxRanks || request.contact.rank >= request.ranks)
    return malformed("join");
  return request;
}

std::vector<std::byte> encode(const Assignment& assignment) {
  Writer writer;
  writer.raw(assignment.session).integer(static_cast<std::uint8_t>(assignment.parent.size()));
  for (const Contact& contact : assignment.parent) write_contact(writer, contact);
  writer.integer(static_cast<std::uint8_t>(assignment.children.size()));
  for (const Contact& contact : assignment.children) write_contact(writer, contact);
  return writer.take();
}

Result<Assignment> decode_assignment(ConstBytes payload) {
  Reader reader(payload);
  Assignment assignment;
  const ConstBytes nonce = reader.raw(assignment.session.size());
  std::copy(nonce.begin(), nonce.end(), assignment.session.begin());
  assignment.parent.resize(std::min<std::size_t>(reader.integer<std::uint8_t>(), 1));
  for (Contact& contact : assignment.parent)
    if (!read_contact(reader, &contact)) return malformed("assign");
  assignment.children.resize(std::min<std::size_t>(reader.integer<std::uint8_t>(), kArity));
  for (Contact& contact : assignment.children)
    if (!read_contact(reader, &contact)) return malformed("assign");
  if (!reader.finished()) return malformed("assign");
  return assignment;
}

std::vector<std::byte> encode(const Status& error) {
  Writer writer;
  writer.integer(static_cast<std::uint8_t>(error.code()))
      .text(std::string_view(error.message()).substr(0, kMaxErrorText));
  return writer.take();
}

Status decode_error(ConstBytes payload) {
  Reader reader(payload);
  const auto code = reader.integer<std::uint8_t>();
  const std::string text = clean(reader.text(), kMaxErrorText);
  if (!reader.finished() || code == 0 || code >= static_cast<std::uint8_t>(Code::kInProgress))
    return malformed("error");
  return Status(static_cast<Code>(code), text);
}

std::vector<std::byte> encode(const Contact& contact) {
  Writer writer;
  write_contact(writer, contact);
  return writer.take();
}

Result<Contact> decode_contact(ConstBytes payload) {
  Reader reader(payload);
  Contact contact;
  if (!read_contact(reader, &contact) || !reader.finished()) return malformed("contact");
  return contact;
}

std::string list_ranks(const std::vector<std::uint32_t>& ranks, std::size_t total) {
  std::string text = total == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const bool last = i + 1 == total;
    if (i > 0) text += last ? " and " : ", ";
    text += std::to_string(ranks[i]);
  }
  if (total > ranks.size()) text += " and " + std::to_string(total - ranks.size()) + " more";
  return text;
}

std::vector<std::uint32_t> children_of(std::uint32_t rank, std::uint32_t ranks) {
  std::vector<std::uint32_t> children;
  for (std::uint64_t child = std::uint64_t{rank} * kArity + 1; child <= std::uint64_t{rank} * kArity + kArity; ++child)
    if (child < ranks) children.push_back(static_cast<std::uint32_t>(child));
  return children;
}

// Level by level, a subtree is a run of consecutive ranks.
std::uint32_t subtree_size(std::uint32_t rank, std::uint32_t ranks) {
  std::uint64_t size = 0;
  std::uint64_t first = rank;
  for (std::uint64_t width = 1; first < ranks; width *= kArity, first = first * kArity + 1)
    size += std::min<std::uint64_t>(width, ranks - first);
  return static_cast<std::uint32_t>(size);
}

}  // namespace amalgam::bootstrap
