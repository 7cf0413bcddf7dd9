#ifndef AMALGAM_AMALGAM_H_
#define AMALGAM_AMALGAM_H_

/* What Amalgam's libnccl.so.2 offers beyond NCCL's names. Settings are environment variables (docs/settings.md) and can
 * be read through ncclParamGetParameter; this header is for programs that want to know which library they got. */

#include <nccl.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Exported by no other library: dlsym(RTLD_DEFAULT, "amalgam_marker") is not null exactly when Amalgam provides NCCL.
 * Returns a fixed text with both versions. Any thread, never fails. */
__attribute__((visibility("default"))) const char* amalgam_marker(void);

/* NOLINTNEXTLINE(modernize-use-using): C */
typedef enum {
  AMALGAM_ALLREDUCE = 0,
  AMALGAM_REDUCE = 1,
  AMALGAM_BROADCAST = 2,
  AMALGAM_REDUCESCATTER = 3,
  AMALGAM_ALLGATHER = 4,
  AMALGAM_ALLTOALL = 5,
  AMALGAM_ALLTOALLV = 6,
  AMALGAM_GATHER = 7,
  AMALGAM_SCATTER = 8,
  AMALGAM_SEND = 9,
  AMALGAM_RECV = 10
} amalgam_collective_t;

/* What a call of `collective` with NCCL's argument `count` would take on this communicator, from the agreed description
 * of the cluster: `bound_us`, microseconds that no algorithm can go below (bytes and speeds alone, 0 where nothing is
 * known), and `predicted_us`, what the plan that would be chosen costs by its formula. Either may be NULL. Talks to no
 * other rank. Threads and errors: as the collectives of nccl.h. */
__attribute__((visibility("default"))) ncclResult_t amalgam_predict(ncclComm_t comm, int collective, size_t count,
                                                                    ncclDataType_t datatype, double* bound_us,
                                                                    double* predicted_us);

/* A few lines about the communicator as this rank sees it: transports, domain, rails. Writes at most `size` bytes with
 * the terminating zero; a longer text is cut. Threads and errors: as ncclCommCount. */
__attribute__((visibility("default"))) ncclResult_t amalgam_describe(ncclComm_t comm, char* text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
