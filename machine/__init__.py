"""What of this machine there is to work with, and how it is shared.

What starts processes is in `machine.child`: most commands do without. How files are
named to people and to their shells is in `machine.names`.
"""

from machine.cores import memory_threads, usable_cores
from machine.process import prepare_process, settle_process

__all__ = [
    "memory_threads",
    "prepare_process",
    "settle_process",
    "usable_cores",
]
