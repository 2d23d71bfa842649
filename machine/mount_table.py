"""Mounted file systems, and which of them report changes: Linux only, empty elsewhere."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TABLE = Path("/proc/self/mountinfo")

# Another machine can change their content; this kernel gets no event of that.
_SILENT = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs", "gfs2", "gpfs", "lustre",
        "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "smb3", "smbfs", "vboxsf",
        "virtiofs", "vmhgfs",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mount:
    """File system of type `kind`, mounted on `folder`; `number` differs at every mounting."""

    folder: Path
    kind: str
    number: int

    @property
    def is_silent(self) -> bool:
        """Whether changes can happen there without an event here."""
        # Whatever a program serves (sshfs, rclone, mergerfs ...) may change behind it.
        return self.kind in _SILENT or self.kind.startswith("fuse.")


def read_mount_table() -> str:
    """Read the table as the kernel writes it; empty on systems without."""
    try:
        return _TABLE.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def parse_mount_table(text: str) -> tuple[Mount, ...]:
    """The mounts of proc(5) `mountinfo`, without those that a later one on their folder covers."""
    mounts: dict[Path, Mount] = {}
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        folder = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4]))
        mounts[folder] = Mount(folder, kind=after.split(" ")[0], number=int(fields[0]))
    return tuple(mounts.values())


def silent_folders(roots: Iterable[Path], mounts: Iterable[Mount]) -> frozenset[Path]:
    """Folders on silent file systems: some of `roots`, or folders below them."""
    by_folder = {mount.folder: mount for mount in mounts}
    silent = set()
    for root in roots:
        above = (by_folder[path] for path in (root, *root.parents) if path in by_folder)
        if (holder := next(above, None)) is not None and holder.is_silent:
            silent.add(root)
        else:
            below = (mount for mount in by_folder.values() if root in mount.folder.parents)
            silent.update(mount.folder for mount in below if mount.is_silent)
    return frozenset(silent)
