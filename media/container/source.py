"""Opening media files and reading their packets: the only place where FFmpeg gets to see a file.

Media files are hostile input. Only regular local files are opened, only containers that cannot
point at other files or addresses, and nothing is decoded before its claimed size has been checked.
"""

import errno
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, cast

import av
import av.error
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from media.container.encryption import encrypted_error, encryption_of, refuse_encrypted
from media.errors import LimitError, MediaError, NoVideoError, UnreadableError, UnsupportedError

# FFmpeg's names of demuxers. Scripts and playlists (concat, hls, dash, imf, sdp, ...) are left out,
# because they make FFmpeg open other files whatever their suffix is; so are devices.
CONTAINERS = (
    "asf,avi,dv,flv,gif,ivf,live_flv,matroska,mov,mpeg,mpegts,mxf,nsv,nut,nuv,ogg,rm,vivo,wtv"
)
# FFmpeg's demuxers of streams without a container, by suffix. They open no other file either, but
# take other bytes for video more easily, so each is allowed for its own suffixes only.
_BARE_DEMUXERS = {
    ".264": "h264", ".265": "hevc", ".avc": "h264", ".h264": "h264", ".h265": "hevc",
    ".hevc": "hevc", ".m1v": "mpegvideo", ".m2v": "mpegvideo", ".m4v": "m4v", ".mjpeg": "mjpeg",
    ".mjpg": "mjpeg", ".mpe": "mpegvideo", ".mpeg": "mpegvideo", ".mpg": "mpegvideo",
    ".mpv": "mpegvideo", ".obu": "obu", ".y4m": "yuv4mpegpipe",
}  # fmt: skip
# Streams without timestamps: frames follow each other at the stream's rate, by default 25 a second.
BARE_STREAMS = frozenset({"h264", "hevc", "m4v", "mjpeg", "mpegvideo", "obu"})
BROADCAST_CONTAINERS = frozenset({"mpegts", "mpeg"})  # may be cut and joined at any byte
MAX_PIXELS = 1 << 26  # a frame of 8192 x 8192; 8K video has half of that
MAX_STREAMS = 256
# Failed attempts in a row to find a packet: enough to get across a hole as large as the file, of
# which demuxers search 64 KiB at each attempt.
_MIN_ATTEMPTS, _SEARCHED_BYTES = 64, 1 << 15
_MP4_BEGINNINGS = (b"ftyp", b"mdat", b"wide", b"free", b"skip")
_JPEG_BEGINNING = b"\xff\xd8\xff"
_SIDE_STREAMS = Disposition.attached_pic | Disposition.timed_thumbnails  # cover art, seek previews


@dataclass(frozen=True, slots=True)
class DecoderOptions:
    """Options of FFmpeg's decoder.

    `threads` is their number, 0 for one per core. `accelerator` is FFmpeg's name of the hardware
    device that decodes as far as it knows the codec; None for the processor. With `strict` the
    decoder refuses what it would otherwise conceal. `skip` is FFmpeg's name of the frames that are
    left out: `NONREF` those that no other needs, `NONKEY` all but key frames.
    """

    threads: int = 0
    accelerator: str | None = None
    strict: bool = False
    skip: Literal["DEFAULT", "NONREF", "NONKEY"] = "DEFAULT"

    def __post_init__(self) -> None:
        if self.threads < 0:
            raise ValueError(f"threads is {self.threads}; it must be 0 (automatic) or more")


ONE_THREAD = DecoderOptions(threads=1)


@dataclass(frozen=True, slots=True)
class Source:
    """Open file and the video stream chosen from it."""

    path: Path
    container: InputContainer
    stream: VideoStream

    @property
    def container_name(self) -> str:
        """FFmpeg's first name for the container."""
        return self.container.format.name.split(",")[0]

    @property
    def unit(self) -> Fraction:
        """The stream's time base: the unit of its timestamps, in seconds."""
        return self.stream.time_base or Fraction(1, av.time_base)


