"""A list of moments: films that are gone, changed or too short; targets that are refused."""

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from catalog import Catalog, FileLocation
from machine.file_state import size_and_time
from tests.media.editing.numbered_films import write_film
from timelines import LIST_RATES, Rate
from vsearch.errors import ExportError
from vsearch.services.moments.found import FoundMoment
from vsearch.services.moments.timeline import (
    Made,
    Padding,
    make_timeline,
    require_target,
    write_timeline,
)
from vsearch.settings import Settings

NTSC = Fraction(30000, 1001)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 pictures, 25 a second, from 10:00:00:00."""
    return write_film(tmp_path_factory.mktemp("films") / "film.mov", timecode="10:00:00:00")


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Made]:
    """Makes a list of moments; the catalog is the one of the folder, if there is one."""

    def make(
        *moments: FoundMoment, rate: Rate | None = None, padding: Padding | None = None
    ) -> Made:
        settings = Settings(tmp_path, tmp_path / "catalog")
        return make_timeline(
            moments,
            name="list",
            settings=settings,
            rate=rate,
            padding=padding or Padding(),
            on_progress=lambda *_: None,
        )

    return make


def moment(film: Path, start: float = 0.4, end: float = 0.8, **told: Any) -> FoundMoment:
    return FoundMoment(film, start, end, "a dog", **told)


def test_a_moment_has_its_frames_its_timecode_and_its_marker(
    film: Path, made: Callable[..., Made]
) -> None:
    (item,) = made(moment(film, confidence="strong", score=0.5)).timeline.items
    assert (item.first, item.count) == (10, 10)
    assert item.source.label(item.first) == "10:00:00:10"
    assert (item.markers[0].text, item.markers[0].note) == ("a dog", "strong")


def test_padding_ends_where_the_film_does(film: Path, made: Callable[..., Made]) -> None:
    padded = made(moment(film), moment(film, 2.0, 2.2), padding=Padding(0.5, 0.2)).timeline.items
    assert [(item.first, item.out) for item in padded] == [(0, 25), (37, 60)]
    assert (padded[0].start, padded[0].end) == (0.0, pytest.approx(1.0))


def test_each_step_of_a_sequence_is_a_marker(film: Path, made: Callable[..., Made]) -> None:
    steps = (
        FoundMoment(film, 0.4, 0.8, "a dog", confidence="strong"),
        FoundMoment(film, 1.2, 1.6, "a cat", confidence="likely"),
    )
    (item,) = made(moment(film, 0.4, 1.6, parts=steps)).timeline.items
    assert [(mark.frame, mark.text, mark.note) for mark in item.markers] == [
        (0, "a dog", "strong"),
        (20, "a cat", "likely"),
    ]


def test_what_is_gone_or_no_film_or_behind_the_end_is_left_out(
    film: Path, tmp_path: Path, made: Callable[..., Made]
) -> None:
    (tmp_path / "text.mp4").write_text("no film" * 1000)
    gone = [
        moment(tmp_path / "gone.mp4"),
        moment(tmp_path / "text.mp4"),
        moment(film, 2.5, 9.0),
    ]
    found = made(*gone, moment(film))
    assert len(found.timeline.items) == 1
    assert [one.moment for one in found.left_out] == gone
    reasons = ["is not there", "is not a media file", "behind the end of the video"]
    for one, said in zip(found.left_out, reasons, strict=True):
        assert said in one.reason
    with pytest.raises(ExportError, match=r"no moment to write: .*gone.mp4.* is not there"):
        made(*gone)


def test_a_moment_that_is_longer_than_its_film_ends_with_it(
    film: Path, made: Callable[..., Made]
) -> None:
    found = made(moment(film, 1.0, 100.0))
    assert found.timeline.items[0].out == 60
    assert "ends with the video" in found.remarks[0]


def test_a_film_that_has_changed_since_it_was_indexed_is_named(
    film: Path, tmp_path: Path, made: Callable[..., Made]
) -> None:
    same, other = tmp_path / "same.mov", tmp_path / "other.mov"
    for path in (same, other):
        path.write_bytes(film.read_bytes())
    with Catalog.open(tmp_path / "catalog", create=True) as catalog:
        for path in (same, other):
            location = FileLocation(tmp_path, path, *size_and_time(path.stat()))
            catalog.record_failure(location, error="it does not matter")
    os.utime(other, (1, 1))
    assert made(moment(same), moment(other)).changed == (other,)


def test_films_of_other_rates_keep_their_frames_and_odd_ones_are_counted_by_seconds(
    film: Path, tmp_path: Path, made: Callable[..., Made]
) -> None:
    ntsc = write_film(tmp_path / "ntsc.mkv", rate=NTSC, timecode="01:00:00;00")
    odd = write_film(tmp_path / "odd.mp4", rate=Fraction(15), timecode="01:00:00:00")
    found = made(moment(film), moment(ntsc), moment(odd), rate=LIST_RATES["29.97df"])
    assert [str(item.source.rate.exact) for item in found.timeline.items] == [
        "25",
        "30000/1001",
        "30000/1001",
    ]
    starts = [item.source.label(0) for item in found.timeline.items]
    assert starts == ["10:00:00:00", "01:00:00;00", "01:00:00;00"]
    assert found.remarks == (
        f"{odd}: 15 frames per second have no timecode: counted by seconds, at 29.97df",
    )
    # Picture 6 of 15 a second begins at 0.4 s: at 29.97 that is the frame behind 11.988.
    assert found.timeline.items[2].first == 12


def test_a_list_has_the_rate_of_its_films(
    film: Path, tmp_path: Path, made: Callable[..., Made]
) -> None:
    ntsc = write_film(tmp_path / "ntsc.mov", rate=NTSC, timecode="01:00:00;00")
    assert made(moment(film)).timeline.rate.name == "25"
    assert made(moment(film), moment(ntsc), moment(ntsc)).timeline.rate.name == "29.97df"


def test_a_film_on_its_side_has_the_size_in_which_it_is_shown(
    tmp_path: Path, made: Callable[..., Made]
) -> None:
    side = write_film(tmp_path / "side.mp4", turned=90)
    (item,) = made(moment(side)).timeline.items
    assert (item.source.width, item.source.height) == (48, 64)


def test_a_target_is_refused_in_a_sentence(
    film: Path, tmp_path: Path, made: Callable[..., Made]
) -> None:
    listed = made(moment(film)).timeline
    there = tmp_path / "there.edl"
    there.write_text("mine")
    (tmp_path / "folder.edl").mkdir()
    linked = tmp_path / "film.edl"
    linked.symlink_to(film)
    content = film.read_bytes()
    for target, said in [
        (there, "exists; give --force"),
        (tmp_path / "none" / "a.edl", "there is no folder"),
        (tmp_path / "folder.edl", "is a folder"),
        (Path("/proc/self/list.edl"), "cannot be written"),
    ]:
        with pytest.raises(ExportError, match=said):
            write_timeline(listed, target, replace=False)
    with pytest.raises(ExportError, match="is one of the videos"):
        write_timeline(listed, linked, replace=True)
    assert (there.read_text(), film.read_bytes()) == ("mine", content)
    require_target(there, replace=True)
    write_timeline(listed, there, replace=True)
    assert there.read_text().startswith("TITLE: list")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_what_a_format_cannot_hold_is_refused_before_anything_is_replaced(
    film: Path, tmp_path: Path, made: Callable[..., Made]
) -> None:
    other = write_film(tmp_path / "other.mp4")
    target = tmp_path / "chapters.vtt"
    target.write_text("mine")
    with pytest.raises(ExportError, match="chapters belong to one video"):
        write_timeline(made(moment(film), moment(other)).timeline, target, replace=True)
    assert target.read_text() == "mine"
