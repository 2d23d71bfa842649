"""What tells one set of weights from another: the sha256 of its files, taken once a file.

Hashing the largest published checkpoint takes seconds, and a question is answered in milliseconds.
So digests are kept in a memo, by what the file system says of a file. The memo only saves time:
without it, or where it does not fit, the file is hashed.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

from xclip_core.checkpoint.cache import Memo

# A file that is written twice within one tick of the file system's clock looks the same both times:
# only of a file that has been at rest for longer does its state tell what is in it.
_REST_SECONDS = 2.0

_SHA256 = re.compile(rb"[0-9a-f]{64}")


def weights_digest(
    files: Sequence[Path], *, memo: Memo | None = None, rest: float = _REST_SECONDS
) -> str:
    """Hexadecimal sha256 of a file, or of the digests of several in order.

    Args:
        files: at least one.
        memo: what is known of files already, and where it is kept.
        rest: seconds that a file must not have changed for, to be noted in the memo.

    Raises:
        OSError: a file cannot be read.
    """
    digests = [_file_digest(path, memo=memo, rest=rest) for path in files]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256(b"".join(map(bytes.fromhex, digests))).hexdigest()


def _file_digest(path: Path, *, memo: Memo | None, rest: float) -> str:
    with path.open("rb") as opened:
        before = _state(path, opened.fileno())
        known = None if memo is None else memo.get(before)
        if known is not None and _SHA256.fullmatch(known):
            return known.decode("ascii")
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        unchanged = _state(path, opened.fileno()) == before
        if memo is not None and unchanged and _at_rest(opened.fileno(), seconds=rest):
            memo.put(before, digest.encode("ascii"))
    return digest


def _state(path: Path, descriptor: int) -> bytes:
    """Which file it is, and all that changes when somebody writes to it."""
    found = os.fstat(descriptor)
    numbers = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return os.fsencode(path.resolve()) + b"\0" + ",".join(map(str, numbers)).encode("ascii")


def _at_rest(descriptor: int, *, seconds: float) -> bool:
    found = os.fstat(descriptor)
    return time.time() - max(found.st_mtime, found.st_ctime) >= seconds
