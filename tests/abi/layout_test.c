/* The layouts and values of nccl.h as C99 sees them, against the numbers of NCCL's published interface. */

#include <nccl.h>
#include <nccl_device.h>
#include <stdio.h>

#define CHECK(name, condition) typedef char check_##name[(condition) ? 1 : -1]
#define AT(type, member, offset) CHECK(type##_##member, offsetof(type, member) == (offset))

CHECK(unique_id, sizeof(ncclUniqueId) == 128);
CHECK(config, sizeof(ncclConfig_t) == 80);
AT(ncclConfig_t, magic, 8);
AT(ncclConfig_t, version, 12);
AT(ncclConfig_t, blocking, 16);
AT(ncclConfig_t, cgaClusterSize, 20);
AT(ncclConfig_t, minCTAs, 24);
AT(ncclConfig_t, maxCTAs, 28);
AT(ncclConfig_t, netName, 32);
AT(ncclConfig_t, splitShare, 40);
AT(ncclConfig_t, trafficClass, 44);
AT(ncclConfig_t, commName, 48);
AT(ncclConfig_t, collnetEnable, 56);
AT(ncclConfig_t, CTAPolicy, 60);
AT(ncclConfig_t, shrinkShare, 64);
AT(ncclConfig_t, nvlsCTAs, 68);
AT(ncclConfig_t, nChannelsPerNetPeer, 72);
AT(ncclConfig_t, nvlinkCentricSched, 76);
CHECK(sim_info, sizeof(ncclSimInfo_t) == 24);
AT(ncclSimInfo_t, estimatedTime, 16);
CHECK(coll_config, sizeof(ncclCollConfig_t) == 64);
AT(ncclCollConfig_t, ext, 16);
AT(ncclCollConfig_t, minCTAs, 24);
AT(ncclCollConfig_t, nvlsCTAs, 32);
AT(ncclCollConfig_t, cgaClusterSize, 36);
AT(ncclCollConfig_t, algSelection, 40);
AT(ncclCollConfig_t, forceAlgSelection, 48);
AT(ncclCollConfig_t, CTAPolicy, 52);
AT(ncclCollConfig_t, userProfilerTag, 56);
CHECK(config_ext, sizeof(ncclConfigExt_t) == 24);
AT(ncclConfigExt_t, key, 8);
AT(ncclConfigExt_t, val, 16);
CHECK(wait_signal, sizeof(ncclWaitSignalDesc_t) == 16);
AT(ncclCommProperties_t, rank, 16);
AT(ncclCommProperties_t, deviceApiSupport, 32);
AT(ncclCommProperties_t, ginType, 36);
AT(ncclCommProperties_t, hostRmaSupport, 44);
AT(ncclCommProperties_t, railedGinType, 48);
AT(ncclCommProperties_t, commHash, 56);
AT(ncclCommProperties_t, ginMinStride, 64);
AT(ncclCommProperties_t, ginConnectionType, 68);
AT(ncclCommProperties_t, ginSupport, 72);
AT(ncclCommProperties_t, devCommRuntimeVersionSize, 136);
CHECK(comm_properties, sizeof(ncclCommProperties_t) == 144);
CHECK(dev_comm, sizeof(ncclDevComm_t) == 200);
CHECK(window, sizeof(struct ncclWindow_vidmem) == 72);
AT(ncclDevComm_t, lsaMultimem, 112);
AT(ncclDevComm_t, ginHandles, 144);
AT(ncclDevComm_t, ginSignalShadows, 192);
CHECK(dev_requirements, sizeof(ncclDevCommRequirements_t) == 56);
CHECK(resource_requirements, sizeof(ncclDevResourceRequirements_t) == 56);
CHECK(team_requirements, sizeof(ncclTeamRequirements_t) == 32);
CHECK(version, NCCL_VERSION_CODE == 22809 && NCCL_VERSION(2, 28, 9) == 22809 && NCCL_VERSION(2, 8, 4) == 2804);
CHECK(results, ncclRemoteError == 6 && ncclInProgress == 7 && ncclTimeout == 8);
CHECK(types, ncclBfloat16 == 9 && ncclFloat8e4m3 == 10 && ncclFloat8e5m2 == 11 && ncclNumTypes == 12);
CHECK(operations,
      ncclSum == 0 && ncclProd == 1 && ncclMax == 2 && ncclMin == 3 && ncclAvg == 4 && ncclMaxRedOp == 0x7fffffff);

/* The unique id by value from C: what a callee that reads it must find. */
int main(void) {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  ncclCommProperties_t properties = NCCL_COMM_PROPERTIES_INITIALIZER;
  ncclCollConfig_t hints = NCCL_COLLCONFIG_INITIALIZER;
  ncclSimInfo_t info = NCCL_SIM_INFO_INITIALIZER;
  ncclUniqueId id;
  ncclComm_t comm = NULL;
  int ranks = 0;
  if (config.size != 80 || properties.size != sizeof(properties) || hints.forceAlgSelection != 1 || info.size != 24)
    return 1;
  if (ncclGetUniqueId(&id) != ncclSuccess) return 2;
  if (ncclCommInitRankConfig(&comm, 1, id, 0, &config) != ncclSuccess) {
    fprintf(stderr, "%s\n", ncclGetLastError(NULL));
    return 3;
  }
  if (ncclCommCount(comm, &ranks) != ncclSuccess || ranks != 1) return 4;
  return ncclCommDestroy(comm) == ncclSuccess ? 0 : 5;
}
