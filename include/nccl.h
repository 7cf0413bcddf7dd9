#ifndef NCCL_H_
#define NCCL_H_

/* The C interface of libnccl.so.2 as Amalgam provides it: NCCL's names, values and layouts, so that programs written
 * for NCCL or RCCL compile and link unchanged. This file states interface facts in our own words.
 *
 * - Reported version: 2.28.9 (ncclGetVersion; AMALGAM_VERSION overrides). Names that NCCL added up to 2.32 are declared
 *   and exported too; the ones that do not work yet answer ncclInvalidUsage and say what to do instead.
 * - Memory: on CPU ranks every buffer is plain host memory, on device ranks memory of the rank's device.
 * - Threads: one thread at a time per communicator; different communicators concurrently. ncclCommAbort,
 *   ncclCommGetAsyncError and ncclGetLastError may be called from any thread at any time.
 * - Errors: every call returns ncclResult_t; ncclGetLastError(NULL) says in words what was wrong and what to do.
 * - Profiling: each ncclX is a weak alias of pncclX: define ncclX yourself and forward to pncclX to observe calls.
 *
 * Compiles alone as C99 and C++11, and before or after CUDA's or HIP's runtime header. As NCCL's header does, it brings
 * in the runtime's header where one can be found; AMALGAM_NO_DEVICE_HEADERS keeps it from looking. */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NCCL_MAJOR 2
#define NCCL_MINOR 28
#define NCCL_PATCH 9
#define NCCL_SUFFIX ""

/* Up to 2.8 a minor version took one digit less. */
#define NCCL_VERSION(X, Y, Z) (((X) <= 2 && (Y) <= 8) ? (X)*1000 + (Y)*100 + (Z) : (X)*10000 + (Y)*100 + (Z))
#define NCCL_VERSION_CODE 22809

/* ---- the stream type: the runtime's own where one is at hand, else a compatible forward declaration ---- */

#if defined(__HIP_PLATFORM_AMD__) || defined(__HIP_PLATFORM_HCC__) || defined(HIP_INCLUDE_HIP_HIP_RUNTIME_API_H)
#define AMALGAM_STREAM_IS_HIP 1
#endif

#if defined(__has_include) && !defined(AMALGAM_NO_DEVICE_HEADERS)
#if defined(AMALGAM_STREAM_IS_HIP)
#if __has_include(<hip/hip_runtime_api.h>)
#include <hip/hip_runtime_api.h>
#endif
#else
#if __has_include(<cuda_runtime.h>)
#include <cuda_runtime.h>
#endif
#if __has_include(<cuda_fp16.h>)
#include <cuda_fp16.h>
#endif
#if defined(CUDART_VERSION) && __has_include(<cuda_bf16.h>)
#include <cuda_bf16.h>
#endif
#if defined(CUDART_VERSION) && defined(__cplusplus) && __has_include(<cuda_fp8.h>)
#include <cuda_fp8.h>
#endif
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

#if defined(AMALGAM_STREAM_IS_HIP)
#if !defined(HIP_INCLUDE_HIP_HIP_RUNTIME_API_H)
typedef struct ihipStream_t* hipStream_t;
#endif
typedef hipStream_t ncclStream_t;
#else
#if !defined(__CUDA_RUNTIME_H__) && !defined(__CUDA_RUNTIME_API_H__) && !defined(__DRIVER_TYPES_H__)
typedef struct CUstream_st* cudaStream_t;
#endif
typedef cudaStream_t ncclStream_t;
#endif

/* Declares a function under both of its names. */
#define NCCL_DECLARE(result, name, arguments)                   \
  __attribute__((visibility("default"))) result name arguments; \
  __attribute__((visibility("default"))) result p##name arguments

/* ---- handles ---- */

typedef struct ncclComm* ncclComm_t;
typedef struct ncclWindow_vidmem* ncclWindow_t;
#define NCCL_COMM_NULL NULL

/* Opaque bytes that one rank creates and all ranks of a communicator must be given. Passed by value. */
#define NCCL_UNIQUE_ID_BYTES 128
typedef struct {
  char internal[NCCL_UNIQUE_ID_BYTES];
} ncclUniqueId;

/* ---- enumerations ---- */

