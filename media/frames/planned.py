"""Decoding no more of a film than a plan says, and noticing where the film is not as planned."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import av.error
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.container.source import Source, open_source
from media.frames.frame_plan import FLUSH_AND_DECODE, SKIP, FramePlan
from media.frames.layout import Layout
from media.frames.sequential import DecodedFrame
from media.packets.packet_table import PacketTable
from media.packets.timeline import corrected_packets

_SEEK_FROM = 10.0  # seconds into the film below which to read from the start is cheap enough

_Numbered: TypeAlias = tuple[int, "Packet[VideoStream]"]  # a packet and its place in the table


class PlanError(Exception):
    """The film is not as planned: it has to be decoded in sequence. Never leaves this package."""


class FlawError(PlanError):
    """Something could not be decoded, and when that shows depends on the decoder's threads."""


def decode_planned(
    path: Path,
    layout: Layout,
    *,
    plan: FramePlan,
    threads: int,
    accelerator: str | None = None,
    forgiving: bool = True,
) -> Generator[DecodedFrame, None, None]:
    """The chosen frames, one for each wanted moment, in order.

    The file is closed when the generator is. Raises `MediaError` where the file cannot be opened,
    and `PlanError` where a packet or a frame is not the one that was planned, or cannot be decoded
    without a flaw: what came before is right.
    """
    due = deque(plan.table.pts[plan.chosen].tolist())
    opening = partial(
        open_source,
        path,
        stream_index=layout.stream_index,
        threads=threads,
        accelerator=accelerator,
        forgiving=forgiving,
    )
    with closing(_decoded(opening, layout, plan=plan)) as frames:
        for frame in frames:
            pts = _stamp(frame)
            if pts == due[0]:
                picture = _picture(frame, layout, plan)
                while due and due[0] == pts:
                    due.popleft()
                    yield picture
            if not due:
                return
            if pts > due[0]:
                break
    raise FlawError(f"the frame at {due[0]} does not come")


def _picture(frame: VideoFrame, layout: Layout, plan: FramePlan) -> DecodedFrame:
    return DecodedFrame(
        time=layout.clock.seconds(frame.pts or 0),
        duration=float(max(frame.duration or 0, 0) * plan.table.unit),
        stored=frame,
    )


def _stamp(frame: VideoFrame) -> int:
    if frame.pts is None or frame.is_corrupt:
        raise FlawError(f"the frame at {frame.pts} is flawed")
    if frame.interlaced_frame:
        # Of fields in packets of their own, one may have been passed over.
        raise PlanError(f"the frame at {frame.pts} is made of fields")
    return frame.pts


def _decoded(
    opening: Callable[[], AbstractContextManager[Source]], layout: Layout, *, plan: FramePlan
) -> Generator[VideoFrame, None, None]:
    """All frames that come out when the plan is followed, but those that no one can be sure of."""
    first = int(np.flatnonzero(plan.actions)[0])
    for seeks in (True, False):
        with opening() as source:
            packets = _packets(source, layout, plan.table, start=first if seeks else 0)
            if packets is not None:
                yield from _fed(source, packets, plan=plan)
                return


def _packets(
    source: Source, layout: Layout, table: PacketTable, *, start: int
) -> Iterator[_Numbered] | None:
    """The film's packets, from the one numbered `start` or before; None where no seek leads there.

    Raises `PlanError`, while iterating, where they are not those of the table.
    """
    if (table.pts[start] - layout.first_pts) * source.unit < _SEEK_FROM:
        return _checked(corrected_packets(source), table, number=0)
    try:
        source.container.seek(int(table.pts[start]), stream=source.stream)
    except (av.error.FFmpegError, OSError):
        return None
    packets = corrected_packets(source)
    head = next(packets)
    numbers = np.flatnonzero(table.pts == (head.dts if head.pts is None else head.pts))
    if len(numbers) != 1 or numbers[0] > start:
        return None
    return _checked(chain([head], packets), table, number=int(numbers[0]))


def _checked(
    packets: Iterator["Packet[VideoStream]"], table: PacketTable, *, number: int
) -> Iterator[_Numbered]:
    stamps, sizes = table.pts.data, table.sizes.data
    for packet in packets:
        if packet.size == 0:
            continue
        if number >= len(stamps) or (packet.pts, packet.size) != (stamps[number], sizes[number]):
            raise PlanError(f"packet {number} is another one than it was")
        yield number, packet
        number += 1


def _fed(source: Source, packets: Iterator[_Numbered], *, plan: FramePlan) -> Iterator[VideoFrame]:
    actions = plan.actions.data
    last = int(np.flatnonzero(plan.actions)[-1])
    entry_pts: int | None = None
    for number, packet in packets:
        action = actions[number]
        if action == FLUSH_AND_DECODE:
            yield from _shown_from(_drained(source), entry_pts)
            entry_pts = int(plan.table.pts[number])
        if action != SKIP:
            yield from _shown_from(_frames_of(packet), entry_pts)
        if number == last:
            break
    yield from _shown_from(_drained(source), entry_pts)


def _shown_from(frames: list[VideoFrame], pts: int | None) -> Iterator[VideoFrame]:
    """Without those that are shown before the entry, which may lack what they are made from."""
    return (frame for frame in frames if pts is None or frame.pts is None or frame.pts >= pts)


def _frames_of(packet: "Packet[VideoStream]") -> list[VideoFrame]:
    try:
        return packet.decode()
    except (av.error.FFmpegError, OSError) as error:
        raise FlawError(f"the packet at {packet.pts} cannot be decoded: {error}") from error


def _drained(source: Source) -> list[VideoFrame]:
    """What the decoder still holds; it is as new then."""
    context = source.stream.codec_context
    try:
        frames = context.decode(None)
    except (av.error.FFmpegError, OSError) as error:
        raise FlawError(f"the decoder cannot be emptied: {error}") from error
    context.flush_buffers()
    return frames
