// The list of live communicators, asked while they end.

#include "comm/registry.h"

#include <gmock/gmock.h>

#include <thread>
#include <vector>

#include "bootstrap/unique_id.h"
#include "comm/communicator.h"

namespace amalgam::comm {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Ranks of one communicator, joined on a thread each.
std::vector<Communicator*> joined(int ranks) {
  const Result<bootstrap::UniqueId> id = bootstrap::create_unique_id();
  EXPECT_TRUE(id.ok()) << id.status().message();
  std::vector<Communicator*> all;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank)
    all.push_back(new Communicator({id ? *id : bootstrap::UniqueId{}, rank, ranks, {}}, {}));
  for (Communicator* one : all)
    threads.emplace_back([one] {
      const Status status = one->join();
      EXPECT_TRUE(status.ok()) << status.message();
    });
  for (std::thread& thread : threads) thread.join();
  return all;
}

void destroy(Communicator* communicator) {
  communicator->finish();
  EXPECT_TRUE(communicator->finalize().ok());
  communicator->drop_handle();
}

// Were the list locked, or the communicators borrowed, until the last record has come, this would hang or read freed
// memory.
TEST(Registry, LetsCommunicatorsEndWhileTheirRecordsAreGathered) {
  for (int ranks : {1, 3}) {
    const std::vector<Communicator*> all = joined(ranks);
    const std::function<std::string()> answer = Registry::ask_status();
    for (Communicator* one : all) destroy(one);
    EXPECT_EQ(Registry::status(), "0 communicators\n");
    const std::string text = answer();
    EXPECT_THAT(text, HasSubstr(std::to_string(ranks) + " communicators\n"));
    for (int rank = 0; rank < ranks; ++rank)
      EXPECT_THAT(text, HasSubstr("rank " + std::to_string(rank) + " of " + std::to_string(ranks) + ": ok"));
  }
}

}  // namespace
}  // namespace amalgam::comm
