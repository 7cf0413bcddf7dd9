#pragma once

// What `amalgam plan` is asked about: a cluster, a collective and a size, and from them, or from a file, a plan.

#include <cstdint>
#include <string>

#include "base/status.h"
#include "base/types.h"
#include "cluster/cluster.h"
#include "plan/check.h"
#include "plan/plan.h"

namespace amalgam::tools {

struct Options {                 // as typed
  std::string file;              // a plan's text, "-": standard input; empty: build one
  std::string cluster = "this";  // a cluster's text, or "this": the machine that runs
  int ranks = 4;                 // of "this"
  std::string collective = "allreduce";
  std::string bytes = "1M";
  std::string family;
  std::uint64_t element_bytes = 4;
  int root = 0;
  bool in_place = false;
};

struct Question {
  cluster::Cluster cluster;
  plan::Plan plan;
  std::uint64_t bytes = 0;
  plan::CheckRequest request;
};

Result<Question> read_question(const Options& options);
Result<cluster::Cluster> this_machine(int ranks);  // all ranks in one domain

}  // namespace amalgam::tools
