"""More like a file or a moment, as people ask for it: real films, a real picture, a small model."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from media import write_video

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (20, 40, 220)}
NEEDLESS = {"PIL", "av", "faiss", "indexer", "media", "safetensors", "torch", "xclip_core.embedder"}
ASK = """
import sys
from vsearch.__main__ import run

code = run(["query", "--like", sys.argv[1], "--json"])
print(code, *sys.modules)
"""


def picture(colour: str, *, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(-20, 20, (48, 64, 3))
    return np.clip(np.array(COLOURS[colour]) + noise, 0, 255).astype(np.uint8)


def film(path: Path, *shown: str, seconds: int = 12) -> Path:
    """A film that shows each colour for some seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = (picture(colour, seed=n) for colour in shown for n in range(4 * seconds))
    write_video(path, frames, frame_rate=4)
    return path


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    film(folder / "a.mp4", "red", "green", "red")
    film(folder / "b.mp4", "blue", "red")
    film(folder / "c@1.mp4", "green", "blue", seconds=16)
    return folder


@pytest.fixture(scope="module")
def like(tmp_path_factory: pytest.TempPathFactory, run_from: Any, films: Path, model: Path) -> Any:
    """Ask; the whole answer."""
    vsearch = run_from(tmp_path_factory.mktemp("home"))
    assert vsearch("index", films, "--model", model).code == 0

    def ask(*arguments: object) -> Any:
        run = vsearch("query", *arguments, "--json")
        assert run.code == 0, run.err
        return run.json

    ask.vsearch = vsearch  # type: ignore[attr-defined]
    return ask


def first(answer: Any) -> tuple[str, bool]:
    """The best video, and whether the moment lies in its first twelve seconds."""
    best = answer["hits"][0]
    return Path(best["path"]).name, (best["start"] + best["end"]) / 2 < 12


def test_more_like_a_picture_and_like_a_film_that_are_not_indexed(
    like: Any, tmp_path: Path
) -> None:
    Image.fromarray(picture("blue", seed=99)).save(tmp_path / "sky.jpg")
    answer = like("--like", tmp_path / "sky.jpg")
    assert first(answer) in {("b.mp4", True), ("c@1.mp4", False)}
    assert answer["asked"]["steps"][0]["examples"] == [
        {"path": str(tmp_path / "sky.jpg"), "time": None, "weight": 1.0}
    ]
    assert "confidence" not in answer["hits"][0]
    new = film(tmp_path / "new.mp4", "green", "blue")
    assert first(like("--like", f"{new}@0:05")) in {("a.mp4", False), ("c@1.mp4", True)}
    assert len(like("--like", new)["hits"]) >= 3


def test_more_like_a_stored_moment_also_of_a_film_that_is_not_there(
    like: Any, films: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(films)
    for moment in (f"{films}/a.mp4@5", f"{link}/a.mp4@0:05", os.path.relpath(films / "a.mp4@5")):
        answer = like("--like", moment)
        assert first(answer) in {("a.mp4", False), ("b.mp4", False)}
        own = [hit for hit in answer["hits"] if hit["path"].endswith("a.mp4")]
        assert all(hit["start"] >= 8 for hit in own)
    (films / "b.mp4").rename(tmp_path / "away.mp4")
    try:
        answer = like("--like", f"{films}/b.mp4@3^2", "-k", "1")
        assert first(answer) != ("b.mp4", True)
        assert answer["asked"]["steps"][0]["examples"][0]["weight"] == 2.0
        assert answer["query"] == f"like {films}/b.mp4@00:03^2"
    finally:
        (tmp_path / "away.mp4").rename(films / "b.mp4")


def test_an_indexed_video_given_whole_does_not_come_back(like: Any, films: Path) -> None:
    names = {Path(hit["path"]).name for hit in like("--like", films / "c@1.mp4")["hits"]}
    assert names == {"a.mp4", "b.mp4"}


def test_words_beside_an_example_are_both_asked(like: Any, films: Path) -> None:
    answer = like("a dog", "--not", "people", "--like", f"{films}/a.mp4@5")
    assert [one["text"] for one in answer["asked"]["steps"][0]["sentences"]] == ["a dog", "people"]
    assert answer["query"] == f"a dog + like {films}/a.mp4@00:05, not: people"


def test_a_stored_moment_loads_no_model_and_decodes_nothing(like: Any, films: Path) -> None:
    environment = {**os.environ, "VSEARCH_HOME": str(like.vsearch.home)}
    asked = subprocess.run(
        [sys.executable, "-c", ASK, f"{films}/a.mp4@5"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    code, *modules = asked.stdout.splitlines()[-1].split()
    assert code == "0", asked.stderr
    assert NEEDLESS & {*modules} == set()


def test_what_can_be_no_example_is_one_sentence(like: Any, films: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture\n" * 50)
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(500))
    Image.fromarray(picture("red", seed=1)).save(tmp_path / "a.png")
    new = film(tmp_path / "new.mp4", "green")
    for given, says in (
        ("", "empty"),
        (tmp_path, "is a folder"),
        (f"{films}@5", "is a folder"),
        (tmp_path / "gone.mp4", "is not there"),
        (f"{films}/a.mp4@later", "1:23"),
        (f"{films}/a.mp4@59:00", "ends at 00:36"),
        (f"{new}@59:00", "ends at 00:12"),
        (tmp_path / "notes.txt", "no picture, and no video"),
        (tmp_path / "photo.heic", "save it as JPEG"),
        (f"{tmp_path}/a.png@3", "has no times"),
        (f"{films}/a.mp4^1000", "0.01 to 100"),
    ):
        run = like.vsearch("query", "--like", given)
        assert run.code == 2, (given, run.err)
        assert (run.out, run.err.count("\n")) == ("", 1), run.err
        assert says in run.err
        assert "--like" in run.err