typedef enum {
  ncclSuccess = 0,
  ncclUnhandledCudaError = 1, /* a device runtime call failed */
  ncclSystemError = 2,        /* the operating system refused */
  ncclInternalError = 3,      /* a fault of the library itself */
  ncclInvalidArgument = 4,
  ncclInvalidUsage = 5,
  ncclRemoteError = 6, /* a peer died, vanished or reported an error */
  ncclInProgress = 7,  /* non-blocking communicator: poll ncclCommGetAsyncError */
  ncclTimeout = 8,     /* returned only when the reported version is at least 2.30 */
  ncclNumResults = 9
} ncclResult_t;

typedef enum { ncclNumOps_dummy = 5 } ncclRedOp_dummy_t;
typedef enum {
  ncclSum = 0,
  ncclProd = 1,
  ncclMax = 2,
  ncclMin = 3,
  ncclAvg = 4,
  ncclNumOps = 5,           /* handles of user operations begin here */
  ncclMaxRedOp = 0x7fffffff /* and end here */
} ncclRedOp_t;

typedef enum {
  ncclInt8 = 0,
  ncclChar = 0,
  ncclUint8 = 1,
  ncclInt32 = 2,
  ncclInt = 2,
  ncclUint32 = 3,
  ncclInt64 = 4,
  ncclUint64 = 5,
  ncclFloat16 = 6,
  ncclHalf = 6,
  ncclFloat32 = 7,
  ncclFloat = 7,
  ncclFloat64 = 8,
  ncclDouble = 8,
  ncclBfloat16 = 9,
  ncclFloat8e4m3 = 10,
  ncclFp8E4M3 = 10, /* RCCL's spelling */
  ncclFloat8e5m2 = 11,
  ncclFp8E5M2 = 11, /* RCCL's spelling */
  ncclNumTypes = 12
} ncclDataType_t;

/* Where the scalar of ncclRedOpCreatePreMulSum lives. An immediate is copied
 * during the call; one in device memory is read by each operation that uses the handle. */
typedef enum { ncclScalarDevice = 0, ncclScalarHostImmediate = 1 } ncclScalarResidence_t;

typedef enum {
  ncclStatGpuMemSuspend = 0,
  ncclStatGpuMemSuspended = 1,
  ncclStatGpuMemPersist = 2,
  ncclStatGpuMemTotal = 3
} ncclCommMemStat_t;

typedef enum { NCCL_GIN_TYPE_NONE = 0, NCCL_GIN_TYPE_PROXY = 2, NCCL_GIN_TYPE_GDAKI = 3 } ncclGinType_t;

typedef enum {
  NCCL_GIN_CONNECTION_NONE = 0,
  NCCL_GIN_CONNECTION_FULL = 1,
  NCCL_GIN_CONNECTION_RAIL = 2,
  NCCL_GIN_CONNECTION_CUSTOM_STRIDE = 3
} ncclGinConnectionType_t;

/* ---- flags and markers ---- */

#define NCCL_CONFIG_UNDEF_INT INT_MIN
#define NCCL_CONFIG_UNDEF_PTR NULL
#define NCCL_UNDEF_FLOAT -1.0f

#define NCCL_SPLIT_NOCOLOR -1
#define NCCL_SHRINK_DEFAULT 0x00
#define NCCL_SHRINK_ABORT 0x01 /* abort the parent's outstanding operations first */
#define NCCL_REVOKE_DEFAULT 0x00
#define NCCL_SUSPEND_MEM 0x01

#define NCCL_WIN_DEFAULT 0x00
#define NCCL_WIN_COLL_SYMMETRIC 0x01
#define NCCL_WIN_STRICT_ORDERING 0x02
#define NCCL_WIN_GIN_ONLY 0x04
#define NCCL_WIN_REQUIRED_ALIGNMENT 4096

#define NCCL_CTA_POLICY_DEFAULT 0x00
#define NCCL_CTA_POLICY_EFFICIENCY 0x01
#define NCCL_CTA_POLICY_ZERO 0x02

/* ---- structures that begin with size, magic and version. Initialise them with their macro; the library accepts the
 * layouts of every NCCL version from the one that introduced them to 2.32 ---- */

