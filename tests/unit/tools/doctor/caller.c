// A program that uses NCCL, or one that uses none.

#ifdef NONE
int main(void) { return 0; }
#else
int ncclGetVersion(int* version);
int main(void) {
  int version = 0;
  return ncclGetVersion(&version);
}
#endif
