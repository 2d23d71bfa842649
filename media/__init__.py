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
from media.probe import VideoDetails, VideoFacts, VideoInfo, probe, read_details
from media.subtitles.cues import Cue
from media.subtitles.embedded import SubtitleTrack
from media.subtitles.sidecar import read_sidecar

__all__ = [
    "ACCELERATORS",
    "Cue",
    "LimitError",
    "MediaError",
    "NoVideoError",
    "RgbFrame",
    "SubtitleTrack",
    "UndecodableError",
    "UnreadableError",
    "UnsupportedError",
    "VideoDetails",
    "VideoFacts",
    "VideoInfo",
    "WriteError",
    "decode_at",
    "excerpt",
    "first_usable",
    "probe",
    "read_details",
    "read_sidecar",
    "thumbnail",
    "why_not",
    "write_video",
]
