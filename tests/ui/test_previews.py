import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from media import decode_at, probe
from search import Hit
from ui.previews import LONGEST_PREVIEW, Previews, preview_span

SECONDS = st.floats(0, 40_000, allow_nan=False)


def hit(path: Path, start: float, end: float, *others: Path, peak: float | None = None) -> Hit:
    return Hit(
        rank=1,
        score=0.3,
        path=path,
        start=start,
        end=end,
        peak=(start + end) / 2 if peak is None else peak,
        duration=end,
        clip_id=1,
        other_paths=others,
    )


def colour(jpeg: bytes) -> int:
    return round(float(np.asarray(Image.open(io.BytesIO(jpeg))).mean()))


@given(st.tuples(SECONDS, SECONDS, SECONDS).map(sorted))
def test_a_preview_lies_in_the_moment_holds_its_peak_and_is_short(times: list[float]) -> None:
    first, peak, last = times
    start, end = preview_span(hit(Path("a"), first, last, peak=peak))
    assert first <= start <= peak <= end + 1e-9
    assert end <= last + 1e-9
    assert end - start == pytest.approx(min(LONGEST_PREVIEW, last - first))


def test_a_preview_is_an_h264_film_of_just_the_moment(film, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", seconds=20, tint=40)
    preview = Previews().clip(hit(path, 6, 11))
    assert preview.data is not None
    saved = tmp_path / "preview.mp4"
    saved.write_bytes(preview.data)
    found = probe(saved)
    assert (found.codec, found.container) == ("h264", "mov")
    assert found.duration == pytest.approx(5, abs=0.3)
    (begin,) = decode_at(found, [0])
    (original,) = decode_at(probe(path), [6])
    assert np.abs(begin.pixels.astype(int) - original.pixels).mean() < 8


def test_a_picture_shows_the_peak_of_its_moment(film, tmp_path: Path) -> None:
    dark = film(tmp_path / "dark.mp4", seconds=4, tint=30)
    bright = film(tmp_path / "bright.mp4", seconds=4, tint=200)
    hits = [hit(bright, 0, 4), hit(dark, 0, 4), hit(bright, 1, 2)]
    shown = [still.data for still in Previews().stills(hits)]
    assert None not in shown
    assert [colour(jpeg) > 128 for jpeg in shown if jpeg] == [True, False, True]


def test_a_film_that_was_replaced_gets_a_new_picture(film, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", seconds=4, tint=30)
    previews = Previews()
    (before,) = previews.stills([hit(path, 0, 4)])
    film(path, seconds=4, tint=200)
    os.utime(path, ns=(1, 1))
    (after,) = previews.stills([hit(path, 0, 4)])
    assert before.data
    assert after.data
    assert colour(after.data) - colour(before.data) > 100


def test_a_picture_is_made_once(film, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", seconds=4)
    previews = Previews()
    (first,) = previews.stills([hit(path, 0, 4)])
    (second,) = previews.stills([hit(path, 0, 4)])
    assert first.data is second.data


def test_within_no_bytes_pictures_are_still_shown(film, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", seconds=4)
    (still,) = Previews(max_bytes=0).stills([hit(path, 0, 4)])
    assert still.data


def test_a_gone_file_and_a_damaged_one_do_not_hide_the_rest(film, tmp_path: Path) -> None:
    good = film(tmp_path / "good.mp4", seconds=4)
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(b"no film")
    gone, bad, fine = Previews().stills(
        [hit(tmp_path / "gone.mp4", 0, 4), hit(damaged, 0, 4), hit(good, 0, 4)]
    )
    assert (gone.data, bad.data) == (None, None)
    assert "gone from where it was indexed" in gone.problem
    assert "cannot be shown" in bad.problem
    assert fine.data
    assert not fine.problem


def test_a_copy_that_is_left_is_shown(film, tmp_path: Path) -> None:
    copy = film(tmp_path / "copy.mp4", seconds=4)
    assert Previews().clip(hit(tmp_path / "gone.mp4", 0, 4, copy)).data
