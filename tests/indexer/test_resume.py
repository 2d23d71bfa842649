"""Long videos: a run that ends in the middle of one is gone on with near where it stopped."""

import shutil

import numpy as np
import pytest

from catalog import Catalog
from indexer import ClipsEmbedded, IndexSettings, VideoStarted, index_library
from tests.indexer.colours import ColourEmbedder, ColourProcessor
from tests.indexer.videos import change_pictures, keep_times, write_padded


def interrupt_after(clips, *, reached=None):
    """A report that interrupts the run, and notes in `reached` how many clips had vectors then."""

    def report(event):
        if isinstance(event, ClipsEmbedded) and event.clips >= clips:
            if reached is not None:
                reached.append(event.clips)
            raise KeyboardInterrupt

    return report


def vectors(catalog):
    """A number for each clip that depends on its vector, by its time."""
    query = np.full(16, 0.25, np.float32)
    return {(m.path.name, m.start): m.score for m in catalog.nearest_clips(query, limit=1000)}


def test_a_long_video_is_gone_on_with_where_the_run_was_interrupted(
    index, film, catalog, embedder, tmp_path
):
    film("long.mp4", seconds=110, step=1)
    reached = []
    stop = interrupt_after(10, reached=reached)
    report = index(workers=1, clips_wanted=2, on_event=stop)
    (ready,) = reached
    assert (report.interrupted, report.indexed, catalog.status().videos) == (True, 0, 0)
    assert catalog.status().partials == 1
    tally = tmp_path / "tally"
    embedder.processor = ColourProcessor(tally=tally)
    before, started = embedder.clips_seen, []
    report = index(on_event=lambda e: started.append(e) if isinstance(e, VideoStarted) else None)
    assert (report.indexed, report.clips) == (1, 27)
    assert embedder.clips_seen - before == 27 - ready
    assert tally.stat().st_size < 2 * (27 - ready) + 8
    assert [event.resumed for event in started] == [pytest.approx((ready - 1) * 4 + 8)]
    assert catalog.status().partials == 0
    with Catalog.open(tmp_path / "whole", create=True) as whole:
        index_library(
            [film("long.mp4", seconds=110, step=1).parent],
            catalog=whole,
            model=ColourEmbedder(),
            settings=IndexSettings(workers=1),
        )
        assert vectors(catalog) == vectors(whole)


def test_partial_videos_are_saved_while_a_video_is_read(index, film, catalog):
    film("long.mp4", seconds=110, step=1)
    saved = []

    def report(event):
        if isinstance(event, ClipsEmbedded):
            saved.append(catalog.status().partials)

    index(clips_wanted=1, save_every=0.0, on_event=report)
    assert saved[0] == 0
    assert saved[5] == 1
    assert catalog.status().partials == 0


def test_a_video_that_has_changed_since_is_begun_anew_and_its_partial_video_goes(
    index, film, catalog, embedder
):
    film("long.mp4", seconds=110, step=1)
    index(clips_wanted=1, on_event=interrupt_after(10))
    film("long.mp4", seconds=100, step=1)
    before = embedder.clips_seen
    assert index().clips == 24
    assert embedder.clips_seen - before == 24
    assert catalog.status().partials == 0


def test_the_partial_video_of_a_video_that_is_gone_goes_with_it(index, film, catalog):
    path = film("long.mp4", seconds=110, step=1)
    film("other.mp4", seconds=3)
    index(workers=1, clips_wanted=1, on_event=interrupt_after(10))
    assert catalog.status().partials == 1
    path.unlink()
    index()
    assert catalog.status().partials == 0


def test_a_run_over_another_folder_keeps_the_partial_video(index, film, catalog, embedder, library):
    film("a/long.mp4", seconds=110, step=1)
    film("b/other.mp4", seconds=3)
    reached = []
    index(library / "a", clips_wanted=1, on_event=interrupt_after(10, reached=reached))
    index(library / "b")
    before = embedder.clips_seen
    assert index(library / "a").clips == 27
    assert embedder.clips_seen - before == 27 - reached[0]


