#pragma once

// The names of the HIP face: the same functions under AMD's names. Included before everything when the sources of the
// CUDA face are built for it; what differs in shape is in extra.cc.

#define cudaGetDeviceCount hipGetDeviceCount
#define cudaGetDevice hipGetDevice
#define cudaSetDevice hipSetDevice
#define cudaDeviceSynchronize hipDeviceSynchronize
#define cudaGetLastError hipGetLastError
#define cudaPeekAtLastError hipPeekAtLastError
#define cudaRuntimeGetVersion hipRuntimeGetVersion
#define cudaDriverGetVersion hipDriverGetVersion
#define cudaMemGetInfo hipMemGetInfo
#define cudaMalloc hipMalloc
#define cudaFree hipFree
#define cudaHostAlloc hipHostMalloc
#define cudaFreeHost hipHostFree
#define cudaHostRegister hipHostRegister
#define cudaHostUnregister hipHostUnregister
#define cudaHostGetDevicePointer hipHostGetDevicePointer
#define cudaPointerGetAttributes hipPointerGetAttributes
#define cudaMemcpy hipMemcpy
#define cudaMemcpyAsync hipMemcpyAsync
#define cudaMemsetAsync hipMemsetAsync
#define cudaStreamCreate hipStreamCreate
#define cudaStreamCreateWithFlags hipStreamCreateWithFlags
#define cudaStreamCreateWithPriority hipStreamCreateWithPriority
#define cudaStreamDestroy hipStreamDestroy
#define cudaStreamQuery hipStreamQuery
#define cudaStreamSynchronize hipStreamSynchronize
#define cudaStreamWaitEvent hipStreamWaitEvent
#define cudaLaunchHostFunc hipLaunchHostFunc
#define cudaEventCreateWithFlags hipEventCreateWithFlags
#define cudaEventRecord hipEventRecord
#define cudaEventQuery hipEventQuery
#define cudaEventSynchronize hipEventSynchronize
#define cudaEventDestroy hipEventDestroy
#define cuStreamWriteValue64_v2 hipStreamWriteValue64_of_driver
#define cuStreamWaitValue64_v2 hipStreamWaitValue64_of_driver
#define cuCtxGetCurrent hipCtxGetCurrent_of_driver
#define cuDeviceGetName hipDeviceGetName
#define cudaDeviceGetPCIBusId hipDeviceGetPCIBusId
#define cudaDeviceGetAttribute hipDeviceGetAttribute
#define cudaThreadExchangeStreamCaptureMode hipThreadExchangeStreamCaptureMode
#define cudaStreamIsCapturing hipStreamIsCapturing
#define cudaGetErrorName hipGetErrorName
#define cudaGetErrorString hipGetErrorString
#define standin_mirror standin_amd_mirror
#define standin_launch_steps standin_amd_launch_steps
#define standin_reach_read standin_amd_reach_read
#define standin_reach_write standin_amd_reach_write
#define standin_launch_fill32 standin_amd_launch_fill32
#define ncclAlltoAll ncclAllToAll  // RCCL's older spelling
#define standin_ccl_counters standin_amd_ccl_counters
