// The dynamic linker asks an audit module where to look: it answers with ours for NCCL's name.

#include <link.h>
#include <stdlib.h>
#include <string.h>

unsigned int la_version(unsigned int version) { return version; }

char* la_objsearch(const char* name, uintptr_t* cookie, unsigned int flag) {
  (void)cookie;
  char* ours = flag == LA_SER_ORIG && strcmp(name, "libnccl.so.2") == 0 ? getenv("MATRIX_OURS") : NULL;
  return ours != NULL ? ours : (char*)name;
}
