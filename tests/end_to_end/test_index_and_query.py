"""The main job: index a folder, ask in words, get ranked moments."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from media import ACCELERATORS, why_not
from tests.indexer.videos import delay_pictures

Indexed = tuple[Any, Any]


def test_an_index_run_tells_what_it_did_in_json(indexed: Indexed, model: Path) -> None:
    _, run = indexed
    assert run.code == 0, run.err
    report = run.json
    assert report.pop("took_seconds") > 0
    assert report.pop("video_seconds") == pytest.approx(38.0, abs=0.01)
    # 3 s and 5 s are one clip each; 30 s are clips from 0, 4, ... 20, and one for the rest.
    assert report == {
        "indexed": 3,
        "unchanged": 0,
        "moved": 0,
        "by_others": 0,
        "removed": 0,
        "failed": [],
        "damaged": [],
        "clips": 9,
        "no_video": 0,
        "left_out": [],
        "model": str(model),
        "interrupted": False,
        "unsaved": None,
        "without_frames": 0,
        "details": 0,
        "subtitles": 0,
        "failed_subtitles": [],
    }


def test_moments_are_told_by_the_clock_of_every_player(
    vsearch: Any, library: Path, model: Path, tmp_path: Path
) -> None:
    film = library / "holidays" / "long.mp4"  # of 30 s
    late = delay_pictures(film, tmp_path / "late.mkv", seconds=100, sound=150)
    assert vsearch("index", late, "--model", model).code == 0
    hits = vsearch("query", "a circle", "--all", "--json").json["hits"]
    assert hits
    assert all(100.0 <= hit["start"] < hit["end"] < 130.01 for hit in hits)
    assert hits[0]["duration"] == pytest.approx(150.0, abs=0.01)
    text = vsearch("query", "a circle", "--all").out
    assert f"--start={hits[0]['start']:.10g} " in text or f"-ss {hits[0]['start']:.10g} " in text


def test_the_answer_has_the_agreed_schema_and_is_ranked(
    indexed: Indexed, library: Path, model: Path
) -> None:
    vsearch, _ = indexed
    run = vsearch("query", "a red circle moving left", "--all", "--json")
    assert run.code == 0, run.err
    assert run.err == ""
    answer = run.json
    assert list(answer) == ["query", "model", "took_ms", "convincing", "asked", "hits"]
    assert answer["query"] == "a red circle moving left"
    assert answer["model"] == str(model)
    assert {hit["path"] for hit in answer["hits"]} == {
        str(library / "short.mp4"),
        str(library / "two words.mp4"),
        str(library / "holidays" / "long.mp4"),
    }
    for rank, hit in enumerate(answer["hits"], start=1):
        fields = (
            "rank score confidence path start end peak duration clip_id video_id captured "
            "captured_from"
        )
        assert list(hit) == fields.split()
        assert hit["rank"] == rank
        assert -1 <= hit["score"] <= 1
        assert 0 <= hit["start"] < hit["peak"] < hit["end"] <= hit["duration"]


def test_search_is_query_by_another_name(indexed: Indexed) -> None:
    vsearch, _ = indexed
    answers = [
        vsearch(name, "a red circle", "--all", "--json").json for name in ("query", "search")
    ]
    assert answers[0]["hits"] == answers[1]["hits"]


def test_curves_are_given_with_json_and_hold_the_peak_of_each_moment(indexed: Indexed) -> None:
    vsearch, _ = indexed
    answer = vsearch("query", "a red circle", "--all", "--json", "--curve").json
    curves = {curve["path"]: curve for curve in answer["curves"]}
    assert set(curves) == {hit["path"] for hit in answer["hits"]}
    for hit in answer["hits"]:
        curve = curves[hit["path"]]
        assert curve["of_frames"]
        assert len(curve["heights"]) == len(curve["times"]) >= hit["duration"] / 2
        assert min(abs(time - hit["peak"]) for time in curve["times"]) < 0.01
    refused = vsearch("query", "a red circle", "--curve")
    assert refused.code == 2
    assert "give --json too" in refused.err


def test_a_person_gets_the_moment_and_how_to_play_it(indexed: Indexed, library: Path) -> None:
    vsearch, _ = indexed
    run = vsearch("query", "a red circle", "--all", "--in", "*/two words.mp4")
    assert run.code == 0, run.err
    first, second = run.out.splitlines()
    assert first.startswith("  1. ")
    assert "00:00–00:05" in first
    assert first.endswith(str(library / "two words.mp4"))
    assert second.endswith(f"'{library / 'two words.mp4'}'")
    assert "\x1b" not in run.out


def test_a_terminal_gets_colours(indexed: Indexed, run_from: Any) -> None:
    vsearch, _ = indexed
    ours, theirs = os.openpty()
    on_terminal = run_from(vsearch.home, TERM="xterm-256color", NO_COLOR="")
    process = on_terminal.start("query", "a red circle", "--all", "-k", 1, stdout=theirs)
    os.close(theirs)
    _, err = process.communicate(timeout=120)
    printed = os.read(ours, 65536)
    os.close(ours)
    assert (process.returncode, err) == (0, "")
    assert b"\x1b[" in printed


def test_limit_and_glob_narrow_the_answer(indexed: Indexed, library: Path) -> None:
    vsearch, _ = indexed
    assert len(vsearch("query", "a red circle", "--all", "-k", 1, "--json").json["hits"]) == 1
    hits = vsearch("query", "a red circle", "--all", "--in", "*/holidays/*", "--json").json["hits"]
    assert {hit["path"] for hit in hits} == {str(library / "holidays" / "long.mp4")}


def test_a_glob_that_matches_nothing_is_an_empty_answer(indexed: Indexed) -> None:
    vsearch, _ = indexed
    run = vsearch("query", "a red circle", "--all", "--in", "*/nowhere/*", "--json")
    assert (run.code, run.json["hits"]) == (0, [])
    assert run.err == "no indexed video meets the filters\n"


def test_bare_paths_are_for_pipes(indexed: Indexed, library: Path) -> None:
    vsearch, _ = indexed
    run = vsearch("query", "a red circle", "--all", "--paths")
    paths = run.out.splitlines()
    assert sorted(paths) == sorted(str(path) for path in library.rglob("*.mp4"))


def test_a_reader_that_has_enough_is_no_error(indexed: Indexed) -> None:
    vsearch, _ = indexed
    ours, theirs = os.pipe()
    os.close(ours)
    process = vsearch.start("query", "a red circle", "--all", "--paths", stdout=theirs)
    os.close(theirs)
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_full_disk_behind_stdout_is_one_sentence(indexed: Indexed, form: tuple[str, ...]) -> None:
    vsearch, _ = indexed
    with Path("/dev/full").open("w") as full:
        process = vsearch.start("status", *form, stdout=full)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert err == "vsearch: No space left on device; make room and try again\n"


def test_the_status_tells_what_made_the_catalog(indexed: Indexed, model: Path) -> None:
    vsearch, _ = indexed
    status = vsearch("status", "--json").json
    assert status["model"] == str(model)
    assert (status["videos"], status["files"], status["clips"]) == (3, 3, 9)
    assert (status["dimension"], status["frames_per_clip"]) == (16, 4)
    assert (status["window"], status["stride"]) == (8.0, 4.0)
    assert status["failed"] == []
    assert status["database_bytes"] > 0
    assert status["snapshot_bytes"] > 0


def test_a_label_gets_its_probability(library: Path, model: Path, vsearch: Any) -> None:
    run = vsearch(
        "classify", library / "short.mp4", "a cat", "a dog", "rain", "--model", model, "--json"
    )
    assert run.code == 0, run.err
    labels = run.json["labels"]
    assert {entry["label"] for entry in labels} == {"a cat", "a dog", "rain"}
    probabilities = [entry["probability"] for entry in labels]
    assert sum(probabilities) == pytest.approx(1, abs=1e-4)
    assert probabilities == sorted(probabilities, reverse=True)


def test_a_second_run_does_nothing_and_new_files_are_added(
    vsearch: Any, tmp_path: Path, model: Path, make_film: Any
) -> None:
    folder = tmp_path / "films"
    make_film(folder / "a.mp4", seed=1)
    assert vsearch("index", folder, "--model", model, "--json").json["indexed"] == 1
    make_film(folder / "b.mp4", seed=2)
    (folder / "a.mp4").rename(folder / "renamed.mp4")
    # Without --model: the catalog knows what made it.
    second = vsearch("index", folder, "--json").json
    assert (second["indexed"], second["moved"], second["removed"]) == (1, 1, 0)
    third = vsearch("index", folder, "--json").json
    assert (third["indexed"], third["unchanged"]) == (0, 2)


def test_a_catalog_keeps_its_window_unless_told(vsearch: Any, library: Path, model: Path) -> None:
    flags = ("--window", 4, "--stride", 2)
    assert vsearch("index", library / "short.mp4", "--model", model, *flags).code == 0
    assert vsearch("index", library / "holidays", "--json").json["clips"] == 14
    refused = vsearch("index", library, "--window", 8)
    assert refused.code == 1
    assert "4 s every 2 s" in refused.err


def test_gaps_between_clips_are_pointed_out(vsearch: Any, library: Path, model: Path) -> None:
    run = vsearch("index", library, "--model", model, "--window", 1, "--stride", 3)
    assert run.code == 0
    assert "leave 2 s between two of them" in run.err


def test_a_bad_file_is_listed_and_stops_nothing(
    vsearch: Any, tmp_path: Path, model: Path, make_film: Any
) -> None:
    make_film(tmp_path / "films" / "good.mp4")
    bad = tmp_path / "films" / "bad.mp4"
    bad.write_text("this is no film")
    run = vsearch("index", tmp_path / "films", "--model", model, "--json")
    assert run.code == 3
    assert run.json["indexed"] == 1
    assert [failure["path"] for failure in run.json["failed"]] == [str(bad)]
    assert str(bad) in run.err
    assert "Traceback" not in run.err
    assert [failure["path"] for failure in vsearch("status", "--json").json["failed"]] == [str(bad)]
    # Listed again without being tried; tried again when asked; fine once it is a film.
    assert vsearch("index", tmp_path / "films").code == 3
    assert vsearch("index", tmp_path / "films", "--retry-failed").code == 3
    make_film(bad, seed=9)
    assert vsearch("index", tmp_path / "films").code == 0


def test_progress_stays_away_from_stdout_and_quiet_from_stderr(
    vsearch: Any, library: Path, model: Path
) -> None:
    told = vsearch("index", library / "short.mp4", "--model", model, "-v")
    assert f"indexed {library / 'short.mp4'}" in told.err
    assert told.out.startswith("Indexed 1 video")
    silent = vsearch("index", library, "-q")
    assert silent.err == ""


@pytest.mark.skipif(os.name == "nt", reason="a Windows console sends no SIGINT")
def test_an_interrupted_run_keeps_what_is_finished_and_goes_on(
    vsearch: Any, tmp_path: Path, model: Path, make_film: Any
) -> None:
    folder = tmp_path / "films"
    for number in range(30):
        make_film(folder / f"{number:02}.mp4", seconds=12, seed=number)
    # So many clips that most of the work is still to come when the first film is done.
    fine = ("--window", 1, "--stride", 0.1)
    process = vsearch.start("index", folder, "--model", model, "-v", "--workers", 1, *fine)
    for line in process.stderr:
        if line.startswith("indexed"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "the same command goes on from there" in err
    kept = vsearch("status", "--json").json["videos"]
    assert 1 <= kept < 30
    again = vsearch("index", folder, "--json").json
    assert (again["unchanged"], again["indexed"]) == (kept, 30 - kept)


def test_a_name_of_any_bytes_goes_all_the_way(
    vsearch: Any, tmp_path: Path, model: Path, make_film: Any
) -> None:
    name = os.fsdecode(b"/-odd \xff\n name.mp4")
    film = Path(f"{tmp_path}/films{name}")
    make_film(tmp_path / "films" / "plain.mp4").rename(film)
    run = vsearch("index", tmp_path / "films", "--model", model, "--json")
    assert (run.code, run.json["indexed"]) == (0, 1), run.err
    assert vsearch("query", "a red circle", "--all", "--json").json["hits"][0]["path"] == str(film)
    assert vsearch("query", "a red circle", "--all", "-0").out == f"{film}\0"
    lines = vsearch("query", "a red circle", "--all", "--paths")
    assert (lines.code, lines.out) == (3, "")
    assert lines.err.endswith(r"/-odd \xff\n name.mp4" + "\n")
    assert len(vsearch("query", "a red circle", "--all").out.splitlines()) == 2


def test_every_real_video_is_decoded(vsearch: Any, model: Path) -> None:
    folder = os.environ.get("VSEARCH_TEST_VIDEOS")
    if not folder:
        pytest.skip("VSEARCH_TEST_VIDEOS does not name a folder of real videos")
    run = vsearch("index", folder, "--model", model, "--json")
    assert run.code == 0, run.err
    assert run.json["failed"] == []
    kinds = {".mp4", ".mkv", ".webm", ".avi", ".gif", ".mov"}
    videos = [path for path in Path(folder).resolve().rglob("*") if path.suffix.lower() in kinds]
    assert run.json["indexed"] == len(videos)
    every = ("--all", "--show-duplicates", "-k", 100, "--json")
    hits = vsearch("query", "a person eats a pancake", *every).json["hits"]
    assert {hit["path"] for hit in hits} == {str(path) for path in videos}


def test_queries_work_while_an_index_run_is_going_on(
    vsearch: Any, tmp_path: Path, model: Path, make_film: Any
) -> None:
    from vsearch.services.answers.search import open_searcher
    from vsearch.settings import read_settings

    folder = tmp_path / "films"
    make_film(folder / "00.mp4", seed=100)
    assert vsearch("index", folder, "--model", model).code == 0
    for number in range(1, 8):
        make_film(folder / f"{number:02}.mp4", seed=100 + number)
    settings = read_settings({"VSEARCH_HOME": str(vsearch.home)}, device="cpu", precision="fp32")
    with open_searcher(settings) as searcher:
        assert len(searcher.search("a red circle").hits) == 1
        process = vsearch.start("index", folder, "-q", stdout=subprocess.DEVNULL)
        seen = [1]
        while process.poll() is None:
            seen.append(len(searcher.search("a red circle").hits))
        assert process.communicate()[1] == ""
        seen.append(len(searcher.search("a red circle").hits))
    assert seen == sorted(seen)
    assert seen[-1] == 8


def test_films_are_decoded_without_an_accelerator_that_is_not_here_and_that_is_told_once(
    vsearch: Any, library: Path, model: Path
) -> None:
    missing = next(name for name in ACCELERATORS if why_not(name) is not None)
    run = vsearch("index", library, "--model", model, "--hwaccel", missing, "--json")
    assert (run.code, run.json["indexed"]) == (0, 3)
    assert run.err.count(f"videos are decoded without {missing}: ") == 1


def test_words_that_the_model_cannot_know_are_searched_for_with_a_remark(
    indexed: Indexed, library: Path
) -> None:
    vsearch, _ = indexed
    long = vsearch("query", *["a", "red", "circle"] * 40, "-k", 1)
    assert (long.code, len(long.out.splitlines())) == (0, 2)
    assert "too long for the model" in long.err
    foreign = vsearch("query", "un perro", "--json", "--quiet")
    assert (foreign.code, foreign.err) == (0, "")
    assert ["English" in note for note in foreign.json["notes"]] == [True]
    labels = ("a dog", "собака")
    run = vsearch("classify", library / "short.mp4", *labels, "--json")
    noted = {label["label"] for label in run.json["labels"] if "notes" in label}
    assert noted == {"собака"}
