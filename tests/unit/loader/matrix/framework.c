// A library that was linked with NCCL, as a framework's Python extension is.

int ncclGetVersion(int* version);
int framework_version(int* version) { return ncclGetVersion(version); }
