// Which runtime the calling thread works on: see active_runtime() in base/device.h.

#include <fmt/format.h>

#include <map>
#include <memory>
#include <mutex>

#include "base/device.h"
#include "plugins/device/cuda_shaped/identity.h"
#include "plugins/device/cuda_shaped/runtime.h"
#include "plugins/device/tables/tables.h"

namespace amalgam::device {
namespace {

using cuda_shaped::Calls;
using cuda_shaped::Match;
using cuda_shaped::Table;

bool is_mapped(const Table& table) {
  return cuda_shaped::mapped(table.runtimes) != nullptr ||
         (table.driver != nullptr && cuda_shaped::mapped(std::span(&table.driver, 1)) != nullptr);
}

bool has_context(const Calls& calls) {
  if (calls.CurrentContext != nullptr) {
    void* context = nullptr;
    return calls.CurrentContext(&context) == 0 && context != nullptr;
  }
  int device = 0, active = 0;
  unsigned flags = 0;
  return calls.PrimaryState != nullptr && calls.GetDevice != nullptr && calls.GetDevice(&device) == 0 &&
         calls.PrimaryState(device, &flags, &active) == 0 && active != 0;
}

cuda_shaped::Device describe(const Calls& calls, int device) {
  cuda_shaped::Device found;
  found.library = calls.path;
  char text[256] = "";
  if (calls.DeviceGetPCIBusId != nullptr && calls.DeviceGetPCIBusId(text, sizeof(text), device) == 0)
    found.pci_vendor = cuda_shaped::pci_vendor_of(text);
  if (calls.DeviceGetName != nullptr && calls.DeviceGetName(text, sizeof(text), device) == 0) found.model = text;
  return found;
}

// One for each vendor that was ever found; they live as long as the process.
class Runtimes {
 public:
  Result<const Runtime*> keep(const Table& table, Calls calls, int device) {
    const std::lock_guard lock(mutex_);
    auto& runtime = known_[&table];
    if (runtime == nullptr) {
      auto made = std::make_unique<cuda_shaped::Runtime>(table, std::move(calls), device);
      AMALGAM_TRY(made->learn(device));
      runtime = std::move(made);
    }
    return runtime.get();
  }

 private:
  std::mutex mutex_;
  std::map<const Table*, std::unique_ptr<cuda_shaped::Runtime>> known_;
};

Runtimes& runtimes() {
  static auto* all = new Runtimes;  // never destroyed: frameworks call in from static destructors
  return *all;
}

// A table behind which the calling thread has a device.
struct Found {
  const Table* table = nullptr;
  Calls calls;
  int device = 0;
  Match match = Match::kNo;
};

Found look(const Table& table) {
  Found found;
  if (!is_mapped(table)) return found;
  found.calls = cuda_shaped::load(table);
  if (!has_context(found.calls) || found.calls.GetDevice == nullptr || found.calls.GetDevice(&found.device) != 0)
    return found;
  found.table = &table;
  found.match = cuda_shaped::match(table, describe(found.calls, found.device));
  return found;
}

// A runtime that knows the thread's context, not just the process's, comes first; then a vendor that is sure of its
// device before one whose names others borrow. So the order of the tables means nothing.
bool better(const Found& a, const Found& b) {
  const bool a_knows = a.calls.CurrentContext != nullptr, b_knows = b.calls.CurrentContext != nullptr;
  return a_knows != b_knows ? a_knows : a.match > b.match;
}

}  // namespace

Result<Active> active_runtime() {
  Found best;
  for (const Table* table : tables::all()) {
    Found found = look(*table);
    if (found.match != Match::kNo && (best.table == nullptr || better(found, best))) best = std::move(found);
  }
  if (best.table == nullptr) return Active{};
  if (!best.calls.missing.empty())
    return Status(Code::kDevice, fmt::format("this thread works on a {} device, but its runtime {} lacks {}",
                                             best.table->vendor, best.calls.path, best.calls.missing));
  Result<const Runtime*> runtime = runtimes().keep(*best.table, std::move(best.calls), best.device);
  if (!runtime) return runtime.status();
  return Active{*runtime, best.device};
}

}  // namespace amalgam::device
