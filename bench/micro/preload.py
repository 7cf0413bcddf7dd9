#!/usr/bin/env python3
"""What preloading the library costs a program that never calls it: the bar is 1 ms.

usage: preload.py [LIBRARY] [PAIRS]

Starts /bin/true with and without LD_PRELOAD in alternating pairs; prints medians in ms and the median difference."""

import os
import statistics
import subprocess
import sys
import time

library = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "dist/lib/libnccl.so.2")
pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 300
with_library = {**os.environ, "LD_PRELOAD": library}


def ms(environment):
    begin = time.perf_counter()
    subprocess.run(["/bin/true"], env=environment, check=True)
    return 1e3 * (time.perf_counter() - begin)


plain, preloaded = zip(*((ms(os.environ), ms(with_library)) for _ in range(pairs)))
added = statistics.median(b - a for a, b in zip(plain, preloaded))
print(f"plain {statistics.median(plain):.3f} ms, preloaded {statistics.median(preloaded):.3f} ms, added {added:.3f} ms")
