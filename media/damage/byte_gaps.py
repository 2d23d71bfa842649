"""Bytes of a file between its packets that hold nothing useful, found while packets are read."""

from collections import deque
from dataclasses import dataclass, field

from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from media.container.clock import StreamEnds
from media.container.findings import Finding, Findings
from media.container.source import PacketObserver, is_read_error, reason

_MIN_BYTES = 4096  # of a gap: more than the headers between two packets take


@dataclass(slots=True)
class ByteGaps(PacketObserver):
    """Bytes in no packet, though packets follow: demuxers skip damaged parts without an error.

    `findings` judge the bytes between packets, for which the packets of `all_streams` have to be
    read, or all bytes of the file.
    """

    stream: VideoStream
    findings: Findings
    all_streams: bool
    others: StreamEnds = field(default_factory=StreamEnds)
    passed: deque[Finding] = field(default_factory=deque)  # before each packet of the stream
    end: int = 0  # of the packets so far, in bytes of the file
    read_error: str | None = None  # why the file could not be read to its end
    _missing: int = 0  # bytes since the stream's last packet

    def add(self, packet: "Packet[Stream]") -> None:
        """Compare the position of the next packet, of any stream, with the end of the last."""
        position = -1 if packet.pos is None or not packet.size else packet.pos
        if position >= 0:
            if self.end and position - self.end > _MIN_BYTES:
                unexplained = self.findings.unexplained(self.end, position)
                self._missing += unexplained if unexplained > _MIN_BYTES else 0
            self.end = max(self.end, position + packet.size)
        if packet.stream is self.stream:
            found = self.findings.up_to(position)
            missing = found.missing + self._missing
            self.passed.append(Finding(position, missing=missing, scrambled=found.scrambled))
            self._missing = 0
        else:
            self.others.add(packet)

    def skip(self) -> None:
        """Count bytes in which the demuxer found no packet."""
        self._missing += _MIN_BYTES

    def end_with(self, error: Exception) -> None:
        """Keep the reason why the file could not be read any further."""
        if is_read_error(error):
            self.read_error = reason(error)

    def before_next(self) -> Finding:
        """Take the finding in front of the stream's next packet, in order."""
        return self.passed.popleft() if self.passed else Finding(0)
