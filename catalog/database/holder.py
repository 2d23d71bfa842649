"""The holder of a lock: the process that others are told of meanwhile."""

import os
import socket
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from catalog.address import Address
from catalog.errors import CatalogLockedError


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that has the lock: its purpose, number and machine, and the time it began."""

    purpose: str
    pid: int
    host: str
    since: str

    @classmethod
    def of_this_process(cls, purpose: str) -> Self:
        """This process, now. `purpose` names its task, best as the command that does it."""
        return cls(
            purpose=" ".join(purpose.split()),  # file names may hold newlines, a message may not
            pid=os.getpid(),
            host=socket.gethostname(),
            since=datetime.now().astimezone().isoformat(sep=" ", timespec="seconds"),
        )


def refusal(address: Address, holder: Holder | None) -> CatalogLockedError:
    """The error for a lock that another process has; None for one that is not known."""
    by = (
        "another process"
        if holder is None
        else f"`{holder.purpose}` (process {holder.pid} on {holder.host}, since {holder.since})"
    )
    return CatalogLockedError(
        f"{by} is working on the catalog in {address}; let it finish or end it, then try again"
        " (queries can be asked meanwhile)"
    )
