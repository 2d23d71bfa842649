import json
import os
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from search import Asked, Confidence, Hit, Said, SearchResult, Step, VideoCurve
from search.background.voids import ByChance, Standing
from vsearch.services.player import play_command
from vsearch.show.output import count, print_json
from vsearch.show.search import local_time, print_paths, print_search, search_json


def hit(path: str = "/media/a.mp4", *, rank: int = 1, start: float = 4.0) -> Hit:
    return Hit(
        rank=rank,
        score=0.41,
        path=Path(path),
        start=start,
        end=start + 8,
        peak=start + 4,
        duration=31.2,
        clip_id=17,
        video_id=3,
        other_paths=(),
        confidence=Confidence.LIKELY,
        standing=Standing(0.7, ByChance(median=0.6, top=0.8)),
    )


def unconvincing(path: str = "/media/b.mp4") -> Hit:
    return replace(hit(path, rank=2), confidence=Confidence.NONE)


def answer(*hits: Hit) -> SearchResult:
    return SearchResult(asked=Asked.of("a red circle"), model="demo", took_ms=7.123, hits=hits)


def test_words_that_are_said_are_shown_with_their_time_and_language(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = Said("happy birthday\nanna " + 200 * "x", "en", "/media/a.srt", 5.5, 7.25)
    found = replace(
        answer(replace(hit(), said=said)), asked=Asked(steps=(Step(()),), said="birthday")
    )
    told = search_json(found)
    assert told["query"] == "said: birthday"
    assert (told["asked"]["steps"], told["asked"]["said"]) == ([{"sentences": []}], "birthday")
    assert told["hits"][0]["said"] == {
        "text": said.text,
        "language": "en",
        "source": "/media/a.srt",
        "start": 5.5,
        "end": 7.25,
    }
    print_search(found, explained=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("     00:05 “happy birthday\\nanna xxx")
    assert lines[1].endswith("x…” (en)")
    assert len(lines) == 3  # no cosine to explain


def test_one_thing_is_not_plural() -> None:
    assert (count(1, "clip"), count(0, "clip"), count(1234, "clip")) == (
        "1 clip",
        "0 clips",
        "1,234 clips",
    )


@pytest.mark.parametrize(
    "name", ["plain.mp4", "two words.mp4", "it's.mp4", "new\nline.mp4", "tab\t'and\\ all.mp4"]
)
def test_the_play_command_names_the_file_to_a_shell(name: str) -> None:
    command = play_command(Path("/films") / name, start=4.5, which=lambda _: None)
    printed = subprocess.run(
        ["bash", "-c", f"printf %s {command.removeprefix('mpv --start=4.5 ')}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout == f"/films/{name}"


@pytest.mark.parametrize(
    ("installed", "words"),
    [
        ("mpv", ["mpv", "--start=724", "/a.mp4"]),
        ("vlc", ["vlc", "--start-time=724", "/a.mp4"]),
        ("ffplay", ["ffplay", "-ss", "724", "/a.mp4"]),
    ],
)
def test_the_play_command_takes_a_player_that_is_installed(
    installed: str, words: list[str]
) -> None:
    command = play_command(Path("/a.mp4"), start=724.0, which=lambda player: player == installed)
    assert shlex.split(command) == words


def test_a_person_reads_no_more_digits_of_a_time_than_mean_something() -> None:
    command = play_command(Path("/a.mp4"), start=12345.642966667, which=lambda _: None)
    assert command == "mpv --start=12345.642 /a.mp4"


def test_an_answer_has_the_schema_of_every_face() -> None:
    assert search_json(answer(hit())) == {
        "query": "a red circle",
        "model": "demo",
        "took_ms": 7.1,
        "convincing": True,
        "asked": {
            "steps": [{"sentences": [{"text": "a red circle", "weight": 1.0}]}],
            "within": 20.0,
            "limit": 10,
            "sort": "relevance",
            "per_video": 0,
            "fold": False,
            "filters": {},
        },
        "hits": [
            {
                "rank": 1,
                "score": 0.41,
                "confidence": "likely",
                "path": "/media/a.mp4",
                "start": 4.0,
                "end": 12.0,
                "peak": 8.0,
                "duration": 31.2,
                "clip_id": 17,
                "video_id": 3,
                "captured": local_time(0.0),
                "captured_from": "file time",
            }
        ],
    }


def test_duplicates_are_counted_for_people_and_listed_for_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    copy = replace(hit(), path=Path("/media/again.mp4"), start=5.0)
    answered = answer(replace(hit(), duplicates=(copy, copy)))
    print_search(answered)
    assert "and 2 more like it" in capsys.readouterr().out
    first, second = search_json(answered)["hits"][0]["duplicates"]
    assert first == second
    assert (first["path"], first["start"], first["confidence"]) == (
        "/media/again.mp4",
        5.0,
        "likely",
    )
    assert "rank" not in first


def test_curves_are_those_of_the_moments_that_are_shown() -> None:
    curves = tuple(
        VideoCurve(one.path, of_frames=True, times=(0.5, 1.5), heights=(0.123456, -0.1))
        for one in (hit(), unconvincing())
    )
    mixed = replace(answer(hit(), unconvincing()), curves=curves)
    assert "curves" not in search_json(mixed)
    (shown,) = search_json(mixed, with_curves=True)["curves"]
    assert shown == {
        "path": "/media/a.mp4",
        "step": 1,
        "of_frames": True,
        "times": [0.5, 1.5],
        "heights": [0.1235, -0.1],
    }


def test_moments_with_nothing_convincing_are_shown_on_request_only(
    capsys: pytest.CaptureFixture[str],
) -> None:
    mixed = answer(hit(), unconvincing())
    assert [it["rank"] for it in search_json(mixed)["hits"]] == [1]
    every = search_json(mixed, everything=True)["hits"]
    assert [it["confidence"] for it in every] == ["likely", "none"]
    print_paths(mixed, null=False)
    assert capsys.readouterr().out == "/media/a.mp4\n"
    print_paths(mixed, null=False, everything=True)
    assert capsys.readouterr().out == "/media/a.mp4\n/media/b.mp4\n"


def test_nothing_convincing_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = answer(unconvincing())
    assert search_json(nothing)["convincing"] is False
    assert search_json(nothing)["hits"] == []
    print_search(nothing)
    assert capsys.readouterr().out == "Nothing convincing.\n"
    print_search(nothing, everything=True)
    assert "none" in capsys.readouterr().out
    unsure = answer(replace(hit(), confidence=None, standing=None))
    assert search_json(unsure)["convincing"] is True
    assert "confidence" not in search_json(unsure)["hits"][0]


def test_a_moment_is_explained_by_its_clip_its_second_and_its_standing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_search(answer(hit()), explained=True)
    told = " ".join(capsys.readouterr().out.split())
    assert "cosine of its best clip 0.410, best second 00:08" in told
    assert "centred score 0.700; what is true of nothing reaches 0.600 half" in told
    assert "0.800 rarely so it stands at 0.50" in told


def test_further_places_of_a_film_are_told_to_programs_and_people(
    capsys: pytest.CaptureFixture[str],
) -> None:
    copied = replace(hit(), other_paths=(Path("/b/copy.mp4"), Path("/c/co\npy.mp4")))
    assert search_json(answer(copied))["hits"][0]["also"] == ["/b/copy.mp4", "/c/co\npy.mp4"]
    print_search(answer(copied))
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[2:] == ["also at /b/copy.mp4", r"also at /c/co\npy.mp4"]


def test_a_name_that_is_not_unicode_survives_json(capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(b"/films/\xff.mp4")
    print_json(search_json(answer(hit(name))))
    assert json.loads(capsys.readouterr().out)["hits"][0]["path"] == name


def test_a_person_reads_rank_score_time_file_and_how_to_play_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_search(answer(hit(start=724.0), hit("/b.mkv", rank=2)))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["1.", "likely", "0.410", "12:04–12:12", "/media/a.mp4"]
    assert lines[1].split()[0] in {"mpv", "vlc", "ffplay"}
    assert "724" in lines[1]
    assert lines[1].endswith("/media/a.mp4")
    assert lines[2].split() == ["2.", "likely", "0.410", "00:04–00:12", "/b.mkv"]


def test_long_lines_are_not_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/" + "a very long name " * 20 + ".mp4"
    print_search(answer(hit(path)))
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_bare_paths_come_best_first_and_once_each(capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(hit("/b.mp4"), hit("/a.mp4", rank=2), hit("/b.mp4", rank=3, start=20.0))
    assert print_paths(found, null=False) == ()
    assert capsys.readouterr().out == "/b.mp4\n/a.mp4\n"


def test_a_path_with_a_line_break_goes_through_a_pipe_with_nul_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = answer(hit("/films/x\n/secret.mp4"), hit("/a.mp4", rank=2))
    assert print_paths(found, null=False) == (Path("/films/x\n/secret.mp4"),)
    assert capsys.readouterr().out == "/a.mp4\n"
    assert print_paths(found, null=True) == ()
    assert capsys.readouterr().out == "/films/x\n/secret.mp4\0/a.mp4\0"


def test_notes_are_there_for_programs_if_there_is_anything_to_note() -> None:
    assert "notes" not in search_json(answer(hit()))
    noted = replace(answer(hit()), notes=("it is too long",))
    assert search_json(noted)["notes"] == ["it is too long"]


def test_at_a_terminal_a_path_that_would_act_on_it_is_printed_as_it_can_be_pasted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stdout", terminal)
        found = answer(hit("/films/two words.mp4"), hit("/films/x\n\x1b[2J.mp4", rank=2))
        assert print_paths(found, null=False) == ()
        terminal.flush()
        printed = b""
        while printed.count(b"\n") < 2:
            printed += os.read(ours, 65536)
    os.close(ours)
    assert printed.decode().splitlines() == [
        "/films/two words.mp4",
        "\"$(printf '/films/x\\012\\033\\1332J.mp4')\"",
    ]
