"""Planned decoding: only the packets that a plan names, checked against its packet table."""

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import av.error
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.container.clock import duration_of, timestamp_of
from media.container.source import DecoderOptions, Source, open_source
from media.frames.frame_plan import FLUSH_AND_DECODE, SKIP, FramePlan
from media.frames.layout import Layout
from media.frames.sequential import SEEK_FROM, DecodedFrame
from media.packets.packet_table import PacketTable
from media.packets.timeline import corrected_packets

_Numbered: TypeAlias = tuple[int, "Packet[VideoStream]"]  # a packet and its row in the table


class PlanError(Exception):
    """The video differs from its plan: decode it sequentially. Never leaves this package."""


class FlawError(PlanError):
    """A packet or frame could not be decoded; when that shows depends on the decoder's threads."""


def decode_planned(
    path: Path, layout: Layout, *, plan: FramePlan, options: DecoderOptions
) -> Generator[DecodedFrame, None, None]:
    """Decode the chosen frames of a plan, one for each sample time, in order.

    The file is closed with the generator. Raises `MediaError` if the file cannot be opened, and
    `PlanError` if a packet or a frame is not the planned one or cannot be decoded without a flaw:
    the frames before that are right.
    """
    due = deque(plan.table.pts[plan.chosen].tolist())
    with (
        _planned_packets(path, layout, plan=plan, options=options) as (source, packets),
        closing(_decode_packets(source, packets, plan=plan)) as frames,
    ):
        for frame in frames:
            pts = _checked_pts(frame)
            if pts == due[0]:
                seconds = float(duration_of(frame) * plan.table.unit)
                decoded = DecodedFrame(layout.clock.seconds(pts), seconds, frame)
                while due and due[0] == pts:
                    due.popleft()
                    yield decoded
            if not due:
                return
            if pts > due[0]:
                break
    raise FlawError(f"the frame at {due[0]} is missing")


def _checked_pts(frame: VideoFrame) -> int:
    if frame.pts is None or frame.is_corrupt:
        raise FlawError(f"the frame at {frame.pts} is damaged")
    if frame.interlaced_frame:
        # If its fields lie in packets of their own, one of them may have been skipped.
        raise PlanError(f"the frame at {frame.pts} is interlaced")
    return frame.pts


@contextmanager
def _planned_packets(
    path: Path, layout: Layout, *, plan: FramePlan, options: DecoderOptions
) -> Iterator[tuple[Source, Iterator[_Numbered]]]:
    """Open the video and read its packets: from near the first planned one, or from the start."""
    first = int(np.flatnonzero(plan.actions)[0])
    for start in (first, 0):
        with open_source(path, stream_index=layout.stream_index, options=options) as source:
            packets = _packets_from(source, layout, plan.table, start=start)
            if packets is not None:
                yield source, packets
                return


def _packets_from(
    source: Source, layout: Layout, table: PacketTable, *, start: int
) -> Iterator[_Numbered] | None:
    """Read packets from row `start` of the table on, or from before it; None if no seek gets there.

    Raises `PlanError`, while iterating, where they are not those of the table.
    """
    if start == 0 or (table.pts[start] - layout.first_pts) * source.unit < SEEK_FROM:
        return _checked(corrected_packets(source), table, number=0)
    try:
        source.container.seek(int(table.pts[start]), stream=source.stream)
    except (av.error.FFmpegError, OSError):
        return None
    packets = corrected_packets(source)
    head = next(packets)
    numbers = np.flatnonzero(table.pts == timestamp_of(head))
    if len(numbers) != 1 or numbers[0] > start:
        return None
    return _checked(chain([head], packets), table, number=int(numbers[0]))


def _checked(
    packets: Iterator["Packet[VideoStream]"], table: PacketTable, *, number: int
) -> Iterator[_Numbered]:
    pts, sizes = table.pts.data, table.sizes.data
    for packet in packets:
        if packet.size == 0:
            continue
        if number >= len(pts) or (packet.pts, packet.size) != (pts[number], sizes[number]):
            raise PlanError(f"packet {number} is not the one that was probed")
        yield number, packet
        number += 1


def _decode_packets(
    source: Source, packets: Iterator[_Numbered], *, plan: FramePlan
) -> Generator[VideoFrame, None, None]:
    """Decode the planned packets.

    After a flush, frames displayed before the entry are dropped: their references may be missing.
    """
    actions = plan.actions.data
    last = int(np.flatnonzero(plan.actions)[-1])
    entry_pts: int | None = None
    for number, packet in packets:
        action = actions[number]
        if action == FLUSH_AND_DECODE:
            yield from _displayed_from(entry_pts, _flush(source))
            entry_pts = int(plan.table.pts[number])
        if action != SKIP:
            yield from _displayed_from(entry_pts, _decode(packet))
        if number == last:
            break
    yield from _displayed_from(entry_pts, _flush(source))


def _displayed_from(pts: int | None, frames: list[VideoFrame]) -> list[VideoFrame]:
    return [frame for frame in frames if pts is None or frame.pts is None or frame.pts >= pts]


def _decode(packet: "Packet[VideoStream]") -> list[VideoFrame]:
    try:
        return packet.decode()
    except (av.error.FFmpegError, OSError) as error:
        raise FlawError(f"the packet at {packet.pts} cannot be decoded: {error}") from error


def _flush(source: Source) -> list[VideoFrame]:
    """Take the frames that the decoder still holds, and reset it."""
    context = source.stream.codec_context
    try:
        frames = context.decode(None)
    except (av.error.FFmpegError, OSError) as error:
        raise FlawError(f"the decoder cannot be flushed: {error}") from error
    context.flush_buffers()
    return frames
