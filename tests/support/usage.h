#pragma once

// What a process holds of the system's things, to find leaks.

#include <string>

namespace support {

struct Usage {
  long files = 0;  // open file descriptors
  long threads = 0;
  long mappings = 0;
  long resident_kib = 0;
  long shared_files = 0;  // in /dev/shm, of all processes
};

Usage read_usage();

// As soon as two looks in a row agree on files, threads and mappings: what a communicator held in the background goes a
// little after its destroy returned. Gives up after some seconds with the latest look.
Usage settled_usage();

std::string text(const Usage& usage);  // five numbers

}  // namespace support
