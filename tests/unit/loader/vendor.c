// A vendor's collective library as far as its loader is concerned: it has our names, calls itself through its linkage
// table and through pointers in its data, and brings a library along that calls it back.

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
