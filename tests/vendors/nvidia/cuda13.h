#pragma once

// What only the CUDA 13 face exports, beyond what it shares with the other vendors' faces (face.h): devices'
// properties, the driver, kernels' registration, the rest of the copies. Sizes and offsets were compared with
// CUDA 13.0's [H].

#include "tests/vendors/nvidia/face.h"

extern "C" {

struct cudaDeviceProp {
  char name[256];
  unsigned char uuid[16];
  char luid[8];
  unsigned luidDeviceNodeMask;
  size_t totalGlobalMem;
  size_t sharedMemPerBlock;
  int regsPerBlock;
  int warpSize;
  size_t memPitch;
  int maxThreadsPerBlock;
  int maxThreadsDim[3];
  int maxGridSize[3];
  size_t totalConstMem;
  int major;
  int minor;
  size_t textureAlignment;
  size_t texturePitchAlignment;
  int multiProcessorCount;
  int integrated;
  int canMapHostMemory;
  int textures_and_surfaces[39];  // left zero: nobody asks
  size_t surfaceAlignment;
  int concurrentKernels;
  int ECCEnabled;
  int pciBusID;
  int pciDeviceID;
  int pciDomainID;
  int tccDriver;
  int asyncEngineCount;
  int unifiedAddressing;
  int memoryBusWidth;
  int l2CacheSize;
  int persistingL2CacheMaxSize;
  int maxThreadsPerMultiProcessor;
  int streamPrioritiesSupported;
  int globalL1CacheSupported;
  int localL1CacheSupported;
  size_t sharedMemPerMultiprocessor;
  int regsPerMultiprocessor;
  int managed_memory_and_boards[7];  // left zero
  int canUseHostPointerForRegisteredMem;
  int cooperativeLaunch;
  size_t sharedMemPerBlockOptin;
  int host_page_tables[2];  // left zero
  int maxBlocksPerMultiProcessor;
  int accessPolicyMaxWindowSize;
  size_t reservedSharedMemPerBlock;
  int hostRegisterSupported;
  int newer[75];  // left zero: pools, RDMA, events between processes, clusters and NUMA are not modelled
};
static_assert(sizeof(cudaDeviceProp) == 1008);
static_assert(offsetof(cudaDeviceProp, totalGlobalMem) == 288 && offsetof(cudaDeviceProp, major) == 360);
static_assert(offsetof(cudaDeviceProp, surfaceAlignment) == 552 && offsetof(cudaDeviceProp, pciBusID) == 568);
static_assert(offsetof(cudaDeviceProp, sharedMemPerMultiprocessor) == 624);
static_assert(offsetof(cudaDeviceProp, sharedMemPerBlockOptin) == 672);
static_assert(offsetof(cudaDeviceProp, hostRegisterSupported) == 704);

struct dim3 {
  unsigned x, y, z;
};

struct cudaIpcMemHandle_t {
  char reserved[64];
};

// devices.cc
STANDIN_EXPORT cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
STANDIN_EXPORT cudaError_t cudaDeviceGetByPCIBusId(int* device, const char* id);
STANDIN_EXPORT cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest);
STANDIN_EXPORT cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer);
STANDIN_EXPORT cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned flags);
STANDIN_EXPORT cudaError_t cudaDeviceDisablePeerAccess(int peer);

// copies.cc
STANDIN_EXPORT cudaError_t cudaMemset(void* to, int value, size_t bytes);
STANDIN_EXPORT cudaError_t cudaMemcpy2D(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width,
                                        size_t height, int kind);
STANDIN_EXPORT cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                                             size_t width, size_t height, int kind, cudaStream_t stream);
STANDIN_EXPORT cudaError_t cudaMemcpyPeer(void* to, int to_device, const void* from, int from_device, size_t bytes);
STANDIN_EXPORT cudaError_t cudaMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device, size_t bytes,
                                               cudaStream_t stream);

// pools.cc
using cudaMemPool_t = struct CUmemPoolHandle_st*;
STANDIN_EXPORT cudaError_t cudaMallocAsync(void** pointer, size_t bytes, cudaStream_t stream);
STANDIN_EXPORT cudaError_t cudaFreeAsync(void* pointer, cudaStream_t stream);
STANDIN_EXPORT cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device);
STANDIN_EXPORT cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, int attribute, void* value);
STANDIN_EXPORT cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, int attribute, void* value);
STANDIN_EXPORT cudaError_t cudaMemPoolSetAccess(cudaMemPool_t pool, const void* descriptions, size_t count);
STANDIN_EXPORT cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, size_t keep);

