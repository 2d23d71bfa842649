"""Subtitle files beside a video: their bytes become cues."""

from io import BytesIO
from pathlib import Path

import av
import av.error

from media.container.source import reason
from media.errors import LimitError, UnreadableError, UnsupportedError
from media.subtitles.cues import Cue, cues_of
from media.subtitles.encoding import decoded

MOST_BYTES = 16 << 20  # of a subtitle file; most have a hundred thousand

# FFmpeg's demuxers, none of which opens another file.
_DEMUXERS = {".ass": "ass", ".srt": "srt", ".ssa": "ass", ".vtt": "webvtt"}
SUFFIXES = frozenset(_DEMUXERS)


def read_sidecar(path: Path) -> tuple[Cue, ...]:
    """Read the cues of a subtitle file, in order of their starts.

    Raises MediaError: it cannot be read, is binary or too large, or holds no cue.
    """
    content = _content(path)
    if not content.strip():
        raise UnsupportedError("is empty")
    text = decoded(content).lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    cues = _parsed(text.encode("utf-8", "replace"), demuxer=_DEMUXERS[path.suffix.lower()])
    if not cues:
        raise UnsupportedError("holds no subtitles that can be read")
    return cues


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UnreadableError(f"cannot be read: {reason(error)}") from error
    if len(content) > MOST_BYTES:
        raise LimitError(
            f"is larger than {MOST_BYTES >> 20} MiB, the most that a subtitle file may have"
        )
    return content


def _parsed(content: bytes, *, demuxer: str) -> tuple[Cue, ...]:
    try:
        with av.open(BytesIO(content), "r", format=demuxer) as container:
            stream = container.streams.subtitles[0]
            return cues_of(container.demux(stream), stream)
    except (av.error.FFmpegError, IndexError, ValueError) as error:
        raise UnsupportedError("holds no subtitles that can be read") from error