@contextmanager
def open_source(
    path: Path, *, stream_index: int | None = None, options: DecoderOptions = ONE_THREAD
) -> Iterator[Source]:
    """Open `path` for reading and choose a video stream, by default FFmpeg's best one.

    No decoder is opened for a stream beyond the pixel limit. The file is closed on leaving.

    Raises `UnreadableError`, `UnsupportedError` or `LimitError`; with an accelerator, the cause may
    be a device that cannot be opened.
    """
    container = _open_container(path, options.accelerator)
    try:
        if len(container.streams) >= MAX_STREAMS:  # FFmpeg leaves out those beyond, or gives up
            raise LimitError(f"claims {MAX_STREAMS} streams or more, which no video has")
        refuse_encrypted(container)
        stream = _choose_stream(container, path, stream_index)
        check_size(stream.codec_context.width, stream.codec_context.height)
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)} | (
            {"err_detect": "explode"} if options.strict else {}
        )
        stream.codec_context.thread_type = "AUTO"
        stream.codec_context.thread_count = options.threads
        stream.codec_context.skip_frame = options.skip
        yield Source(path, container, stream)
    finally:
        container.close()


class PacketObserver:
    """Observer of `read_packets`; this base class ignores all events."""

    all_streams = False  # whether packets of the other streams are read as well

    def add(self, packet: "Packet[Stream]") -> None:
        """Called with each packet of the file, before it is yielded."""

    def skip(self) -> None:
        """Called when no packet was found and the search goes on behind that byte."""

    def end_with(self, error: Exception) -> None:
        """Called when the file cannot be read any further."""


@dataclass(slots=True)
class PacketObservers(PacketObserver):
    """Several observers of the same packets."""

    observers: Sequence[PacketObserver]

    @property
    def all_streams(self) -> bool:  # type: ignore[override]
        """Whether any of them wants the packets of the other streams."""
        return any(observer.all_streams for observer in self.observers)

    def add(self, packet: "Packet[Stream]") -> None:
        """Pass a packet on."""
        for observer in self.observers:
            observer.add(packet)

    def skip(self) -> None:
        """Pass on that the search goes on."""
        for observer in self.observers:
            observer.skip()

    def end_with(self, error: Exception) -> None:
        """Pass the error on."""
        for observer in self.observers:
            observer.end_with(error)


def read_packets(
    source: Source, *, observer: PacketObserver | None = None
) -> Iterator["Packet[VideoStream]"]:
    """Read the stream's packets as far as possible; the last one is empty and flushes the decoder.

    The only loop over packets: in the middle of a file FFmpeg's demuxers may report that there is
    no packet, and go on behind the hole when they are called again.
    """
    observer = observer or PacketObserver()
    failed, most = 0, _MIN_ATTEMPTS + source.path.stat().st_size // _SEARCHED_BYTES
    streams = () if observer.all_streams else (source.stream,)
    while True:
        try:
            for packet in source.container.demux(*streams):
                failed = 0
                observer.add(packet)
                if packet.stream is source.stream:
                    yield cast("Packet[VideoStream]", packet)
        except (av.error.BlockingIOError, av.error.InvalidDataError) as error:
            failed += 1
            if failed <= most:
                observer.skip()
                continue
            observer.end_with(error)
        except (av.error.FFmpegError, OSError, IndexError) as error:
            # IndexError: PyAV at the end of a file in which further streams appeared.
            observer.end_with(error)
        else:
            return
        drain = cast("Packet[VideoStream]", av.Packet())
        drain.stream = source.stream
        yield drain
        return


def video_streams(container: InputContainer) -> list[VideoStream]:
    """The video streams of a file without cover art and the like."""
    return [s for s in container.streams.video if not s.disposition & _SIDE_STREAMS]


def is_read_error(error: Exception) -> bool:
    """Whether the operating system (a failing disk) raised it, not FFmpeg (a damaged file)."""
    number = error.errno or 0 if isinstance(error, OSError) else 0
    return number in errno.errorcode and number != errno.EAGAIN  # FFmpeg's own: "no packet yet"


