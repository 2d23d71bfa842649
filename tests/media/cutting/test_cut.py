"""Moments as files: the pictures, their times and the sound, compared with those of the source."""

import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from media import (
    MediaError,
    NotCopiedError,
    PointsError,
    TargetError,
    Way,
    cut,
    decode_at,
    plan_cut,
    probe,
    write_cut,
)
from tests.media.cutting.films import Film, bursts_of, length_of, pictures_of, zero_of
from tests.media.real_videos import REAL_VIDEOS

OPEN_GOP = (("g", "50"), ("sc_threshold", "0"), ("x264-params", "open-gop=1:bframes=3"))
HEVC = (("x265-params", "log-level=none:keyint=50:bframes=3"),)
VP9 = (("g", "50"), ("cpu-used", "8"), ("deadline", "realtime"))
UNEVEN = tuple(sum((17, 40, 33, 120, 400)[i % 5] for i in range(n)) for n in range(40))
FILMS = [
    Film("plain.mp4"),
    Film("open.mp4", options=OPEN_GOP),
    Film("hevc.mp4", codec="libx265", options=HEVC, pix_fmt="yuv420p10le"),
    Film("hevc.mkv", codec="libx265", options=HEVC, pix_fmt="yuv420p10le"),
    Film("late.mp4", delay=0.7),
    Film("late.mkv", delay=0.7),
    Film("ntsc.mov", rate=Fraction(30000, 1001), sound="pcm_s16le", sound_rate=44_100),
    Film("uneven.mp4", pts=UNEVEN, unit=Fraction(1, 1000), pictures=120),
    Film("uneven.mkv", pts=UNEVEN, unit=Fraction(1, 1000), pictures=120),
    Film("old.avi", codec="mpeg4", options=(("g", "50"),), sound="libmp3lame"),
    Film("broadcast.ts", sound="mp2"),
    Film("film.webm", codec="libvpx-vp9", options=VP9, sound="libopus"),
    Film("av1.mp4", codec="libsvtav1", options=(("g", "50"), ("preset", "10"))),
]
LARGE = {"juggle_hevc10.mkv", "dog.mp4", "flower.webm", "testvideo.mp4"}  # others are like them
ROUNDED = {".mkv", ".webm"}  # containers with times of whole milliseconds


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Makes a film once."""
    folder, made = tmp_path_factory.mktemp("films"), {}

    def film(how: Film) -> Path:
        if how not in made:
            made[how] = how.made(folder)
        return made[how]

    return film


@pytest.mark.parametrize("way", [Way.COPY, Way.EXACT])
@pytest.mark.parametrize("how", FILMS, ids=lambda how: how.name)
def test_a_cut_holds_the_pictures_and_the_sound_of_the_moment(
    films: Any, tmp_path: Path, how: Film, way: Way
) -> None:
    source = films(how)
    zero = zero_of(source)
    shown = [(time - zero, number) for time, number in pictures_of(source)]
    first, last = (len(shown) * 3 // 10 + 1, len(shown) * 7 // 10)
    start, end = shown[first][0], shown[last][0]
    plan = plan_cut(source, start=start + 0.0004, end=end - 0.0004, way=way)
    target = tmp_path / f"cut{plan.suffix}"
    written = write_cut(plan, target, overwrite=False)
    assert (written.start, written.end) == pytest.approx((start, end), abs=1e-6)
    assert plan.hides is (way is Way.COPY)
    found = pictures_of(target)
    assert [number for _, number in found] == [number for _, number in shown[first:last]]
    times = [time - start for time, _ in shown[first:last]]
    assert [time for time, _ in found] == pytest.approx(times, abs=1e-4)
    assert length_of(target) == pytest.approx(end - start, abs=1e-4)
    heard = [time - zero - start for time in bursts_of(source)]
    within = [time for time in heard if 0.1 < time < end - start - 0.1]
    sample = 1 / how.sound_rate
    allowed = 0.0011 if source.suffix in ROUNDED else 1.5 * sample
    found_sound = [time for time in bursts_of(target) if time < end - start - 0.1]
    assert [time for time in found_sound if time > 0.1] == pytest.approx(within, abs=allowed)
    assert len(within) >= 1


def test_a_cut_between_key_frames_is_copied(films: Any, tmp_path: Path) -> None:
    source = films(FILMS[0])
    for start, end, copied in (
        (2.0, 4.0, True),
        (2.0, 3.56, False),  # a picture behind the end is stored before others that need it
        (2.04, 4.0, False),
        (0.0, 99.0, True),
    ):
        plan = plan_cut(source, start=start, end=end)
        assert (plan.copy is not None, plan.hides) == (copied, False), (start, end)
        written = write_cut(plan, tmp_path / "cut.mp4", overwrite=True)
        first = round(start * 25)
        count = round((written.end - written.start) * 25)
        numbers = [number for _, number in pictures_of(tmp_path / "cut.mp4")]
        assert numbers == list(range(first, first + count))
    assert written.end == 4.4  # an end behind that of the film is its end
    alone = Film("alone.mkv", codec="mpeg4", options=(("g", "1"),), sound="pcm_s16le")
    plan = plan_cut(alone.made(tmp_path), start=1.0, end=1.4)
    assert (plan.copy is not None, plan.suffix) == (True, ".mov")


def test_a_moment_has_one_picture_at_least_and_begins_before_the_end(
    films: Any, tmp_path: Path
) -> None:
    source = films(FILMS[0])
    for way in (Way.COPY, Way.EXACT):
        for start, end, number in ((1.0, 1.001, 25), (1.03, 1.03, 25), (4.39, 9.0, 109)):
            cut(source, tmp_path / "cut.mp4", start=start, end=end, way=way, overwrite=True)
            assert pictures_of(tmp_path / "cut.mp4") == [(0.0, number)], (way, start)
        with pytest.raises(PointsError, match="its pictures end before"):
            cut(source, tmp_path / "no.mp4", start=4.4, end=5.0, way=way)
    assert not (tmp_path / "no.mp4").exists()


def test_within_a_picture_that_stays_an_exact_cut_begins_in_the_middle(
    films: Any, tmp_path: Path
) -> None:
    source = films(next(film for film in FILMS if film.name == "uneven.mp4"))
    start, end = UNEVEN[14] + 200, UNEVEN[24] + 150  # each 400 ms long
    cut(source, tmp_path / "cut.mp4", start=start / 1000, end=end / 1000, way=Way.EXACT)
    found = pictures_of(tmp_path / "cut.mp4")
    assert [number for _, number in found] == list(range(14, 25))
    assert found[1][0] == pytest.approx(0.2, abs=1e-4)
    assert length_of(tmp_path / "cut.mp4") == pytest.approx((end - start) / 1000, abs=1e-4)
    written = cut(source, tmp_path / "copy.mp4", start=start / 1000, end=end / 1000, way=Way.COPY)
    assert written.start == pytest.approx(UNEVEN[14] / 1000)  # players differ there
    assert [number for _, number in pictures_of(tmp_path / "copy.mp4")] == list(range(14, 25))


def test_an_edit_list_of_the_source_counts(films: Any, tmp_path: Path) -> None:
    """A copy hides pictures: what is cut from it is as if they were not there."""
    cut(films(FILMS[0]), tmp_path / "copy.mp4", start=0.6, end=4.0, way=Way.COPY)
    for way in (Way.COPY, Way.EXACT):
        cut(
            tmp_path / "copy.mp4", tmp_path / "cut.mp4", start=0.4, end=2.0, way=way, overwrite=True
        )
        numbers = [number for _, number in pictures_of(tmp_path / "cut.mp4")]
        assert numbers == list(range(25, 65)), way
        sound = [time for time in bursts_of(tmp_path / "cut.mp4") if 0.1 < time < 1.5]
        assert sound == pytest.approx([0.5, 1.0], abs=3 / 48_000)


def test_what_a_film_is_shown_with_stays(tmp_path: Path) -> None:
    def prepare(video: Any, sounds: list[Any]) -> None:
        context = video.codec_context
        context.color_primaries, context.color_trc, context.colorspace = 9, 16, 9  # BT.2020, PQ
        context.color_range = 1
        context.sample_aspect_ratio = Fraction(4, 3)
        video.set_display_rotation(90)
        video.metadata["timecode"] = "00:59:58;20"
        for sound, language in zip(sounds, ("ger", "fra"), strict=True):
            sound.metadata["language"] = language

    light = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
    options = (("x265-params", f"log-level=none:keyint=60:{light}:max-cll=1000,400"),)
    film = Film(
        "hdr.mov",
        codec="libx265",
        options=options,
        pix_fmt="yuv420p10le",
        rate=Fraction(30000, 1001),
        sound="pcm_s16le",
        layout="stereo",
        tracks=2,
    )
    source = film.made(tmp_path, prepare)
    for way in (Way.COPY, Way.EXACT):
        target = tmp_path / f"{way}.mov"
        cut(source, target, start=50 * 1.001 / 30, end=80 * 1.001 / 30, way=way)
        assert [number for _, number in pictures_of(target)] == list(range(50, 80))
        with av.open(str(target)) as made:
            video, first, second = made.streams.video[0], *made.streams.audio
            context = video.codec_context
            colours = (context.color_primaries, context.color_trc, context.colorspace)
            assert (*colours, context.color_range) == (9, 16, 9, 1)
            assert (context.codec_tag, context.pix_fmt) == ("hvc1", "yuv420p10le")
            assert video.sample_aspect_ratio == Fraction(4, 3)
            assert video.metadata["timecode"] == "01:00:00;10"
            languages = [sound.metadata["language"] for sound in (first, second)]
            assert languages == ["ger", "fra"]
            assert {sound.codec_context.name for sound in (first, second)} == {"pcm_s16le"}
            (frame,) = [*made.decode(video)][:1]
            assert frame.rotation == 90
            kinds = {data.type.name for data in frame.side_data}
            assert kinds >= {"MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"}
        assert bursts_of(target, 0) != []
        assert bursts_of(target, 1) == pytest.approx(bursts_of(target, 0), abs=0.001)


def test_a_track_that_has_ended_before_the_moment_disturbs_no_other(tmp_path: Path) -> None:
    source = Film("film.mp4", tracks=2, first_ends=1.5).made(tmp_path)
    for way in (Way.COPY, Way.EXACT):
        target = tmp_path / f"{way}.mp4"
        cut(source, target, start=2.04, end=3.0, way=way)
        assert [number for _, number in pictures_of(target)] == list(range(51, 75))
        with av.open(str(target)) as film:
            last = film.streams.audio[-1]
            assert last.duration is not None
            assert float(last.duration * last.time_base) == pytest.approx(0.96, abs=1e-4)
        assert bursts_of(target, way is Way.EXACT)[0] == pytest.approx(0.46, abs=1e-4)


def test_fields_stay_fields(tmp_path: Path) -> None:
    options = (("g", "25"), ("x264-params", "interlaced=1:tff=1"))
    source = Film("film.ts", options=options, sound=None).made(tmp_path)
    cut(source, tmp_path / "cut.mp4", start=1.0, end=2.0, way=Way.EXACT)
    with av.open(str(tmp_path / "cut.mp4")) as film:
        assert all(frame.interlaced_frame for frame in film.decode(video=0))


def test_sound_that_was_not_compressed_stays_as_it_is(tmp_path: Path) -> None:
    source = Film("film.mov", sound="pcm_s16le").made(tmp_path)
    cut(source, tmp_path / "cut.mov", start=1.0, end=2.0, way=Way.EXACT)
    with av.open(str(source)) as before, av.open(str(tmp_path / "cut.mov")) as after:
        old, new = (
            np.concatenate([frame.to_ndarray() for frame in film.decode(audio=0)], axis=1)
            for film in (before, after)
        )
    assert np.array_equal(new, old[:, 48_000:96_000])


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "suffix"),
    [("ffv1", "yuv444p", ".mkv"), ("gif", "rgb8", ".gif"), ("libvpx", "yuv420p", ".webm")],
)
def test_what_mp4_cannot_hold_is_encoded_and_a_copy_of_it_is_refused(
    tmp_path: Path, codec: str, pix_fmt: str, suffix: str
) -> None:
    source = Film(f"film{suffix}", codec=codec, options=(), pix_fmt=pix_fmt, sound=None)
    path = source.made(tmp_path)
    with pytest.raises(NotCopiedError, match="MP4 files hold no"):
        plan_cut(path, start=1.0, end=2.0, way=Way.COPY)
    cut(path, tmp_path / "cut.mp4", start=1.0, end=2.0)
    assert [number for _, number in pictures_of(tmp_path / "cut.mp4")] == list(range(25, 50))


def test_no_file_is_left_of_a_cut_that_fails(
    films: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    source = films(FILMS[0])
    target = tmp_path / "cut.mp4"
    target.write_bytes(b"what was there")
    with pytest.raises(FileExistsError):
        cut(source, target, start=1.0, end=2.0)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        for way in (Way.COPY, Way.EXACT):
            with pytest.raises(TargetError, match="File too large"):
                cut(source, target, start=1.0, end=4.0, way=way, overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    plan = plan_cut(source, start=1.0, end=4.0)

    def interrupt(seconds: float) -> None:
        if seconds > 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_cut(plan, target, overwrite=True, on_progress=interrupt)
    assert [*tmp_path.iterdir()] == [target]
    assert target.read_bytes() == b"what was there"
    with pytest.raises(TargetError):
        cut(source, tmp_path / "nowhere" / "cut.mp4", start=1.0, end=2.0)


def test_damaged_films_are_cut_as_far_as_they_can_be_read(films: Any, tmp_path: Path) -> None:
    whole = films(Film("broadcast.ts", sound="mp2"))
    shutil.copy(whole, tmp_path / "film.ts")
    data = (tmp_path / "film.ts").read_bytes()
    (tmp_path / "film.ts").write_bytes(data[: len(data) * 3 // 4])
    for way in (Way.COPY, Way.EXACT):
        try:
            cut(tmp_path / "film.ts", tmp_path / f"{way}.mp4", start=1.0, end=4.0, way=way)
        except MediaError:
            assert not (tmp_path / f"{way}.mp4").exists()
            continue
        assert pictures_of(tmp_path / f"{way}.mp4")[0] == (0.0, 24)


@pytest.mark.parametrize("name", [name for name in REAL_VIDEOS if name not in LARGE])
def test_real_films_are_cut_where_they_are_asked_to(
    real_videos: Path, tmp_path: Path, name: str
) -> None:
    video = probe(real_videos / name)
    start = video.start + (video.end - video.start) * 0.4
    plan = plan_cut(video.path, start=start, end=start + 0.4)
    target = tmp_path / f"cut{plan.suffix}"
    written = write_cut(plan, target, overwrite=False)
    made = probe(target)
    assert made.end == pytest.approx(written.end - written.start, abs=0.011)
    assert (made.width, made.height) == (video.width, video.height)
    times = [0.001, (written.end - written.start) / 2]
    for old, new in zip(
        decode_at(video, [written.start + time for time in times], threads=1),
        decode_at(made, times, threads=1),
        strict=True,
    ):
        assert np.abs(old.pixels.astype(int) - new.pixels).mean() < 4
