// What the parser sees of an ncclConfig_t of each NCCL version. The table is written from the published layouts, not
// from the parser: offset, width and first version of each field, size of the struct at each version. Bytes that a
// version does not define are 0xAA, so a field that leaks in through padding shows.

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "abi/config_parse.h"

namespace amalgam::abi {
namespace {

struct Field {
  const char* name;
  std::size_t offset;
  bool text;
  unsigned since;
  int valid;  // a value that is neither the default nor out of range
};

const std::vector<Field> kFields = {
    {"blocking", 16, false, 21400, 0},
    {"cgaClusterSize", 20, false, 21700, 2},
    {"minCTAs", 24, false, 21700, 3},
    {"maxCTAs", 28, false, 21700, 9},
    {"netName", 32, true, 21700, 0},
    {"splitShare", 40, false, 21800, 1},
    {"trafficClass", 44, false, 22600, 5},
    {"commName", 48, true, 22700, 0},
    {"collnetEnable", 56, false, 22700, 1},
    {"CTAPolicy", 60, false, 22700, 2},
    {"shrinkShare", 64, false, 22700, 1},
    {"nvlsCTAs", 68, false, 22700, 7},
    {"nChannelsPerNetPeer", 72, false, 22800, 6},
    {"nvlinkCentricSched", 76, false, 22800, 1},
    {"graphUsageMode", 80, false, 22900, 1},
    {"numRmaCtx", 84, false, 22900, 4},
    {"maxP2pPeers", 88, false, 23000, 11},
    {"graphStreamOrdering", 92, false, 23005, 1},
    {"launchOrderImplicit", 96, false, 23100, 1},
    {"numRmaSig", 100, false, 23100, 12},
    {"rmaEagerInit", 104, false, 23100, 1},
    {"hostCftMode", 108, false, 23100, 2},
    {"nvlsHostMode", 112, false, 23200, 1},
};

struct Caller {
  unsigned version;
  std::size_t size;
};

const std::vector<Caller> kCallers = {
    {21400, 24}, {21603, 24}, {21700, 40}, {21805, 48}, {21900, 48}, {22105, 48}, {22205, 48},  {22304, 48},
    {22403, 48}, {22501, 48}, {22602, 48}, {22703, 72}, {22707, 72}, {22800, 80}, {22809, 80},  {22902, 88},
    {22907, 88}, {23000, 96}, {23003, 96}, {23004, 96}, {23005, 96}, {23007, 96}, {23102, 112}, {23203, 120},
};

constexpr const char* kText = "from the caller";

// The caller's struct, followed by bytes that do not belong to it.
class CallerConfig {
 public:
  CallerConfig(unsigned version, std::size_t size) : bytes_(256, std::byte{0xAA}) {
    put<std::size_t>(0, size);
    put<unsigned>(8, 0xcafebeef);
    put<unsigned>(12, version);
  }
  template <typename T>
  void put(std::size_t offset, T value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof(value));
  }
  void set(const Field& field, bool unset) {
    if (field.text) {
      put<const char*>(field.offset, unset ? nullptr : kText);
    } else {
      put<int>(field.offset, unset ? INT32_MIN : field.valid);
    }
  }
  const void* data() const { return bytes_.data(); }

