"""Questions of a Python program, which have the answers of the command."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from vsearch import Moment, OpenCatalog, VsearchError, open_catalog


@pytest.fixture(scope="module")
def opened(indexed: Any) -> Iterator[OpenCatalog]:
    with open_catalog(indexed[0].home / "catalog") as catalog:
        yield catalog


def as_json(moment: Moment) -> dict[str, Any]:
    """As `vsearch query --json` writes it, which leaves out what there is none of."""
    told = {name: value for name, value in asdict(moment).items() if value not in (None, ())}
    return {
        **told,
        "path": str(moment.path),
        "captured": moment.captured.isoformat(timespec="seconds"),
    }


QUESTIONS: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"text": "a dog"}, ("a dog",)),
    ({"text": ["dog", "a cat"], "not_": "rain", "limit": 2}, ("dog", "a cat", "--not", "rain")),
    ({"text": "a", "in_": ["*/long*", "!*.avi"]}, ("a", "--in", "*/long*", "--in", "!*.avi")),
    ({"text": "a dog", "then": "a cat^2", "within": 99}, ("a dog", "--then=a cat^2")),
    ({"text": "-k", "sort": "newest", "per_video": 1}, ("--sort=newest", "--per-video=1", "--")),
]


@pytest.mark.parametrize(("question", "words"), QUESTIONS)
def test_the_answers_are_those_of_the_command(
    indexed: Any, opened: OpenCatalog, question: dict[str, Any], words: tuple[str, ...]
) -> None:
    limit, within = question.get("limit", 10), question.get("within")
    more = ("--within", within) if within else ()
    last = (question["text"],) if words[-1] == "--" else ()
    told = indexed[0]("query", "--json", "--all", "-k", limit, *more, *words, *last).json
    answer = opened.search(**question, all_=True)
    assert [as_json(moment) for moment in answer if not moment.parts] == [
        hit for hit in told["hits"] if "parts" not in hit
    ]
    assert [(one.start, one.end) for one in answer] == [
        (h["start"], h["end"]) for h in told["hits"]
    ]
    assert (answer.query, answer.model, answer.convincing) == (
        told["query"],
        told["model"],
        told["convincing"],
    )
    assert answer.moments or "then" in question  # noise has no sequences


def test_a_moment_of_an_answer_is_an_example(indexed: Any, opened: OpenCatalog) -> None:
    first = opened.search("a dog", all_=True)[0]
    told = indexed[0]("query", "--json", "--like", f"{first.path}@{first.peak}", "-k", 2).json
    for answer in (
        opened.similar(first, limit=2),
        opened.similar(first.path, at=first.peak, limit=2),
        opened.search(like=f"{first.path}@{first.peak}", limit=2),
    ):
        assert [as_json(moment) for moment in answer] == told["hits"]
        assert len(answer) == 2
        assert {moment.confidence for moment in answer} == {None}


def test_dates_are_taken_as_python_has_them(opened: OpenCatalog) -> None:
    now, hour = datetime.now().astimezone(), timedelta(hours=1)
    for since in (now - 24 * hour, (now - 24 * hour).replace(tzinfo=None), date(2020, 1, 1)):
        assert opened.search("a", all_=True, after=since, before=now + hour)
    assert not opened.search("a", all_=True, after=now + hour)


def test_labels_of_a_video_have_probabilities(opened: OpenCatalog, library: Path) -> None:
    found = opened.classify(library / "short.mp4", ["a dog", "a cat"])
    assert {label.label for label in found.labels} == {"a dog", "a cat"}
    assert sum(label.probability for label in found.labels) == pytest.approx(1, abs=1e-5)
    again = opened.classify(str(library / "short.mp4"), ("a cat", "a dog"))
    assert again.labels == found.labels
    with pytest.raises(VsearchError, match="at least two labels"):
        opened.classify(library / "short.mp4", ["a dog"])
    with pytest.raises(VsearchError, match="is not there"):
        opened.classify(library / "none.mp4", ["a dog", "a cat"])


def test_the_status_is_that_of_the_command(indexed: Any, opened: OpenCatalog) -> None:
    told, status = indexed[0]("status", "--json").json, opened.status()
    for name in ("catalog", "model", "videos", "files", "clips", "video_seconds", "generation"):
        assert getattr(status, name) == told[name]
    assert [str(root) for root in status.roots] == told["roots"]
    assert (status.failed, status.damaged) == ((), ())


def test_the_videos_are_those_that_were_indexed(opened: OpenCatalog, library: Path) -> None:
    videos = opened.videos()
    assert {video.path for video in videos} == set(library.rglob("*.mp4"))
    assert [video.video_id for video in videos] == sorted(video.video_id for video in videos)
    assert sum(video.clips for video in videos) == opened.status().clips
    (long,) = opened.videos(library / "holidays")
    assert (long.path.name, long.duration, long.also) == ("long.mp4", 30.0, ())
    with pytest.raises(VsearchError, match="nothing is known at or below"):
        opened.videos(library / "none")


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({}, "it is empty"),
        ({"text": "a", "limit": 0}, "'0' is not allowed; give a whole number from 1 to"),
        ({"text": "a", "sort": "best"}, "give relevance, newest, oldest or path"),
        ({"text": "a", "after": "soon"}, "'soon' is no date"),
        ({"text": "a", "in_": 7}, "not iterable"),
        ({"text": ["a", None]}, "takes a text or a number"),
        ({"text": "a", "tag": "dog"}, "there is no tag 'dog'"),
        ({"like": "/nowhere.png"}, "/nowhere.png: is not there"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_the_words_of_the_command(
    opened: OpenCatalog, question: dict[str, Any], says: str
) -> None:
    fault = TypeError if says == "not iterable" else VsearchError
    with pytest.raises(fault, match=says) as refused:
        opened.search(**question)
    assert "\n" not in str(refused.value)


def test_what_is_no_catalog_or_is_closed_is_refused(tmp_path: Path, indexed: Any) -> None:
    with pytest.raises(VsearchError, match=r"there is no catalog in .*; make one with"):
        open_catalog(tmp_path / "none")
    with pytest.raises(VsearchError, match="this command asks for demo"):
        open_catalog(indexed[0].home / "catalog", model="demo").search("a")
    catalog = open_catalog(indexed[0].home / "catalog")
    catalog.close()
    catalog.close()
    with pytest.raises(VsearchError, match="the catalog is closed"):
        catalog.search("a")