/* The communicator's configuration in its 2.28 layout (80 bytes on 64-bit systems). */
typedef struct ncclConfig_v22800 {
  size_t size;
  unsigned int magic;
  unsigned int version;
  int blocking; /* 0: calls may return ncclInProgress */
  int cgaClusterSize;
  int minCTAs;
  int maxCTAs;
  const char* netName;
  int splitShare;
  int trafficClass;
  const char* commName; /* appears in the log and in the flight record */
  int collnetEnable;
  int CTAPolicy;
  int shrinkShare;
  int nvlsCTAs;
  int nChannelsPerNetPeer;
  int nvlinkCentricSched;
} ncclConfig_t;

#define NCCL_CONFIG_INITIALIZER                                                                                        \
  {                                                                                                                    \
    sizeof(ncclConfig_t), 0xcafebeef, NCCL_VERSION(NCCL_MAJOR, NCCL_MINOR, NCCL_PATCH),                                \
        NCCL_CONFIG_UNDEF_INT /* blocking */, NCCL_CONFIG_UNDEF_INT /* cgaClusterSize */,                              \
        NCCL_CONFIG_UNDEF_INT /* minCTAs */, NCCL_CONFIG_UNDEF_INT /* maxCTAs */, NCCL_CONFIG_UNDEF_PTR /* netName */, \
        NCCL_CONFIG_UNDEF_INT /* splitShare */, NCCL_CONFIG_UNDEF_INT /* trafficClass */,                              \
        NCCL_CONFIG_UNDEF_PTR /* commName */, NCCL_CONFIG_UNDEF_INT /* collnetEnable */,                               \
        NCCL_CONFIG_UNDEF_INT /* CTAPolicy */, NCCL_CONFIG_UNDEF_INT /* shrinkShare */,                                \
        NCCL_CONFIG_UNDEF_INT /* nvlsCTAs */, NCCL_CONFIG_UNDEF_INT /* nChannelsPerNetPeer */,                         \
        NCCL_CONFIG_UNDEF_INT /* nvlinkCentricSched */                                                                 \
  }

/* What ncclGroupSimulateEnd predicts for the group. */
typedef struct ncclSimInfo_v22200 {
  size_t size;
  unsigned int magic;
  unsigned int version;
  float estimatedTime; /* microseconds */
} ncclSimInfo_t;

#define NCCL_SIM_INFO_INITIALIZER \
  { sizeof(ncclSimInfo_t), 0x74685283, NCCL_VERSION(NCCL_MAJOR, NCCL_MINOR, NCCL_PATCH), NCCL_UNDEF_FLOAT }

/* What ncclCommQueryProperties tells; the library writes at most `size` bytes. */
typedef struct ncclCommProperties {
  size_t size;
  unsigned int magic;
  unsigned int version;
  int rank;
  int nRanks;
  int cudaDev;
  int nvmlDev;
  bool deviceApiSupport; /* always false: kernels cannot call this library */
  bool multimemSupport;
  ncclGinType_t ginType;
  int nLsaTeams;       /* as many as ranks: none loads from or stores to another's memory */
  bool hostRmaSupport; /* false: ncclPutSignal and its kin are refused */
  ncclGinType_t railedGinType;
  uint64_t commHash; /* equal on all ranks; 0 until init has finished */
  int ginMinStride;
  ncclGinConnectionType_t ginConnectionType;
  bool ginSupport[64]; /* by ncclGinType_t */
  size_t devCommRuntimeVersionSize;
} ncclCommProperties_t;

#define NCCL_COMM_PROPERTIES_INITIALIZER                                                                           \
  {                                                                                                                \
    sizeof(ncclCommProperties_t), 0xcafebeef, NCCL_VERSION(NCCL_MAJOR, NCCL_MINOR, NCCL_PATCH), 0, 0, 0, 0, false, \
        false, NCCL_GIN_TYPE_NONE, 0, false, NCCL_GIN_TYPE_NONE, 0, 0, NCCL_GIN_CONNECTION_NONE, {false}, 0        \
  }

/* Hints for one call of a ...Config form (2.31). Extensions are a list keyed by vendor and option; unknown ones are
 * skipped. */
typedef struct ncclConfigExt {
  struct ncclConfigExt* next;
  struct {
    int vendorId;
    int optionId;
  } key;
  union {
    int64_t i64;
    double f64;
    void* ptr;
  } val;
} ncclConfigExt_t;

