"""Media files by FFmpeg (PyAV): measuring, decoding, thumbnails, encoding."""

from media.cutting.canvas import ReelSource
from media.cutting.cut import CutPlan, Way, Written, cut, plan_cut, write_cut
from media.cutting.reel import write_reel
from media.decode import RgbFrame, decode_at
from media.encode import write_video
from media.errors import (
    LimitError,
    MediaError,
    NotCopiedError,
    NoVideoError,
    PointsError,
    TargetError,
    UndecodableError,
    UnreadableError,
    UnsupportedError,
    WriteError,
)
from media.frames.hardware import ACCELERATORS, first_usable, why_not
from media.playback.live import LIVE_LINES, LIVE_TYPE, SILENT_LIVE_TYPE, live_mp4
from media.playback.sprite import SPRITE, SpriteLayout, sprite
from media.playback.tracks import Tracks, content_type_of, read_tracks
from media.probe import VideoDetails, VideoFacts, VideoInfo, probe, read_details
from media.subtitles.cues import Cue
from media.subtitles.embedded import SubtitleTrack
from media.subtitles.sidecar import read_sidecar
from media.thumbnail import thumbnail

__all__ = [
    "ACCELERATORS",
    "LIVE_LINES",
    "LIVE_TYPE",
    "SILENT_LIVE_TYPE",
    "SPRITE",
    "Cue",
    "CutPlan",
    "LimitError",
    "MediaError",
    "NoVideoError",
    "NotCopiedError",
    "PointsError",
    "ReelSource",
    "RgbFrame",
    "SpriteLayout",
    "SubtitleTrack",
    "TargetError",
    "Tracks",
    "UndecodableError",
    "UnreadableError",
    "UnsupportedError",
    "VideoDetails",
    "VideoFacts",
    "VideoInfo",
    "Way",
    "WriteError",
    "Written",
    "content_type_of",
    "cut",
    "decode_at",
    "first_usable",
    "live_mp4",
    "plan_cut",
    "probe",
    "read_details",
    "read_sidecar",
    "read_tracks",
    "sprite",
    "thumbnail",
    "why_not",
    "write_cut",
    "write_reel",
    "write_video",
]
