// What the init screen says of islands.

#include "comm/islands.h"

#include <gtest/gtest.h>

namespace amalgam::comm {
namespace {

StackFacts on(const std::string& vendor, const std::string& library, const std::string& label = {}) {
  StackFacts facts;
  facts.vendor = vendor;
  facts.library = library;
  facts.library_version = library.empty() ? 0 : 22809;
  facts.library_from = library.empty() ? "" : library + " 2.28.9 (/somewhere)";
  facts.label = label;
  return facts;
}

TEST(Islands, SayWhoIsInThemWhateverTheOrder) {
  const Islands islands =
      islands_of({on("nvidia", "NCCL"), on("amd", "RCCL"), on("nvidia", "NCCL"), on("host", ""), on("nvidia", "NCCL")});
  EXPECT_EQ(islands.describe(), "nvidia NCCL 22809: ranks 0, 2, 4; amd RCCL 22809: rank 1; host: rank 3");
}

TEST(Islands, NameEachLibraryOnceAndWhatHasNone) {
  const Islands islands =
      islands_of({on("nvidia", "NCCL", "a"), on("nvidia", "NCCL", "b"), on("host", ""), on("amd", "")});
  ASSERT_EQ(islands.all.size(), 4U);
  EXPECT_EQ(islands.describe_libraries(), "  nvidia: NCCL 2.28.9 (/somewhere)\n  amd: no library of its own\n");
}

}  // namespace
}  // namespace amalgam::comm
