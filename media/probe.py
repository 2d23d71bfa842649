"""What a film is, measured from its packets rather than believed from its header."""

import math
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from media.damage import clock_time, restarts_sentence
from media.layout import Layout, layout_of
from media.packet_table import PacketTable
from media.promise import promised_duration
from media.scan import PacketScan, scan_packets
from media.source import Source, open_source

_NOTABLE_REST, _NOTABLE_SHARE = 1 << 16, 0.1  # bytes, part of the file: more than an index takes
_FALLBACK_RATE = Fraction(25)  # frames per second, for a single picture without a duration


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """A film that can be decoded.

    `width` and `height` are in pixels as displayed, after rotation and sample aspect ratio.
    `frame_rate` is in frames per second, the average outside of gaps. `duration` is in seconds,
    from the first presentation timestamp to the end of the last frame. `container` and `codec` are
    FFmpeg's names.
    `damage` is a short sentence about what of the file is missing or cannot be read, told from its
    packets without decoding them; None for a sound one. `gaps` are the stretches (start, end) in
    seconds, each of more than 60, in which no new picture comes: from one second after the picture
    that stays on to the next one, or to the end. `packets` is what decoding can be planned with;
    None where there is nothing to go by: then everything is decoded.
    """

    path: Path
    container: str
    codec: str
    width: int
    height: int
    frame_rate: float
    duration: float
    layout: Layout
    damage: str | None = None
    gaps: tuple[tuple[float, float], ...] = ()
    packets: PacketTable | None = field(default=None, compare=False, repr=False)


def probe(path: Path) -> VideoInfo:
    """Look at the film at `path`: every packet is read once, one picture at most is decoded.

    A film that breaks off is described as far as it can be read. Raises `MediaError`.
    """
    with open_source(path, threads=1) as source:
        scan = scan_packets(source)
        layout = layout_of(source, scan)
        frame_rate, duration = _measure(source, scan)
        return VideoInfo(
            path=path,
            container=source.container_name,
            codec=source.stream.codec_context.codec.canonical_name,
            width=layout.width,
            height=layout.height,
            frame_rate=frame_rate,
            duration=duration,
            layout=layout,
            damage=_damage(source, scan, duration=duration),
            gaps=scan.gaps(duration=duration),
            packets=scan.table,
        )


def _damage(source: Source, scan: PacketScan, *, duration: float) -> str | None:
    """One short sentence about what is broken, so far as the packets show it."""
    restarts = [scan.seconds(stamp) for stamp in scan.restarts]
    origin = -scan.seconds(0)
    notes = [
        _ending(source, scan, duration=duration),
        scan.signs.losses.sentence("is unreadable", origin=origin),
        scan.signs.scrambled.sentence("is scrambled", origin=origin),
        restarts_sentence(restarts),
    ]
    return "; ".join(note for note in notes if note) or None


def _ending(source: Source, scan: PacketScan, *, duration: float) -> str | None:
    signs = scan.signs
    if signs.read_error is not None:
        return f"cannot be read beyond {clock_time(duration)}: {signs.read_error}"
    if signs.rest.scrambled > _NOTABLE_REST:
        return f"is scrambled beyond {clock_time(duration)}"
    rest = source.path.stat().st_size - (signs.stopped_at or math.inf)
    if rest > max(_NOTABLE_REST, source.path.stat().st_size * _NOTABLE_SHARE):
        return f"is unreadable beyond {clock_time(duration)}"
    promised = promised_duration(source, has=duration, torn=signs.torn)
    if promised is None:
        return None
    return f"breaks off at {clock_time(duration)} of {clock_time(promised)}"


def _measure(source: Source, scan: PacketScan) -> tuple[float, float]:
    """Frames per second and seconds, from the packets.

    The header's rate only fills a gap: for a film of one picture that has no duration of its own.
    """
    unit, extent = source.unit, scan.extent
    spread = (extent.last - extent.first) * unit
    end = (extent.end - extent.first) * unit
    moving = spread - sum(later - earlier for earlier, later in scan.stretches) * unit
    steps = extent.count - 1 - len(scan.stretches)
    if moving > 0 and steps > 0:
        interval = moving / steps
    elif spread > 0:
        interval = spread / (extent.count - 1)
    else:
        interval = end or 1 / (source.stream.average_rate or _FALLBACK_RATE)
    duration = end if end > spread else spread + interval  # the last packet may have no duration
    return float(1 / interval), float(duration)
