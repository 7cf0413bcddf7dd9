#pragma once

// The unique id in a file, for processes of one user on one host that nothing else joins: <temp>/amalgam-perf-<uid>/
// (0700, refused if it belongs to somebody else) / <job>-<parent's pid>. A file from before this run is not taken.
//
// Errors     Failure; waiting ends after a minute

#include <nccl.h>

#include <string>

namespace perf {

class IdFile {
 public:
  explicit IdFile(const std::string& job);
  ~IdFile();  // what was written is taken away: by then all ranks have joined, or the run failed
  IdFile(const IdFile&) = delete;
  IdFile& operator=(const IdFile&) = delete;

  void write(const ncclUniqueId& id);
  ncclUniqueId wait() const;

 private:
  std::string path_;
  bool written_ = false;
};

}  // namespace perf
