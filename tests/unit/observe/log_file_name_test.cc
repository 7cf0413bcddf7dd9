#include "observe/log_file_name.h"

#include <gtest/gtest.h>

namespace amalgam::log {
namespace {

TEST(LogFileName, HasHostAndProcessWhereAsked) {
  EXPECT_EQ(expand_file_name("/tmp/%h/nccl.%p.log", "node7", 42), "/tmp/node7/nccl.42.log");
  EXPECT_EQ(expand_file_name("plain", "node7", 42), "plain");
  EXPECT_EQ(expand_file_name("%p%p", "node7", 42), "4242");
}

TEST(LogFileName, KeepsOtherPercentSigns) {
  EXPECT_EQ(expand_file_name("100%%", "h", 1), "100%");
  EXPECT_EQ(expand_file_name("%x%", "h", 1), "%x%");
  EXPECT_EQ(expand_file_name("%%p", "h", 1), "%p");
}

TEST(HostName, IsNotEmptyAndHasNoDomain) {
  EXPECT_NE(host_name(), "");
  EXPECT_EQ(host_name().find('.'), std::string::npos);
}

}  // namespace
}  // namespace amalgam::log
