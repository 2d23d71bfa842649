"""How a process of vsearch shares the machine with others, and with itself."""

import gc
import os

# Read by OpenMP when PyTorch is loaded, and by OpenBLAS when NumPy is.
_THREADS = {
    # Threads that spin while they wait for work take the cores from the decoders: on a busy machine
    # an index run took three times as long.
    "OMP_WAIT_POLICY": "PASSIVE",
    # NumPy takes one thread; the text encoder asks for as many as there are free cores. These spin
    # as well: 4 million cycles after each product, some milliseconds, and not a tenth of a second.
    "OPENBLAS_DEFAULT_NUM_THREADS": "1",
    "OPENBLAS_THREAD_TIMEOUT": "22",
}
_LIMITS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
_DIGITS = 9  # no machine has more threads, and Python reads no number of thousands of digits
SPIN_SECONDS = 0.002  # for so long NumPy's threads run on after a product


def prepare_process() -> None:
    """Settings for a process and all that it starts, to be made before NumPy or PyTorch is loaded.

    What the environment says already stays.
    """
    for name, value in _THREADS.items():
        os.environ.setdefault(name, value)
    # Nearly all that a short command makes stays to its end. To look through it after every 700 new
    # objects, as is usual, takes a twentieth of such a command's time.
    gc.set_threshold(200_000, 20, 20)


def thread_limit() -> int | None:
    """How many threads the user lets a computation have; None if the environment does not say."""
    said = [os.environ.get(name, "").partition(",")[0].strip() for name in _LIMITS]
    counts = [int(text) for text in said if text.isdecimal() and len(text) <= _DIGITS]
    return min((count for count in counts if count), default=None)


def settle_process() -> None:
    """Tell the garbage collector that what is there now stays to the end of the process.

    It need not go through all that was imported again for every few thousand files of a library.
    """
    gc.freeze()
