"""Words that were said are found at their times, once for each moment, in the videos asked for."""

from pathlib import Path

import numpy as np
import pytest

from catalog import (
    Catalog,
    ClipSpan,
    Cue,
    InvalidWordsError,
    SubtitleFile,
    SubtitleTrack,
    VideoDetails,
    VideoFilter,
    VideoRecord,
)

ROOT = Path("/films")


def cues(*said, step=4.0):
    """Cues that follow each other, each as long as `step` less a second."""
    return tuple(Cue(n * step, n * step + step - 1.0, text) for n, text in enumerate(said))


def put(catalog, video, *said, name=None, language=None, error=None, step=4.0):
    name = name or f"{Path(video).stem}.srt"
    path = ROOT / Path(video).with_name(name)
    catalog.details.put_subtitle_files(
        [SubtitleFile(path, 9, 8, (ROOT / video,), language, cues(*said, step=step), error=error)]
    )


def said(catalog, words, limit=10, **options):
    return [
        (str(match.paths[0].relative_to(ROOT)), match.start, match.end)
        for match in catalog.details.cues_saying(words, limit=limit, **options)
    ]


def test_a_cue_is_found_with_its_words_its_times_and_its_video(shelf, catalog):
    shelf.add("a.mp4", clips=5, seed=1)
    shelf.add("b.mp4", clips=5, seed=2)
    put(catalog, "a.mp4", "good morning", "the red balloon", name="a.en.srt", language="en")
    (match,) = catalog.details.cues_saying("Red Balloon", limit=5)
    assert (match.start, match.end, match.text) == (4.0, 7.0, "the red balloon")
    assert (match.language, match.source) == ("en", "/films/a.en.srt")
    assert match.paths == (ROOT / "a.mp4",)
    assert match.duration == 24.0
    assert match.captured_from == "file time"
    assert match.score > 0.0


def test_the_rare_word_counts_more_and_equal_cues_are_in_order_of_paths_and_times(shelf, catalog):
    for n, name in enumerate("cab"):
        shelf.add(f"{name}.mp4", clips=5, seed=n)
        put(catalog, f"{name}.mp4", "yes", "no", "yes")
    assert said(catalog, "yes") == [
        (f"{name}.mp4", start, start + 3.0) for name in "abc" for start in (0.0, 8.0)
    ]
    assert said(catalog, "yes", limit=3) == said(catalog, "yes")[:3]


def test_words_that_go_on_in_the_next_cue_are_one_moment(shelf, catalog):
    shelf.add("a.mp4", clips=9)
    put(catalog, "a.mp4", "one small step", "for man", "one giant leap", "for mankind")
    assert said(catalog, "small step for man") == [("a.mp4", 0.0, 7.0)]
    assert said(catalog, "leap for mankind") == [("a.mp4", 8.0, 15.0)]
    assert said(catalog, "step for mankind") == []
    (match,) = catalog.details.cues_saying("step for man", limit=3)
    assert match.text == "one small step for man"


def test_runs_without_spaces_go_on_in_the_next_cue_too(shelf, catalog):
    shelf.add("a.mp4", clips=9)
    put(catalog, "a.mp4", "我们去北", "京吃烤鸭")
    assert said(catalog, "北京") == [("a.mp4", 0.0, 7.0)]


def test_nothing_goes_on_after_a_long_pause_or_in_other_subtitles(shelf, catalog):
    shelf.add("a.mp4", clips=20, seed=1)
    shelf.add("b.mp4", clips=20, seed=2)
    late = (Cue(0.0, 4.0, "happy"), Cue(15.0, 16.0, "birthday"))
    catalog.details.put_subtitle_files(
        [SubtitleFile(ROOT / "a.srt", 9, 8, (ROOT / "a.mp4",), cues=late)]
    )
    put(catalog, "b.mp4", "dear")
    assert said(catalog, "happy birthday") == []
    assert said(catalog, "birthday dear") == []


def test_a_moment_comes_once_in_however_many_languages_and_files_it_is_said(shelf, catalog):
    video = shelf.add("a.mp4", clips=9)
    put(catalog, "a.mp4", "okay", "nothing", "okay", name="a.en.srt")
    put(catalog, "a.mp4", "okay", "nichts", "okay", name="a.de.srt")
    details = VideoDetails(None, "unknown", None, (SubtitleTrack(2, "eng", cues("okay then")),))
    catalog.details.put({video: details})
    assert said(catalog, "okay") == [("a.mp4", 0.0, 3.0), ("a.mp4", 8.0, 11.0)]
    assert said(catalog, "okay", limit=1) == [("a.mp4", 0.0, 3.0)]
    assert [m.source for m in catalog.details.cues_saying("then", limit=9)] == ["embedded stream 2"]


