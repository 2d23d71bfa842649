from itertools import pairwise

import pytest

from benchmarks.answers.long_videos import Library, plan_library, stretches
from benchmarks.answers.sentences import KINDS, labels_of
from evaluation.labels import by_sentence
from toyworld.world import OPPOSITE, Combination


@pytest.fixture(scope="module")
def library() -> Library:
    return plan_library(3)


def test_a_library_follows_from_its_seed(library: Library) -> None:
    assert plan_library(3) == library
    assert plan_library(4) != library


def test_videos_are_long_with_events_of_all_lengths_and_empty_stretches(library: Library) -> None:
    first = [video for video in library.videos if video.of is None]
    assert len(first) == 10
    assert 25 < sum(video.duration for video in first) / 60 < 45
    events = [event for video in first for event in video.events if not event.second]
    assert 75 <= len(events) <= 100
    assert all(3 <= event.end - event.start <= 25.01 for event in events)
    gaps = []
    for video in first:
        main = [event for event in video.events if not event.second]
        assert all(a.end < b.start for a, b in pairwise(main))
        gaps += [b.start - a.end for a, b in pairwise(main)]
        assert main[-1].end <= video.duration
    assert max(gaps) > 25


def test_a_quarter_has_a_second_shape_on_the_other_side(library: Library) -> None:
    events = [event for video in library.videos for event in video.events]
    seconds = [event for event in events if event.second]
    assert 0.12 < len(seconds) / (len(events) - len(seconds)) < 0.4
    for video in library.videos:
        for first, second in pairwise(video.events):
            if second.second:
                assert (first.start, first.end) == (second.start, second.end)
                assert first.aside == -second.aside != 0


def test_there_are_near_misses(library: Library) -> None:
    seen = set(stretches(library))
    opposite = sum(Combination(c.colour, c.shape, OPPOSITE[c.motion]) in seen for c in seen)
    assert opposite >= 10


def test_labels_say_where_each_sentence_is_true(library: Library) -> None:
    labels = labels_of(library)
    assert set(labels) == set(KINDS)
    by_name = {video.name: video for video in library.videos}
    for kind in ("one", "several"):
        for sentence, its in by_sentence(labels[kind]).items():
            there = {
                (video.name, event.start, event.end)
                for video in by_name.values()
                for event in video.events
                if event.combination.caption == sentence
            }
            assert {(label.video, *(label.span or ())) for label in its} == there
            places = [label for label in its if by_name[str(label.video)].of is None]
            assert (len(places) == 1) is (kind == "one")
    assert len(by_sentence(labels["one"])) > 45


def test_what_is_absent_is_seen_nowhere(library: Library) -> None:
    labels = labels_of(library)
    seen = {combination.caption for combination in stretches(library)}
    absent = {label.sentence for kind in ("opposite", "absent") for label in labels[kind]}
    assert len(absent) > 90
    assert not absent & seen
    assert all(label.video is None for kind in ("opposite", "foreign") for label in labels[kind])


def test_a_general_sentence_is_true_of_all_that_have_the_attribute(library: Library) -> None:
    red = [label for label in labels_of(library)["general"] if label.sentence == "something red"]
    there = {
        (video.name, event.start, event.end)
        for video in library.videos
        for event in video.events
        if event.combination.colour == "red"
    }
    assert {(label.video, *(label.span or ())) for label in red} == there
    assert len(there) > 3
