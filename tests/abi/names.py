"""Which names clients look up at import or start, by client. A missing one is fatal to the client."""

VLLM = """ncclGetErrorString ncclGetVersion ncclGetUniqueId ncclCommInitRank ncclAllReduce ncclReduce ncclAllGather
ncclReduceScatter ncclSend ncclRecv ncclBroadcast ncclCommDestroy ncclCommAbort ncclGroupStart ncclGroupEnd
ncclCommWindowRegister ncclCommWindowDeregister ncclCommSuspend ncclCommResume ncclCommQueryProperties""".split()

SGLANG = """ncclGetErrorString ncclGetVersion ncclGetUniqueId ncclCommInitRank ncclAllReduce ncclAllGather ncclReduceScatter
ncclSend ncclRecv ncclBroadcast ncclCommDestroy ncclGroupStart ncclGroupEnd ncclCommWindowRegister
ncclCommWindowDeregister ncclMemAlloc ncclMemFree""".split()

TORCH = """ncclAllGather ncclAllReduce ncclAlltoAll ncclBcast ncclBroadcast ncclCommAbort ncclCommCount ncclCommDeregister
ncclCommDestroy ncclCommFinalize ncclCommGetAsyncError ncclCommInitAll ncclCommInitRank ncclCommInitRankConfig
ncclCommInitRankScalable ncclCommMemStats ncclCommRegister ncclCommResume ncclCommShrink ncclCommSplit ncclCommSuspend
ncclCommUserRank ncclCommWindowDeregister ncclCommWindowRegister ncclDevCommCreate ncclDevCommDestroy ncclGetErrorString
ncclGetLastError ncclGetLsaMultimemDevicePointer ncclGetPeerDevicePointer ncclGetUniqueId ncclGetVersion ncclGroupEnd
ncclGroupSimulateEnd ncclGroupStart ncclMemAlloc ncclMemFree ncclPutSignal ncclRecv ncclRedOpCreatePreMulSum
ncclRedOpDestroy ncclReduce ncclReduceScatter ncclSend ncclSignal ncclWaitSignal ncclCommRevoke ncclCommGrow
ncclCommGetUniqueId ncclWinGetUserPtr ncclAllToAll ncclAllToAllv""".split()

CUPY = """ncclGetVersion ncclGetUniqueId ncclGetErrorString ncclCommInitRank ncclCommInitAll ncclCommDestroy ncclCommAbort
ncclCommCuDevice ncclCommUserRank ncclCommCount ncclCommGetAsyncError ncclAllReduce ncclReduce ncclBroadcast ncclBcast
ncclReduceScatter ncclAllGather ncclGroupStart ncclGroupEnd ncclSend ncclRecv""".split()

XLA = [p + n for p in ("nccl", "pnccl") for n in """AllGather AllReduce AlltoAll Bcast Broadcast CommAbort CommCount
CommCuDevice CommDeregister CommDestroy CommFinalize CommGetAsyncError CommInitAll CommInitRank CommInitRankConfig
CommInitRankScalable CommQueryProperties CommRegister CommShrink CommSplit CommUserRank CommWindowDeregister
CommWindowRegister DevCommCreate DevCommDestroy GetErrorString GetLastError GetUniqueId GetVersion GroupEnd
GroupSimulateEnd GroupStart MemAlloc MemFree PutSignal Recv RedOpCreatePreMulSum RedOpDestroy Reduce ReduceScatter Send
Signal WaitSignal AllReduceConfig AllGatherConfig ReduceScatterConfig AlltoAllConfig""".split()]

CLIENTS = {"vllm": VLLM, "sglang": SGLANG, "torch": TORCH, "cupy": CUPY, "xla": XLA}
