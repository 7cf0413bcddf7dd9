#pragma once

// What the process of rank 0 tells: nccl-tests' table on standard output as it grows, a progress line on standard error
// on long runs, and, if asked for, everything as JSON.
//
// Threads    the one of rank 0      Errors  Failure (the file cannot be written)

#include <chrono>
#include <string>
#include <vector>

#include "measure.h"

namespace perf {

struct Setting {  // of the run: what stands above the table
  const Collective& collective;
  const Options& options;
  std::string launcher;
  std::string description;         // amalgam_describe
  std::vector<std::string> ranks;  // a line each
};

class Report {
 public:
  Report(Setting setting, std::size_t rows);

  void begin() const;
  void add(Row row);
  // The last lines, and the file. Returns the number of wrong elements.
  std::uint64_t end() const;

 private:
  void print(const Row& row) const;
  void print_progress(const Row& row);
  double average_bus_bandwidth() const;
  std::uint64_t wrong() const;
  void write_json() const;

  Setting setting_;
  std::size_t expected_rows_;
  std::vector<Row> rows_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_progress_ = start_;
};

}  // namespace perf
