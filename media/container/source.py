"""Opening a media file: the one door, and what may come through it.

Media files are hostile input. Only regular local files are opened, only containers that cannot
point at other files or addresses, and nothing is decoded before its claimed size has been checked.
"""

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import av.error
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from media.container.encryption import encrypted_error, encryption_of, refuse_encrypted
from media.errors import LimitError, MediaError, NoVideoError, UnreadableError, UnsupportedError

# FFmpeg's names. Scripts and playlists (concat, hls, dash, imf, sdp, ...), which make FFmpeg open
# other files whatever their suffix says, and devices are left out on purpose.
CONTAINERS = (
    "asf,avi,dv,flv,gif,ivf,live_flv,matroska,mov,mpeg,mpegts,mxf,nsv,nut,nuv,ogg,rm,vivo,wtv"
)
# FFmpeg's readers of streams without a container, by the suffixes of which it is expected. They see
# no other file either, but take other bytes for video more easily.
_BARE_READERS = {
    ".264": "h264", ".265": "hevc", ".avc": "h264", ".h264": "h264", ".h265": "hevc",
    ".hevc": "hevc", ".m1v": "mpegvideo", ".m2v": "mpegvideo", ".m4v": "m4v", ".mjpeg": "mjpeg",
    ".mjpg": "mjpeg", ".mpe": "mpegvideo", ".mpeg": "mpegvideo", ".mpg": "mpegvideo",
    ".mpv": "mpegvideo", ".obu": "obu", ".y4m": "yuv4mpegpipe",
}  # fmt: skip
# Those without times: pictures follow each other at the rate of the stream, else at 25 a second.
BARE_STREAMS = frozenset({"h264", "hevc", "m4v", "mjpeg", "mpegvideo", "obu"})
BROADCAST_CONTAINERS = frozenset({"mpegts", "mpeg"})  # streams that are cut and joined anywhere
MAX_PIXELS = 1 << 26  # a frame of 8192 x 8192; 8K film has half of that
MAX_STREAMS = 256
# How often in a row no packet may be found: as often as it takes to get across a hole as large as
# the file, of which readers look through 64 KiB each time.
_FRUITLESS, _SEARCHED_BYTES = 64, 1 << 15
_MP4_BEGINNINGS = (b"ftyp", b"mdat", b"wide", b"free", b"skip")
_JPEG_BEGINNING = b"\xff\xd8\xff"
_SIDE_STREAMS = Disposition.attached_pic | Disposition.timed_thumbnails  # cover art, seek previews


@dataclass(frozen=True, slots=True)
class Source:
    """An open file and the video stream chosen from it."""

    path: Path
    container: InputContainer
    stream: VideoStream

    @property
    def container_name(self) -> str:
        """FFmpeg's first name for the container."""
        return self.container.format.name.split(",")[0]

    @property
    def unit(self) -> Fraction:
        """The unit of the stream's time stamps, in seconds."""
        return self.stream.time_base or Fraction(1, av.time_base)


@contextmanager
def open_source(
    path: Path,
    *,
    stream_index: int | None = None,
    threads: int = 0,
    accelerator: str | None = None,
    forgiving: bool = True,
) -> Iterator[Source]:
    """Open `path` for reading and choose a video stream (the best one unless told).

    `threads` counts the decoder's threads; 0 takes as many as there are cores. With the name of an
    `accelerator` the stream is decoded on its device, as far as that knows the codec. No decoder is
    opened for a stream beyond the pixel limit. One that is not `forgiving` refuses what it would
    patch up otherwise. The file is closed on leaving, however that happens.

    Raises `UnreadableError`, `UnsupportedError` or `LimitError`; where there is an accelerator, it
    may be its device that cannot be opened.
    """
    if threads < 0:
        raise ValueError(f"threads is {threads}; it must be 0 (automatic) or more")
    container = _open_container(path, accelerator)
    try:
        if len(container.streams) >= MAX_STREAMS:  # FFmpeg leaves out those beyond, or gives up
            raise LimitError(f"claims {MAX_STREAMS} streams or more, which no film has")
        refuse_encrypted(container)
        stream = _choose_stream(container, path, stream_index)
        check_size(stream.codec_context.width, stream.codec_context.height)
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)} | (
            {} if forgiving else {"err_detect": "explode"}
        )
        stream.codec_context.thread_type = "AUTO"
        stream.codec_context.thread_count = threads
        yield Source(path, container, stream)
    finally:
        container.close()


