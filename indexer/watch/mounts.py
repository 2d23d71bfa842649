"""What watched folders stand on: whether they are still the ones that were there before."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from machine.mount_table import Mount, parse_mount_table, read_mount_table, silent_folders

_Standing: TypeAlias = tuple[tuple[int, int] | None, frozenset[Mount]]


@dataclass(slots=True)
class RootMonitor:
    """Notices disks that come and go under `roots`, and roots that are replaced by others.

    Of neither does a file system tell those who watch the folder that lay there before.
    """

    roots: tuple[Path, ...]
    _table: str = ""
    _mounts: tuple[Mount, ...] = ()
    _standing: dict[Path, _Standing] = field(default_factory=dict)

    def changed(self) -> frozenset[Path]:
        """The roots that stand on something else than at the last call; all at the first one."""
        table = read_mount_table()
        if table != self._table:
            self._table, self._mounts = table, parse_mount_table(table)
        silent = self.unwatchable()
        before = self._standing
        self._standing = {root: self._look(root, silent=root in silent) for root in self.roots}
        return frozenset(root for root in self.roots if before.get(root) != self._standing[root])

    def present(self) -> tuple[Path, ...]:
        """The roots that were there at the last call of `shifted`."""
        return tuple(root for root in self.roots if self._standing[root][0] is not None)

    def unwatchable(self) -> frozenset[Path]:
        """What of the roots lies on file systems that do not tell of all changes."""
        return silent_folders(self.roots, self._mounts)

    def _look(self, root: Path, *, silent: bool) -> _Standing:
        # Nobody listens there, and numbers may change with the weather: it is enough that it is.
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
