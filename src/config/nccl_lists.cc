#include "config/nccl_lists.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

namespace amalgam::config {
namespace {

constexpr std::array<std::string_view, 7> kAlgorithms = {"tree",     "ring", "collnetdirect", "collnetchain", "nvls",
                                                         "nvlstree", "pat"};
constexpr std::array<std::string_view, 3> kProtocols = {"ll", "ll128", "simple"};
constexpr std::array<std::string_view, 5> kFunctions = {"broadcast", "reduce", "allgather", "reducescatter",
                                                        "allreduce"};

std::string clean(std::string_view text) {
  std::string word;
  for (char c : text)
    if (std::isspace(static_cast<unsigned char>(c)) == 0)
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    if (std::string part = clean(text.substr(0, end)); !part.empty()) parts.push_back(std::move(part));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return parts;
}

NcclListEntry parse_entry(std::string_view text) {
  NcclListEntry entry;
  if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    entry.function = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  entry.excludes = text.starts_with('^');
  entry.tokens = split(entry.excludes ? text.substr(1) : text, ',');
  return entry;
}

bool contains(std::span<const std::string_view> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// First word of the lists that NCCL does not know either; empty: none.
std::string unknown_word(const std::vector<NcclListEntry>& entries, std::span<const std::string_view> known) {
  for (const NcclListEntry& entry : entries) {
    if (!entry.function.empty() && !contains(kFunctions, entry.function)) return entry.function;
    for (const std::string& token : entry.tokens)
      if (!contains(known, token)) return token;
  }
  return "";
}

bool exists_here(std::string_view algorithm) { return algorithm == "ring" || algorithm == "tree"; }

// Excluding only what does not exist here asks for nothing.
bool is_already_so(const NcclListEntry& entry) {
  return entry.excludes && std::none_of(entry.tokens.begin(), entry.tokens.end(), exists_here);
}

}  // namespace

std::vector<NcclListEntry> parse_nccl_list(std::string_view text) {
  std::vector<NcclListEntry> entries;
  for (const std::string& part : split(text, ';')) entries.push_back(parse_entry(part));
  return entries;
}

NcclListAnswer answer_algo(std::string_view text) {
  const std::vector<NcclListEntry> entries = parse_nccl_list(text);
  if (const std::string unknown = unknown_word(entries, kAlgorithms); !unknown.empty())
    return {"",
            fmt::format(
                "'{}' is no algorithm or function of NCCL; the list has no effect, AMALGAM_FAMILY forces a plan family",
                unknown)};
  if (std::all_of(entries.begin(), entries.end(), is_already_so)) return {};
  const bool single =
      entries.size() == 1 && entries[0].function.empty() && !entries[0].excludes && entries[0].tokens.size() == 1;
  if (single && exists_here(entries[0].tokens[0])) return {entries[0].tokens[0], ""};
  return {"",
          "not honoured: plans are chosen by predicted cost; AMALGAM_FAMILY forces one family (a single Ring or Tree "
          "is honoured)"};
}

NcclListAnswer answer_proto(std::string_view text) {
  const std::vector<NcclListEntry> entries = parse_nccl_list(text);
  if (const std::string unknown = unknown_word(entries, kProtocols); !unknown.empty())
    return {"", fmt::format("'{}' is no protocol or function of NCCL; the list has no effect", unknown)};
  return {"", entries.empty() ? "" : "not honoured: CPU ranks have one protocol for each transport"};
}

}  // namespace amalgam::config