class PacketObserver:
    """Is told what happens while the packets of a file are read; notes nothing of it itself."""

    all_streams = False  # whether packets of the other streams are read for it as well

    def add(self, packet: "Packet[Stream]") -> None:
        """The next packet of the file, before it is handed on."""

    def skip(self) -> None:
        """The reader found no packet where it looked, and looks again behind that place."""

    def end_with(self, error: Exception) -> None:
        """The file cannot be read any further."""


def read_packets(
    source: Source, *, watcher: PacketObserver | None = None
) -> Iterator["Packet[VideoStream]"]:
    """The stream's packets as far as they can be read; the last is empty and drains the decoder.

    Every loop over packets goes through here: in the middle of a file FFmpeg's readers may say that
    they found no packet, and go on behind the hole if they are asked again.
    """
    watcher = watcher or PacketObserver()
    fruitless, patience = 0, _FRUITLESS + source.path.stat().st_size // _SEARCHED_BYTES
    streams = () if watcher.all_streams else (source.stream,)
    while True:
        try:
            for packet in source.container.demux(*streams):
                fruitless = 0
                watcher.add(packet)
                if packet.stream is source.stream:
                    yield cast("Packet[VideoStream]", packet)
        except (av.error.BlockingIOError, av.error.InvalidDataError) as error:
            fruitless += 1
            if fruitless <= patience:
                watcher.skip()
                continue
            watcher.end_with(error)
        except (av.error.FFmpegError, OSError, IndexError) as error:
            # IndexError: PyAV at the end of a file whose streams grew in number.
            watcher.end_with(error)
        else:
            return
        drain = cast("Packet[VideoStream]", av.Packet())
        drain.stream = source.stream
        yield drain
        return


def is_read_error(error: Exception) -> bool:
    """Whether the disk, not the file, is to blame: the operating system's errors, not FFmpeg's."""
    number = error.errno or 0 if isinstance(error, OSError) else 0
    return number in errno.errorcode and number != errno.EAGAIN  # which no disk says of a file


def check_size(width: int, height: int) -> None:
    """Raise `LimitError` where a frame of `width` x `height` would pass the pixel limit."""
    if width * height > MAX_PIXELS:
        raise LimitError(
            f"its frames claim {width} x {height} pixels; at most {MAX_PIXELS:,} are decoded"
        )


def reason(error: Exception) -> str:
    """FFmpeg's own words for `error`, without the file name and the error number."""
    return str(getattr(error, "strerror", None) or error)


def _open_container(path: Path, accelerator: str | None) -> InputContainer:
    _check_regular_file(path)
    reader = _BARE_READERS.get(path.suffix.lower())
    try:
        return av.open(
            # The scheme keeps names such as "concat:a" or "-" plain file names.
            f"file:{path.absolute()}",
            "r",
            # A row of JPEG pictures is not told from a single one by its bytes.
            format="mjpeg" if reader == "mjpeg" and _begins_with(path, _JPEG_BEGINNING) else None,
            options={"max_pixels": str(MAX_PIXELS)},
            container_options={
                "format_whitelist": f"{CONTAINERS},{reader}" if reader else CONTAINERS,
                "protocol_whitelist": "file",
                "max_streams": str(MAX_STREAMS),
                # Our own time line tells a clock that ran through from one that was set anew.
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
        return False  # opening it again tells why


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
    candidates = [s for s in container.streams.video if not s.disposition & _SIDE_STREAMS]
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
    if not stream.codec_context:  # PyAV's way to say that this FFmpeg has no decoder for it
        raise _encrypted(path) or UnsupportedError(
            "its video cannot be decoded: the codec is unknown here, or the file is cut off before "
            "its index"
        )
    return stream
