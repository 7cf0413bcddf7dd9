// A library of the user's that needs what a vendor's library brings along.

int helper_get_version(int* version);
int other_get_version(int* version) { return helper_get_version(version); }