def check_size(width: int, height: int) -> None:
    """Raise `LimitError` if a frame of `width` x `height` pixels exceeds `MAX_PIXELS`."""
    if width * height > MAX_PIXELS:
        raise LimitError(
            f"its frames claim {width} x {height} pixels; at most {MAX_PIXELS:,} are decoded"
        )


def reason(error: Exception) -> str:
    """The message of `error`, without file name and error number."""
    return str(getattr(error, "strerror", None) or error)


def _open_container(path: Path, accelerator: str | None) -> InputContainer:
    _check_regular_file(path)
    demuxer = _BARE_DEMUXERS.get(path.suffix.lower())
    try:
        return av.open(
            # The scheme makes FFmpeg take "concat:a" and "-" as file names.
            f"file:{path.absolute()}",
            "r",
            # A series of JPEG pictures begins with the same bytes as a single one.
            format="mjpeg" if demuxer == "mjpeg" and _begins_with(path, _JPEG_BEGINNING) else None,
            options={"max_pixels": str(MAX_PIXELS)},
            container_options={
                "format_whitelist": f"{CONTAINERS},{demuxer}" if demuxer else CONTAINERS,
                "protocol_whitelist": "file",
                "max_streams": str(MAX_STREAMS),
                # `Timeline` tells a clock that wrapped around from one that restarted.
                "correct_ts_overflow": "0",
            },
            metadata_errors="replace",
            hwaccel=HWAccel(accelerator, allow_software_fallback=True) if accelerator else None,
        )
    except (av.error.FFmpegError, OSError, ValueError, MemoryError) as error:
        raise _opening_error(error, path) from error


def _begins_with(path: Path, beginning: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(beginning)) == beginning
    except OSError:
        return False  # FFmpeg's attempt to open it will give the reason


def _check_regular_file(path: Path) -> None:
    try:
        status = path.stat()
    except OSError as error:
        raise UnreadableError(f"cannot be opened: {reason(error)}") from error
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableError("is not a regular file")
    if status.st_size == 0:
        raise UnsupportedError("is empty")


def _opening_error(error: Exception, path: Path) -> MediaError:
    if isinstance(error, (PermissionError, FileNotFoundError)):
        return UnreadableError(f"cannot be opened: {reason(error)}")
    if isinstance(error, MemoryError):
        return LimitError(f"claims more than {MAX_STREAMS} streams, or tables too large for memory")
    if is_read_error(error) and not isinstance(error, av.error.ArgumentError):
        return UnreadableError(f"cannot be read: {reason(error)}")
    return _encrypted(path) or UnsupportedError(_why_unsupported(error, path))


def _why_unsupported(error: Exception, path: Path) -> str:
    if isinstance(error, av.error.ArgumentError):
        return "is damaged, or not a container that is allowed here"
    with path.open("rb") as file:
        if file.read(8)[4:] in _MP4_BEGINNINGS:
            return "has no index: the file is cut off, or its recording was never finished"
    return f"is not a media file that can be read: {reason(error)}"


def _encrypted(path: Path) -> UnsupportedError | None:
    scheme = encryption_of(path)
    return None if scheme is None else encrypted_error(scheme)


def _choose_stream(container: InputContainer, path: Path, stream_index: int | None) -> VideoStream:
    candidates = video_streams(container)
    if stream_index is not None:
        candidates = [s for s in candidates if s.index == stream_index]
    if not candidates:
        sound_alone = container.streams.audio and stream_index is None
        none = (
            NoVideoError("holds sound and no video")
            if sound_alone
            else UnsupportedError("holds no video stream")
        )
        raise _encrypted(path) or none
    best = container.streams.best("video")
    stream = next((s for s in candidates if s is best), candidates[0])
    if not stream.codec_context:  # this FFmpeg has no decoder for it
        raise _encrypted(path) or UnsupportedError(
            "its video cannot be decoded: the codec is unknown here, or the file is cut off before "
            "its index"
        )
    return stream
