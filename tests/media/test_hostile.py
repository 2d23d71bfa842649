"""Files that want to be more than a film: to open others, to call out, to fill the memory."""

import ctypes
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest

from media import MediaError, decode_at, excerpt, probe, thumbnail
from media.layout import read_layout

# --- traps: a secret film whose opening is seen, and an address whose callers are counted ---


class Traps(NamedTuple):
    secret: Path
    film: bytes  # an innocent one, its index at the end
    server: socket.socket
    opened: list[str]  # names of secrets that were opened
    calls: list[object]  # who connected

    @property
    def port(self) -> int:
        return self.server.getsockname()[1]

    def spring(self) -> bool:
        return bool(self.opened or self.calls)

    def rearm(self) -> None:
        self.opened.clear()
        self.calls.clear()


_IN_OPEN = 0x20


@contextmanager
def _openings(path: Path, opened: list[str]) -> Iterator[None]:
    """Within the block, `opened` is told by the kernel whenever anybody opens the file."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    assert watch >= 0
    assert libc.inotify_add_watch(watch, os.fsencode(path), _IN_OPEN) >= 0
    try:
        yield
        while True:
            try:
                opened += [path.name] * (len(os.read(watch, 4096)) // 16)
            except BlockingIOError:
                return
    finally:
        os.close(watch)


@contextmanager
def _callers(server: socket.socket, calls: list[object]) -> Iterator[None]:
    """Within the block, whoever connects is noted and hung up on."""
    stop = threading.Event()

    def serve() -> None:
        while True:
            connection, address = server.accept()
            connection.close()
            if stop.is_set():
                return
            calls.append(address)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        socket.create_connection(server.getsockname()).close()
        thread.join()


@contextmanager
def _armed(traps: Traps) -> Iterator[Traps]:
    traps.rearm()
    with _openings(traps.secret, traps.opened), _callers(traps.server, traps.calls):
        yield traps


@pytest.fixture
def traps(make_film, numbered, tmp_path) -> Iterator[Traps]:
    film = make_film("film.mov", numbered(50)).read_bytes()
    secret = make_film("secret.ts", numbered(50))
    for name in ("img000.jpg", "img001.jpg", "secret.mp4"):  # other names of the same file
        os.link(secret, tmp_path / name)
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Traps(secret, film, server, [], [])


needs_inotify = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="needs inotify, which Linux has"
)


# --- disguises ---


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def _alias(target: str) -> bytes:
    """A QuickTime alias record that names a file by its absolute path."""
    path = target.replace("/", ":").encode()
    path += bytes(len(path) % 2)
    head = bytes(10) + bytes(28) + bytes(12) + bytes(64) + bytes(16) + b"\0\0\0\0" + bytes(16)
    tags = struct.pack(">HH", 2, len(path)) + path + struct.pack(">HH", 0xFFFF, 0)
    return head + tags


def _with_data_reference(film: bytes, kind: bytes, record: bytes) -> bytes:
    """An MP4 whose pictures, it says, lie elsewhere. Its index must be at the end."""
    entry = _box(kind, bytes(4), record)
    new = _box(b"dref", bytes(4), (1).to_bytes(4, "big"), entry)
    start = film.index(b"dref") - 4
    old_size = int.from_bytes(film[start : start + 4], "big")
    data = bytearray(film[:start] + new + film[start + old_size :])
    for parent in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        place = data.index(parent) - 4
        size = int.from_bytes(data[place : place + 4], "big") + len(new) - old_size
        data[place : place + 4] = size.to_bytes(4, "big")
    return bytes(data)


def _reference_movie(kind: bytes, target: bytes) -> bytes:
    reference = _box(b"rdrf", bytes(4), kind, len(target).to_bytes(4, "big"), target)
    return _box(b"ftyp", b"qt  ", bytes(4)) + _box(b"moov", _box(b"rmra", _box(b"rmda", reference)))


def _disguises(traps: Traps) -> dict[str, bytes]:
    """Files that point at the secret or at an address, by what they are."""
    film, secret, port, texts = traps.film, traps.secret, traps.port, {}
    url = f"http://127.0.0.1:{port}/film.mp4"
    for where, target in {"file": str(secret), "beside": secret.name, "address": url}.items():
        texts |= {
            f"hls-{where}": "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n"
            f"{target}\n#EXT-X-ENDLIST\n",
            f"hls-master-{where}": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{target}\n",
            f"hls-key-{where}": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
            f'#EXT-X-KEY:METHOD=AES-128,URI="{target}"\n#EXTINF:2,\n{target}\n#EXT-X-ENDLIST\n',
            f"dash-{where}": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" '
            'type="static" mediaPresentationDuration="PT2S"><Period><AdaptationSet mimeType='
            '"video/mp4"><Representation id="1" bandwidth="1" width="64" height="48">'
            f"<BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>",
            f"concat-{where}": f"ffconcat version 1.0\nfile '{target}'\n",
            f"concat-old-{where}": f"file '{target}'\nduration 2\n",
            f"asx-{where}": f'<asx version="3.0"><entry><ref href="{target}"/></entry></asx>',
            f"redirect-{where}": f"[Reference]\r\nRef1={target}\r\n",
            f"ram-{where}": f"{target}\n",
            f"pls-{where}": f"[playlist]\nFile1={target}\nNumberOfEntries=1\n",
            f"xspf-{where}": '<?xml version="1.0"?><playlist xmlns="http://xspf.org/ns/0/"><trackList>'
            f"<track><location>{target}</location></track></trackList></playlist>",
            f"smil-{where}": f'<smil><body><video src="{target}"/></body></smil>',
            f"imf-{where}": '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/'
            f'schemas/2067-3/2016"><Id>urn:uuid:1</Id><AssetMap>{target}</AssetMap>'
            "</CompositionPlaylist>",
            f"avisynth-{where}": f'DirectShowSource("{target}")\n',
            f"vapoursynth-{where}": f"import vapoursynth\nopen({target!r})\n",
        }
    texts["sdp"] = (
        f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        f"m=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\na=control:rtsp://127.0.0.1:{port}/\n"
    )
    return {name: text.encode() for name, text in texts.items()} | {
        "mp4-alias": _with_data_reference(film, b"alis", _alias(str(secret))),
        "mp4-url-file": _with_data_reference(film, b"url ", f"file://{secret}\0".encode()),
        "mp4-url-address": _with_data_reference(film, b"url ", f"{url}\0".encode()),
        "mp4-urn": _with_data_reference(film, b"urn ", f"x\0{url}\0".encode()),
        "reference-url": _reference_movie(b"url ", f"{url}\0".encode()),
        "reference-file": _reference_movie(b"url ", f"file://{secret}\0".encode()),
        "reference-alias": _reference_movie(b"alis", _alias(str(secret))),
    }


def _look_in_every_way(path: Path) -> list[str]:
    """Do with the file whatever can be done with films; the reasons for which it is refused."""
    reasons = []
    ways = [
        lambda: probe(path),
        lambda: read_layout(path),
        lambda: excerpt(path, start=0.0, end=1.0, threads=1),
        lambda: thumbnail(path, time=0.5, threads=1),
        lambda: list(decode_at(probe(path), [0.0, 0.5], threads=1)),
    ]
    for way in ways:
        try:
            way()
        except MediaError as error:
            reasons.append(str(error))
    return reasons


@needs_inotify
def test_the_traps_see_whoever_steps_into_them(traps, tmp_path):
    with _armed(traps):
        traps.secret.read_bytes()
    assert traps.opened
    with _armed(traps):
        socket.create_connection(("127.0.0.1", traps.port)).close()
        while not traps.calls:
            pass
    assert not traps.opened
    with _armed(traps):
        probe(tmp_path / "secret.mp4")  # another name of the same file, a real film
    assert traps.opened
    with _armed(traps):
        (tmp_path / "elsewhere.txt").write_text("nothing")
    assert not traps.spring()


@needs_inotify
def test_without_precautions_disguises_do_open_the_secret(traps):
    disguises = _disguises(traps)
    path = traps.secret.with_name("disguise.mp4")
    harmful = set()
    for name, content in disguises.items():
        path.write_bytes(content)
        with _armed(traps):
            try:
                options = {"enable_drefs": "1", "use_absolute_path": "1"}
                with av.open(str(path), container_options=options) as container:
                    next(container.decode(video=0))
            except (av.error.FFmpegError, OSError, IndexError, StopIteration, ValueError):
                pass
        if traps.opened:
            harmful.add(name)
    assert {"concat-beside", "mp4-alias"} <= harmful


@needs_inotify
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".m3u8", ".mpd", ".txt"])
def test_no_disguise_opens_another_file_or_calls_out(traps, suffix):
    disguises = _disguises(traps)
    path = traps.secret.with_name(f"disguise{suffix}")
    for name, content in disguises.items():
        path.write_bytes(content)
        with _armed(traps):
            reasons = _look_in_every_way(path)
        assert not traps.spring(), name
        assert len(reasons) == 5 or name.startswith("mp4-"), name
        assert all(reasons), name


@needs_inotify
def test_a_film_that_turns_into_a_disguise_after_it_was_looked_at_opens_nothing(traps):
    film = traps.secret.with_name("film.mp4")
    film.write_bytes(traps.film)
    video = probe(film)
    film.write_text(f"ffconcat version 1.0\nfile '{traps.secret.name}'\n")
    with _armed(traps), pytest.raises(MediaError):
        list(decode_at(video, [0.0, 1.0]))
    assert not traps.spring()


@needs_inotify
@pytest.mark.parametrize(
    "name",
    [
        "img%03d.jpg",
        "img*.jpg",
        "concat:secret.ts",
        "concat:secret.ts|secret.ts",
        "subfile,,start,0,end,0,,:secret.ts",
        "data:video",
        "cache:secret.ts",
        "async:secret.ts",
        "crypto:secret.ts",
        "file:secret.ts",
        "http:/127.0.0.1:{port}/film.mp4",
        "tcp:/127.0.0.1:{port}",
        "-i",
        "pipe:0",
    ],
)
@pytest.mark.parametrize("content", ["film", "text"])
def test_no_name_opens_another_file_or_calls_out(traps, monkeypatch, name, content):
    path = Path(name.format(port=traps.port))
    monkeypatch.chdir(
        traps.secret.parent
    )  # a name like these is a protocol only where nothing precedes it
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(traps.film if content == "film" else b"secret.ts\n")
    with _armed(traps):
        reasons = _look_in_every_way(path)
    assert not traps.spring()
    played = content == "film" and not name.endswith(".jpg")
    assert len(reasons) == (0 if played else 5)


# --- bombs ---


def _element(identifier: str, *parts: bytes) -> bytes:
    """An EBML element, its size written in 8 bytes."""
    body = b"".join(parts)
    return bytes.fromhex(identifier) + (len(body) | 1 << 56).to_bytes(8, "big") + body


def _number(identifier: str, value: int) -> bytes:
    return _element(identifier, value.to_bytes(8, "big"))


def _track(number: int) -> bytes:
    size = _element("E0", _number("B0", 64), _number("BA", 48))
    kind = _number("83", 1) + _element("86", b"V_MJPEG")
    return _element("AE", _number("D7", number), _number("73C5", number), kind, size)


def _matroska(
    pictures: list[bytes],
    *,
    step: int = 40,
    tracks: int = 1,
    extra: bytes = b"",
    duration: bytes = b"",
) -> bytes:
    head = _element("1A45DFA3", _number("4286", 1), _element("4282", b"matroska"))
    info = _element("1549A966", _number("2AD7B1", 1_000_000), duration)
    listed = _element("1654AE6B", *(_track(number + 1) for number in range(tracks)))
    clusters = (
        _element("1F43B675", _number("E7", index * step), _element("A3", b"\x81\0\0\x80" + picture))
        for index, picture in enumerate(pictures)
    )
    return head + _element("18538067", info, listed, extra, *clusters)


def _jpeg(*, claimed: tuple[int, int] = (64, 48)) -> bytes:
    frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, "yuvj420p"
    (packet,) = encoder.encode(frame.reformat(format="yuvj420p"))
    data = bytearray(bytes(packet))
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">HH", claimed[1], claimed[0])
    return bytes(data)


def _gif(width: int, height: int) -> bytes:
    size = struct.pack("<HH", width, height)
    colours = b"\x80\0\0\0\0\0\xff\xff\xff"
    return b"GIF89a" + size + colours + b",\0\0\0\0" + size + b"\0\x02\x02\x44\x01\0;"


def _mp4_claiming(film: bytes, table: bytes, *numbers: int) -> bytes:
    """The film with the numbers behind the head of a table of its index changed."""
    place = film.index(table) + 8
    return (
        film[:place] + struct.pack(f">{len(numbers)}I", *numbers) + film[place + 4 * len(numbers) :]
    )


def _repeated_tracks(film: bytes, count: int) -> bytes:
    start, track = film.index(b"moov") - 4, film.index(b"trak") - 4
    size = int.from_bytes(film[track : track + 4], "big")
    data = bytearray(film[:track] + film[track : track + size] * count + film[track:])
    whole = int.from_bytes(film[start : start + 4], "big") + size * count
    data[start : start + 4] = whole.to_bytes(4, "big")
    return bytes(data)


def _h264_claiming(width: int, height: int) -> bytes:
    """A sequence parameter set of H.264 for pictures of that size."""
    bits = "010000100000000000101000"  # baseline, level 4

    def unsigned(value: int) -> str:
        text = f"{value + 1:b}"
        return "0" * (len(text) - 1) + text

    values = [0, 0, 2, 16]  # id, frame numbers, picture order, reference frames
    bits += "".join(unsigned(value) for value in values) + "0"
    bits += unsigned(width // 16 - 1) + unsigned(height // 16 - 1) + "1100" + "1"
    bits += "0" * (-len(bits) % 8)
    return b"\x67" + int(bits, 2).to_bytes(len(bits) // 8, "big")


def _with_parameters(film: bytes, parameters: bytes) -> bytes:
    """An MP4 film, its index at the end, with other parameters of the codec."""
    place = film.index(b"avcC") - 4
    old_size = int.from_bytes(film[place : place + 4], "big")
    new = _box(
        b"avcC", b"\x01\x42\0\x28\xff\xe1", len(parameters).to_bytes(2, "big"), parameters, b"\0"
    )
    data = bytearray(film[:place] + new + film[place + old_size :])
    for parent in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        start = data.index(parent) - 4
        size = int.from_bytes(data[start : start + 4], "big") + len(new) - old_size
        data[start : start + 4] = size.to_bytes(4, "big")
    return bytes(data)


CHILD = """
import sys
from pathlib import Path
from media import MediaError, decode_at, excerpt, probe, thumbnail

