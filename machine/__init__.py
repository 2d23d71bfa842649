"""What this machine offers: cores, child processes, mounts, and the names and state of files.

Starting processes (`machine.child`) is imported on its own: most commands do without.
"""

from machine.cores import memory_threads, usable_cores
from machine.process import (
    prepare_process,
    release_memory,
    return_large_blocks,
    settle_process,
)

__all__ = [
    "memory_threads",
    "prepare_process",
    "release_memory",
    "return_large_blocks",
    "settle_process",
    "usable_cores",
]
