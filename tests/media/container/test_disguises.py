"""Disguised scripts and playlists: they open no other file and no connection."""

import ctypes
import os
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import av
import pytest

from media import MediaError, cut, decode_at, probe, thumbnail
from media.frames.layout import read_layout

# --- traps: a secret video whose opening is noticed, and an address that counts connections ---


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
    """Within the block, `opened` is set by the kernel when any process opens the file."""
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
    """Within the block, connections are counted and closed."""
    with socket.socket() as last:
        last.bind(("127.0.0.1", 0))
        own = last.getsockname()

        def serve() -> None:
            while True:
                connection, address = server.accept()
                connection.close()
                if address == own:
                    return
                calls.append(address)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            last.connect(server.getsockname())  # in line behind all that came before
            thread.join()


@contextmanager
def _armed(traps: Traps) -> Iterator[Traps]:
    traps.rearm()
    with _openings(traps.secret, traps.opened), _callers(traps.server, traps.calls):
        yield traps


@pytest.fixture
def traps(make_video, numbered, tmp_path) -> Iterator[Traps]:
    film = make_video("film.mov", numbered(50)).read_bytes()
    secret = make_video("secret.ts", numbered(50))
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
    """An MP4 whose data reference names another file. Its index must be at the end."""
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
    """Use the file in every way that media has; the reasons for which it is refused."""
    reasons = []
    ways = [
        lambda: probe(path),
        lambda: read_layout(path),
        lambda: cut(path, path.with_name("cut.mp4"), start=0.0, end=1.0, overwrite=True),
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
def test_the_traps_detect_opened_files_and_connections(traps, tmp_path):
    with _armed(traps):
        traps.secret.read_bytes()
    assert traps.opened
    with _armed(traps):
        socket.create_connection(("127.0.0.1", traps.port)).close()
    assert traps.calls
    assert not traps.opened
    with _armed(traps):
        probe(tmp_path / "secret.mp4")  # another name of the same file, a real video
    assert traps.opened
    with _armed(traps):
        (tmp_path / "elsewhere.txt").write_text("nothing")
    assert not traps.spring()


@needs_inotify
def test_without_the_allowed_lists_disguises_open_the_secret_file(traps):
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
def test_no_disguise_opens_another_file_or_connection(traps, suffix):
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
def test_a_video_replaced_by_a_disguise_after_probing_opens_nothing(traps):
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
def test_no_file_name_opens_another_file_or_connection(traps, monkeypatch, name, content):
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