typedef struct ncclCollConfig_v23100 {
  size_t size;
  unsigned int magic;
  unsigned int version;
  ncclConfigExt_t* ext;
  int minCTAs;
  int maxCTAs;
  int nvlsCTAs;
  int cgaClusterSize;
  const char* algSelection;
  int forceAlgSelection;
  int CTAPolicy;
  uint64_t userProfilerTag;
} ncclCollConfig_t;

#define NCCL_COLLCONFIG_INITIALIZER                                                                          \
  {                                                                                                          \
    sizeof(ncclCollConfig_t), 0xcafebeef, NCCL_VERSION(2, 31, 0), NULL, NCCL_CONFIG_UNDEF_INT /* minCTAs */, \
        NCCL_CONFIG_UNDEF_INT /* maxCTAs */, NCCL_CONFIG_UNDEF_INT /* nvlsCTAs */,                           \
        NCCL_CONFIG_UNDEF_INT /* cgaClusterSize */, NULL /* algSelection */, 1 /* forceAlgSelection */,      \
        NCCL_CONFIG_UNDEF_INT /* CTAPolicy */, 0 /* userProfilerTag */                                       \
  }

typedef struct {
  int opCnt;
  int peer;
  int sigIdx;
  int ctx;
} ncclWaitSignalDesc_t;

/* Encryption of NCCL's own socket transport (2.32). */
typedef enum { NCCL_ENCRYPTION_MODE_NONE = 0, NCCL_ENCRYPTION_MODE_PSK = 1 } ncclEncryptionMode_t;
typedef struct ncclEncryptionConfig {
  size_t size;
  unsigned int magic;
  unsigned int version;
  int mode;
  const char* psk;
} ncclEncryptionConfig_t;

typedef struct ncclParamHandle* ncclParamHandle_t;

/* ---- library ---- */

NCCL_DECLARE(ncclResult_t, ncclGetVersion, (int* version));
/* The id starts a rendezvous in the calling process; it carries an address and a secret. */
NCCL_DECLARE(ncclResult_t, ncclGetUniqueId, (ncclUniqueId * uniqueId));
/* A fixed text for any value, known or not. */
NCCL_DECLARE(const char*, ncclGetErrorString, (ncclResult_t result));
/* The last error or warning of this thread, else of the process; "" when there was none. `comm` is not looked at. */
NCCL_DECLARE(const char*, ncclGetLastError, (ncclComm_t comm));
/* Reads NCCL_DEBUG and its kin again. */
NCCL_DECLARE(void, ncclResetDebugInit, (void));

/* ---- life of a communicator ---- */

NCCL_DECLARE(ncclResult_t, ncclCommInitRank, (ncclComm_t * comm, int nranks, ncclUniqueId commId, int rank));
NCCL_DECLARE(ncclResult_t, ncclCommInitRankConfig,
             (ncclComm_t * comm, int nranks, ncclUniqueId commId, int rank, ncclConfig_t* config));
/* Any one of the ids suffices; all ranks must pass the same list. */
NCCL_DECLARE(ncclResult_t, ncclCommInitRankScalable,
             (ncclComm_t * newcomm, int nranks, int myrank, int nId, ncclUniqueId* commIds, ncclConfig_t* config));
/* One communicator per entry, all in the calling process. devlist may be NULL: 0 ... ndev-1. */
NCCL_DECLARE(ncclResult_t, ncclCommInitAll, (ncclComm_t * comm, int ndev, const int* devlist));
NCCL_DECLARE(ncclResult_t, ncclCommFinalize, (ncclComm_t comm));
NCCL_DECLARE(ncclResult_t, ncclCommDestroy, (ncclComm_t comm));
NCCL_DECLARE(ncclResult_t, ncclCommAbort, (ncclComm_t comm));
NCCL_DECLARE(ncclResult_t, ncclCommRevoke, (ncclComm_t comm, int revokeFlags));
/* All ranks of `comm` call. Ranks of one color form a communicator, ordered by (key, old rank). */
NCCL_DECLARE(ncclResult_t, ncclCommSplit,
             (ncclComm_t comm, int color, int key, ncclComm_t* newcomm, ncclConfig_t* config));
/* The ranks that stay call; the excluded ones must not. */
NCCL_DECLARE(ncclResult_t, ncclCommShrink,
             (ncclComm_t comm, int* excludeRanksList, int excludeRanksCount, ncclComm_t* newcomm, ncclConfig_t* config,
              int shrinkFlags));
