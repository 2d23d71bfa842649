"""`vsearch cut` as people run it: a question, clips or a saved answer become files and reels."""

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import pytest

from media import probe
from tests.conftest import _may_mount
from vsearch.__main__ import run


def _pictures(path: Path) -> int:
    with av.open(str(path)) as film:
        return sum(1 for _ in film.decode(video=0))


@dataclass(frozen=True)
class Done:
    """What a command line gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def vsearch(
    indexed: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """The command in this process: most of these runs need no other."""
    monkeypatch.setenv("VSEARCH_HOME", str(indexed[0].home))

    def call(*words: object) -> Done:
        code = run([*map(str, words)])
        return Done(code, *capfd.readouterr())

    return call


def test_a_question_a_saved_answer_and_clips_become_files_and_a_reel(
    vsearch: Any, tmp_path: Path
) -> None:
    asked = ("a", "Red", "circle!", "--all", "-k", "3")
    dry = vsearch("cut", *asked, "-o", tmp_path / "new" / "pieces", "--dry-run", "--json")
    assert dry.code == 0, dry.err
    assert not (tmp_path / "new").exists()
    places = ("-o", tmp_path / "new" / "pieces", "--reel", tmp_path / "reel.mp4")
    made = vsearch("cut", *asked, *places, "--json")
    assert made.code == 0, made.err
    answer = vsearch("query", *asked, "--json")
    hits = answer.json["hits"]
    assert [piece["file"] for piece in made.json["pieces"]] == [
        piece["file"] for piece in dry.json["pieces"]
    ]
    for piece, hit in zip(made.json["pieces"], hits, strict=True):
        assert (piece["outcome"], piece["path"]) == ("written", hit["path"])
        assert piece["start"] == pytest.approx(hit["start"], abs=0.101)  # ten pictures a second
        assert piece["end"] == pytest.approx(min(hit["end"], hit["duration"]), abs=0.101)
        file = Path(piece["file"])
        assert file.name.startswith(f"a-red-circle_{Path(hit['path']).stem.replace(' ', '-')}_00-")
        assert probe(file).duration == pytest.approx(piece["end"] - piece["start"], abs=0.001)
    total = sum(piece["end"] - piece["start"] for piece in made.json["pieces"])
    assert made.json["reel"]["seconds"] == pytest.approx(total, abs=0.001)
    assert _pictures(tmp_path / "reel.mp4") == round(total * 10)

    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "new" / "pieces").iterdir()}
    (tmp_path / "answer.json").write_text(answer.out, encoding="utf-8")
    again = vsearch("cut", "--from", tmp_path / "answer.json", *places[:2])
    assert (again.code, again.out.count("kept ")) == (0, 3)
    assert "3 files were there already and stayed; --force replaces" in again.err
    assert {file: file.stat().st_mtime_ns for file in before} == before
    reel = ("cut", "--from", tmp_path / "answer.json", "--reel", tmp_path / "reel.mp4")
    joined = vsearch(*reel, "--force", "--json")
    assert {(one["outcome"], one["file"]) for one in joined.json["pieces"]} == {("joined", None)}
    assert joined.json["reel"] == made.json["reel"]
    refused = vsearch(*reel)
    assert (refused.code, refused.out) == (1, "")
    assert "exists; give --force to replace it, or another name" in refused.err

    clip = hits[0]["clip_id"]
    options = ("--exact", "--pad-before", "0.5", "--pad-after", "100", "-o", tmp_path / "clips")
    cut = vsearch("cut", "--clips", f"{clip}, {clip}", *options)
    assert cut.code == 0, cut.err
    (file,) = (tmp_path / "clips").iterdir()
    assert file.name.startswith(f"clip-{clip}_")
    assert cut.out.startswith(f"wrote {file}, encoded anew: ")
    assert vsearch("cut", "--clips", "999,1000000", "-o", tmp_path).err == (
        "vsearch: the catalog has no clip 999, 1000000; `vsearch query --json` tells the ids\n"
    )


def test_films_that_are_gone_changed_or_shorter_are_named_and_others_cut(
    vsearch: Any, library: Path, tmp_path: Path
) -> None:
    films, changed = library, library / "two words.mp4"
    moments = [
        {"path": str(films / "short.mp4"), "start": 1, "end": 99},
        {"path": str(films / "gone.mp4"), "start": 1, "end": 2},
        {"path": str(films / "two words.mp4"), "start": 1, "end": 2},
        {"path": str(films / "short.mp4"), "start": 50, "end": 60},
    ]
    (tmp_path / "answer.json").write_text(json.dumps({"query": "a/b", "hits": moments}))
    times = changed.stat().st_atime_ns, changed.stat().st_mtime_ns
    os.utime(changed)
    try:
        done = vsearch("cut", "--from", tmp_path / "answer.json", "-o", films, "--json")
    finally:
        os.utime(changed, ns=times)
    assert done.code == 3
    whole, gone, other, late = done.json["pieces"]
    assert (whole["outcome"], whole["end"]) == ("written", 3.0)
    assert whole["file"] == str(films / "a-b_short_00-00-01.000.mp4")
    assert "is not there; connect its disk" in gone["error"]
    assert "has changed since it was indexed" in other["error"]
    assert "its pictures end before 50.000 s" in late["error"]
    assert done.err.count("left out a moment at") == 3
    Path(whole["file"]).unlink()
    assert sorted(one.name for one in films.iterdir()) == ["holidays", "short.mp4", "two words.mp4"]


def test_an_interrupted_run_leaves_no_half_file_and_goes_on(
    vsearch: Any, indexed: tuple[Any, Any], tmp_path: Path, make_film: Any
) -> None:
    film = make_film(tmp_path / "long.mp4", seconds=150, seed=9)
    moments = [
        {"path": str(film), "start": 0.1, "end": 1},
        {"path": str(film), "start": 0.1, "end": 150},
    ]
    (tmp_path / "answer.json").write_text(json.dumps({"query": "all", "hits": moments}))
    (tmp_path / f".vsearch-{'0' * 32}.partial").write_text("of a process that was killed")
    words = ("cut", "--from", tmp_path / "answer.json", "-o", tmp_path)
    process = indexed[0].start(*words)
    done = tmp_path / "all_long_00-00-00.100.mp4"
    deadline = time.monotonic() + 60
    while not (done.exists() and [*tmp_path.glob(".vsearch-*.partial")]):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, ""), err
    assert "Traceback" not in err
    names = {one.name for one in tmp_path.iterdir()}
    assert names == {"long.mp4", "answer.json", done.name}
    assert _pictures(done) == 9
    both = vsearch(*words)
    assert [line.split()[0] for line in both.out.splitlines()] == ["kept", "wrote"]


@pytest.mark.parametrize("where", ["a full disk", "a closed folder"])
def test_a_target_that_cannot_be_written_is_one_sentence(
    vsearch: Any, indexed: tuple[Any, Any], library: Path, tmp_path: Path, where: str
) -> None:
    moments = [{"path": str(library / "holidays" / "long.mp4"), "start": 0.1, "end": 29}]
    (tmp_path / "answer.json").write_text(json.dumps({"query": "all", "hits": moments * 2}))
    if where == "a closed folder":
        done = vsearch("cut", "--from", tmp_path / "answer.json", "-o", "/proc/sys")
        assert (done.code, done.out) == (1, "")
        assert "/proc/sys/all_long_00-00-00.100.mp4 cannot be written: " in done.err
        assert done.err.count("\n") == 1
        return
    if not _may_mount():
        pytest.skip("MOUNT: no file system may be mounted here")
    script = 'mount -t tmpfs -o size=16k none "$0"; "$@"; code=$?; ls -A "$0"; exit $code'
    words = ("cut", "--from", tmp_path / "answer.json", "-o", tmp_path / "out")
    within = ("unshare", "--mount", "--map-root-user", "sh", "-ec", script, str(tmp_path / "out"))
    (tmp_path / "out").mkdir()
    process = indexed[0].start(*words, within=within)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert "No space left on device; make room and run it again: finished files stay" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("a",), "-o: give a folder, or --reel FILE.mp4"),
        (("-o", "x"), "say in words what to look for"),
        (("a", "-o", "x", "--exact", "--copy"), "--exact, --copy or --auto: give one"),
        (("a", "-o", "x", "--clips", "1"), "leave the question out"),
        (("-o", "x", "--clips", "1", "--from", "y"), "--clips and --from: give one of the two"),
        (("-o", "x", "--clips", "1;2"), "numbers of clips with commas"),
        (("a", "--reel", "x.avi"), "a file that ends in .mp4"),
        (("a", "-o", "x", "--pad-before", "-1"), "from 0 to 3,600"),
        (("-o", "x", "--from", "/nowhere.json"), "/nowhere.json cannot be read"),
    ],
)
def test_wrong_usage(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("VSEARCH_HOME", str(tmp_path))
    assert run(["cut", *words]) == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert said in told.err
    assert told.err.count("\n") == 1
