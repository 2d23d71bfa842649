from dataclasses import replace
from pathlib import Path

import pytest

from catalog import FileProblem
from indexer import IndexReport, LeftOut
from vsearch.show.index import advice, index_json, print_index, print_troubles

REPORT = IndexReport(
    indexed=12,
    unchanged=3,
    moved=1,
    removed=0,
    failed=(FileProblem(Path("/bad.mp4"), "it is empty"),),
    damaged=(),
    clips=418,
    video_seconds=1790.2,
    took_seconds=20.3,
    interrupted=False,
)


def test_an_index_run_has_the_schema_of_every_face() -> None:
    assert index_json(REPORT) == {
        "indexed": 12,
        "unchanged": 3,
        "moved": 1,
        "by_others": 0,
        "removed": 0,
        "failed": [{"path": "/bad.mp4", "error": "it is empty"}],
        "damaged": [],
        "clips": 418,
        "video_seconds": 1790.2,
        "took_seconds": 20.3,
        "no_video": 0,
        "left_out": [],
        "model": None,
        "interrupted": False,
        "unsaved": None,
        "without_frames": 0,
        "details": 0,
        "subtitles": 0,
        "failed_subtitles": [],
    }
    cut_short = replace(REPORT, interrupted=True, unsaved="the disk is full")
    assert index_json(cut_short)["interrupted"] is True
    assert index_json(cut_short)["unsaved"] == "the disk is full"


def test_what_was_read_without_decoding_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    report = replace(
        REPORT,
        subtitles=1,
        details=2000,
        failed_subtitles=(FileProblem(Path("/a.srt"), "is binary, not text"),),
    )
    print_index(report)
    assert "read 1 subtitle file and details of 2,000 videos indexed before" in " ".join(
        capsys.readouterr().out.split()
    )
    print_troubles(report)
    assert "Subtitles that cannot be read:\n  /a.srt: is binary, not text" in (
        capsys.readouterr().err
    )


def test_what_was_left_out_is_told_with_the_command_that_takes_it_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hidden = (LeftOut(Path("/lib/old films"), 3), LeftOut(Path("/lib/a.mp4"), 1))
    report = replace(REPORT, failed=(), left_out=hidden)
    assert index_json(report)["left_out"] == [
        {"path": "/lib/old films", "files": 3},
        {"path": "/lib/a.mp4", "files": 1},
    ]
    print_troubles(report)
    told = " ".join(capsys.readouterr().err.split())
    assert "/lib/old films: 3 files" in told
    assert "`vsearch forget '/lib/old films' /lib/a.mp4` removes them" in told
    print_troubles(report, flags=("--catalog", Path("/my own")))
    told = " ".join(capsys.readouterr().err.split())
    assert "/lib/a.mp4 --catalog '/my own'` removes them" in told


def test_an_index_run_tells_its_model(capsys: pytest.CaptureFixture[str]) -> None:
    told = replace(REPORT, model="/my\nmodel")
    print_index(told)
    assert capsys.readouterr().out.splitlines()[-1] == r"Model: /my\nmodel"
    assert index_json(told)["model"] == "/my\nmodel"


@pytest.mark.parametrize(
    ("interrupted", "told"), [(False, "no video files were found"), (True, "")]
)
def test_a_run_stopped_before_its_first_film_does_not_say_that_there_is_none(
    capsys: pytest.CaptureFixture[str],
    interrupted: bool,
    told: str,
) -> None:
    nothing = replace(REPORT, indexed=0, unchanged=0, moved=0, failed=(), interrupted=interrupted)
    print_index(nothing)
    out = capsys.readouterr().out
    assert told in out
    assert bool(out) == bool(told)


DAMAGED = FileProblem(Path("/half.mp4"), "breaks off at 03:12 of 10:00")
ABSENT = FileProblem(Path("/media/disk"), "is empty, but ...")
AWAY = {"absent": frozenset([ABSENT.path])}


def test_damaged_films_are_indexed_and_listed_all_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = replace(REPORT, damaged=(DAMAGED,))
    assert index_json(report)["damaged"] == [
        {"path": "/half.mp4", "note": "breaks off at 03:12 of 10:00"}
    ]
    print_index(report)
    print_troubles(report)
    said = capsys.readouterr()
    assert "1 damaged" in said.out
    assert "/half.mp4: breaks off at 03:12 of 10:00" in said.err


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"failed": ()}, []),
        ({}, ["--retry-failed"]),
        ({"failed": (ABSENT,), **AWAY}, ["vsearch relocate OLD NEW"]),
        ({"failed": (ABSENT, *REPORT.failed), **AWAY}, ["--retry-failed", "Mount the disks"]),
        ({"failed": (), "damaged": (DAMAGED,)}, ["`touch` those that have the old"]),
        ({"failed": (), "unsaved": "the disk is full"}, ["the disk is full"]),
    ],
)
def test_each_kind_of_trouble_has_its_advice_once(
    changes: dict[str, object], told: list[str]
) -> None:
    sentences = list(advice(replace(REPORT, **changes)))  # type: ignore[arg-type]
    assert len(sentences) == len(told)
    for sentence, words in zip(sentences, told, strict=True):
        assert words in sentence


def test_a_run_without_trouble_is_silent_about_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_troubles(replace(REPORT, failed=()))
    assert capsys.readouterr() == ("", "")
