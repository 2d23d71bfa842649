"""Mounts below watched folders: whether the folders are still the ones that were there before."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from machine.mount_table import Mount, parse_mount_table, read_mount_table, silent_folders

_RootState: TypeAlias = tuple[tuple[int, int] | None, frozenset[Mount]]


@dataclass(slots=True)
class RootMonitor:
    """Monitor of disks that are mounted and removed under `roots`, and of roots that are replaced.

    A file system sends no event for either to a watch on the folder that was there before.
    """

    roots: tuple[Path, ...]
    _table: str = ""
    _mounts: tuple[Mount, ...] = ()
    _state_of: dict[Path, _RootState] = field(default_factory=dict)

    def changed(self) -> frozenset[Path]:
        """Roots whose mounts or identity differ from the last call; all at the first one."""
        table = read_mount_table()
        if table != self._table:
            self._table, self._mounts = table, parse_mount_table(table)
        silent = self.unwatchable()
        before = self._state_of
        self._state_of = {root: self._look(root, silent=root in silent) for root in self.roots}
        return frozenset(root for root in self.roots if before.get(root) != self._state_of[root])

    def present(self) -> tuple[Path, ...]:
        """Roots that were there at the last call of `changed`."""
        return tuple(root for root in self.roots if self._state_of[root][0] is not None)

    def unwatchable(self) -> frozenset[Path]:
        """Folders at or below the roots on file systems that do not report all changes."""
        return silent_folders(self.roots, self._mounts)

    def _look(self, root: Path, *, silent: bool) -> _RootState:
        # Nothing is watched there, and numbers may change at any time: that it exists is enough.
        identity = _identity(root)
        if silent and identity is not None:
            identity = (0, 0)
        below = (m for m in self._mounts if root == m.folder or root in m.folder.parents)
        return identity, frozenset(below)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino
