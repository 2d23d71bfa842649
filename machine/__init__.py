"""What of this machine there is to work with, and how it is shared.

What starts processes is in `machine.child`: most commands do without. How files are
named to people and to their shells is in `machine.names`.
"""

from machine.cores import idle_cores, memory_threads, usable_cores
from machine.process import SPIN_SECONDS, prepare_process, settle_process, thread_limit

__all__ = [
    "SPIN_SECONDS",
    "idle_cores",
    "memory_threads",
    "prepare_process",
    "settle_process",
    "thread_limit",
    "usable_cores",
]
