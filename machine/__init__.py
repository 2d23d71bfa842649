"""What of this machine there is to work with, and how it is shared."""

from machine.cores import idle_cores, usable_cores
from machine.process import prepare_process

__all__ = ["idle_cores", "prepare_process", "usable_cores"]
