"""Media files by FFmpeg (PyAV): measuring, decoding, excerpts, thumbnails, encoding."""

from media.decode import RgbFrame, decode_at
from media.encode import write_video
from media.errors import (
    LimitError,
    MediaError,
    NoVideoError,
    UndecodableError,
    UnreadableError,
    UnsupportedError,
    WriteError,
)
from media.excerpt import excerpt, thumbnail
from media.frames.hardware import ACCELERATORS, first_usable, why_not
from media.probe import VideoFacts, VideoInfo, probe

__all__ = [
    "ACCELERATORS",
    "LimitError",
    "MediaError",
    "NoVideoError",
    "RgbFrame",
    "UndecodableError",
    "UnreadableError",
    "UnsupportedError",
    "VideoFacts",
    "VideoInfo",
    "WriteError",
    "decode_at",
    "excerpt",
    "first_usable",
    "probe",
    "thumbnail",
    "why_not",
    "write_video",
]
