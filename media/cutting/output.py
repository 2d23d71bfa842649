"""Files of moments while they are written: tracks side by side, then the exact edit lists."""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from media.cutting.edit_lists import Played, set_edit_lists

OnProgress = Callable[[float], None]  # with the seconds that are written


class Track(Protocol):
    """Track of a new file."""

    def add_to(self, container: OutputContainer) -> Stream:
        """Add the stream."""

    @property
    def played(self) -> Played:
        """When it is played; known as soon as all packets were taken."""


class PacketTrack(Track, Protocol):
    """Track that makes its packets by itself."""

    def packets(self) -> "Iterator[Packet[Stream]]":
        """The packets, in the order in which they are stored; after the stream was added."""


def side_by_side(tracks: "Sequence[PacketTrack]") -> "Iterator[Packet[Stream]]":
    """The packets of several tracks, in order of their times."""
    return heapq.merge(*(track.packets() for track in tracks), key=_time)


def write_tracks(
    path: Path,
    tracks: Sequence[Track],
    packets: "Iterator[Packet[Stream]]",
    *,
    units: int,
    quicktime: bool,
    timecode: str | None = None,
    tags: Mapping[str, str],
    on_progress: OnProgress,
) -> None:
    """Write tracks, those of pictures first, to `path`: MP4 or QuickTime with its index first.

    The `packets` are those of all tracks, about in order of their times, and are taken when all
    streams were added. `units` is how many of the movie's clock make a second.

    Raises what FFmpeg raises.
    """
    options = {"movflags": "+faststart", "movie_timescale": str(units)}
    with av.open(
        f"file:{path.absolute()}",
        "w",
        format="mov" if quicktime else "mp4",
        container_options=options,
    ) as container:
        container.metadata.update(tags)
        streams = [track.add_to(container).index for track in tracks]
        if timecode is not None:
            container.streams.video[0].metadata["timecode"] = timecode
        reached, written = 0.0, set()
        for packet in packets:
            written.add(packet.stream_index)
            reached = max(reached, float(_time(packet)))
            container.mux(packet)
            on_progress(reached)
    # A track without packets is left out of the file.
    lists = [t.played for t, stream in zip(tracks, streams, strict=True) if stream in written]
    set_edit_lists(path, lists)


def _time(packet: "Packet[Stream]") -> Fraction:
    return (packet.dts or 0) * packet.time_base