def test_only_videos_that_meet_the_filter_answer_and_none_of_theirs_is_missing(shelf, catalog):
    for n in range(30):
        shelf.add(f"{n:02}/a.mp4", clips=5, seed=n)
        put(catalog, f"{n:02}/a.mp4", "hello")
    only = VideoFilter(inside=("2?/*",))
    assert [path for path, *_ in said(catalog, "hello", limit=30, videos=only)] == [
        f"{n}/a.mp4" for n in range(20, 30)
    ]
    spans = catalog.details.spans_saying("hello", videos=only)
    assert len(spans.video_ids) == len(spans.starts) == 10
    assert set(spans.ends.tolist()) == {3.0}


def test_a_cue_ends_with_its_video_and_one_behind_the_end_is_not_found(shelf, catalog):
    shelf.add("a.mp4", clips=1)  # 8 seconds
    put(catalog, "a.mp4", "first", "second", "third", step=6.0)
    assert said(catalog, "second") == [("a.mp4", 6.0, 8.0)]
    assert said(catalog, "third") == []


def test_subtitles_go_with_the_file_that_they_lie_beside(shelf, catalog):
    shelf.add("a.mp4", clips=3, seed=1)
    put(catalog, "a.mp4", "hello")
    catalog.relocate(ROOT / "a.mp4", new=ROOT / "sub/b.mp4")
    (match,) = catalog.details.cues_saying("hello", limit=1)
    assert match.source == "/films/sub/a.srt"
    shelf.add("sub/b.mp4", clips=3, seed=2)  # other content at the same place
    assert len(said(catalog, "hello")) == 1
    catalog.remove_under([ROOT / "sub"])
    assert said(catalog, "hello") == []
    assert catalog.status().cues == 0


def test_subtitles_that_are_put_again_replace_the_old_ones(shelf, catalog):
    shelf.add("a.mp4")
    put(catalog, "a.mp4", "old words")
    put(catalog, "a.mp4", "new words")
    assert said(catalog, "old") == []
    assert len(said(catalog, "new")) == 1
    catalog.details.remove_subtitle_files({ROOT / "a.mp4": ["a.srt"]})
    assert said(catalog, "words") == []


def test_a_file_that_could_not_be_read_is_listed_and_known(shelf, catalog):
    shelf.add("a.mp4")
    put(catalog, "a.mp4", error="is binary, not text")
    (problem,) = catalog.status().subtitle_failures
    assert (problem.path, problem.reason) == (ROOT / "a.srt", "is binary, not text")
    state = catalog.details.subtitle_files([ROOT])["/films/a.mp4"]["a.srt"]
    assert (state.size, state.mtime_ns, state.error) == (9, 8, "is binary, not text")


def test_videos_whose_details_were_never_read_are_missing_until_they_are_put(shelf, catalog):
    video = shelf.add("a.mp4")
    assert catalog.details.missing() == {video}
    details = VideoDetails(1e9, "creation date", "Canon R5", ())
    generation = catalog.version
    catalog.details.put({video: details, 4711: details})
    assert catalog.version != generation  # filters answer otherwise now
    assert catalog.details.missing() == frozenset()
    query = np.eye(1, 16, dtype=np.float32)[0]
    assert {m.captured for m in catalog.nearest_clips(query, limit=9)} == {1e9}
    assert catalog.nearest_clips(query, limit=9, videos=VideoFilter(camera="r5"))


def test_a_video_may_come_with_its_subtitles(shelf, catalog, address):
    shelf.add("a.mp4", seed=1)
    other = shelf.add("b.mp4", seed=2)
    record = VideoRecord(
        "content 2",
        16.0,
        64,
        48,
        25.0,
        "h264",
        "mov,mp4",
        captured_from="unknown",
        subtitles=(SubtitleTrack(1, None, cues("hello")),),
    )
    catalog.remove_files([ROOT / "b.mp4"])
    added = catalog.add_video(
        record,
        location=shelf.location("b.mp4"),
        clips=[ClipSpan(4.0 * n, 4.0 * n + 8.0) for n in range(3)],
        vectors=shelf.vectors[other],
    )
    assert said(catalog, "hello") == [("b.mp4", 0.0, 3.0)]
    assert added not in catalog.details.missing()
    with Catalog.open(address) as again:
        assert said(again, "hello") == [("b.mp4", 0.0, 3.0)]
    catalog.remove_files([ROOT / "b.mp4"])
    assert said(catalog, "hello") == []


@pytest.mark.parametrize("words", ["", "?!", '"'])
def test_no_words_are_refused(catalog, words):
    with pytest.raises(InvalidWordsError):
        catalog.details.cues_saying(words, limit=1)
    with pytest.raises(InvalidWordsError):
        catalog.details.spans_saying(words)


def test_twenty_thousand_cues_are_stored_and_asked_at_once(shelf, catalog):
    shelf.add("a.mp4", clips=20_000)
    put(catalog, "a.mp4", *(f"line {n} of a long film" for n in range(20_000)))
    assert said(catalog, "line 1234 of", limit=2) == [("a.mp4", 4936.0, 4939.0)]
    assert len(said(catalog, "long film", limit=20_000)) == 20_000