@pytest.fixture
def unfinished(index, film, catalog):
    """A video of 27 clips of which a run that was interrupted has embedded some."""
    film("other.mp4", seconds=3)
    index()
    path = film("long.mp4", seconds=110, step=1)
    index(workers=1, clips_wanted=1, on_event=interrupt_after(10))
    assert catalog.status().partials == 1
    return path


@pytest.fixture
def goes_on(index, embedder):
    """Whether the next run goes on with the video, rather than begin it anew."""

    def ask(*, clips=27, **settings):
        before = embedder.clips_seen
        assert index(**settings).clips == clips
        return embedder.clips_seen - before < clips

    return ask


def test_a_partial_video_is_not_gone_on_with_where_the_video_has_changed_between_the_samples(
    index, library, catalog, embedder
):
    path = write_padded(library / "long.mp4", seed=1, seconds=110)
    index(workers=1, clips_wanted=1, on_event=interrupt_after(10))
    assert catalog.status().partials == 1
    keep_times(path, change_pictures)
    before = embedder.clips_seen
    assert index().clips == 27
    assert embedder.clips_seen - before == 27
    assert catalog.status().partials == 0


def test_a_video_that_was_renamed_or_touched_is_gone_on_with(unfinished, goes_on, catalog):
    unfinished.rename(unfinished.with_name("renamed.mp4")).touch()
    assert goes_on()
    assert catalog.status().partials == 0


@pytest.mark.parametrize("settings", [{"exclude": ("long*",)}, {"include": ("other*",)}])
def test_a_run_that_leaves_the_video_out_keeps_its_partial_video(
    unfinished, index, goes_on, catalog, settings
):
    index(**settings)
    assert catalog.status().partials == 1
    assert goes_on()


def test_a_video_that_is_deferred_back_keeps_its_partial_video_also_when_it_went_a_moment_ago(
    unfinished, index, goes_on, catalog, tmp_path
):
    index(deferred=[unfinished])
    assert catalog.status().partials == 1
    unfinished.rename(tmp_path / "away.mp4")
    index(deferred=[unfinished.parent / "long.mp4"])
    assert catalog.status().partials == 1
    (tmp_path / "away.mp4").rename(unfinished)
    assert goes_on()


def test_a_disk_that_is_not_mounted_keeps_its_partial_videos(
    unfinished, index, goes_on, catalog, library
):
    away = library.rename(library.with_name("away"))
    for make in (list, library.mkdir):  # some systems take the folder away, others leave it empty
        make()
        index()
        assert catalog.status().partials == 1
    library.rmdir()
    away.rename(library)
    assert goes_on()


def test_a_video_whose_decoder_died_is_gone_on_with_when_it_is_tried_again(
    index, film, catalog, embedder, goes_on
):
    # It is killed after 65 clips: of these some have vectors, as only half as many may wait.
    film("long.mp4", seconds=400, step=0.25)
    embedder.processor = ColourProcessor(trouble="killed", trouble_above=150)
    assert len(index(workers=1, clips_wanted=1).failed) == 1
    assert catalog.status().partials == 1
    assert len(index().failed) == 1  # left alone
    assert catalog.status().partials == 1
    embedder.processor = ColourProcessor()
    assert goes_on(clips=99, retry_failed=True)
    assert catalog.status().partials == 0


def test_the_partial_video_ends_when_its_video_is_replaced_by_what_is_no_video(
    unfinished, index, catalog
):
    unfinished.write_text("this is no film")
    index()
    assert catalog.status().partials == 0


def test_the_partial_video_ends_when_its_video_is_forgotten(unfinished, catalog):
    catalog.remove_under([unfinished])
    assert catalog.status().partials == 0


def test_the_partial_video_ends_when_what_it_took_the_place_of_is_back(
    index, film, catalog, tmp_path
):
    path = film("long.mp4", seconds=3)
    index()
    shutil.copy2(path, tmp_path / "before.mp4")
    film("long.mp4", seconds=110, step=1)
    index(workers=1, clips_wanted=1, on_event=interrupt_after(10))
    assert catalog.status().partials == 1
    shutil.copy2(tmp_path / "before.mp4", path)
    assert index().unchanged == 1
    assert catalog.status().partials == 0
