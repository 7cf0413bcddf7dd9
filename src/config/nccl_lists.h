#pragma once

// The grammar of NCCL_ALGO and NCCL_PROTO: "ring,tree", "^nvls", or per function "allreduce:tree,ring;broadcast:^pat".
//
// NCCL refuses unknown tokens; here they are collected for one warning, since a list tuned for another machine must not
// stop a job.

#include <string>
#include <string_view>
#include <vector>

namespace amalgam::config {

struct NcclListEntry {
  std::string function;  // empty: all functions
  bool excludes = false;
  std::vector<std::string> tokens;  // lower case
};

std::vector<NcclListEntry> parse_nccl_list(std::string_view text);

struct NcclListAnswer {
  std::string family;   // of AMALGAM_FAMILY, when the list asks for exactly one family that exists here
  std::string warning;  // empty: nothing to say
};

NcclListAnswer answer_algo(std::string_view text);   // value of NCCL_ALGO
NcclListAnswer answer_proto(std::string_view text);  // value of NCCL_PROTO

}  // namespace amalgam::config
