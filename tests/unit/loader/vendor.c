// A vendor's collective library as far as its loader is concerned: it has our names, calls itself through its linkage
// table and through pointers in its data, reads the environment when asked, and brings a library along that calls it
// back.

#include <stdlib.h>

int ncclGetVersion(int* version) { return *version = VENDOR_VERSION, 0; }
int ncclGetVersionByTable(int* version) { return ncclGetVersion(version); }

int (*vendor_pointer)(int*) = ncclGetVersion;  // an absolute relocation with our name
int ncclGetVersionByPointer(int* version) { return vendor_pointer(version); }

#ifdef WITH_THREAD_LOCAL
__thread int ncclThreadDepth;  // a relocation with our name that holds no address
int* ncclGetThreadDepth(void) { return &ncclThreadDepth; }
#endif

#ifdef WITH_HELPER
int helper_get_version(int* version);
int ncclGetVersionByHelper(int* version) { return helper_get_version(version); }
#endif

const char* ncclReadVariable(const char* name) { return getenv(name); }
const char* ncclReadVariableSecurely(const char* name) { return secure_getenv(name); }

#ifdef WITH_CONSTRUCTOR
// Runs what the program has for it, while the dynamic linker's lock is held.
__attribute__((weak)) void in_vendors_constructor(void);
__attribute__((constructor)) static void begin(void) {
  if (in_vendors_constructor) in_vendors_constructor();
}
#endif
