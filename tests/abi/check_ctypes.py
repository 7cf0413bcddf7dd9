#!/usr/bin/env python3
"""What Python clients do: look up every name, carry the unique id by value and through text, ask for versions and errors.

usage: check_ctypes.py LIBRARY"""

import ctypes
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import names  # noqa: E402
import sanitizer  # noqa: E402

INVALID_ARGUMENT, INVALID_USAGE = 4, 5
failures = []


def expect(condition, text):
    if not condition:
        failures.append(text)


class UniqueId(ctypes.Structure):
    _fields_ = [("internal", ctypes.c_byte * 128)]


def check_names(library):
    for client, wanted in names.CLIENTS.items():
        missing = [name for name in wanted if not hasattr(library, name)]
        expect(not missing, f"{client} would not start: {missing}")


def check_version(library):
    version = ctypes.c_int()
    expect(library.ncclGetVersion(ctypes.byref(version)) == 0, "ncclGetVersion failed")
    expect(version.value == 22809, f"version {version.value}")
    digits = str(version.value)
    expect((digits[0], digits[1:3].lstrip("0"), digits[3:].lstrip("0")) == ("2", "28", "9"), "digits do not slice")
    expect(library.ncclGetVersion(None) == INVALID_ARGUMENT, "a null version pointer is not refused")


def check_errors(library):
    for function in (library.ncclGetErrorString, library.ncclGetLastError):
        function.restype = ctypes.c_char_p
    texts = [library.ncclGetErrorString(code) for code in range(9)]
    expect(len(set(texts)) == 9 and all(texts), f"the texts of the results are not distinct: {texts}")
    for code in (-(2**31), -1, 9, 10, 15, 16, 255, 2**31 - 1):
        expect(library.ncclGetErrorString(ctypes.c_int(code)) == b"unknown result code", f"text of {code}")
    expect(library.ncclGetLastError(None) is not None, "ncclGetLastError(NULL) is null")
    count = ctypes.c_int()
    expect(library.ncclCommCount(None, ctypes.byref(count)) == INVALID_ARGUMENT, "a null communicator is not refused")
    expect(library.ncclGetLastError(None), "no text after an error")


def check_unique_id_by_value(library):
    """The callee sees the 128 bytes where the platform passes them: an id of zeros is refused before anything else starts."""
    library.ncclCommInitRank.argtypes = [ctypes.POINTER(ctypes.c_void_p), ctypes.c_int, UniqueId, ctypes.c_int]
    comm = ctypes.c_void_p(1)
    expect(library.ncclCommInitRank(ctypes.byref(comm), 1, UniqueId(), 0) == INVALID_ARGUMENT, "zeros are no id")
    expect(comm.value is None, "the communicator of a failed init is not null")
    expect(library.ncclCommInitRank(ctypes.byref(comm), 2, UniqueId(), 2) == INVALID_ARGUMENT, "rank 2 of 2")
    expect(b"rank 2 of 2" in library.ncclGetLastError(None), "the arguments around the id do not arrive")

    first, again = UniqueId(), UniqueId()
    expect(library.ncclGetUniqueId(ctypes.byref(first)) == 0, "ncclGetUniqueId failed")
    expect(library.ncclGetUniqueId(ctypes.byref(again)) == 0, "ncclGetUniqueId failed")
    expect(bytes(first.internal) != bytes(again.internal), "two ids are equal")
    carried = UniqueId.from_buffer_copy(bytes.fromhex(bytes(first.internal).hex()))
    expect(library.ncclCommInitRank(ctypes.byref(comm), 1, carried, 0) == 0, "an id carried as text does not work")
    rank = ctypes.c_int(-1)
    expect(library.ncclCommUserRank(comm, ctypes.byref(rank)) == 0 and rank.value == 0, "rank of a communicator of one")
    expect(library.ncclCommDestroy(comm) == 0, "destroy failed")


def check_parameters(library):
    keys, count = ctypes.POINTER(ctypes.c_char_p)(), ctypes.c_int()
    expect(library.ncclParamGetAllParameterKeys(ctypes.byref(keys), ctypes.byref(count)) == 0, "no keys")
    listed = [keys[i] for i in range(count.value)]
    expect(b"AMALGAM_VERSION" in listed and all(key.startswith(b"AMALGAM_") for key in listed), f"keys {listed}")
    value, length = ctypes.c_char_p(), ctypes.c_int()
    get = library.ncclParamGetParameter
    expect(get(b"AMALGAM_VERSION", ctypes.byref(value), ctypes.byref(length)) == 0, "AMALGAM_VERSION is unknown")
    expect((value.value, length.value) == (b"22809", 5), f"AMALGAM_VERSION is {value.value}")
    expect(get(b"NCCL_NO_SUCH_THING", ctypes.byref(value), ctypes.byref(length)) == INVALID_ARGUMENT, "unknown key")
    handle, number, small = ctypes.c_void_p(), ctypes.c_int64(), ctypes.c_int8()
    expect(library.ncclParamBind(ctypes.byref(handle), b"NCCL_AMALGAM_VERSION") == 0, "bind failed")
    expect(library.ncclParamGetI64(handle, ctypes.byref(number)) == 0 and number.value == 22809, "as a number")
    expect(library.ncclParamGetI8(handle, ctypes.byref(small)) == INVALID_ARGUMENT, "22809 does not fit 8 bits")
    expect(library.ncclParamGetI64(ctypes.byref(number), ctypes.byref(number)) == INVALID_ARGUMENT, "foreign handle")
    buffer = ctypes.create_string_buffer(8)
    expect(library.ncclParamGet(handle, buffer, 5, ctypes.byref(length)) == INVALID_ARGUMENT, "no room for the zero byte")
    expect(library.ncclParamGet(handle, buffer, 6, ctypes.byref(length)) == 0 and buffer.value == b"22809", "as bytes")


def main():
    sanitizer.restart_with_runtime(sys.argv[1])
    library = ctypes.CDLL(sys.argv[1])
    check_names(library)
    check_version(library)
    check_errors(library)
    check_parameters(library)
    check_unique_id_by_value(library)
    for failure in failures:
        print("FAILED:", failure)
    sys.exit(1 if failures else 0)


main()
