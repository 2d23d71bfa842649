"""How a process of vsearch is set up before anything heavy is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_THREADS_AFTER_A_PRODUCT = """
import os
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
