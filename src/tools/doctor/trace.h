#pragma once

// What glibc's dynamic linker says about its work (LD_DEBUG=libs,files), read back: which libraries each program got,
// who asked for them, and which rule found them.
//
// The text is for people, but has had this form since glibc 2.2. A line that is not understood is passed over.

#include <string>
#include <string_view>
#include <vector>

namespace amalgam::doctor {

struct Load {
  std::string name;  // as asked for
  std::string path;  // empty: not found
  std::string by;    // who asked: a library's path, or the program
  std::string how;   // "LD_PRELOAD", "RPATH of FILE", "RUNPATH of FILE", "LD_LIBRARY_PATH", "ld.so.cache", …
};

// One program that a process ran; exec makes another in the same process.
struct Image {
  int process = 0;
  std::string program;  // as it was called
  std::vector<Load> loads;
};

// Of the file that one process wrote. Children that did not exec write into it too, and count as the process.
std::vector<Image> read_trace(int process, std::string_view text);

}  // namespace amalgam::doctor