def peak():
    with open("/proc/self/status") as status:  # not getrusage: that remembers the parent's peak
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

path, before = Path(sys.argv[1]), peak()
try:
    video = probe(path)
    times = [video.duration * index / 9 for index in range(10)]
    list(decode_at(video, times, threads=1))
    excerpt(path, start=0.0, end=1.0, threads=1)
    thumbnail(path, time=video.duration / 2, threads=1)
    said = f"{video.width} x {video.height}, {video.duration:.2f} s"
except MediaError as error:
    said = f"{type(error).__name__}: {error}"
print(said)
print((peak() - before) // 1024)
"""


def _set_off(path: Path) -> tuple[str, int]:
    """What a child process says of the file, and by how many MiB its memory grew at most."""
    run = [sys.executable, "-c", CHILD, str(path)]
    result = subprocess.run(run, capture_output=True, text=True, timeout=60, check=True)
    said, grown = result.stdout.splitlines()
    return said, int(grown)


MEMORY = 150  # MiB that a film of 64 x 48 pixels may take, whatever it claims


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc to see the peak")
def test_bombs_hit_limits_and_take_no_memory(make_film, numbered, tmp_path):
    film = make_film("film.mov", numbered(50)).read_bytes()
    good, seconds = [_jpeg()] * 10, struct.pack(">d", 1e300)
    attachment = _element(
        "61A7",
        _element("466E", b"f"),
        _element("4660", b"font/ttf"),
        _number("46AE", 1),
        _element("465C", bytes(100)),
    )
    chapter = _element("B6", _number("73C4", 7), _number("91", 5), _number("92", 6))
    fine = "64 x 48, 0.40 s"
    bombs = {
        "plain.mkv": (_matroska(good), fine),
        "gif-16000.gif": (_gif(16_000, 16_000), "pixels"),
        "gif-65535.gif": (_gif(65_535, 65_535), "pixels"),
        "h264-16000.mov": (_with_parameters(film, _h264_claiming(16_000, 16_000)), "Error: "),
        "jpeg-65500.mkv": (_matroska([_jpeg(claimed=(65_500, 65_500))] * 10), "Error: "),
        "grows.mkv": (_matroska([*good[:5], _jpeg(claimed=(65_500, 65_500)), *good[:4]]), fine),
        "streams.mkv": (_matroska(good, tracks=5000), "LimitError: claims 256 streams"),
        "streams.mov": (_repeated_tracks(film, 3000), "LimitError: claims more than 256 streams"),
        "samples.mov": (_mp4_claiming(film, b"stsz", 1, 2**31 - 1), "Error: "),
        "sizes.mov": (_mp4_claiming(film, b"stsz", 0, 2**31 - 1), "Error: "),
        "steps.mov": (_mp4_claiming(film, b"stts", 2**31 - 1), "Error: "),
        "chunks.mov": (_mp4_claiming(film, b"stco", 2**31 - 1), "64 x 48, 2.00 s"),
        "long-picture.mov": (_mp4_claiming(film, b"stts", 1, 50, 2**31 - 1), "64 x 48, 1"),
        "long-header.mkv": (_matroska(good, duration=_element("4489", seconds)), fine),
        "long-steps.mkv": (_matroska(good, step=2**56), "LimitError: its time stamps claim"),
        "many-steps.mkv": (_matroska([b"x"] * 20_000, step=3_700_000), "LimitError: its time"),
        "attachments.mkv": (
            _matroska(good, extra=_element("1941A469", *[attachment] * 5000)),
            "LimitError: claims 256 streams",
        ),
        "chapters.mkv": (
            _matroska(good, extra=_element("1043A770", _element("45B9", *[chapter] * 20_000))),
            fine,
        ),
        "giant-element.mkv": (
            _matroska(
                good, extra=bytes.fromhex("1254C367") + (1 << 56 | 1 << 50).to_bytes(8, "big")
            ),
            fine,
        ),
    }
    said = {}
    for name, (content, _) in bombs.items():
        path = tmp_path / name
        path.write_bytes(content)
        outcome, grown = _set_off(path)
        said[name] = (outcome, grown)
        path.unlink()
    wrong = {
        name: said[name]
        for name, (_, expected) in bombs.items()
        if expected not in said[name][0] or said[name][1] > MEMORY
    }
    assert wrong == {}