NCCL_DECLARE(ncclResult_t, ncclCommGetUniqueId, (ncclComm_t comm, ncclUniqueId* uniqueId));
NCCL_DECLARE(ncclResult_t, ncclCommGrow,
             (ncclComm_t comm, int nRanks, const ncclUniqueId* uniqueId, int rank, ncclComm_t* newcomm,
              ncclConfig_t* config));
NCCL_DECLARE(ncclResult_t, ncclCommSuspend, (ncclComm_t comm, int flags));
NCCL_DECLARE(ncclResult_t, ncclCommResume, (ncclComm_t comm));
NCCL_DECLARE(ncclResult_t, ncclCommMemStats, (ncclComm_t comm, ncclCommMemStat_t stat, uint64_t* value));

NCCL_DECLARE(ncclResult_t, ncclCommGetAsyncError, (ncclComm_t comm, ncclResult_t* asyncError));
NCCL_DECLARE(ncclResult_t, ncclCommCount, (const ncclComm_t comm, int* count));
NCCL_DECLARE(ncclResult_t, ncclCommCuDevice, (const ncclComm_t comm, int* device));
NCCL_DECLARE(ncclResult_t, ncclCommUserRank, (const ncclComm_t comm, int* rank));
NCCL_DECLARE(ncclResult_t, ncclCommQueryProperties, (ncclComm_t comm, ncclCommProperties_t* props));

/* ---- memory ---- */

/* Memory that peers can map: transfers from and to it need one copy less. */
NCCL_DECLARE(ncclResult_t, ncclMemAlloc, (void** ptr, size_t size));
NCCL_DECLARE(ncclResult_t, ncclMemFree, (void* ptr));
NCCL_DECLARE(ncclResult_t, ncclCommRegister, (const ncclComm_t comm, void* buff, size_t size, void** handle));
NCCL_DECLARE(ncclResult_t, ncclCommDeregister, (const ncclComm_t comm, void* handle));
NCCL_DECLARE(ncclResult_t, ncclCommWindowRegister,
             (ncclComm_t comm, void* buff, size_t size, ncclWindow_t* win, int winFlags));
NCCL_DECLARE(ncclResult_t, ncclCommWindowDeregister, (ncclComm_t comm, ncclWindow_t win));
NCCL_DECLARE(ncclResult_t, ncclWinGetUserPtr, (ncclComm_t comm, ncclWindow_t win, void** outUserPtr));

/* ---- user operations ---- */

/* sum over ranks of scalar * value, with each rank's own scalar. */
NCCL_DECLARE(ncclResult_t, ncclRedOpCreatePreMulSum,
             (ncclRedOp_t * op, void* scalar, ncclDataType_t datatype, ncclScalarResidence_t residence,
              ncclComm_t comm));
NCCL_DECLARE(ncclResult_t, ncclRedOpDestroy, (ncclRedOp_t op, ncclComm_t comm));

/* ---- groups of the calling thread ---- */

NCCL_DECLARE(ncclResult_t, ncclGroupStart, (void));
NCCL_DECLARE(ncclResult_t, ncclGroupEnd, (void));
/* Ends the group without running it and fills in how long it would have taken. */
NCCL_DECLARE(ncclResult_t, ncclGroupSimulateEnd, (ncclSimInfo_t * simInfo));

/* ---- collectives. Counts are elements; in place where sendbuff and recvbuff overlap as stated ---- */

/* In place: sendbuff == recvbuff. recvbuff is looked at on the root only. */
NCCL_DECLARE(ncclResult_t, ncclReduce,
             (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, ncclRedOp_t op, int root,
              ncclComm_t comm, ncclStream_t stream));
NCCL_DECLARE(ncclResult_t, ncclBcast,
             (void* buff, size_t count, ncclDataType_t datatype, int root, ncclComm_t comm, ncclStream_t stream));
/* In place: sendbuff == recvbuff. sendbuff is looked at on the root only. */
NCCL_DECLARE(ncclResult_t, ncclBroadcast,
             (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, int root, ncclComm_t comm,
              ncclStream_t stream));
/* In place: sendbuff == recvbuff. */
NCCL_DECLARE(ncclResult_t, ncclAllReduce,
             (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, ncclRedOp_t op,
              ncclComm_t comm, ncclStream_t stream));
