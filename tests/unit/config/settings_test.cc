#include "config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <thread>

// One test: the process's settings are loaded once, so their environment must be set before any other test asks for
// them.

namespace amalgam::config {
namespace {

using testing::Contains;
using testing::HasSubstr;

TEST(Settings, AreReadOnceFromTheProcessAndStayTheSameObject) {
  ::setenv("NCCL_CONF_FILE", "/nonexistent/nccl.conf", 1);
  ::setenv("AMALGAM_SLOTS", "12", 1);
  ::setenv("NCCL_AMALGAM_SPIN_US", "1", 1);
  ::setenv("NCCL_COMM_ID", "127.0.0.1:5000", 1);
  ::setenv("NCCL_BUFFSIZE", "1", 1);
  const Settings* from_thread = nullptr;
  std::thread other([&] { from_thread = &settings(); });
  EXPECT_EQ(settings().slots, 12);
  other.join();
  EXPECT_EQ(from_thread, &settings());
  ::setenv("AMALGAM_SLOTS", "13", 1);
  EXPECT_EQ(settings().slots, 12);
  EXPECT_EQ(settings().spin_us, 1);
  EXPECT_EQ(lookup("NCCL_COMM_ID"), "127.0.0.1:5000");
  EXPECT_EQ(lookup("NCCL_NOT_SET"), "");
  EXPECT_THAT(warnings(), Contains(HasSubstr("NCCL_BUFFSIZE")));
  EXPECT_THAT(dump(), HasSubstr("AMALGAM_SLOTS=12"));
  EXPECT_THAT(agreed_text(), HasSubstr("slots=12\n"));
}

}  // namespace
}  // namespace amalgam::config
