"""Settings of a process: threads and garbage collection."""

import ctypes
import gc
import os

# Read by OpenMP when PyTorch is loaded, and by OpenBLAS when NumPy is.
_THREADS = {
    # Threads that spin while they wait for work take the cores from the decoders: on a busy machine
    # an index run took three times as long.
    "OMP_WAIT_POLICY": "PASSIVE",
    # NumPy computes in one thread. Two embed a text faster on an idle machine, but wait for each
    # other at every product: on a machine of 2 cores with a load average of 2, a text took
    # 600 ms with two threads, and 42 to 88 ms with one.
    "OPENBLAS_NUM_THREADS": "1",
}


def prepare_process() -> None:
    """Settings for a process and all that it starts, to be made before NumPy or PyTorch is loaded.

    Variables that are set already stay.
    """
    for name, value in _THREADS.items():
        os.environ.setdefault(name, value)
    # Nearly all that a short command makes stays to its end. To look through it after every 700 new
    # objects, as is usual, takes a twentieth of such a command's time.
    gc.set_threshold(200_000, 20, 20)


def settle_process() -> None:
    """Exclude all objects that exist now from garbage collection; they stay to the end.

    At its end Python looks through all objects once more. Without those of the imported modules an
    `index` run with nothing to do took 0.64 s of CPU time instead of 0.78 s (medians of 10, in
    turns, on a busy machine).
    """
    gc.freeze()


def return_large_blocks() -> None:
    """Have the C library give a block of 1 MiB or more back to the system as soon as it is freed.

    glibc raises that bound up to 32 MiB by the blocks that it sees, and keeps freed pictures then:
    after 50 films the page's server had 190 MiB more than before, and has 70 with a fixed bound.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, 1 << 20)


_M_MMAP_THRESHOLD = -3  # of malloc.h


def release_memory() -> None:
    """Give the memory of a task that has just ended back to the system, in a process that goes on.

    A decoder lies in circles of objects, which Python looks for rarely, and the C library keeps
    what is freed for each thread: after 50 films the page held 400 MiB that nobody used.
    """
    gc.collect(1)  # what is older stays to the end of the process
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc
    if trim is not None:
        trim(0)
