"""How a process of vsearch is set up before anything heavy is imported."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

_THREADS_AFTER_A_PRODUCT = """
import os
import platform
from machine import prepare_process

prepare_process()
import numpy as np

np.ones((2000, 1000), np.float32) @ np.ones((1000, 2000), np.float32)
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the threads are counted as Linux shows them")
@pytest.mark.parametrize(("variables", "threads"), [({}, 1), ({"OPENBLAS_NUM_THREADS": "2"}, 2)])
def test_numpy_computes_in_one_thread_unless_the_user_asks_for_more(variables, threads):
    environment = {name: text for name, text in os.environ.items() if "NUM_THREADS" not in name}
    done = subprocess.run(
        [sys.executable, "-c", _THREADS_AFTER_A_PRODUCT],
        env={**environment, **variables},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) == threads


_FREED_BELOW_A_KEPT_BLOCK = """
import sys
from machine import return_large_blocks
import numpy as np

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) // 256  # pages of 4 KiB

if "bounded" in sys.argv:
    return_large_blocks()
for mebibytes in (2, 4, 8, 16):  # by each block that is freed, glibc raises its bound
    np.ones(mebibytes << 17)
before = resident()
blocks = [np.ones(8 << 17) for _ in range(10)]
del blocks[:-1]
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read as Linux shows it")
@pytest.mark.parametrize(("words", "kept"), [((), 80), (("bounded",), 8)])
def test_large_blocks_are_returned_when_they_are_freed(words, kept):
    if not words and "glibc" not in platform.libc_ver()[0]:
        pytest.skip("another C library keeps other blocks")
    done = subprocess.run(
        [sys.executable, "-c", _FREED_BELOW_A_KEPT_BLOCK, *words],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert abs(int(done.stdout) - kept) < 4
