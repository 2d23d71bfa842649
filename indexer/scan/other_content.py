"""Other content under the suffix of a video, recognised by its first bytes.

`.ts` is TypeScript more often than a broadcast, `.mod` a module of Go, Fortran or AMPL, or music.
Such a file is no unreadable video, and so no failure. A damaged video has bytes that no text has;
only what is certainly something else is recognised here.
"""

from pathlib import Path

from indexer.scan.names import SUFFIXES_WITH_TWO_MEANINGS

_BEGINNING = 8192  # bytes
_TEXT = frozenset(range(0x20, 0x100)) - {0x7F} | frozenset(b"\t\n\v\f\r\x1b")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_GZIP = b"\x1f\x8b"  # the modules of GNU Fortran
# Tracker music has its mark behind its 31 instruments.
_TRACKER_AT = 1080
_TRACKERS = (b"M.K.", b"M!K!", b"FLT4", b"FLT8", b"4CHN", b"6CHN", b"8CHN", b"OCTA", b"CD81")


def other_content(path: Path) -> str | None:
    """Content of a file whose suffix has two meanings; None where it may be a video.

    Raises OSError.
    """
    if path.suffix.lower() not in SUFFIXES_WITH_TWO_MEANINGS:
        return None
    with path.open("rb") as file:
        beginning = file.read(_BEGINNING)
    if not beginning:
        return "it is empty"
    if beginning.startswith(_UTF_16) or _TEXT.issuperset(beginning):
        return "it holds text"
    if beginning.startswith(_GZIP):
        return "it holds compressed data"
    if beginning[_TRACKER_AT : _TRACKER_AT + 4] in _TRACKERS:
        return "it holds music"
    return None
