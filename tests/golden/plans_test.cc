// Golden plan texts: what each family says for each collective at 1, 2, 3, 4, 5 and 8 ranks, as `plan print` shows it.
// A change of a plan is a change of what travels between machines, so it must be seen in review.
//
//   golden_plans DIRECTORY                compare
//   golden_plans DIRECTORY --regenerate   write (meson: ninja -C BUILD regenerate-plans)

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "plan/choose.h"

namespace amalgam::plan {
namespace {

std::string directory;
bool regenerate = false;

std::string texts(const std::string& family, Collective collective) {
  std::string all;
  Limits limits;
  limits.force_slice = 65536;
  for (int ranks : {1, 2, 3, 4, 5, 8}) {
    auto plan = build(family, collective, cluster::uniform(ranks, ranks, 2), 1 << 20, limits);
    all += plan.ok() ? print(*plan) : plan.status().message() + "\n";
  }
  return all;
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(GoldenPlans, EveryFamilySaysWhatItSaidBefore) {
  for (int c = 0; c < kCollectives; ++c) {
    const auto collective = static_cast<Collective>(c);
    for (const std::string& family : families(collective)) {
      const std::string path = directory + "/" + std::string(name_of(collective)) + "." + family + ".plan";
      if (regenerate) std::ofstream(path, std::ios::binary) << texts(family, collective);
      EXPECT_EQ(texts(family, collective), read(path)) << path;
    }
  }
}

}  // namespace
}  // namespace amalgam::plan

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc < 2) return 2;
  amalgam::plan::directory = argv[1];
  amalgam::plan::regenerate = argc > 2 && std::string(argv[2]) == "--regenerate";
  return RUN_ALL_TESTS();
}