/* sendbuff holds nranks * recvcount. In place: recvbuff == sendbuff + rank * recvcount. */
NCCL_DECLARE(ncclResult_t, ncclReduceScatter,
             (const void* sendbuff, void* recvbuff, size_t recvcount, ncclDataType_t datatype, ncclRedOp_t op,
              ncclComm_t comm, ncclStream_t stream));
/* recvbuff holds nranks * sendcount. In place: sendbuff == recvbuff + rank * sendcount. */
NCCL_DECLARE(ncclResult_t, ncclAllGather,
             (const void* sendbuff, void* recvbuff, size_t sendcount, ncclDataType_t datatype, ncclComm_t comm,
              ncclStream_t stream));
/* `count` elements for and from each rank. Not in place. */
NCCL_DECLARE(ncclResult_t, ncclAlltoAll,
             (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, ncclComm_t comm,
              ncclStream_t stream));
/* In place on the root: sendbuff == recvbuff + root * count. */
NCCL_DECLARE(ncclResult_t, ncclGather,
             (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, int root, ncclComm_t comm,
              ncclStream_t stream));
/* In place on the root: recvbuff == sendbuff + root * count. */
NCCL_DECLARE(ncclResult_t, ncclScatter,
             (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, int root, ncclComm_t comm,
              ncclStream_t stream));
NCCL_DECLARE(ncclResult_t, ncclSend,
             (const void* sendbuff, size_t count, ncclDataType_t datatype, int peer, ncclComm_t comm,
              ncclStream_t stream));
NCCL_DECLARE(ncclResult_t, ncclRecv,
             (void* recvbuff, size_t count, ncclDataType_t datatype, int peer, ncclComm_t comm, ncclStream_t stream));

/* ---- RCCL's names. The spellings with a capital T are its older ones ---- */

/* Counts and displacements in elements, one per rank. */
NCCL_DECLARE(ncclResult_t, ncclAlltoAllv,
             (const void* sendbuff, const size_t sendcounts[], const size_t sdispls[], void* recvbuff,
              const size_t recvcounts[], const size_t rdispls[], ncclDataType_t datatype, ncclComm_t comm,
              ncclStream_t stream));
NCCL_DECLARE(ncclResult_t, ncclAllToAll,
             (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, ncclComm_t comm,
              ncclStream_t stream));
NCCL_DECLARE(ncclResult_t, ncclAllToAllv,
             (const void* sendbuff, const size_t sendcounts[], const size_t sdispls[], void* recvbuff,
              const size_t recvcounts[], const size_t rdispls[], ncclDataType_t datatype, ncclComm_t comm,
              ncclStream_t stream));
NCCL_DECLARE(ncclResult_t, ncclAllReduceWithBias,
             (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, ncclRedOp_t op,
              ncclComm_t comm, ncclStream_t stream, const void* acc));
typedef int mscclAlgoHandle_t;
__attribute__((visibility("default"))) ncclResult_t mscclLoadAlgo(const char* mscclAlgoFilePath,
                                                                  mscclAlgoHandle_t* mscclAlgoHandle, int rank);
__attribute__((visibility("default"))) ncclResult_t mscclRunAlgo(
    const void* sendBuff, const size_t sendCounts[], const size_t sDisPls[], void* recvBuff, const size_t recvCounts[],
    const size_t rDisPls[], size_t count, ncclDataType_t dataType, int root, int peer, ncclRedOp_t op,
    mscclAlgoHandle_t mscclAlgoHandle, ncclComm_t comm, ncclStream_t stream);
__attribute__((visibility("default"))) ncclResult_t mscclUnloadAlgo(mscclAlgoHandle_t mscclAlgoHandle);

/* ---- 2.31: collectives with hints for one call; config may be NULL ---- */

NCCL_DECLARE(ncclResult_t, ncclAllReduceConfig,
             (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, ncclRedOp_t op,
              ncclComm_t comm, ncclStream_t stream, const ncclCollConfig_t* config));
NCCL_DECLARE(ncclResult_t, ncclBroadcastConfig,
             (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, int root, ncclComm_t comm,
              ncclStream_t stream, const ncclCollConfig_t* config));
