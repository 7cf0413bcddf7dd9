"""The NCCL calls of the random client, bound through ctypes."""

import ctypes
import time
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint, c_void_p

SUCCESS, IN_PROGRESS = 0, 7
BUFFERS = [c_void_p, c_void_p, c_size_t, c_int]
TAIL = [c_void_p, c_void_p]  # communicator, stream


class UniqueId(ctypes.Structure):
    _fields_ = [("internal", ctypes.c_byte * 128)]


class Config(ctypes.Structure):
    """The layout of 2.14: enough to ask for a non-blocking communicator."""
    _fields_ = [("size", c_size_t), ("magic", c_uint), ("version", c_uint), ("blocking", c_int)]


class NcclError(Exception):
    pass


SIGNATURES = {
    "ncclGetUniqueId": [POINTER(UniqueId)],
    "ncclCommInitRank": [POINTER(c_void_p), c_int, UniqueId, c_int],
    "ncclCommInitRankConfig": [POINTER(c_void_p), c_int, UniqueId, c_int, POINTER(Config)],
    "ncclCommInitAll": [POINTER(c_void_p), c_int, POINTER(c_int)],
    "ncclCommSplit": [c_void_p, c_int, c_int, POINTER(c_void_p), c_void_p],
    "ncclCommShrink": [c_void_p, POINTER(c_int), c_int, POINTER(c_void_p), c_void_p, c_int],
    "ncclCommFinalize": [c_void_p],
    "ncclCommDestroy": [c_void_p],
    "ncclCommGetAsyncError": [c_void_p, POINTER(c_int)],
    "ncclCommUserRank": [c_void_p, POINTER(c_int)],
    "ncclCommCount": [c_void_p, POINTER(c_int)],
    "ncclGroupStart": [],
    "ncclGroupEnd": [],
    "ncclMemAlloc": [POINTER(c_void_p), c_size_t],
    "ncclMemFree": [c_void_p],
    "ncclRedOpCreatePreMulSum": [POINTER(c_int), c_void_p, c_int, c_int, c_void_p],
    "ncclRedOpDestroy": [c_int, c_void_p],
    "ncclAllReduce": BUFFERS + [c_int] + TAIL,
    "ncclReduce": BUFFERS + [c_int, c_int] + TAIL,
    "ncclReduceScatter": BUFFERS + [c_int] + TAIL,
    "ncclBroadcast": BUFFERS + [c_int] + TAIL,
    "ncclBcast": [c_void_p, c_size_t, c_int, c_int] + TAIL,
    "ncclAllGather": BUFFERS + TAIL,
    "ncclAlltoAll": BUFFERS + TAIL,
    "ncclGather": BUFFERS + [c_int] + TAIL,
    "ncclScatter": BUFFERS + [c_int] + TAIL,
    "ncclAlltoAllv": [c_void_p, POINTER(c_size_t), POINTER(c_size_t)] * 2 + [c_int] + TAIL,
    "ncclSend": [c_void_p, c_size_t, c_int, c_int] + TAIL,
    "ncclRecv": [c_void_p, c_size_t, c_int, c_int] + TAIL,
}


class Nccl:
    """Methods are the functions' names without "nccl"; anything but success and in-progress raises."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        self.library.ncclGetLastError.restype = c_char_p
        for name, arguments in SIGNATURES.items():
            function = getattr(self.library, name)
            function.argtypes, function.restype = arguments, c_int
            setattr(self, name[len("nccl"):], self.checked(name, function))

    def checked(self, name, function):
        def call(*arguments):
            result = function(*arguments)
            if result not in (SUCCESS, IN_PROGRESS):
                raise NcclError(f"{name}: result {result}: {self.library.ncclGetLastError(None).decode()}")
            return result
        return call

    def unique_id(self):
        identity = UniqueId()
        self.GetUniqueId(byref(identity))
        return bytes(identity)

    def init(self, ranks, identity, rank, blocking=True):
        comm = c_void_p()
        config = Config(24, 0xCAFEBEEF, 21400, 1 if blocking else 0)
        self.CommInitRankConfig(byref(comm), ranks, UniqueId.from_buffer_copy(identity), rank, byref(config))
        self.wait([comm])
        return comm

    def wait(self, comms):
        """Until nothing is in progress on any of them; at once for blocking communicators."""
        state = c_int()
        for comm in comms:
            while True:
                self.CommGetAsyncError(comm, byref(state))
                if state.value != IN_PROGRESS:
                    break
                time.sleep(0.0001)  # the interpreter lock is wanted by the other ranks
            if state.value != SUCCESS:
                raise NcclError(f"asynchronous error {state.value}: {self.library.ncclGetLastError(None).decode()}")

    def number(self, function, comm):
        value = c_int(-1)
        function(comm, byref(value))
        return value.value
