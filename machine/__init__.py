"""What of this machine there is to work with."""

from machine.cores import idle_cores, usable_cores

__all__ = ["idle_cores", "usable_cores"]
