#include "plugins/island/loader/mapped.h"

namespace amalgam::loader {
namespace {

void read_names(Object* object) {
  const char* strings = nullptr;
  for (const ElfW(Dyn)* entry = object->dynamic; entry != nullptr && entry->d_tag != DT_NULL; ++entry)
    if (entry->d_tag == DT_STRTAB)
      strings = static_cast<const char*>(address_in(object->load_address, entry->d_un.d_ptr));
  if (strings == nullptr) return;
  for (const ElfW(Dyn)* entry = object->dynamic; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_SONAME) object->soname = strings + entry->d_un.d_val;
    if (entry->d_tag == DT_NEEDED) object->needed.emplace_back(strings + entry->d_un.d_val);
  }
}

// The dynamic linker holds its lock meanwhile: nothing is unmapped under our eyes.
int add_object(dl_phdr_info* info, std::size_t, void* argument) {
  Object object;
  object.path = info->dlpi_name != nullptr ? info->dlpi_name : "";
  object.load_address = info->dlpi_addr;
  for (int i = 0; i < info->dlpi_phnum; ++i)
    if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
      object.dynamic = reinterpret_cast<const ElfW(Dyn)*>(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
  read_names(&object);
  static_cast<std::vector<Object>*>(argument)->push_back(std::move(object));
  return 0;
}

}  // namespace

bool Object::is_called(const std::string& name) const {
  return !path.empty() && (name == soname || name == path || name == path.substr(path.rfind('/') + 1));
}

std::vector<Object> mapped_objects() {
  std::vector<Object> objects;
  dl_iterate_phdr(add_object, &objects);
  return objects;
}

std::vector<std::string> mapped_files() {
  std::vector<std::string> paths;
  for (const Object& object : mapped_objects())
    if (object.path.starts_with('/')) paths.push_back(object.path);
  return paths;
}

}  // namespace amalgam::loader