// ipc.cc
STANDIN_EXPORT cudaError_t cudaIpcGetMemHandle(cudaIpcMemHandle_t* handle, void* pointer);
STANDIN_EXPORT cudaError_t cudaIpcOpenMemHandle(void** pointer, cudaIpcMemHandle_t handle, unsigned flags);
STANDIN_EXPORT cudaError_t cudaIpcCloseMemHandle(void* pointer);

// driver.cc, entry_points.cc
STANDIN_EXPORT CUresult cuInit(unsigned flags);
STANDIN_EXPORT CUresult cuDriverGetVersion(int* version);
STANDIN_EXPORT CUresult cuDeviceGetCount(int* count);
STANDIN_EXPORT CUresult cuDeviceGet(int* device, int ordinal);
STANDIN_EXPORT CUresult cuDeviceGetAttribute(int* value, int attribute, int device);
STANDIN_EXPORT CUresult cuDeviceGetUuid_v2(void* uuid, int device);
STANDIN_EXPORT CUresult cuDeviceTotalMem_v2(size_t* bytes, int device);
STANDIN_EXPORT CUresult cuDevicePrimaryCtxGetState(int device, unsigned* flags, int* active);
STANDIN_EXPORT CUresult cuDevicePrimaryCtxRetain(void** context, int device);
STANDIN_EXPORT CUresult cuDevicePrimaryCtxRelease_v2(int device);
STANDIN_EXPORT CUresult cuCtxSetCurrent(void* context);
STANDIN_EXPORT CUresult cuCtxGetDevice(int* device);
STANDIN_EXPORT CUresult cuGetErrorName(CUresult error, const char** name);
STANDIN_EXPORT CUresult cuGetErrorString(CUresult error, const char** text);
STANDIN_EXPORT CUresult cuPointerGetAttribute(void* data, int attribute, CUdeviceptr pointer);
STANDIN_EXPORT CUresult cuMemGetAddressRange_v2(CUdeviceptr* base, size_t* bytes, CUdeviceptr pointer);
STANDIN_EXPORT CUresult cuMemGetHandleForAddressRange(void* handle, CUdeviceptr pointer, size_t bytes, int type,
                                                      unsigned long long flags);
STANDIN_EXPORT cudaError_t cudaGetDriverEntryPoint(const char* name, void** function, unsigned long long flags,
                                                   int* status);
STANDIN_EXPORT cudaError_t cudaGetDriverEntryPointByVersion(const char* name, void** function, unsigned version,
                                                            unsigned long long flags, int* status);

// register.cc
STANDIN_EXPORT void** __cudaRegisterFatBinary(void* binary);
STANDIN_EXPORT void __cudaRegisterFatBinaryEnd(void** handle);
STANDIN_EXPORT void __cudaUnregisterFatBinary(void** handle);
STANDIN_EXPORT char __cudaInitModule(void** handle);
STANDIN_EXPORT void __cudaRegisterFunction(void** handle, const char* function, char* device_function, const char* name,
                                           int thread_limit, void* thread, void* block, void* block_dimensions,
                                           void* grid_dimensions, int* warp_size);
STANDIN_EXPORT void __cudaRegisterVar(void** handle, char* variable, char* device_address, const char* name,
                                      int external, size_t bytes, int constant, int global);
STANDIN_EXPORT cudaError_t __cudaGetKernel(void** kernel, const void* function);
STANDIN_EXPORT unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, cudaStream_t stream);
STANDIN_EXPORT cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* shared, void* stream);
STANDIN_EXPORT cudaError_t __cudaLaunchKernel(const void* kernel, dim3 grid, dim3 block, void** arguments,
                                              size_t shared, cudaStream_t stream);
STANDIN_EXPORT cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** arguments,
                                            size_t shared, cudaStream_t stream);
STANDIN_EXPORT cudaError_t cudaLaunchCooperativeKernel(const void* function, dim3 grid, dim3 block, void** arguments,
                                                       size_t shared, cudaStream_t stream);
STANDIN_EXPORT cudaError_t cudaLaunchKernelExC(const void* configuration, const void* function, void** arguments);
STANDIN_EXPORT cudaError_t cudaFuncGetAttributes(void* attributes, const void* function);
STANDIN_EXPORT cudaError_t cudaFuncSetAttribute(const void* function, int attribute, int value);
STANDIN_EXPORT cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* function, int size,
                                                                         size_t shared);
STANDIN_EXPORT cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, const void* function,
                                                                                  int size, size_t shared,
                                                                                  unsigned flags);
STANDIN_EXPORT cudaError_t cudaGetSymbolAddress(void** pointer, const void* symbol);
STANDIN_EXPORT cudaError_t cudaMemcpyToSymbol(const void* symbol, const void* from, size_t bytes, size_t offset,
                                              int kind);
}
