"""Text streams inside of a video, such as subtitles in several languages."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Stream
from av.subtitles.stream import SubtitleStream

from media.container.source import PacketObserver, Source, read_packets
from media.subtitles.cues import Cue, cues_of

_TEXT_CODECS = frozenset({"ass", "mov_text", "srt", "ssa", "subrip", "text", "webvtt"})
_MOST_BYTES = 64 << 20  # of all text of a video


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    """Cues of a text stream: `stream` is its number in the file, `language` as the file names it.

    Languages are codes of two or three letters as a rule; None where none is named.
    """

    stream: int
    language: str | None
    cues: tuple[Cue, ...]


def text_streams(container: InputContainer) -> tuple[SubtitleStream, ...]:
    """The streams whose text can be read; pictures of text are none."""
    return tuple(
        stream
        for stream in container.streams.subtitles
        if stream.codec_context and stream.codec_context.name in _TEXT_CODECS
    )


@dataclass(slots=True)
class TextPackets(PacketObserver):
    """Collector of the packets of text streams, while all packets of a video are read."""

    streams: Sequence[SubtitleStream]
    all_streams: bool = True
    _bytes: int = 0
    _packets: "dict[Stream, list[Packet[Stream]]]" = field(
        default_factory=lambda: defaultdict(list)
    )

    def add(self, packet: "Packet[Stream]") -> None:
        """Keep a packet of text."""
        if packet.stream in self.streams and self._bytes < _MOST_BYTES:
            self._bytes += packet.size
            self._packets[packet.stream].append(packet)

    def tracks(self, *, zero: Fraction) -> tuple[SubtitleTrack, ...]:
        """The tracks that say anything; the clock of the file begins at `zero` seconds."""
        found = (
            SubtitleTrack(
                stream.index,
                _language(stream),
                cues_of(self._packets.get(stream, ()), stream, zero=zero),
            )
            for stream in self.streams
        )
        return tuple(track for track in found if track.cues)


def read_tracks(source: Source, *, zero: Fraction) -> tuple[SubtitleTrack, ...]:
    """Read the text streams of a file that has just been opened, and nothing else where it can."""
    packets = TextPackets(text_streams(source.container))
    for stream in source.container.streams:
        if stream not in packets.streams:
            stream.discard = Discard.all
    for _ in read_packets(source, observer=packets):
        pass
    return packets.tracks(zero=zero)


def _language(stream: SubtitleStream) -> str | None:
    named = (stream.language or "").strip()
    return None if named.lower() in ("", "und", "unk") else named[:20]
