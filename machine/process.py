"""How a process of vsearch shares the machine with others, and with itself."""

import gc
import os

# Read by OpenMP when PyTorch is loaded, and by OpenBLAS when NumPy is.
_THREADS = {
    # Threads that spin while they wait for work take the cores from the decoders: on a busy machine
    # an index run took three times as long.
    "OMP_WAIT_POLICY": "PASSIVE",
    # NumPy's threads spin as well: 4 million cycles after each product, some milliseconds, and not
    # a tenth of a second. The text encoder asks for as many as there are free cores.
    "OPENBLAS_NUM_THREADS": "1",
    "OPENBLAS_THREAD_TIMEOUT": "22",
}


def prepare_process() -> None:
    """Settings for a process and all that it starts, to be made before NumPy or PyTorch is loaded.

    What the environment says already stays.
    """
    for name, value in _THREADS.items():
        os.environ.setdefault(name, value)
    # Nearly all that a short command makes stays to its end. To look through it after every 700 new
    # objects, as is usual, takes a twentieth of such a command's time.
    gc.set_threshold(200_000, 20, 20)
