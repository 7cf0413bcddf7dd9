#!/usr/bin/env python3
"""The public headers compile as C99 and C++11: alone, after and before the CUDA runtime's header where one is installed,
and after HIP's (a stand-in with its guard, its platform macro and its stream type).

usage: check_headers.py CC CXX INCLUDE_FOLDER"""

import pathlib
import shlex
import subprocess
import sys
import tempfile

CC, CXX, INCLUDE = shlex.split(sys.argv[1]), shlex.split(sys.argv[2]), sys.argv[3]
HEADERS = ("nccl.h", "nccl_device.h", "amalgam/amalgam.h")
WARNINGS = ["-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
HIP = """#ifndef HIP_INCLUDE_HIP_HIP_RUNTIME_API_H
#define HIP_INCLUDE_HIP_HIP_RUNTIME_API_H
typedef struct ihipStream_t* hipStream_t;
#endif
"""
CALL = """ncclResult_t call(ncclComm_t comm, %s stream);
ncclResult_t call(ncclComm_t comm, %s stream) { return ncclAllReduce(0, 0, 0, ncclFloat, ncclSum, comm, stream); }
"""
DEVICE = """#ifdef __cplusplus
void kernel(ncclWindow_t window, const ncclDevComm& comm, unsigned block);
void kernel(ncclWindow_t window, const ncclDevComm& comm, unsigned block) {
  ncclLsaBarrierSession<ncclCoopCta> near{ncclCoopCta(), comm, ncclTeamLsa(comm), comm.lsaBarrier, block};
  near.sync(ncclCoopCta(), 0);
  ncclGin gin{comm, 0};
  ncclBarrierSession<ncclCoopCta> far{ncclCoopCta(), ncclTeamTagWorld(), gin, block};
  gin.put(ncclTeamWorld(comm), 1, window, 0, window, 0, 8, ncclGin_SignalInc{block});
  gin.waitSignal(ncclCoopCta(), block, gin.readSignal(block) + 1);
  far.sync(ncclCoopCta(), 0, ncclGinFenceLevel::Relaxed);
  *static_cast<char*>(ncclGetLsaPointer(window, 0, 1)) = *static_cast<char*>(ncclGetLocalPointer(window, 0));
}
#endif
"""

failures = []


def compiles(title, source, flags=()):
    for compiler, standard, suffix in ((CC, "c99", ".c"), (CXX, "c++11", ".cc"), (CXX, "c++20", ".cc")):
        with tempfile.NamedTemporaryFile("w", suffix=suffix) as file:
            file.write(source)
            file.flush()
            done = subprocess.run([*compiler, f"-std={standard}", *WARNINGS, *flags, "-I", INCLUDE, file.name],
                                  capture_output=True, text=True)
        if done.returncode != 0:
            failures.append(f"{title} as {standard}:\n{done.stderr}")


def include(*headers):
    return "".join(f"#include <{header}>\n" for header in headers)


def with_hip():
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "hip").mkdir()
        (pathlib.Path(folder) / "hip" / "hip_runtime_api.h").write_text(HIP)
        flags = ["-D__HIP_PLATFORM_AMD__=1", "-isystem", folder]
        call = CALL % ("hipStream_t", "hipStream_t")
        compiles("after HIP", include("hip/hip_runtime_api.h", "nccl.h", "nccl_device.h") + call, flags)
        compiles("alone under HIP's platform macro", include("nccl.h") + call, [*flags[:1], "-DAMALGAM_NO_DEVICE_HEADERS"])
        compiles("bringing HIP in", include("nccl.h", "hip/hip_runtime_api.h") + call, flags)
        compiles("after HIP, macro not set", include("hip/hip_runtime_api.h", "nccl.h") + call, flags[1:])


def with_cuda():
    folders = [folder for folder in ("/usr/local/cuda/include", "/usr/include", "/usr/local/include")
               if (pathlib.Path(folder) / "cuda_runtime.h").exists()]
    if not folders:
        print("no CUDA header installed: not tried with it")
        return
    flags = ["-isystem", folders[0]]
    call = CALL % ("cudaStream_t", "cudaStream_t")
    compiles("after CUDA", include("cuda_runtime.h", "nccl.h", "nccl_device.h") + call, flags)
    compiles("bringing CUDA in", include("nccl.h") + call, flags)
    compiles("before CUDA", include("nccl.h", "cuda_runtime.h") + call, flags)


for header in HEADERS:
    compiles(f"{header} alone", include(header), ["-DAMALGAM_NO_DEVICE_HEADERS"])
    compiles(f"{header} as it comes", include(header))
compiles("device-side names", include("nccl_device.h") + DEVICE)
compiles("stream declared by us", include("nccl.h") + CALL % ("cudaStream_t", "cudaStream_t"), ["-DAMALGAM_NO_DEVICE_HEADERS"])
with_hip()
with_cuda()
for failure in failures:
    print("FAILED:", failure)
sys.exit(1 if failures else 0)
