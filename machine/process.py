"""How a process of vsearch shares the machine with others, and with itself."""

import gc
import os

# Read by OpenMP when PyTorch is loaded, and by OpenBLAS when NumPy is.
_THREADS = {
    # Threads that spin while they wait for work take the cores from the decoders: on a busy machine
    # an index run took three times as long.
    "OMP_WAIT_POLICY": "PASSIVE",
    # NumPy computes in one thread. Two embed a text faster on an idle machine, but wait for each
    # other at every product: beside two busy processes a text took 600 ms with them, and 42 to
    # 88 ms with one.
    "OPENBLAS_NUM_THREADS": "1",
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


def settle_process() -> None:
    """Tell the garbage collector that what is there now stays to the end of the process.

    It need not go through all that was imported again for every few thousand files of a library.
    """
    gc.freeze()
