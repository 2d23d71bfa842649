"""`vsearch export` as people run it: a question or a saved answer becomes a list."""

import json
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest

from vsearch.__main__ import run


def test_a_question_and_its_saved_answer_become_the_same_list(
    indexed: tuple[Any, Any], library: Path, tmp_path: Path
) -> None:
    vsearch, _ = indexed
    asked = ("a", "red", "circle", "--all", "-k", "4", "--in", "*long.mp4", "--per-video", "0")
    listed = vsearch("export", *asked, "-o", tmp_path / "list.otio", "--rate", "25", "--json")
    assert listed.code == 0, listed.err
    answer = vsearch("query", *asked, "--json")
    (tmp_path / "answer.json").write_text(answer.out, encoding="utf-8")
    assert vsearch(
        "export", "--from", tmp_path / "answer.json", "-o", tmp_path / "again.otio", "--rate", "25"
    ).out.startswith("Wrote")
    hits = answer.json["hits"]
    told = listed.json
    assert (told["rate"], told["moments"], told["videos"]) == ("25", len(hits), 1)
    assert told["left_out"] == told["changed"] == []
    assert "10 frames per second have no timecode" in told["remarks"][0]
    one, other = (
        otio.adapters.read_from_file(str(tmp_path / name)) for name in ("list.otio", "again.otio")
    )
    one.name = other.name
    assert one.is_equivalent_to(other)
    for clip, hit in zip(one.find_clips(), hits, strict=True):
        assert clip.media_reference.target_url == (library / "holidays" / "long.mp4").as_uri()
        start = clip.source_range.start_time.to_seconds()
        assert hit["start"] - 0.1 <= start <= hit["start"] + 0.04  # ten pictures a second
        assert clip.markers[0].name == "a red circle"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("a", "-o", "list.avi"), 2, ".fcpxml, .xml, .edl, .otio, .csv, .json, .m3u8, .xspf or"),
        (("a", "-o", "list"), 2, "the suffix of list is not allowed"),
        (("a",), 2, "--output"),
        (("a", "--from", "ANSWER", "-o", "NEW"), 2, "leave the question out"),
        (("--from", "NEW", "-o", "NEW"), 2, "No such file"),
        (("--from", "EMPTY", "-o", "NEW"), 2, "holds no moment"),
        (("--from", "ANSWER", "-o", "EMPTY"), 1, "exists; give --force"),
        (("--from", "ANSWER", "-o", "/proc/self/list.edl"), 1, "is not there"),
        (("-o", "NEW"), 2, "say in words what to look for"),
    ],
)
def test_what_cannot_be_written_is_refused_in_one_sentence(
    words: tuple[str, ...],
    code: int,
    said: str,
    *,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("VSEARCH_HOME", str(tmp_path / "home"))
    hit = {"path": str(tmp_path / "gone.mp4"), "start": 1, "end": 2}
    (tmp_path / "answer.json").write_text(json.dumps({"query": "a", "hits": [hit]}))
    (tmp_path / "empty.json").write_text("")
    meant = {
        "ANSWER": tmp_path / "answer.json",
        "EMPTY": tmp_path / "empty.json",
        "NEW": tmp_path / "new.edl",
    }
    assert run(["export", *(str(meant.get(word, word)) for word in words)]) == code
    told = capfd.readouterr()
    assert told.out == ""
    assert said in told.err
    assert told.err.count("\n") == 1
    assert not meant["NEW"].exists()
