/* Preloaded under a benchmark: an allreduce and an allgather that get one byte wrong, to see that the checks notice. */

#include <nccl.h>

__attribute__((visibility("default"))) ncclResult_t ncclAllReduce(const void* sendbuff, void* recvbuff, size_t count,
                                                                  ncclDataType_t datatype, ncclRedOp_t op,
                                                                  ncclComm_t comm, cudaStream_t stream) {
  const ncclResult_t result = pncclAllReduce(sendbuff, recvbuff, count, datatype, op, comm, stream);
  if (datatype == ncclInt32)
    ((unsigned char*)recvbuff)[4 * count - 1] ^= 1; /* the benchmark's own numbers are doubles */
  return result;
}

__attribute__((visibility("default"))) ncclResult_t ncclAllGather(const void* sendbuff, void* recvbuff,
                                                                  size_t sendcount, ncclDataType_t datatype,
                                                                  ncclComm_t comm, cudaStream_t stream) {
  const ncclResult_t result = pncclAllGather(sendbuff, recvbuff, sendcount, datatype, comm, stream);
  if (datatype == ncclInt32) ((unsigned char*)recvbuff)[0] ^= 1;
  return result;
}
