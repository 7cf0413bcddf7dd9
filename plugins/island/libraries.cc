// Which file is a vendor's collective library: see library_of() in base/island.h.

#include <fmt/format.h>

#include <map>
#include <mutex>

#include "base/device.h"
#include "base/island.h"
#include "plugins/island/loader/find.h"
#include "plugins/island/loader/open.h"
#include "plugins/island/nccl_shaped/library.h"
#include "plugins/island/tables/tables.h"

namespace amalgam::island {
namespace {

constexpr std::string_view kPrefixes[] = {"nccl", "pnccl"};

using nccl_shaped::Table;

const Table* table_of(std::string_view vendor) {
  for (const Table* table : tables::all_collective_libraries())
    if (vendor == table->vendor) return table;
  return nullptr;
}

Result<std::unique_ptr<nccl_shaped::Library>> open_one(const Table& table, const loader::Candidate& candidate) {
  Result<loader::Opened> opened = loader::open(candidate, kPrefixes);
  if (!opened) return opened.status();
  return nccl_shaped::Library::create(table, opened->handle, opened->path, opened->describe());
}

Result<std::unique_ptr<nccl_shaped::Library>> open_first(const Table& table, const std::string& path) {
  std::string tried;
  for (const loader::Candidate& candidate : loader::find({path, table.sonames, table.torch, table.folders})) {
    auto library = open_one(table, candidate);
    if (library) return library;
    tried += fmt::format("{}{} ({}): {}", tried.empty() ? "" : "; ", candidate.path, candidate.why,
                         library.status().message());
  }
  if (tried.empty())
    tried = fmt::format(
        "no {} in the process, beside torch, in the dynamic linker's cache or in the "
        "vendor's folders",
        table.sonames.front());
  return Status(Code::kSystem, fmt::format("{} for {} devices cannot be used: {}", table.name, table.vendor, tried));
}

struct Known {
  std::mutex mutex;
  std::map<std::pair<const Table*, std::string>, std::unique_ptr<nccl_shaped::Library>> libraries;
};

Known& known() {
  static auto* all = new Known;  // never destroyed: vendor libraries leave threads behind
  return *all;
}

}  // namespace

Result<const Library*> library_of(const device::Runtime& runtime, const std::string& path) {
  const Table* table = table_of(runtime.vendor());
  if (table == nullptr)
    return Status(Code::kSystem, fmt::format("no collective library is known for {} devices", runtime.vendor()));
  {
    const std::lock_guard lock(known().mutex);
    if (const auto found = known().libraries.find({table, path}); found != known().libraries.end())
      return found->second.get();
  }
  auto opened = open_first(*table, path);  // without the lock: constructors run, which may call anything
  if (!opened) return opened.status();
  const std::lock_guard lock(known().mutex);
  return known().libraries.try_emplace({table, path}, opened.take()).first->second.get();
}

}  // namespace amalgam::island
