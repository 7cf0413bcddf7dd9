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
  return calls.PrimaryState != nullptr && calls.GetDevice(&device) == 0 &&
         calls.PrimaryState(device, &flags, &active) == 0 && active != 0;
}

cuda_shaped::Device describe(const Calls& calls, int device) {
  cuda_shaped::Device found;
  found.library = calls.path;
  char text[256] = "";
  if (calls.DeviceGetPCIBusId(text, sizeof(text), device) == 0) found.pci_vendor = cuda_shaped::pci_vendor_of(text);
  if (calls.DeviceGetName != nullptr && calls.DeviceGetName(text, sizeof(text), device) == 0) found.model = text;
  return found;
}

// One for each vendor that was ever found; they live as long as the process.
class Runtimes {
 public:
  const Runtime* keep(const Table& table, Calls calls, int device) {
    const std::lock_guard lock(mutex_);
    auto& runtime = known_[&table];
    if (runtime == nullptr)
      runtime = std::make_unique<cuda_shaped::Runtime>(table, std::move(calls), table.vendor, device);
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

}  // namespace

Result<Active> active_runtime() {
  for (const Table* table : tables::all()) {
    if (!is_mapped(*table)) continue;
    Calls calls = cuda_shaped::load(*table);
    if (!has_context(calls)) continue;
    if (!calls.missing.empty())
      return Status(Code::kDevice, fmt::format("this thread works on a {} device, but its runtime {} lacks {}",
                                               table->vendor, calls.path, calls.missing));
    int device = 0;
    if (calls.GetDevice(&device) != 0) continue;
    if (cuda_shaped::match(*table, describe(calls, device)) == Match::kNo) continue;
    return Active{runtimes().keep(*table, std::move(calls), device), device};
  }
  return Active{};
}

}  // namespace amalgam::device
