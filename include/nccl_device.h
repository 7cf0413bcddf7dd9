#ifndef NCCL_DEVICE_H_
#define NCCL_DEVICE_H_

/* Host side of NCCL's device interface, in its 2.28 layout, so that programs which include this header compile and
 * link.
 *
 * NCCL's device interface is code that is compiled into the user's kernels and reads NCCL's own data structures; a host
 * library cannot offer it. So the types are here and every function answers ncclInvalidUsage (or an empty team);
 * ncclCommQueryProperties reports deviceApiSupport = false. Of the device-side classes and functions C++ gets the few
 * in nccl_device/inert.h, which let common programs compile and trap when run; the others are deliberately absent.
 */

#include "nccl.h"

#ifdef __cplusplus
struct ncclTeamTagWorld {};
struct ncclTeamTagLsa {};
struct ncclTeamTagRail {};

extern "C" {
#endif

typedef uint32_t ncclDevResourceHandle;
typedef ncclDevResourceHandle ncclDevResourceHandle_t;
typedef uint32_t ncclGinSignal_t;
typedef uint32_t ncclGinCounter_t;
typedef void* ncclGinWindow_t;
typedef uint32_t ncclCftLeId;

/* `nRanks` ranks of which the caller is number `rank`; consecutive members are `stride` world ranks apart. */
typedef struct ncclTeam {
  int nRanks, rank, stride;
} ncclTeam_t;

typedef enum { NCCL_CFT_TEAM_FLAT = 0, NCCL_CFT_TEAM_HIER_MULTIMEM = 1, NCCL_CFT_TEAM_HIER_LSA = 2 } ncclCftTeamMode_t;

typedef struct ncclMultimemHandle {
  void* mcBasePtr;
} ncclMultimemHandle_t;

typedef struct ncclLsaBarrierHandle {
  ncclDevResourceHandle_t bufHandle;
  int nBarriers;
} ncclLsaBarrierHandle_t;

typedef struct ncclGinBarrierHandle {
  ncclGinSignal_t signal0;
  ncclDevResourceHandle_t unused;
} ncclGinBarrierHandle_t;

typedef struct ncclLLA2AHandle {
  ncclDevResourceHandle_t bufHandle;
  uint32_t nSlots;
} ncclLLA2AHandle_t;

typedef struct ncclGinOutboxHandle ncclGinOutboxHandle_t;
typedef struct ncclGinInboxA2AHandle ncclGinInboxA2AHandle_t;

#define NCCL_GIN_MAX_CONTEXTS 4

struct ncclWindow_vidmem {
  void* winHost;
  char* lsaFlatBase;
  int lsaRank;
  int worldRank;
  uint32_t stride4G;
  uint32_t mcOffset4K;
  uint32_t ginOffset4K;
  ncclGinWindow_t ginWins[NCCL_GIN_MAX_CONTEXTS];
};

/* Passed by value into kernels; never filled by this library. */
typedef struct ncclDevComm {
  int rank, nRanks;
  uint32_t nRanks_rcp32;
  int lsaRank, lsaSize;
  uint32_t lsaSize_rcp32;
  struct ncclDevCommWindowTable* windowTable;
  ncclWindow_t resourceWindow;
  struct ncclWindow_vidmem resourceWindow_inlined;
  ncclMultimemHandle_t lsaMultimem;
  ncclLsaBarrierHandle_t lsaBarrier;
  ncclGinBarrierHandle_t railGinBarrier;
  uint8_t ginContextCount;
  uint8_t ginTypes[NCCL_GIN_MAX_CONTEXTS];
  void* ginHandles[NCCL_GIN_MAX_CONTEXTS];
  uint32_t ginSignalBase;
  int ginSignalCount;
  uint32_t ginCounterBase;
  int ginCounterCount;
  uint64_t* ginSignalShadows;
} ncclDevComm_t;

typedef struct ncclDevResourceRequirements {
  struct ncclDevResourceRequirements* next;
  size_t bufferSize, bufferAlign;
  ncclDevResourceHandle_t* outBufferHandle;
  int ginSignalCount;
  int ginCounterCount;
  ncclGinSignal_t* outGinSignalStart;
  ncclGinCounter_t* outGinCounterStart;
} ncclDevResourceRequirements_t;

typedef struct ncclTeamRequirements {
  struct ncclTeamRequirements* next;
  ncclTeam_t team;
  bool multimem;
  ncclMultimemHandle_t* outMultimemHandle;
} ncclTeamRequirements_t;

/* Zero it, then set what is wanted. */
typedef struct ncclDevCommRequirements {
  ncclDevResourceRequirements_t* resourceRequirementsList;
  ncclTeamRequirements_t* teamRequirementsList;
  bool lsaMultimem;
  int barrierCount;
  int lsaBarrierCount;
  int railGinBarrierCount;
  int lsaLLA2ABlockCount, lsaLLA2ASlotCount;
  bool ginForceEnable;
  int ginContextCount;
  int ginSignalCount;
  int ginCounterCount;
} ncclDevCommRequirements_t;

NCCL_DECLARE(ncclResult_t, ncclDevCommCreate,
             (ncclComm_t comm, ncclDevCommRequirements_t const* requirements, ncclDevComm_t* outDevComm));
NCCL_DECLARE(ncclResult_t, ncclDevCommDestroy, (ncclComm_t comm, ncclDevComm_t const* devComm));

NCCL_DECLARE(ncclTeam_t, ncclTeamWorld, (ncclComm_t comm));
NCCL_DECLARE(ncclTeam_t, ncclTeamLsa, (ncclComm_t comm));
NCCL_DECLARE(ncclTeam_t, ncclTeamRail, (ncclComm_t comm));
NCCL_DECLARE(ncclTeam_t, ncclTeamCft, (ncclComm_t comm, ncclCftTeamMode_t mode));
NCCL_DECLARE(ncclTeam_t, ncclTeamCftMultimem, (ncclComm_t comm));
/* -1 where the team or the rank is not one of the communicator's. */
NCCL_DECLARE(int, ncclTeamRankToWorld, (ncclComm_t comm, ncclTeam_t team, int rank));
NCCL_DECLARE(int, ncclTeamRankToLsa, (ncclComm_t comm, ncclTeam_t team, int rank));

NCCL_DECLARE(int, ncclLLA2ACalcSlots, (int maxElts, int maxEltSize));
NCCL_DECLARE(ncclResult_t, ncclLLA2ACreateRequirement,
             (int nBlocks, int nSlots, ncclLLA2AHandle_t* outHandle, ncclDevResourceRequirements_t* outReq));
NCCL_DECLARE(ncclResult_t, ncclLsaBarrierCreateRequirement,
             (ncclTeam_t team, int nBarriers, ncclLsaBarrierHandle_t* outHandle,
              ncclDevResourceRequirements_t* outReq));
NCCL_DECLARE(ncclResult_t, ncclGinBarrierCreateRequirement,
             (ncclComm_t comm, ncclTeam_t team, int nBarriers, ncclGinBarrierHandle_t* outHandle,
              ncclDevResourceRequirements_t* outReq));
NCCL_DECLARE(ncclResult_t, ncclGinOutboxCreateRequirement,
             (int nBlocks, int sizeLog2, ncclGinOutboxHandle_t* outHandle, ncclDevResourceRequirements_t* outReq));
NCCL_DECLARE(ncclResult_t, ncclGinInboxA2ACreateRequirement,
             (ncclTeam_t peers, int nBlocks, int sizeLog2, ncclGinInboxA2AHandle_t* outHandle,
              ncclDevResourceRequirements_t* outReq));

NCCL_DECLARE(ncclResult_t, ncclGetLsaDevicePointer, (ncclWindow_t win, size_t offset, int lsaRank, void** outPtr));
NCCL_DECLARE(ncclResult_t, ncclGetPeerDevicePointer, (ncclWindow_t win, size_t offset, int peer, void** outPtr));
NCCL_DECLARE(ncclResult_t, ncclGetLsaMultimemDevicePointer, (ncclWindow_t win, size_t offset, void** outPtr));
NCCL_DECLARE(ncclResult_t, ncclGetMultimemDevicePointer,
             (ncclWindow_t win, size_t offset, ncclMultimemHandle_t multimem, void** outPtr));
NCCL_DECLARE(ncclResult_t, ncclGetPeerDeviceLeInfo,
             (ncclWindow_t win, size_t offset, int peerWorld, ncclCftLeId* leId, size_t* leOffset));
NCCL_DECLARE(ncclResult_t, ncclGetMultimemDeviceLeInfo,
             (ncclWindow_t win, size_t offset, ncclCftLeId* leId, size_t* leOffset));
NCCL_DECLARE(ncclResult_t, ncclGetCftDeviceLeInfo,
             (ncclWindow_t win, size_t offset, int peerCft, ncclTeam_t cftTeam, ncclCftLeId* leId, size_t* leOffset));

#ifdef __cplusplus
}

#include "nccl_device/inert.h"
#endif

#endif
