#include "tests/vendors/ccl/segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace standin_ccl {

Segment* open_segment(const std::string& name) {
  const int file = shm_open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return nullptr;
  void* memory = MAP_FAILED;
  if (ftruncate(file, static_cast<off_t>(Segment::bytes())) == 0)
    memory = mmap(nullptr, Segment::bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  return memory == MAP_FAILED ? nullptr : static_cast<Segment*>(memory);  // zeros are its beginning
}

void forget_name(const std::string& name) { shm_unlink(name.c_str()); }

}  // namespace standin_ccl