NCCL_DECLARE(ncclResult_t, ncclReduceConfig,
             (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, ncclRedOp_t op, int root,
              ncclComm_t comm, ncclStream_t stream, const ncclCollConfig_t* config));
NCCL_DECLARE(ncclResult_t, ncclAllGatherConfig,
             (const void* sendbuff, void* recvbuff, size_t sendcount, ncclDataType_t datatype, ncclComm_t comm,
              ncclStream_t stream, const ncclCollConfig_t* config));
NCCL_DECLARE(ncclResult_t, ncclReduceScatterConfig,
             (const void* sendbuff, void* recvbuff, size_t recvcount, ncclDataType_t datatype, ncclRedOp_t op,
              ncclComm_t comm, ncclStream_t stream, const ncclCollConfig_t* config));
NCCL_DECLARE(ncclResult_t, ncclAlltoAllConfig,
             (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, ncclComm_t comm,
              ncclStream_t stream, const ncclCollConfig_t* config));
NCCL_DECLARE(ncclResult_t, ncclGatherConfig,
             (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, int root, ncclComm_t comm,
              ncclStream_t stream, const ncclCollConfig_t* config));
NCCL_DECLARE(ncclResult_t, ncclScatterConfig,
             (const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, int root, ncclComm_t comm,
              ncclStream_t stream, const ncclCollConfig_t* config));

/* ---- 2.29: one-sided operations; refused for now ---- */

NCCL_DECLARE(ncclResult_t, ncclPutSignal,
             (const void* localbuff, size_t count, ncclDataType_t datatype, int peer, ncclWindow_t peerWin,
              size_t peerWinOffset, int sigIdx, int ctx, unsigned int flags, ncclComm_t comm, ncclStream_t stream));
NCCL_DECLARE(ncclResult_t, ncclSignal,
             (int peer, int sigIdx, int ctx, unsigned int flags, ncclComm_t comm, ncclStream_t stream));
NCCL_DECLARE(ncclResult_t, ncclWaitSignal,
             (int nDesc, ncclWaitSignalDesc_t* signalDescs, ncclComm_t comm, ncclStream_t stream));

/* ---- 2.32 ---- */

/* Mode NONE succeeds; a pre-shared key is refused: data between hosts is not encrypted. */
NCCL_DECLARE(ncclResult_t, ncclSetEncryption, (const ncclEncryptionConfig_t* config));

/* ---- 2.30: this library's own settings under their names (AMALGAM_...), read only ---- */

/* A handle lives as long as the process. */
NCCL_DECLARE(ncclResult_t, ncclParamBind, (ncclParamHandle_t * out, const char* key));
NCCL_DECLARE(ncclResult_t, ncclParamGetI8, (ncclParamHandle_t handle, int8_t* out));
NCCL_DECLARE(ncclResult_t, ncclParamGetI16, (ncclParamHandle_t handle, int16_t* out));
NCCL_DECLARE(ncclResult_t, ncclParamGetI32, (ncclParamHandle_t handle, int32_t* out));
NCCL_DECLARE(ncclResult_t, ncclParamGetI64, (ncclParamHandle_t handle, int64_t* out));
NCCL_DECLARE(ncclResult_t, ncclParamGetU8, (ncclParamHandle_t handle, uint8_t* out));
NCCL_DECLARE(ncclResult_t, ncclParamGetU16, (ncclParamHandle_t handle, uint16_t* out));
NCCL_DECLARE(ncclResult_t, ncclParamGetU32, (ncclParamHandle_t handle, uint32_t* out));
NCCL_DECLARE(ncclResult_t, ncclParamGetU64, (ncclParamHandle_t handle, uint64_t* out));
NCCL_DECLARE(ncclResult_t, ncclParamGet, (ncclParamHandle_t handle, void* out, int maxLen, int* len));
NCCL_DECLARE(ncclResult_t, ncclParamGetStr, (ncclParamHandle_t handle, const char** out));
NCCL_DECLARE(ncclResult_t, ncclParamGetParameter, (const char* key, const char** value, int* valueLen));
NCCL_DECLARE(ncclResult_t, ncclParamGetAllParameterKeys, (const char*** table, int* tableLen));
/* Writes all settings to the log. */
NCCL_DECLARE(void, ncclParamDumpAll, (void));

#ifdef __cplusplus
}
#endif

#endif
