"""The order of an answer, one thing after another, and duplicates, as a user sees them."""

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


@pytest.fixture(scope="module")
def vsearch(run_from: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A catalog of a long video of 2020, a re-encoded one of 2021, and a short one of 2022."""
    folder = tmp_path_factory.mktemp("arrangement") / "films"
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
    vsearch = run_from(folder.parent / "home")
    assert vsearch("index", folder, "--model", "demo").code == 0
    return vsearch


def test_what_is_shown_and_in_which_order(vsearch: Any) -> None:
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
    assert "of each video 3 at most are shown; --per-video 0 shows all" in text.err
    asked = vsearch("query", "a film", "--json").json["asked"]
    assert (asked["sort"], asked["per_video"], asked["fold"]) == ("relevance", 3, True)


def test_one_thing_after_another(vsearch: Any) -> None:
    def ask(*arguments: str) -> list[list[tuple[float, float]]]:
        run = vsearch("query", CIRCLE.caption, "--then", SQUARE.caption, "--json", *arguments)
        assert run.code == 0, run.err
        for hit in run.json["hits"]:
            assert (hit["start"], hit["end"]) == (hit["parts"][0]["start"], hit["parts"][-1]["end"])
        return sorted(
            [(round(part["start"]), round(part["end"])) for part in hit["parts"]]
            for hit in run.json["hits"]
            if hit["confidence"] == "strong"
        )

    def near(found: list[list[tuple[float, float]]], *true: list[tuple[float, float]]) -> bool:
        return len(found) == len(true) and all(
            abs(one - other) <= 2
            for parts, places in zip(found, true, strict=True)
            for span, place in zip(parts, places, strict=True)
            for one, other in zip(span, place, strict=True)
        )

    assert near(ask(), [(4, 12), (20, 27)], [(58, 68), (70, 80)])
    assert near(ask("--within", "5"), [(58, 68), (70, 80)])
    text = vsearch("query", CIRCLE.caption, "--then", SQUARE.caption, "-k", "1").out
    assert text.index(CIRCLE.caption) < text.index(SQUARE.caption)
    curves = vsearch(
        "query", CIRCLE.caption, "--then", SQUARE.caption, "-k", "1", "--curve", "--json"
    ).json["curves"]
    assert [curve["step"] for curve in curves] == [1, 2]


def test_what_makes_no_question_is_refused_in_one_sentence(vsearch: Any) -> None:
    for says, *arguments in (
        ("nothing comes first", "--then", "a dog"),
        ("nothing comes first", "--not", "a cat", "--then", "a dog"),
        ("give --then TEXT too", "a dog", "--within", "5"),
        ("from 0.1 to", "a dog", "--then", "a cat", "--within", "0"),
        ("from 0.1 to", "a dog", "--then", "a cat", "--within", "-3"),
        ("at most 9", "a dog", *["--then", "a cat"] * 10),
        ("at most 100", "a dog", *["--and", "a cat"] * 99, "--like", "cat.png@0:01"),
        ("--then", "a dog", "--then", " "),
        ("--then", "a dog", "--then", "a cat + "),
        ("0.01 to 100", "a dog", "--then", "a cat^0 - rain"),
        ("relevance, newest, oldest or path", "a dog", "--sort", "best"),
        ("from 0 to", "a dog", "--per-video", "-1"),
    ):
        run = vsearch("query", *arguments)
        assert run.code == 2, (arguments, run.err)
        assert (run.out, run.err.count("\n")) == ("", 1)
        assert says in run.err, run.err
