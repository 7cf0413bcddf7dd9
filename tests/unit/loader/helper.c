// What a vendor's library brings along: it calls a function of that library.

int ncclGetVersion(int* version);
int helper_get_version(int* version) { return ncclGetVersion(version); }
