// Vendors' libraries opened beside ours. The environment tells how ours came into the process (meson.build lists the
// ways); VENDOR_FOLDER holds stand-ins of a vendor's library, linked in different manners.

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <gtest/gtest.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "plugins/island/loader/cache.h"
#include "plugins/island/loader/elf_file.h"
#include "plugins/island/loader/find.h"
#include "plugins/island/loader/identity.h"
#include "plugins/island/loader/open.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace amalgam::loader {
namespace {

constexpr int kVendorVersion = VENDOR_VERSION;
constexpr std::array<std::string_view, 2> kPrefixes = {"nccl", "pnccl"};

std::string file(const std::string& manner) {
  return std::string(std::getenv("VENDOR_FOLDER")) + "/libvendor_" + manner + ".so";
}

int version_by(void* library, const char* function) {
  auto* call = reinterpret_cast<int (*)(int*)>(::dlsym(library, function));
  int version = -1;
  if (call != nullptr) call(&version);
  return version;
}

int version_of_the_process() { return version_by(RTLD_DEFAULT, "ncclGetVersion"); }

std::string last_error_of(void* library) {
  auto* call = reinterpret_cast<const char* (*)(void*)>(::dlsym(library, "ncclGetLastError"));
  const char* text = call != nullptr ? call(nullptr) : nullptr;
  return text != nullptr ? text : "";
}

class Folder {
 public:
  explicit Folder(const std::string& name)
      : path_(std::filesystem::canonical(testing::TempDir()) /
              ("amalgam-loader-" + name + "-" + std::to_string(getpid()))) {
    std::filesystem::create_directory(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  const std::filesystem::path path_;
};

class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

// Whether a plain dlopen would mix the two libraries: only then do the other tests prove anything.
TEST(Loader, WithoutItTheVendorsLibraryWouldCallOurs) {
  if (version_of_the_process() < 0) GTEST_SKIP() << "ours is not in the process's scope in this way of loading";
  void* plain = ::dlopen(file("plain").c_str(), RTLD_LAZY | RTLD_LOCAL);
  ASSERT_NE(plain, nullptr) << ::dlerror();
  EXPECT_NE(version_of_the_process(), kVendorVersion);
  EXPECT_EQ(version_by(plain, "ncclGetVersionByTable"), version_of_the_process());
  EXPECT_EQ(version_by(plain, "ncclGetVersionByPointer"), version_of_the_process());
}

struct Manner {
  const char* folder;
  std::size_t least, most;  // references to be bound
};

class Manners : public testing::TestWithParam<Manner> {};

TEST_P(Manners, TheVendorsLibraryCallsItself) {
  const std::string path = file(GetParam().folder);
  const int before = version_of_the_process();
  Result<Opened> opened = open({path, "a test"}, kPrefixes);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_FALSE(opened->deepbind);
  EXPECT_GE(opened->rebound, GetParam().least);
  EXPECT_LE(opened->rebound, GetParam().most);
  EXPECT_EQ(version_by(opened->handle, "ncclGetVersion"), kVendorVersion);
  EXPECT_EQ(version_by(opened->handle, "ncclGetVersionByTable"), kVendorVersion);
  EXPECT_EQ(version_by(opened->handle, "ncclGetVersionByPointer"), kVendorVersion);
  if (::dlsym(opened->handle, "ncclGetVersionByHelper") != nullptr) {
    EXPECT_EQ(version_by(opened->handle, "ncclGetVersionByHelper"), kVendorVersion);
  }
  EXPECT_EQ(version_of_the_process(), before) << "the process's own names must not change";
  Result<Opened> again = open({path, "a test"}, kPrefixes);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->handle, opened->handle);
}

INSTANTIATE_TEST_SUITE_P(Of, Manners,
                         testing::Values(Manner{"lazy", 2, 3}, Manner{"now", 2, 3}, Manner{"symbolic", 0, 0},
                                         Manner{"helper", 3, 4}, Manner{"gnuhash", 2, 3}),
                         [](const auto& manner) { return std::string(manner.param.folder); });

TEST(Loader, ALibraryThatWasMappedBeforeIsRepairedToo) {
  const std::string path = file("mapped");
  void* mapped = ::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  ASSERT_NE(mapped, nullptr);
  Result<Opened> opened = open({path, "a test"}, kPrefixes);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_TRUE(opened->was_mapped);
  EXPECT_EQ(version_by(opened->handle, "ncclGetVersionByTable"), kVendorVersion);
}

// NCCL 2.28.9 as its wheel has it: 19 calls of its own functions, counted with readelf. It needs no GPU to tell its
// version.
TEST(Loader, TheRealLibraryKeepsItsOwnCalls) {
  const char* path = std::getenv("AMALGAM_TEST_REAL_NCCL");
  if (path == nullptr) GTEST_SKIP() << "AMALGAM_TEST_REAL_NCCL names no libnccl.so.2 of NCCL 2.28.9";
  const int before = version_of_the_process();
  Result<Opened> opened = open({path, "a test"}, kPrefixes);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_EQ(opened->rebound, 19U);
  EXPECT_GE(opened->filtered, 1U);
  EXPECT_EQ(opened->version, 22809);
  EXPECT_EQ(version_by(opened->handle, "ncclGetVersion"), 22809);
  EXPECT_EQ(version_of_the_process(), before);
  // Ours tells that version too. But its Bcast calls its Broadcast, and whoever gets that call notes the error.
  const std::string ours = last_error_of(RTLD_DEFAULT);
  using Bcast = int (*)(void*, std::size_t, int, int, void*, void*);
  auto* bcast = reinterpret_cast<Bcast>(::dlsym(opened->handle, "ncclBcast"));
  ASSERT_NE(bcast, nullptr);
  EXPECT_NE(bcast(nullptr, 1, 0, 0, nullptr, nullptr), 0);
  EXPECT_EQ(last_error_of(opened->handle), "Broadcast : comm argument is NULL");
  EXPECT_EQ(last_error_of(RTLD_DEFAULT), ours);
}

// Its name is in a relocation that cannot be written as a function's address.
TEST(Loader, ALibraryWithUnknownRelocationsIsOpenedDeepOrNotAtAll) {
  Result<Opened> opened = open({file("unknown"), "a test"}, kPrefixes);
  Dl_info allocator{}, library{};
  ASSERT_NE(::dladdr(::dlsym(RTLD_DEFAULT, "malloc"), &allocator), 0);
  ASSERT_NE(::dladdr(reinterpret_cast<void*>(&::gnu_get_libc_version), &library), 0);
  if (allocator.dli_fbase != library.dli_fbase) {
    ASSERT_FALSE(opened.ok());
    EXPECT_NE(opened.status().message().find("malloc is interposed"), std::string::npos) << opened.status().message();
    return;
  }
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_TRUE(opened->deepbind);
  EXPECT_EQ(version_by(opened->handle, "ncclGetVersionByTable"), kVendorVersion);
}

TEST(Loader, NeverOpensItself) {
#if defined(__SANITIZE_ADDRESS__)  // ours has a C++ run-time of its own, whose pool is lost when a refused copy is
                                   // closed
  const __lsan::ScopedDisabler disabled;
#endif
  for (const char* name : {"/libnccl.so.2", "/librccl.so.1"}) {
    const Result<Opened> opened = open({std::getenv("OWN_FOLDER") + std::string(name), "a test"}, kPrefixes);
    ASSERT_FALSE(opened.ok());
    EXPECT_NE(opened.status().message().find("Amalgam itself"), std::string::npos) << opened.status().message();
  }
  const Folder folder("copy");
  std::filesystem::copy_file(std::getenv("OWN_FOLDER") + std::string("/libnccl.so.2"), folder.path() / "libother.so");
  EXPECT_FALSE(open({folder.path() / "libother.so", "a test"}, kPrefixes).ok()) << "a copy under another name";
}

TEST(Loader, SaysWhatIsWrongWithAFile) {
  EXPECT_EQ(open({"libnccl.so.2", "a test"}, kPrefixes).status().code(), Code::kInvalidArgument);
  EXPECT_NE(open({"/nowhere/libnccl.so.2", "a test"}, kPrefixes).status().message().find("/nowhere/libnccl.so.2"),
            std::string::npos);
}

TEST(Loader, ALinkToAKnownFileIsThatLibrary) {
  const Folder folder("link");
  std::filesystem::create_symlink(file("linkto"), folder.path() / "libnccl.so.2");
  const Result<Opened> first = open({file("linkto"), "a test"}, kPrefixes);
  const Result<Opened> second = open({folder.path() / "libnccl.so.2", "another"}, kPrefixes);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->handle, second->handle);
  EXPECT_EQ(second->why, "a test") << "the first to open it said why";
}

TEST(Loader, TellsWhyAndHowAndWhichVersion) {
  const Result<Opened> opened = open({file("told"), "beside torch"}, kPrefixes);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_EQ(opened->version, kVendorVersion);
  EXPECT_EQ(opened->describe(), "beside torch, " + std::to_string(opened->rebound) + " references bound back");
}

// A vendor's constructor opens libraries, in its own thread and in one that it waits for, while the thread that opened
// the vendor's library holds the dynamic linker's lock: nothing of ours may be locked then.
extern "C" __attribute__((visibility("default"))) void in_vendors_constructor() {
  const Result<Opened> inner = open({file("inner"), "a constructor"}, kPrefixes);
  EXPECT_TRUE(inner.ok()) << inner.status().message();
  std::thread([] { EXPECT_TRUE(open({file("inner"), "its thread"}, kPrefixes).ok()); }).join();
}

TEST(Loader, AConstructorMayOpenLibraries) {
  const Result<Opened> opened = open({file("constructor"), "a test"}, kPrefixes);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_EQ(open({file("inner"), "a test"}, kPrefixes)->why, "a constructor");
}

TEST(Loader, ThreadsThatOpenOneFileGetOneLibrary) {
  std::array<void*, 8> handles{};
  std::vector<std::thread> threads;
  threads.reserve(handles.size());
  for (void*& handle : handles)
    threads.emplace_back([&handle] {
      const Result<Opened> opened = open({file("threads"), "a test"}, kPrefixes);
      EXPECT_TRUE(opened.ok()) << opened.status().message();
      if (opened.ok() && version_by(opened->handle, "ncclGetVersionByTable") == kVendorVersion) handle = opened->handle;
    });
  for (std::thread& thread : threads) thread.join();
  for (void* handle : handles) EXPECT_EQ(handle, handles[0]);
  EXPECT_NE(handles[0], nullptr);
}

// What the library needs and nobody else does is its own, whoever mapped it first.
TEST(Loader, APrivateDependencyThatWasMappedBeforeIsRepairedToo) {
  ASSERT_NE(::dlopen(file("early").c_str(), RTLD_LAZY | RTLD_LOCAL), nullptr) << ::dlerror();
  const Result<Opened> opened = open({file("early"), "a test"}, kPrefixes);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_TRUE(opened->was_mapped);
  EXPECT_EQ(version_by(opened->handle, "ncclGetVersionByHelper"), kVendorVersion);
}

// Somebody else needs it too, and means ours when it says NCCL.
TEST(Loader, ADependencyThatOthersNeedKeepsItsReferences) {
  const int ours = version_of_the_process();
  if (ours < 0) GTEST_SKIP() << "ours is not in the process's scope in this way of loading";
  void* other = ::dlopen(file("other").c_str(), RTLD_LAZY | RTLD_LOCAL);
  ASSERT_NE(other, nullptr) << ::dlerror();
  const Result<Opened> opened = open({file("sharing"), "a test"}, kPrefixes);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_EQ(version_by(opened->handle, "ncclGetVersionByTable"), kVendorVersion);
  EXPECT_EQ(version_by(other, "other_get_version"), ours);
}

const char* variable_by(void* library, const char* function, const char* name) {
  return reinterpret_cast<const char* (*)(const char*)>(::dlsym(library, function))(name);
}

TEST(Environment, TheVendorsLibraryDoesNotSeeWhatIsOurs) {
  const Result<Opened> opened = open({file("reader"), "a test"}, kPrefixes);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_GE(opened->filtered, 2U);
  struct Case {
    const char *name, *value;
    bool seen;
  };
  for (const auto& [name, value, seen] :
       {Case{"NCCL_COMM_ID", "127.0.0.1:1", false}, Case{"NCCL_COMM_BLOCKING", "0", false},
        Case{"NCCL_NET_PLUGIN", "/lib/libnccl-net-amalgam.so", false}, Case{"NCCL_NET_PLUGIN", "ofi", true},
        Case{"NCCL_ALGO", "allreduce:Pairwise", false}, Case{"NCCL_ALGO", "CollnetDirect,ring", true},
        Case{"NCCL_DEBUG", "WARN", true}}) {
    const Variable variable(name, value);
    for (const char* function : {"ncclReadVariable", "ncclReadVariableSecurely"}) {
      const char* got = variable_by(opened->handle, function, name);
      EXPECT_EQ(got != nullptr, seen) << name << "=" << value;
      if (got != nullptr) {
        EXPECT_STREQ(got, value);
      }
    }
    EXPECT_STREQ(std::getenv(name), value) << "the process keeps it";
  }
  EXPECT_EQ(variable_by(opened->handle, "ncclReadVariable", "NCCL_NO_SUCH_VARIABLE"), nullptr);
}

TEST(ElfFile, TellsNamesNeedsAndSymbols) {
  const Result<ElfFile> elf = ElfFile::open(file("early"));
  ASSERT_TRUE(elf.ok()) << elf.status().message();
  EXPECT_EQ(elf->soname(), "libnccl.so.2");
  EXPECT_EQ(std::count(elf->needed().begin(), elf->needed().end(), "libvendor_brings_early.so"), 1);
  EXPECT_TRUE(elf->defines("ncclGetVersion"));
  EXPECT_FALSE(elf->defines("helper_get_version")) << "it only needs it";
  int references = 0;
  elf->visit_relocations(
      [&](std::string_view name, ElfW(Xword)) { return references += name == "ncclGetVersion", true; });
  EXPECT_GE(references, 2);
}

TEST(ElfFile, TakesAnyBytes) {
  const Folder folder("elf");
  std::ifstream in(file("lazy"), std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    std::string bytes = whole;
    bytes.resize(size);
    if (size > 64) bytes.resize(whole.size(), '\xff');  // headers that point nowhere
    std::ofstream(folder.path() / "cut", std::ios::binary) << bytes;
    const Result<ElfFile> elf = ElfFile::open(folder.path() / "cut");
    if (!elf.ok()) continue;
    (void)elf->defines("ncclGetVersion");
    elf->visit_relocations([](std::string_view, ElfW(Xword)) { return true; });
  }
  EXPECT_FALSE(ElfFile::open(folder.path()).ok()) << "a folder";
  EXPECT_FALSE(ElfFile::open("/nowhere").ok());
}

TEST(Find, TheUsersWordIsFinal) {
  static constexpr const char* kSonames[] = {"libnccl.so.2"};
  const std::vector<Candidate> found = find({file("plain"), kSonames, {}, {}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].path, file("plain"));
}

TEST(Find, SeesWhatIsMappedAndTheVendorsFolderAndNeverItself) {
  static constexpr const char* kSonames[] = {"libnccl.so.2"};
  const Folder mapped("mapped"), installed("installed");
  for (const Folder* folder : {&mapped, &installed})
    std::filesystem::copy_file(file("lazy"), folder->path() / "libnccl.so.2");
  ASSERT_NE(::dlopen((mapped.path() / "libnccl.so.2").c_str(), RTLD_LAZY), nullptr);
  const std::string own = std::getenv("OWN_FOLDER"), theirs = installed.path();
  const char* const folders[] = {own.c_str(), theirs.c_str()};
  std::vector<std::string> found;
  for (const Candidate& one : find({"", kSonames, {}, folders}))
    for (const std::filesystem::path& ours : {mapped.path(), installed.path(), std::filesystem::canonical(own)})
      if (std::filesystem::path(one.path).parent_path() == ours) found.push_back(one.path);
  std::vector<std::string> expected{mapped.path() / "libnccl.so.2"};
  if (::dlsym(RTLD_DEFAULT, "amalgam_marker") == nullptr)  // then it is a library like others: open() refuses it
    expected.push_back(std::filesystem::canonical(own + "/libnccl.so.2"));
  expected.push_back(installed.path() / "libnccl.so.2");
  EXPECT_EQ(found, expected);
}

// A cache of two libraries, built by hand as glibc's header describes it.
TEST(Cache, FindsLibrariesOfThisMachineOnly) {
  const std::string strings = std::string("libnccl.so.2\0/a/libnccl.so.2\0/b/libnccl.so.2\0", 45);
  std::string cache = "glibc-ld.so.cache1.1";
  const auto add = [&](auto number) { cache.append(reinterpret_cast<const char*>(&number), sizeof(number)); };
  add(std::uint32_t{2});
  add(static_cast<std::uint32_t>(strings.size()));
  for (int i = 0; i < 5; ++i) add(std::uint32_t{0});
  const std::uint32_t start = 48 + 2 * 24;
#if defined(__x86_64__)
  const std::int32_t here = 0x0303, elsewhere = 0x0003;
#else
  const std::int32_t here = 0x0a03, elsewhere = 0x0003;
#endif
  for (const auto& [flags, path] : {std::pair{elsewhere, 13U}, std::pair{here, 29U}}) {
    add(flags);
    add(start);
    add(start + path);
    add(std::uint32_t{0});
    add(std::uint64_t{0});
  }
  cache += strings;
  EXPECT_EQ(find_in_cache(cache, "libnccl.so.2"), std::vector<std::string>{"/b/libnccl.so.2"});
  EXPECT_TRUE(find_in_cache(cache, "librccl.so.1").empty());
  for (std::size_t cut = 0; cut < cache.size(); ++cut) (void)find_in_cache(cache.substr(0, cut), "libnccl.so.2");
}

}  // namespace
}  // namespace amalgam::loader
