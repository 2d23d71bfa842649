import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from media import (
    LimitError,
    UndecodableError,
    UnreadableError,
    UnsupportedError,
    probe,
    thumbnail,
)

# name: container, codec, displayed size, measured frames per second, seconds of pictures
REAL = {
    "arm_wrestling.mp4": ("mov", "h264", (427, 256), 28.0, 10.0),
    "bottles.mp4": ("mov", "h264", (640, 360), 179 / 6, 39.8547),
    "bug_av1.mp4": ("mov", "av1", (640, 360), 30.0, 6.7667),
    "chaplin_vp9.webm": ("matroska", "vp9", (640, 360), 25.0, 9.64),
    "dog.mp4": ("mov", "h264", (1280, 720), 30000 / 1001, 9.643),
    "flower.webm": ("matroska", "vp8", (960, 540), 30000 / 1001, 5.005),
    "fruit-and-vegetable.gif": ("gif", "gif", (480, 270), 100 / 6.67, 6.74),
    "juggle_hevc10.mkv": ("matroska", "hevc", (1280, 720), 24.0, 10.291),
    "makeup.avi": ("avi", "mpeg4", (320, 240), 25.0, 6.56),
    "nasa_multistream.mp4": ("mov", "h264", (480, 270), 30000 / 1001, 13.013),
    "one-by-one-person.mp4": ("mov", "h264", (768, 432), 10.0, 139.4),
    "orangutan.mp4": ("mov", "h264", (640, 360), 25.0, 5.36),
    "pancake.mkv": ("matroska", "h264", (426, 240), 30.0, 10.333),
    "testvideo.mp4": ("mov", "h264", (1280, 720), 30000 / 1001, 24.024),
}


@pytest.mark.parametrize("name", sorted(REAL))
def test_a_real_video_is_measured_correctly(real_videos, name):
    container, codec, size, frame_rate, duration = REAL[name]
    video = probe(real_videos / name)
    assert (video.container, video.codec) == (container, codec)
    assert (video.width, video.height) == size
    assert video.frame_rate == pytest.approx(frame_rate, rel=2e-3)
    assert video.end - video.start == pytest.approx(duration, abs=1e-3)
    with av.open(str(video.path)) as film:
        assert video.duration == pytest.approx(film.duration / av.time_base, abs=0.01)


@pytest.mark.parametrize(
    ("frame_rate", "seconds"),
    # The writer gives the picture that is stored last 1/25 s, not its own 2/25.
    [(Fraction(25, 2), 3.16), (Fraction(24000, 1001), 1.668333), (Fraction(30000, 1001), 1.334667)],
)
def test_frame_rates_are_never_rounded(make_video, numbered, frame_rate, seconds):
    video = probe(make_video("film.mp4", numbered(40), time_base=1 / frame_rate))
    assert video.frame_rate == pytest.approx(float(frame_rate), rel=1e-9)
    assert video.duration == pytest.approx(seconds, abs=1e-6)


