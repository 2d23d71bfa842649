"""Encryption of videos, told from container metadata and the first bytes of a file."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from media.container.boxes import boxes_at
from media.container.mpeg_streams import scrambled_packets, transport_format
from media.errors import UnsupportedError

SCRAMBLED_BROADCAST, SCRAMBLED_DISC = "a scrambled broadcast", "a copy-protected DVD"
_SAMPLE_ENTRIES = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")  # path from the root
_PROTECTED_ENTRIES = {b"drmi": "FairPlay", b"encv": "Common Encryption"}
_HEAD = 1 << 22  # bytes of an unreadable recording in which scrambling is looked for
_AACS_UNIT, _BLURAY_PACKET, _SYNC = 6144, 192, 0x47


def encrypted_error(scheme: str) -> UnsupportedError:
    """Make the error for a video that is encrypted by `scheme`."""
    return UnsupportedError(f"is encrypted ({scheme}): it cannot be decoded without the key")


def refuse_encrypted(container: InputContainer) -> None:
    """Raise `UnsupportedError` if the container declares its streams as encrypted."""
    name, metadata = container.format.name, container.metadata
    if name == "asf" and ("ASF_Protection_Type" in metadata or "encryption" in metadata):
        raise encrypted_error("Windows Media DRM")
    if name.startswith("matroska") and any(
        "enc_key_id" in stream.metadata for stream in container.streams.video
    ):
        raise encrypted_error("Matroska encryption")


def encryption_of(path: Path) -> str | None:
    """Encryption scheme of a file that FFmpeg cannot open or decode; None for none."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            if head[4:8] == b"ftyp":
                return next(_protected_entries(file, path.stat().st_size), None)
    except OSError:
        return None
    data = np.frombuffer(head, np.uint8)
    if _is_aacs(data):
        return "AACS, a copy-protected Blu-ray disc"
    form = transport_format(head)
    if form is None:
        return None
    packets = form.blocks(head[form.start :])
    return SCRAMBLED_BROADCAST if scrambled_packets(packets, form).mean() > 0.5 else None


def _protected_entries(file: BinaryIO, end: int) -> Iterator[str]:
    """Yield the schemes of an MP4 file's protected tracks (ISO/IEC 14496-12, 8.12)."""
    for start, _ in boxes_at(file, (0, end), _SAMPLE_ENTRIES):
        file.seek(start + 12)  # behind version, flags, count of entries and the first one's size
        scheme = _PROTECTED_ENTRIES.get(file.read(4))
        if scheme is not None:
            yield scheme


def _is_aacs(data: NDArray[np.uint8]) -> bool:
    """Whether in each aligned unit of 32 packets of `data` (N,) only the first header is clear."""
    units = data[: len(data) // _AACS_UNIT * _AACS_UNIT].reshape(-1, _AACS_UNIT)
    if len(units) < 16:
        return False
    marked = (units[:, 4] == _SYNC) & (units[:, 0] >> 6 != 0)
    others = units[:, 4 + _BLURAY_PACKET :: _BLURAY_PACKET] == _SYNC
    return bool(marked.mean() > 0.5 and others[marked].mean() < 0.1)
