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
from media.playback.live import LIVE_LINES, LIVE_TYPE, SILENT_LIVE_TYPE, live_mp4
from media.playback.sprite import SPRITE, SpriteLayout, sprite
from media.playback.tracks import Tracks, content_type_of, read_tracks
from media.probe import VideoDetails, VideoFacts, VideoInfo, probe, read_details
from media.subtitles.cues import Cue
from media.subtitles.embedded import SubtitleTrack
from media.subtitles.sidecar import read_sidecar

__all__ = [
    "ACCELERATORS",
    "LIVE_LINES",
    "LIVE_TYPE",
    "SILENT_LIVE_TYPE",
    "SPRITE",
    "Cue",
    "LimitError",
    "MediaError",
    "NoVideoError",
    "RgbFrame",
    "SpriteLayout",
    "SubtitleTrack",
    "Tracks",
    "UndecodableError",
    "UnreadableError",
    "UnsupportedError",
    "VideoDetails",
    "VideoFacts",
    "VideoInfo",
    "WriteError",
    "content_type_of",
    "decode_at",
    "excerpt",
    "first_usable",
    "live_mp4",
    "probe",
    "read_details",
    "read_sidecar",
    "read_tracks",
    "sprite",
    "thumbnail",
    "why_not",
    "write_video",
]
