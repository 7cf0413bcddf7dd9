// AllReduce … Scatter, Send, Recv and RCCL's other spellings: each only names itself; call.h does the rest.

#include "abi/call.h"

using amalgam::Collective;
using amalgam::abi::raw_value;
using amalgam::abi::run;

ncclResult_t pncclAllReduce(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, ncclRedOp_t op,
                            ncclComm_t comm, ncclStream_t stream) {
  return run({.function = "ncclAllReduce",
              .collective = Collective::kAllReduce,
              .in = sendbuff,
              .out = recvbuff,
              .count = count,
              .type = raw_value(datatype),
              .comm = comm,
              .stream = stream,
              .op = raw_value(op)});
}
AMALGAM_PUBLIC_NAME(ncclAllReduce);

ncclResult_t pncclReduce(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, ncclRedOp_t op,
                         int root, ncclComm_t comm, ncclStream_t stream) {
  return run({.function = "ncclReduce",
              .collective = Collective::kReduce,
              .in = sendbuff,
              .out = recvbuff,
              .count = count,
              .type = raw_value(datatype),
              .comm = comm,
              .stream = stream,
              .root = root,
              .op = raw_value(op)});
}
AMALGAM_PUBLIC_NAME(ncclReduce);

ncclResult_t pncclBroadcast(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, int root,
                            ncclComm_t comm, ncclStream_t stream) {
  return run({.function = "ncclBroadcast",
              .collective = Collective::kBroadcast,
              .in = sendbuff,
              .out = recvbuff,
              .count = count,
              .type = raw_value(datatype),
              .comm = comm,
              .stream = stream,
              .root = root});
}
AMALGAM_PUBLIC_NAME(ncclBroadcast);

ncclResult_t pncclBcast(void* buff, size_t count, ncclDataType_t datatype, int root, ncclComm_t comm,
                        ncclStream_t stream) {
  return run({.function = "ncclBcast",
              .collective = Collective::kBroadcast,
              .in = buff,
              .out = buff,
              .count = count,
              .type = raw_value(datatype),
              .comm = comm,
              .stream = stream,
              .root = root});
}
AMALGAM_PUBLIC_NAME(ncclBcast);

ncclResult_t pncclReduceScatter(const void* sendbuff, void* recvbuff, size_t recvcount, ncclDataType_t datatype,
                                ncclRedOp_t op, ncclComm_t comm, ncclStream_t stream) {
  return run({.function = "ncclReduceScatter",
              .collective = Collective::kReduceScatter,
              .in = sendbuff,
              .out = recvbuff,
              .count = recvcount,
              .type = raw_value(datatype),
              .comm = comm,
              .stream = stream,
              .op = raw_value(op)});
}
AMALGAM_PUBLIC_NAME(ncclReduceScatter);

ncclResult_t pncclAllGather(const void* sendbuff, void* recvbuff, size_t sendcount, ncclDataType_t datatype,
                            ncclComm_t comm, ncclStream_t stream) {
  return run({.function = "ncclAllGather",
              .collective = Collective::kAllGather,
              .in = sendbuff,
              .out = recvbuff,
              .count = sendcount,
              .type = raw_value(datatype),
              .comm = comm,
              .stream = stream});
}
AMALGAM_PUBLIC_NAME(ncclAllGather);

namespace {

ncclResult_t all_to_all(const char* function, const void* sendbuff, void* recvbuff, size_t count,
                        ncclDataType_t datatype, ncclComm_t comm, ncclStream_t stream) {
  return run({.function = function,
              .collective = Collective::kAllToAll,
              .in = sendbuff,
              .out = recvbuff,
              .count = count,
              .type = raw_value(datatype),
              .comm = comm,
              .stream = stream});
}

}  // namespace

ncclResult_t pncclAlltoAll(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, ncclComm_t comm,
                           ncclStream_t stream) {
  return all_to_all("ncclAlltoAll", sendbuff, recvbuff, count, datatype, comm, stream);
}
AMALGAM_PUBLIC_NAME(ncclAlltoAll);

ncclResult_t pncclAllToAll(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, ncclComm_t comm,
                           ncclStream_t stream) {
  return all_to_all("ncclAllToAll", sendbuff, recvbuff, count, datatype, comm, stream);
}
AMALGAM_PUBLIC_NAME(ncclAllToAll);

ncclResult_t pncclGather(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, int root,
                         ncclComm_t comm, ncclStream_t stream) {
  return run({.function = "ncclGather",
              .collective = Collective::kGather,
              .in = sendbuff,
              .out = recvbuff,
              .count = count,
              .type = raw_value(datatype),
              .comm = comm,
              .stream = stream,
              .root = root});
}
AMALGAM_PUBLIC_NAME(ncclGather);

ncclResult_t pncclScatter(const void* sendbuff, void* recvbuff, size_t count, ncclDataType_t datatype, int root,
                          ncclComm_t comm, ncclStream_t stream) {
  return run({.function = "ncclScatter",
              .collective = Collective::kScatter,
              .in = sendbuff,
              .out = recvbuff,
              .count = count,
              .type = raw_value(datatype),
              .comm = comm,
              .stream = stream,
              .root = root});
}
AMALGAM_PUBLIC_NAME(ncclScatter);

ncclResult_t pncclSend(const void* sendbuff, size_t count, ncclDataType_t datatype, int peer, ncclComm_t comm,
                       ncclStream_t stream) {
  return run({.function = "ncclSend",
              .collective = Collective::kSend,
              .in = sendbuff,
              .out = nullptr,
              .count = count,
              .type = raw_value(datatype),
              .comm = comm,
              .stream = stream,
              .root = peer});
}
AMALGAM_PUBLIC_NAME(ncclSend);

ncclResult_t pncclRecv(void* recvbuff, size_t count, ncclDataType_t datatype, int peer, ncclComm_t comm,
                       ncclStream_t stream) {
  return run({.function = "ncclRecv",
              .collective = Collective::kRecv,
              .in = nullptr,
              .out = recvbuff,
              .count = count,
              .type = raw_value(datatype),
              .comm = comm,
              .stream = stream,
              .root = peer});
}
AMALGAM_PUBLIC_NAME(ncclRecv);
