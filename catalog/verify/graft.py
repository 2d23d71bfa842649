"""Copies of a damaged SQLite file under the beginning of a sound one.

Without its first page SQLite finds nothing in a file. What stands there is the same in every
catalog that was made alike: how the file is laid out, and on which page each table begins.
"""

import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

from catalog.database.sqlite_file import PAGE_BYTES, beside

_HEADER_BYTES = 100
_CHANGES_AT, _PAGES_AT, _FREE_AT, _CHANGES_AGAIN_AT = 24, 28, 32, 92


def grafted_copies(damaged: Path, *, sound: Path, room: Path) -> Iterator[Path]:
    """One file after the other that may be readable where `damaged` is not; each takes the last's
    place in `room`. First only the file's header is replaced, then its whole first page."""
    if damaged.stat().st_size < PAGE_BYTES:
        return
    with sound.open("rb") as file:
        first_page = bytearray(file.read(PAGE_BYTES))
    pages = damaged.stat().st_size // PAGE_BYTES
    struct.pack_into(">II", first_page, _CHANGES_AT, 1, pages)
    struct.pack_into(">II", first_page, _FREE_AT, 0, 0)  # what is free is not known: nothing is
    struct.pack_into(">I", first_page, _CHANGES_AGAIN_AT, 1)  # the number of pages counts
    copy = room / "grafted.sqlite"
    for replaced in (_HEADER_BYTES, PAGE_BYTES):
        shutil.copyfile(damaged, copy)
        if beside(damaged, "-wal").exists():
            shutil.copyfile(beside(damaged, "-wal"), beside(copy, "-wal"))
        beside(copy, "-shm").unlink(missing_ok=True)
        with copy.open("r+b") as file:
            file.write(first_page[:replaced])
        yield copy
