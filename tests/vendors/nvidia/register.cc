// Kernels: a program registers them as it starts and may ask for their handles, but a stand-in has no code to run, so a
// launch ends the process and says which kernel it was. A launch that did nothing would let wrong results pass.

#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/vendors/nvidia/cuda13.h"
#include "tests/vendors/nvidia/state.h"

using face::answer;

namespace {

struct Registered {
  std::mutex lock;
  std::unordered_map<const void*, const char*> names;  // by the address of the host's function
};

Registered& registered() {
  static auto* const all = new Registered;
  return *all;
}

[[noreturn]] void refuse_launch(const char* call, const void* function) {
  Registered& all = registered();
  const std::lock_guard<std::mutex> hold(all.lock);
  const auto found = all.names.find(function);
  const std::string rule =
      std::string("no kernel can run here: ") + (found == all.names.end() ? "an unregistered one" : found->second);
  standin::misuse(call, rule.c_str());
}

struct Configuration {
  dim3 grid, block;
  size_t shared;
  cudaStream_t stream;
};
thread_local std::vector<Configuration> configurations;

}  // namespace

void** __cudaRegisterFatBinary(void* binary) {
  static void* handle = nullptr;  // programs only hand it back
  return &handle;
}

void __cudaRegisterFatBinaryEnd(void** handle) {}
void __cudaUnregisterFatBinary(void** handle) {}
char __cudaInitModule(void** handle) { return 1; }

void __cudaRegisterFunction(void** handle, const char* function, char* device_function, const char* name,
                            int thread_limit, void* thread, void* block, void* block_dimensions, void* grid_dimensions,
                            int* warp_size) {
  Registered& all = registered();
  const std::lock_guard<std::mutex> hold(all.lock);
  all.names[function] = name;
}

void __cudaRegisterVar(void** handle, char* variable, char* device_address, const char* name, int external,
                       size_t bytes, int constant, int global) {}

cudaError_t __cudaGetKernel(void** kernel, const void* function) {
  *kernel = const_cast<void*>(function);
  return face::kSuccess;
}

unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, cudaStream_t stream) {
  configurations.push_back(Configuration{grid, block, shared, stream});
  return 0;
}

cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* shared, void* stream) {
  if (configurations.empty()) return answer(face::kInvalidValue);
  const Configuration& last = configurations.back();
  *grid = last.grid;
  *block = last.block;
  *shared = last.shared;
  *static_cast<cudaStream_t*>(stream) = last.stream;
  configurations.pop_back();
  return face::kSuccess;
}

cudaError_t __cudaLaunchKernel(const void* kernel, dim3 grid, dim3 block, void** arguments, size_t shared,
                               cudaStream_t stream) {
  refuse_launch("cudaLaunchKernel", kernel);
}

cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** arguments, size_t shared,
                             cudaStream_t stream) {
  refuse_launch("cudaLaunchKernel", function);
}

cudaError_t cudaLaunchCooperativeKernel(const void* function, dim3 grid, dim3 block, void** arguments, size_t shared,
                                        cudaStream_t stream) {
  refuse_launch("cudaLaunchCooperativeKernel", function);
}

cudaError_t cudaLaunchKernelExC(const void* configuration, const void* function, void** arguments) {
  refuse_launch("cudaLaunchKernelExC", function);
}

cudaError_t cudaFuncGetAttributes(void* attributes, const void* function) { return answer(face::kNotSupported); }
cudaError_t cudaFuncSetAttribute(const void* function, int attribute, int value) { return answer(face::kNotSupported); }

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* function, int size, size_t shared) {
  return answer(face::kNotSupported);
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, const void* function, int size,
                                                                   size_t shared, unsigned flags) {
  return answer(face::kNotSupported);
}

cudaError_t cudaGetSymbolAddress(void** pointer, const void* symbol) { return answer(face::kNotSupported); }

cudaError_t cudaMemcpyToSymbol(const void* symbol, const void* from, size_t bytes, size_t offset, int kind) {
  return answer(face::kNotSupported);
}
