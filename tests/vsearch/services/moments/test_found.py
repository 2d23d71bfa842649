"""Moments in files: whatever vsearch writes is read back, all else is refused in a sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from vsearch.errors import MomentFileError
from vsearch.services.moments.found import FoundMoment, read_moments

HIT = {"rank": 1, "score": 0.4, "confidence": "strong", "path": "/f/a.mp4", "start": 1.5, "end": 3}
PLAIN = FoundMoment(Path("/f/a.mp4"), 1.5, 3.0, "a dog", confidence="strong", score=0.4)


def written(folder: Path, *documents: Any) -> Path:
    file = folder / "moments.json"
    file.write_text("\n".join(map(json.dumps, documents)), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "documents",
    [
        [{"query": "a dog", "hits": [HIT]}],
        [{"query": "a dog", "hits": [HIT]}, {"line": 2, "error": "it is empty"}],
        [{"label": "a dog", **HIT}],
        [{"name": "a list", "items": [{"sentence": "a dog", **HIT}]}],
        [{"searches": [], "saved": {}, "basket": [{"question": "a dog", "note": "", **HIT}]}],
    ],
    ids=["answer", "answers of lines", "tags", "exported list", "basket"],
)
def test_what_vsearch_writes_is_read_back(tmp_path: Path, documents: list[Any]) -> None:
    assert read_moments(written(tmp_path, *documents)) == (PLAIN,)


def test_the_parts_of_a_sequence_have_the_sentences_of_its_steps(tmp_path: Path) -> None:
    steps = [{"sentences": [{"text": text, "weight": 1}]} for text in ("a dog", "a cat")]
    parts = [{**HIT, "end": 2}, {**HIT, "start": 2}]
    answer = {"query": "a dog, then a cat", "asked": {"steps": steps}}
    (found,) = read_moments(written(tmp_path, answer | {"hits": [{**HIT, "parts": parts}]}))
    assert found.sentence == "a dog, then a cat"
    assert [(part.sentence, part.start, part.end) for part in found.parts] == [
        ("a dog", 1.5, 2.0),
        ("a cat", 2.0, 3.0),
    ]


def test_a_name_that_is_not_unicode_comes_back(tmp_path: Path) -> None:
    path = "/f/\udcff.mp4"
    (found,) = read_moments(written(tmp_path, {"query": "a", "hits": [{**HIT, "path": path}]}))
    assert str(found.path) == path


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "holds no moment"),
        ('{"query": "a", "hits": []}', "holds no moment"),
        ("rank,path\n1,/f/a.mp4", "line 1: it is no JSON"),
        ("[1, 2]", "no JSON object"),
        ("{}", "'path' is missing"),
        (json.dumps(HIT | {"start": 4}), "from 4 to 3 s"),
        (json.dumps(HIT | {"end": float("inf")}), "inf is no number"),
        (json.dumps(HIT | {"end": "3"}), "is no number"),
        (json.dumps(HIT | {"path": "a\0b"}), "no path"),
        (json.dumps({"hits": [[]]}), "this is no moment"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_what_is_no_list_of_moments_is_refused(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "moments.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(MomentFileError, match=says):
        read_moments(file)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MomentFileError, match="No such file"):
        read_moments(tmp_path / "none.json")
    file = tmp_path / "film.mp4"
    file.write_bytes(b"\xff\x00\xfe")
    with pytest.raises(MomentFileError, match="not UTF-8"):
        read_moments(file)
