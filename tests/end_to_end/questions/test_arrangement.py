"""The order of an answer, moments of one video, and duplicates, as a user sees them."""

import os
from pathlib import Path
from typing import Any

import pytest

from media import decode_at, probe, write_video
from toyworld.film import Event, make_film
from toyworld.world import Combination

CIRCLE = Combination("red", "circle", "moving left")
SQUARE = Combination("blue", "square", "growing")
SECONDS_A_YEAR = 365.25 * 86400


@pytest.fixture
def library(vsearch: Any, tmp_path: Path) -> Path:
    """A long video of 2020 with a re-encoded one of 2021, and a short one of 2022."""
    folder = tmp_path / "films"
    folder.mkdir()
    shown = [(4, 12, CIRCLE), (20, 27, SQUARE), (34, 43, CIRCLE), (58, 68, CIRCLE)]
    shown += [(70, 80, SQUARE), (88, 95, CIRCLE)]
    long, again, short = folder / "b.mp4", folder / "c.mp4", folder / "a.mp4"
    make_film(long, [Event(*one) for one in shown], duration=100, seed=(1,))
    make_film(short, [Event(7, 15, CIRCLE)], duration=30, seed=(2,))
    frames = (frame.pixels for frame in decode_at(probe(long), [n / 10 for n in range(995)]))
    write_video(again, frames, frame_rate=10, crf=32)
    for path, year in ((long, 50), (again, 51), (short, 52)):
        os.utime(path, (year * SECONDS_A_YEAR, year * SECONDS_A_YEAR))
    assert vsearch("index", folder, "--model", "demo").code == 0
    return folder


def test_what_is_shown_and_in_which_order(vsearch: Any, library: Path) -> None:
    def ask(*arguments: str) -> tuple[str, list[set[str]]]:
        """Names of the videos of the hits, and for each hit those of its duplicates."""
        run = vsearch("query", CIRCLE.caption, "--json", *arguments)
        assert run.code == 0, run.err
        hits = run.json["hits"]
        assert [hit["rank"] for hit in hits] == list(range(1, len(hits) + 1))
        duplicates = [{Path(one["path"]).stem for one in hit.get("duplicates", ())} for hit in hits]
        return "".join(Path(hit["path"]).stem for hit in hits), duplicates

    every, none = ask("--per-video", "0", "--show-duplicates", "-k", "9")
    assert "".join(sorted(every)) == "abbbbcccc"
    assert not any(none)
    usual, duplicates = ask("-k", "5", "--per-video", "4")
    assert usual.count("a") == 1
    for name, others in zip(usual, duplicates, strict=True):
        assert {name, *others} in ({"a"}, {"b", "c"})
    assert "".join(sorted(ask("--per-video", "1", "--show-duplicates")[0])) == "abc"
    shown = ("--show-duplicates", "--per-video", "2", "-k", "5")
    assert ask("--sort", "newest", *shown)[0] == "accbb"
    assert ask("--sort", "oldest", *shown)[0] == "bbcca"
    assert ask("--sort", "path", *shown)[0] == "abbcc"
    assert ask("--sort", "oldest", "--show-duplicates", "--per-video", "0", "-k", "3")[0] == "bbb"
    text = vsearch("query", CIRCLE.caption)
    assert text.out.count("and 1 more like it") >= 3
    assert "--per-video 0 shows all" in text.err
    asked = vsearch("query", "a film", "--json").json["asked"]
    assert (asked["sort"], asked["per_video"], asked["fold"]) == ("relevance", 3, True)