def test_a_live_recording_without_a_stated_duration_is_measured(tmp_path, numbered):
    class Pipe:
        def __init__(self, path):
            self.file = path.open("wb")

        def write(self, data):
            return self.file.write(data)

    path = tmp_path / "live.mkv"
    pipe = Pipe(path)
    with av.open(pipe, "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=25, options={"threads": "1"})
        stream.width, stream.height = 64, 48
        for picture in numbered(50):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    pipe.file.close()
    with av.open(str(path)) as container:
        assert container.duration is None
    assert probe(path).duration == pytest.approx(2.0)


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.ts", "film.flv", "film.nut"])
def test_time_that_begins_at_five_hours_is_counted_from_there(make_video, numbered, name):
    stamps = [5 * 3600 * 1000 + 40 * index for index in range(50)]
    video = probe(make_video(name, numbered(50), pts=stamps, time_base=Fraction(1, 1000)))
    assert video.duration == pytest.approx(2.0)
    assert video.frame_rate == pytest.approx(25.0)


def test_time_that_begins_below_zero_is_counted_from_there(make_video, numbered):
    stamps = [-1000 + 40 * index for index in range(50)]
    path = make_video(
        "film.ts",
        numbered(50),
        pts=stamps,
        time_base=Fraction(1, 1000),
        container_options={"avoid_negative_ts": "disabled"},
    )
    with av.open(str(path)) as container:
        assert container.streams.video[0].start_time < 0
    assert probe(path).duration == pytest.approx(2.0)


@pytest.mark.parametrize("name", ["one.mp4", "one.mkv", "one.avi"])
def test_a_video_of_one_picture_lasts_as_long_as_that_picture(make_video, numbered, name):
    video = probe(make_video(name, numbered(1)))
    assert video.duration == pytest.approx(0.04)
    assert video.frame_rate == pytest.approx(25.0)


def test_pixels_that_are_not_square_widen_the_video(make_video, numbered):
    def widen(stream):
        stream.codec_context.sample_aspect_ratio = Fraction(3, 2)

    video = probe(make_video("wide.mp4", numbered(3), prepare=widen))
    assert (video.width, video.height) == (96, 48)


def test_an_absurd_pixel_shape_is_ignored(make_video, numbered):
    def stretch(stream):
        stream.codec_context.sample_aspect_ratio = Fraction(10_000, 1)

    video = probe(make_video("wide.mp4", numbered(3), prepare=stretch))
    assert (video.width, video.height) == (64, 48)


def test_a_rotated_video_is_taller_than_wide(make_video, numbered):
    path = make_video("side.mp4", numbered(3), prepare=lambda s: s.set_display_rotation(90))
    video = probe(path)
    assert (video.width, video.height) == (48, 64)


def test_pictures_before_the_first_key_frame_do_not_count(make_video, numbered):
    path = make_video("film.ts", numbered(100), options={"g": "25", "sc_threshold": "0"})
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
        second_key = [p.pos for p in packets if p.is_keyframe][1]
    # 188 bytes are one transport packet; the cut leaves a few pictures that nothing can decode.
    cut = (second_key // 188 - 4) * 188
    data = path.read_bytes()
    (path.parent / "cut.ts").write_bytes(data[: 188 * 3] + data[cut:])
    video = probe(path.parent / "cut.ts")
    assert video.end - video.start == pytest.approx(3.0)
    with av.open(str(video.path)) as container:  # players count those that they cannot show
        first = min(packet.pts for packet in container.demux(video=0) if packet.is_keyframe)
        before = first * container.streams.video[0].time_base - container.start_time / av.time_base
    assert video.start == pytest.approx(float(before))
    assert video.start > 0


def test_a_video_truncated_behind_its_index_is_measured_as_far_as_it_can_be_read(
    make_video, numbered
):
    path = make_video("film.mp4", numbered(200), container_options={"movflags": "+faststart"})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    assert 1.0 < probe(path).duration < 8.0


def test_cover_art_is_not_a_video(tmp_path, numbered):
    path = tmp_path / "song.mp4"
    _write_song(path, cover=numbered(1)[0])
    with pytest.raises(UnsupportedError, match="no video"):
        probe(path)


def test_among_cover_art_and_a_video_the_video_is_chosen(tmp_path, numbered):
    path = tmp_path / "film.mp4"
    _write_song(path, cover=np.zeros((600, 800, 3), np.uint8), film=numbered(25))
    video = probe(path)
    assert (video.width, video.height, video.codec) == (64, 48, "h264")


def _write_song(path: Path, *, cover: np.ndarray, film: list[np.ndarray] | None = None) -> None:
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mjpeg", rate=25, options={"threads": "1"})
        picture.height, picture.width, _ = cover.shape
        picture.pix_fmt = "yuvj420p"
        picture.disposition = av.stream.Disposition.attached_pic
        sound = container.add_stream("aac", rate=8000)
        moving = container.add_stream("libx264", rate=25) if film else None
        if moving:
            moving.width, moving.height = 64, 48
        frame = av.VideoFrame.from_ndarray(cover, format="rgb24").reformat(format="yuvj420p")
        container.mux(picture.encode(frame) + picture.encode(None))
        for picture_of_film in film or []:
            frame = av.VideoFrame.from_ndarray(picture_of_film, format="rgb24")
            container.mux(moving.encode(frame))
        if moving:
            container.mux(moving.encode(None))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        silence.sample_rate = 8000
        container.mux(sound.encode(silence) + sound.encode(None))


def test_what_is_no_video_is_refused_with_a_plain_reason(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("this is no film\n" * 100)
    (tmp_path / "folder.mp4").mkdir()
    os.mkfifo(tmp_path / "pipe.mp4")
    expected = {
        "empty.mp4": (UnsupportedError, "is empty"),
        "text.mp4": (UnsupportedError, "not a media file"),
        "folder.mp4": (UnreadableError, "not a regular file"),
        "pipe.mp4": (UnreadableError, "not a regular file"),
        "missing.mp4": (UnreadableError, "No such file"),
    }
    for name, (kind, words) in expected.items():
        with pytest.raises(kind, match=words):
            probe(tmp_path / name)


def test_an_mp4_truncated_before_its_index_is_refused(make_video, numbered):
    path = make_video("film.mp4", numbered(100))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(UnsupportedError, match="has no index: the file is cut off"):
        probe(path)


@pytest.mark.parametrize("movflags", ["+faststart", "+frag_keyframe+empty_moov"])
def test_an_encrypted_video_is_refused_for_what_it_is(make_video, numbered, movflags):
    key = "00112233445566778899aabbccddeeff"
    path = make_video(
        "film.mp4",
        numbered(50),
        container_options={
            "encryption_scheme": "cenc-aes-ctr",
            "encryption_key": key,
            "encryption_kid": key,
            "movflags": movflags,
        },
    )
    with pytest.raises(UnsupportedError, match="is encrypted"):
        probe(path)
    with pytest.raises(UnsupportedError, match="is encrypted"):
        thumbnail(path, time=1.0)


def test_playlists_and_scripts_in_disguise_open_no_other_file(make_video, numbered, tmp_path):
    film = make_video("secret.ts", numbered(50))
    scripts = {
        "concat.mp4": f"ffconcat version 1.0\nfile '{film}'\n",
        "playlist.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsecret.ts\n#EXT-X-ENDLIST\n",
        "session.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\n"
        "t=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "manifest.mp4": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" '
        'profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet>'
        "<Representation><BaseURL>secret.ts</BaseURL></Representation></AdaptationSet>"
        "</Period></MPD>",
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(UnsupportedError):
            probe(tmp_path / name)


@pytest.mark.parametrize(
    "name",
    [
        "new\nline.mp4",
        "-",
        "concat:a.mp4",
        "%03d.mp4",
        "http:x.mp4",
        "ü" * 125 + ".mp4",
        b"\xff\xfe",
    ],
)
def test_no_file_name_is_special(make_video, numbered, tmp_path, name):
    path = tmp_path / (os.fsdecode(name) if isinstance(name, bytes) else name)
    make_video("film.mp4", numbered(10)).rename(path)
    assert probe(path).duration == pytest.approx(0.4)


def _gif_claiming(width: int, height: int) -> bytes:
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    colours = b"\x80\0\0\0\0\0\xff\xff\xff"
    return b"GIF89a" + size + colours + b",\0\0\0\0" + size + b"\0\x02\x02\x44\x01\0;"


@pytest.mark.parametrize("size", [(9000, 9000), (16_000, 16_000), (65_535, 65_535)])
def test_a_tiny_gif_that_claims_a_gigantic_picture_is_refused(tmp_path, size):
    (tmp_path / "bomb.gif").write_bytes(_gif_claiming(*size))
    with pytest.raises((LimitError, UndecodableError), match="pixels"):
        probe(tmp_path / "bomb.gif")


def test_a_video_whose_header_claims_gigantic_pictures_is_refused(make_video):
    path = make_video("large.mkv", [np.zeros((320, 320, 3), np.uint8)] * 2, codec="ffv1")
    data = path.read_bytes()
    for element in (b"\xb0\x82", b"\xba\x82"):  # Matroska's PixelWidth and PixelHeight
        claimed = element + (320).to_bytes(2, "big")
        assert claimed in data
        data = data.replace(claimed, element + (20_000).to_bytes(2, "big"))
    path.write_bytes(data)
    with pytest.raises((LimitError, UndecodableError), match="pixels"):
        probe(path)