 private:
  std::vector<std::byte> bytes_;
};

CallerConfig make(const Caller& caller, bool unset) {
  CallerConfig config(caller.version, caller.size);
  for (const Field& field : kFields)
    if (field.since <= caller.version && field.offset + (field.text ? 8 : 4) <= caller.size) config.set(field, unset);
  return config;
}

std::string seen(const ConfigFields& fields, const Field& field) {
  const char* at = reinterpret_cast<const char*>(&fields) + field.offset;
  if (field.text) {
    const char* text;
    std::memcpy(&text, at, sizeof(text));
    return text == nullptr ? "unset" : text;
  }
  int value;
  std::memcpy(&value, at, sizeof(value));
  return value == INT32_MIN ? "unset" : std::to_string(value);
}

std::string wanted(const Field& field, const Caller& caller) {
  if (field.since > caller.version) return "unset";
  return field.text ? kText : std::to_string(field.valid);
}

TEST(ConfigMatrix, EveryFieldOfTheCallersVersionIsSeenAndNothingElse) {
  for (const Caller& caller : kCallers) {
    const CallerConfig config = make(caller, false);
    Result<ConfigFields> fields = read_config("test", config.data());
    ASSERT_TRUE(fields.ok()) << fields.status().message();
    for (const Field& field : kFields)
      EXPECT_EQ(seen(*fields, field), wanted(field, caller)) << field.name << " from " << caller.version;
    EXPECT_TRUE(check_config("test", *fields).ok()) << caller.version;
  }
}

TEST(ConfigMatrix, AnInitialisedConfigThatSetsNothingMeansTheDefaults) {
  for (const Caller& caller : kCallers) {
    const CallerConfig config = make(caller, true);
    Result<launch::CommConfig> parsed = parse_config("test", config.data());
    ASSERT_TRUE(parsed.ok()) << parsed.status().message();
    EXPECT_TRUE(parsed->blocking);
    EXPECT_FALSE(parsed->blocking_set);
    EXPECT_EQ(parsed->name, "");
    EXPECT_EQ(parsed->asked.net_name, "");
    const launch::CommConfig defaults;
    EXPECT_EQ(parsed->asked.traffic_class, defaults.asked.traffic_class) << caller.version;
    EXPECT_EQ(parsed->asked.min_ctas, defaults.asked.min_ctas) << caller.version;
    EXPECT_EQ(parsed->asked.max_ctas, defaults.asked.max_ctas) << caller.version;
    EXPECT_EQ(parsed->asked.cga_cluster_size, defaults.asked.cga_cluster_size) << caller.version;
    EXPECT_EQ(parsed->asked.cta_policy, defaults.asked.cta_policy) << caller.version;
  }
}

TEST(ConfigMatrix, ValuesReachTheFormThatTheLayersBelowUse) {
  const CallerConfig config = make({22809, 80}, false);
  Result<launch::CommConfig> parsed = parse_config("test", config.data());
  ASSERT_TRUE(parsed.ok());
  EXPECT_FALSE(parsed->blocking);
  EXPECT_TRUE(parsed->blocking_set);
  EXPECT_EQ(parsed->name, kText);
  EXPECT_EQ(parsed->asked.net_name, kText);
  EXPECT_EQ(parsed->asked.min_ctas, 3);
  EXPECT_EQ(parsed->asked.max_ctas, 9);
  EXPECT_EQ(parsed->asked.cga_cluster_size, 2);
  EXPECT_EQ(parsed->asked.traffic_class, 5);
  EXPECT_EQ(parsed->asked.cta_policy, 2);
}

TEST(ConfigMatrix, RcclsOtherFieldAtOffset80IsNotTakenForOurs) {
  CallerConfig config = make({22809, 80}, true);
  config.put<std::size_t>(0, 88);
  config.put<const char*>(80, kText);
  Result<ConfigFields> fields = read_config("test", config.data());
  ASSERT_TRUE(fields.ok());
  EXPECT_EQ(fields->graph_usage_mode, kUnset);
  EXPECT_EQ(fields->rma_contexts, kUnset);
}

TEST(ConfigMatrix, AFieldBeyondTheCallersSizeIsNotReadWhateverItsVersion) {
  CallerConfig config(23200, 48);
  for (const Field& field : kFields)
    if (field.offset < 48) config.set(field, true);
  Result<ConfigFields> fields = read_config("test", config.data());
  ASSERT_TRUE(fields.ok());
  for (const Field& field : kFields) EXPECT_EQ(seen(*fields, field), "unset") << field.name;
}

TEST(ConfigMatrix, ANewerVersionAndALargerStructAreAccepted) {
  CallerConfig config = make({29900, 120}, false);
  config.put<std::size_t>(0, 200);
  EXPECT_TRUE(parse_config("test", config.data()).ok());
}

TEST(ConfigMatrix, NullMeansDefaults) {
  Result<launch::CommConfig> parsed = parse_config("test", nullptr);
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(parsed->blocking);
  EXPECT_FALSE(parsed->blocking_set);
}

TEST(ConfigMatrix, AWrongMagicOrSizeIsRefused) {
  CallerConfig magic = make({22809, 80}, true);
  magic.put<unsigned>(8, 0xdeadbeef);
  EXPECT_EQ(parse_config("test", magic.data()).status().code(), Code::kInvalidArgument);
  CallerConfig size = make({22809, 80}, true);
  size.put<std::size_t>(0, 8);
  EXPECT_EQ(parse_config("test", size.data()).status().code(), Code::kInvalidArgument);
}

struct OutOfRange {
  const char* field;
  std::size_t offset;
  std::vector<int> values;
};

TEST(ConfigMatrix, ValuesOutOfRangeAreRefusedAndNamed) {
  const std::vector<OutOfRange> cases = {
      {"blocking", 16, {-1, 2}},
      {"cgaClusterSize", 20, {-1}},
      {"minCTAs", 24, {0, -5}},
      {"maxCTAs", 28, {0, -1}},
      {"splitShare", 40, {-1, 2}},
      {"collnetEnable", 56, {2}},
      {"CTAPolicy", 60, {-1, 4}},
      {"shrinkShare", 64, {2}},
      {"nvlsCTAs", 68, {0}},
      {"nChannelsPerNetPeer", 72, {0}},
      {"nvlinkCentricSched", 76, {2, -1}},
  };
  for (const OutOfRange& wrong : cases) {
    for (const int value : wrong.values) {
      CallerConfig config = make({22809, 80}, true);
      config.put<int>(wrong.offset, value);
      const Status status = parse_config("ncclX", config.data()).status();
      EXPECT_EQ(status.code(), Code::kInvalidArgument) << wrong.field << "=" << value;
      EXPECT_NE(status.message().find(wrong.field), std::string::npos) << status.message();
      EXPECT_NE(status.message().find("ncclX"), std::string::npos) << status.message();
    }
  }
  CallerConfig crossed = make({22809, 80}, true);
  crossed.put<int>(24, 8);
  crossed.put<int>(28, 4);
  EXPECT_EQ(parse_config("test", crossed.data()).status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace amalgam::abi
