#include <gtest/gtest.h>

#include <cstdlib>

// Settings are read once per process, so they are set before the first test: loopback only.
int main(int argc, char** argv) {
  setenv("AMALGAM_INTERFACES", "=lo", 1);
  setenv("AMALGAM_LOG", "error", 0);
  unsetenv("NCCL_COMM_ID");
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
