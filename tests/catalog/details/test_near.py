"""Clips near words: those that touch a cue or lie a few seconds from it, and no others."""

from pathlib import Path

import numpy as np
import pytest

from catalog import Cue, SubtitleFile, Tag, VideoFilter
from catalog.said.questions import NEAR

ROOT = Path("/films")


def put(catalog, name, *times):
    cues = tuple(Cue(start, end, "hello") for start, end in times)
    file = SubtitleFile(ROOT / f"{name}.srt", 1, 1, (ROOT / name,), cues=cues)
    catalog.details.put_subtitle_files([file])


def near(catalog, query, **conditions):
    found = catalog.nearest_clips(query, limit=1000, videos=VideoFilter(said="hello", **conditions))
    return sorted((match.path.name, match.start) for match in found)


def test_the_clips_are_those_that_brute_force_finds(shelf, catalog, query):
    rng = np.random.default_rng(4)
    expected = []
    for n in range(6):
        shelf.add(f"{n}.mp4", clips=40, seed=n)  # 8 s every 4 s
        starts = rng.uniform(0, 160, n)
        times = [(float(start), float(start + rng.uniform(0.1, 20))) for start in starts]
        if times:
            put(catalog, f"{n}.mp4", *times)
        expected += [
            (f"{n}.mp4", 4.0 * clip)
            for clip in range(40)
            if any(a - NEAR < 4.0 * clip + 8.0 and 4.0 * clip < b + NEAR for a, b in times)
        ]
    assert near(catalog, query) == sorted(expected)
    assert len(expected) < 6 * 40


def test_nothing_is_near_words_that_nobody_says(shelf, catalog, query):
    shelf.add("a.mp4", clips=5)
    assert near(catalog, query) == []


def test_tags_hold_for_words_alone_and_beside_a_vector(shelf, catalog, query):
    video = shelf.add("a.mp4", clips=40)
    put(catalog, "a.mp4", (10.0, 12.0), (100.0, 102.0))
    catalog.tags.replace(["party"], [Tag("party", video, 96.0, 108.0, "likely", 0.5)])
    only, without = VideoFilter(tags=("party",)), VideoFilter(without_tags=("party",))
    assert [m.start for m in catalog.details.cues_saying("hello", limit=9, videos=only)] == [100.0]
    assert [m.start for m in catalog.details.cues_saying("hello", limit=9, videos=without)] == [
        10.0
    ]
    assert {start for _, start in near(catalog, query, tags=("party",))} == {
        92.0,
        96.0,
        100.0,
        104.0,
    }


def test_each_moment_gets_its_best_cue(shelf, catalog):
    video = shelf.add("a.mp4", clips=40)
    put(catalog, "a.mp4", (10.0, 12.0), (100.0, 102.0))
    moments = [(video, 8.0, 20.0), (video, 50.0, 60.0), (video, 106.0, 110.0)]
    found = catalog.details.cues_near("hello", moments)
    assert [None if cue is None else cue.start for cue in found] == [10.0, None, 100.0]


@pytest.mark.parametrize("at", [0.0, 159.0])
def test_a_match_names_the_clip_at_its_middle(shelf, catalog, at):
    shelf.add("a.mp4", clips=40)
    put(catalog, "a.mp4", (at, at + 2.0))
    (match,) = catalog.details.cues_saying("hello", limit=1)
    clips = {m.clip_id: m for m in catalog.nearest_clips(np.eye(16, dtype=np.float32)[0], limit=99)}
    clip = clips[match.clip_id]
    assert clip.start <= at + 1.0 < clip.end
