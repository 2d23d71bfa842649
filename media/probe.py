"""Measurement of a video from its packets; nothing in its header is believed unchecked."""

import math
from dataclasses import dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from machine.clock_text import clock_text
from media.container.capture import Capture, capture_of
from media.container.clock import MAX_HOURS
from media.container.findings import useful_end
from media.container.source import Source, open_source
from media.damage.intervals import restarts_sentence
from media.damage.truncation import declared_end
from media.frames.layout import Layout, layout_of
from media.packets.packet_table import PacketTable
from media.packets.scan import Extent, PacketScan, scan_packets
from media.subtitles.embedded import SubtitleTrack, TextPackets, read_tracks, text_streams

# Unread bytes, and their share of the file, that are damage: more than an index takes.
_MIN_UNREAD, _MIN_UNREAD_SHARE = 1 << 16, 0.1
_EDIT_ROUNDING = Fraction(1, 100)  # second by which edit lists miss the end of a frame
_FALLBACK_RATE = Fraction(25)  # frames per second, for a single frame without a duration


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFacts:
    """Measured properties of a video that can be stored.

    `duration` is the end of the file in seconds on its own clock: later than the last frame where
    sound outlasts it. `width` and `height` are in pixels as displayed, after rotation and sample
    aspect ratio. `frame_rate` is in frames per second, the average outside of gaps. `codec` and
    `container` are FFmpeg's names. `captured` is when it was recorded, in seconds since 1970 (UTC),
    `captured_from` the source of that time, `camera` make and model: see `Capture`.
    """

    duration: float
    width: int
    height: int
    frame_rate: float
    codec: str
    container: str
    captured: float | None = None
    captured_from: str = "unknown"
    camera: str | None = None

    def facts(self) -> dict[str, Any]:
        """These properties by name."""
        return {field.name: getattr(self, field.name) for field in fields(VideoFacts)}


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoInfo(VideoFacts):
    """A video that can be decoded, and what decoding needs.

    All times are seconds on the file's own clock, as players count: zero is the start of its
    earliest stream. Frames are displayed from `start` to `end`. `damage` is a short sentence about
    what of the file is missing or cannot be read, found in its packets without decoding them; None
    for a sound file. `gaps` are the intervals (start, end), each of more than 60 seconds, without a
    new frame: from one second after the frame that stays on display to the next one, or to the end.
    `packets` is the table to plan decoding with; None where it is unknown: then all is decoded.
    `subtitles` are the text streams that say anything.
    """

    path: Path
    start: float
    end: float
    layout: Layout
    damage: str | None = None
    gaps: tuple[tuple[float, float], ...] = ()
    packets: PacketTable | None = field(default=None, compare=False, repr=False)
    subtitles: tuple[SubtitleTrack, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class VideoDetails:
    """What a video tells beside its pictures: when it was recorded, with what, and its text."""

    capture: Capture
    subtitles: tuple[SubtitleTrack, ...] = ()


def probe(path: Path) -> VideoInfo:
    """Measure the video at `path`: reads every packet once and decodes one frame at most.

    A truncated video is measured as far as it can be read. Raises `MediaError`.
    """
    with open_source(path) as source:
        text = TextPackets(text_streams(source.container))
        scan = scan_packets(source, observers=[text] if text.streams else [])
        layout = layout_of(source, scan)
        frame_rate, end = _measure(source, scan)
        others_end = float(scan.others_end - scan.clock.zero)
        capture = capture_of(source.container, path)
        return VideoInfo(
            path=path,
            container=source.container_name,
            codec=source.stream.codec_context.codec.canonical_name,
            width=layout.width,
            height=layout.height,
            frame_rate=frame_rate,
            start=scan.clock.seconds(scan.extent.first),
            end=end,
            duration=max(end, others_end if others_end < MAX_HOURS * 3600 else 0.0),
            captured=capture.time,
            captured_from=capture.source,
            camera=capture.camera,
            layout=layout,
            damage=_damage(source, scan, end=end),
            gaps=scan.gaps(end=end),
            packets=scan.table,
            subtitles=text.tracks(zero=scan.clock.zero),
        )


def read_details(path: Path) -> VideoDetails:
    """Read what a video tells beside its pictures; decodes none of them.

    Of a file without text streams only the header is read, of others the text. Raises `MediaError`.
    """
    with open_source(path) as source:
        capture = capture_of(source.container, path)
        if not text_streams(source.container):
            return VideoDetails(capture)
        zero = scan_packets(source, head_only=True).clock.zero
    with open_source(path) as source:
        return VideoDetails(capture, read_tracks(source, zero=zero))


def _damage(source: Source, scan: PacketScan, *, end: float) -> str | None:
    """One short sentence about the damage that the packets show; None for none."""
    clock = scan.clock
    restarts = [clock.seconds(timestamp) for timestamp in scan.restarts]
    origin = float(clock.zero)
    notes = [
        _ending(source, scan, end=end),
        scan.damage.damaged.sentence("is unreadable", origin=origin),
        scan.damage.scrambled.sentence("is scrambled", origin=origin),
        restarts_sentence(restarts),
    ]
    return "; ".join(note for note in notes if note) or None


def _ending(source: Source, scan: PacketScan, *, end: float) -> str | None:
    damage = scan.damage
    if damage.read_error is not None:
        return f"cannot be read beyond {clock_text(end)}: {damage.read_error}"
    if damage.rest.scrambled > _MIN_UNREAD:
        return f"is scrambled beyond {clock_text(end)}"
    if damage.rest.missing > _MIN_UNREAD or _is_unread(source.path, damage.stopped_at):
        return f"is unreadable beyond {clock_text(end)}"
    declared = declared_end(source, scan.clock, has=end, torn=damage.torn, cut=damage.rest.cut)
    if declared is None:
        return None
    of_what = "" if math.isinf(declared) else f" of {clock_text(declared)}"
    return f"breaks off at {clock_text(end)}{of_what}"


def _is_unread(path: Path, stopped_at: int | None) -> bool:
    """Whether more bytes follow the last packet than an index and padding take."""
    if stopped_at is None:
        return False
    with path.open("rb") as file:
        end = useful_end(file, stopped_at)
    return end - stopped_at > max(_MIN_UNREAD, end * _MIN_UNREAD_SHARE)


def _measure(source: Source, scan: PacketScan) -> tuple[float, float]:
    """Measure frames per second, and the end of the last frame in seconds on the file's clock.

    The header's rate is used only for a video of one frame without a duration.
    """
    unit, extent = source.unit, scan.extent
    spread = (extent.last - extent.first) * unit
    end = (_end_of_last(source, extent) - extent.first) * unit
    moving = spread - sum(later - earlier for earlier, later in scan.long_intervals) * unit
    steps = extent.count - 1 - len(scan.long_intervals)
    if moving > 0 and steps > 0:
        interval = moving / steps
    elif spread > 0:
        interval = spread / (extent.count - 1)
    else:
        interval = end or 1 / (source.stream.average_rate or _FALLBACK_RATE)
    lasts = end if end > spread else spread + interval  # the last packet may have no duration
    return float(1 / interval), float(extent.first * unit + lasts - scan.clock.zero)


def _end_of_last(source: Source, extent: Extent) -> int:
    """Timestamp at which the last frame ends: an edit list may end it earlier."""
    stream = source.stream
    if source.container_name != "mov" or stream.start_time is None or not stream.duration:
        return extent.end
    edited = stream.start_time + stream.duration
    cut = edited > extent.last and (extent.end - edited) * source.unit > _EDIT_ROUNDING
    return edited if cut else extent.end
