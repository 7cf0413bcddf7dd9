#pragma once

// What a file has of NCCL: it is ours, it is a vendor's library, or it carries a copy inside that nobody can replace.

#include <map>
#include <string>

namespace amalgam::doctor {

struct Look {
  enum class Kind { kNone, kOurs, kVendors, kInside } kind = Kind::kNone;
  std::string words;  // "Amalgam", "NCCL 2.28.9+cuda13.0", "NCCL 2.21.5 inside"; empty for kNone
};

// By the marker that only ours exports, the names that NCCL exports, and the text by which NCCL tells its version.
// Remembers what it saw. One thread.
class Looker {
 public:
  const Look& at(const std::string& path);

 private:
  std::map<std::string, Look> seen_;
};

// Whether a library is asked for by NCCL's or RCCL's name, with or without a folder: "libnccl.so.2", "/a/librccl.so".
bool is_nccl_name(std::string_view name);

}  // namespace amalgam::doctor
