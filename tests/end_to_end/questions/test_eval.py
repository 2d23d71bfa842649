"""`vsearch eval` as a process, over three indexed videos, and over real ones."""

import csv
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest


def write(path: Path, *rows: tuple[object, ...]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("sentence", "video", "start", "end"), *rows])
    return path


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return write(
        tmp_path / "my labels.csv",
        ("a red circle moving left", "short.mp4", "", ""),
        ("a green square, moving right", "two words", 0, 5),
        ("a green circle moving left", "holidays/long.mp4", "0:04", "0:12.5"),
        ("a green circle moving left", "holidays/long.mp4", 20, 28),
        ("a unicorn", "nothing", "", ""),
    )


def test_figures_of_a_file(indexed: tuple[Any, Any], labels: Path) -> None:
    vsearch, _ = indexed
    run = vsearch("eval", labels, "--json", "--compare", "plain,default", "--worst", "2")
    assert run.code == 0, run.err
    found = run.json
    assert (found["sentences"], found["sentences_true_of_nothing"], found["videos"]) == (4, 1, 3)
    assert [one["setting"] for one in found["results"]] == ["plain", "default"]
    figures = found["results"][0]["figures"]
    assert figures["recall@10"]["value"] == 1, "there are not ten moments in three videos"
    assert {"mean_iou", "recall@1_iou_0.7", "median_rank", "ndcg@10"} <= set(figures)
    assert all(0 <= one["low"] <= one["value"] <= one["high"] for one in figures.values())
    assert "recall@1" in found["results"][1]["difference_to_first"]
    assert len(found["worst"]) == 2
    assert {"sentence", "line", "rank", "truth", "first"} <= set(found["worst"][0])


def test_figures_for_people_and_a_plot(
    indexed: tuple[Any, Any], labels: Path, tmp_path: Path
) -> None:
    vsearch, _ = indexed
    run = vsearch("eval", labels, "--plot", tmp_path / "plot.png", "--worst", "9")
    assert run.code == 0, run.err
    assert "4 sentences, 1 of them true of nothing, asked of 3 videos" in run.out
    assert "right moment first (R@1)" in run.out
    assert "line 4: “a green circle moving left”" in run.out
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_in_the_labelled_video_alone_it_is_always_found(
    indexed: tuple[Any, Any], tmp_path: Path
) -> None:
    vsearch, _ = indexed
    names = ("short.mp4", "two words.mp4", "long.mp4")
    file = write(tmp_path / "labels.csv", *(("a red circle", name, "", "") for name in names))
    run = vsearch("eval", file, "--given-video", "--json")
    assert run.json["sentences"] == 3
    assert run.json["results"][0]["figures"]["recall@1"]["value"] == 1


def test_lines_that_cannot_be_asked_are_listed_and_left_out(
    indexed: tuple[Any, Any], tmp_path: Path
) -> None:
    vsearch, _ = indexed
    file = write(
        tmp_path / "labels.csv",
        ("a red circle", "short.mp4", 0, 2),
        ("a red circle", "gone.mp4", 0, 2),
        ("a red square", "short.mp4", 100, 102),
    )
    run = vsearch("eval", file, "--json")
    assert run.code == 3
    assert [one["line"] for one in run.json["left_out"]] == [3, 4]
    assert "left out line 3: no indexed video is called gone.mp4" in run.err
    assert "left out line 4: the moment begins at 100 s, after the end" in run.err
    assert run.json["sentences"] == 1


def test_a_catalog_without_frame_vectors_is_measured_and_told_how_to_get_them(
    vsearch: Any, library: Path, model: Path, labels: Path
) -> None:
    assert vsearch("index", library, "--model", model).code == 0
    (database,) = (vsearch.home / "catalog").glob("catalog.sqlite")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM frames")
    run = vsearch("eval", labels)
    assert run.code == 0, run.err
    assert "3 videos have no frame vectors" in run.err
    assert "`vsearch index --add-frames PATH` adds them" in run.err


def test_a_template_can_be_filled_in(indexed: tuple[Any, Any], tmp_path: Path) -> None:
    vsearch, _ = indexed
    file = tmp_path / "labels.csv"
    assert vsearch("eval", file, "--template", "--json").json == {"file": str(file), "videos": 3}
    unfilled = vsearch("eval", file)
    assert (unfilled.code, unfilled.err.count("\n")) == (1, 1)
    assert "has no sentence yet" in unfilled.err
    file.write_text(file.read_text().replace("\n,", "\na red circle,", 3))
    assert vsearch("eval", file, "--json").json["sentences"] == 1
    again = vsearch("eval", file, "--template")
    assert again.code == 1
    assert "exists already" in again.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--plot", "/nowhere/at/all.png"), "there is no folder /nowhere/at"),
        (("--model", "microsoft/xclip-base-patch16"), "microsoft/xclip-base-patch16"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    indexed: tuple[Any, Any], labels: Path, arguments: tuple[str, ...], words: str
) -> None:
    vsearch, _ = indexed
    run = vsearch("eval", labels, *arguments)
    assert (run.code, run.out, run.err.count("\n")) == (1, "", 1)
    assert words in run.err


@pytest.mark.parametrize("settings", ["plain,magic", "", "plain,,default", "plain+"])
def test_settings_that_do_not_exist_are_wrong_usage(
    indexed: tuple[Any, Any], labels: Path, settings: str
) -> None:
    vsearch, _ = indexed
    run = vsearch("eval", labels, "--compare", settings)
    assert (run.code, run.out, run.err.count("\n")) == (2, "", 1)
    assert "give default, plain, or parts joined by +" in run.err


def test_a_plot_overwrites_plots_only(indexed: tuple[Any, Any], labels: Path) -> None:
    vsearch, _ = indexed
    before = labels.read_bytes()
    run = vsearch("eval", labels, "--plot", labels)
    assert (run.code, run.out) == (1, "")
    assert "exists and is no PNG" in run.err
    assert labels.read_bytes() == before


def test_a_file_of_other_videos_has_nothing_to_ask(
    indexed: tuple[Any, Any], tmp_path: Path
) -> None:
    vsearch, _ = indexed
    file = write(tmp_path / "labels.csv", ("a dog", "b.mp4", "", ""), ("a cat", "c.mp4", "", ""))
    run = vsearch("eval", file)
    assert (run.code, run.err.count("\n")) == (1, 1)
    assert "no line that can be asked; line 2 (and 1 others): no indexed video" in run.err


@pytest.mark.skipif("VSEARCH_TEST_VIDEOS" not in os.environ, reason="VSEARCH_TEST_VIDEOS")
def test_real_videos_can_be_asked_and_the_demo_model_says_that_it_does_not_know_them(
    vsearch: Any, tmp_path: Path
) -> None:
    videos = Path(os.environ["VSEARCH_TEST_VIDEOS"])
    assert vsearch("index", videos, "--model", "demo").code == 0
    file = write(
        tmp_path / "labels.csv",
        ("two people arm-wrestle at a table", "arm_wrestling.mp4", 0, 8),
        ("a hand lifts a plastic bottle", "bottles", "0:12", "0:13"),
        ("a hand lifts a plastic bottle", "bottles", "0:23", "0:24"),
        ("a policeman, and a man with a bowler hat", "chaplin_vp9.webm", "", ""),
        ("a deer", "testvideo.mp4", 7.3, 11.8),
        ("an aeroplane lands", "nothing", "", ""),
    )
    run = vsearch("eval", file, "--worst", "3")
    assert run.code == 0, run.err
    assert "5 sentences, 1 of them true of nothing" in run.out
    assert "the demo model knows coloured shapes that move, and nothing else" in run.err
