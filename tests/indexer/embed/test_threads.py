"""Threads that embed: side by side, heard when they fail, ended between two batches."""

import threading
import time
from contextlib import closing

import numpy as np
import pytest

from indexer.embed.threads import EmbedderPool
from tests.indexer.colours import FRAMES, SIZE, ColourEmbedder, ModelBrokeError

WAIT = 60.0  # seconds, at most; a test that waits that long has failed


def clips(count: int) -> np.ndarray:
    return np.zeros((count, FRAMES, SIZE, SIZE, 3), np.uint8)


def collected(encoder: EmbedderPool) -> list:
    """The tags of everything that was submitted, as it is done."""
    tags: list = []
    while encoder.in_flight:
        assert encoder.wakeup.poll(WAIT)
        tags += [tag for batch in encoder.collect() for tag in batch.tags]
    return tags


class MeetingEmbedder(ColourEmbedder):
    """Embeds nothing before as many calls as it is made for have come together."""

    def load(self):
        self.barrier = threading.Barrier(self.calls_at_once, timeout=WAIT)
        return self

    def embed_frames(self, clips):
        self.barrier.wait()
        return super().embed_frames(clips)


class SlowEmbedder(ColourEmbedder):
    """Takes its time for each clip, as a large model on a slow machine does."""

    def embed_clips(self, clips):
        vectors = super().embed_clips(clips)
        time.sleep(0.3)
        return vectors


class ImportedEmbedder(ColourEmbedder):
    """Loads by a step that cannot be taken twice when it was left half-way, such as an import."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.whole = False

    def load(self):
        self.begun.set()
        for _ in range(30):
            time.sleep(0.01)
        self.whole = True
        return self


def encoder_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "embedder"]


def test_as_many_calls_as_do_well_together_go_on_at_a_time():
    with closing(EmbedderPool(MeetingEmbedder(calls_at_once=3))) as encoder:
        encoder.start()
        for tag in range(6):
            encoder.submit(clips(1), tags=[tag])
        assert sorted(collected(encoder)) == list(range(6))
    assert encoder_threads() == []


def test_the_next_batch_holds_what_the_embedder_wants_and_one_clip_before_it_is_loaded():
    model = ColourEmbedder(clips_wanted=64)
    with closing(EmbedderPool(model)) as encoder:
        assert encoder.clips_wanted == 1
        encoder.start()
        encoder.embedder()
        assert encoder.clips_wanted == 64
        model.clips_wanted = 32  # it ran out of memory
        assert encoder.clips_wanted == 32


def test_clips_can_be_submitted_while_the_model_loads():
    go_on = threading.Event()

    class LateEmbedder(ColourEmbedder):
        def load(self):
            assert go_on.wait(WAIT)
            return self

    with closing(EmbedderPool(LateEmbedder())) as encoder:
        encoder.start()
        encoder.submit(clips(1), tags=["early"])
        assert encoder.collect() == []
        go_on.set()
        assert collected(encoder) == ["early"]


@pytest.mark.parametrize("step", ["load", "embed_frames"])
def test_what_the_model_fails_with_is_raised_to_whoever_collects(step: str):
    def fail(*_):
        raise ModelBrokeError

    embedder = ColourEmbedder()
    setattr(embedder, step, fail)
    with closing(EmbedderPool(embedder)) as encoder:
        encoder.start()
        encoder.submit(clips(1), tags=[0])
        with pytest.raises(ModelBrokeError):
            collected(encoder)
    assert encoder_threads() == []


def test_closing_waits_for_the_batches_in_work_and_for_no_other():
    embedder = SlowEmbedder(calls_at_once=2)
    with closing(EmbedderPool(embedder)) as encoder:
        encoder.start()
        for tag in range(40):
            encoder.submit(clips(1), tags=[tag])
        deadline = time.monotonic() + WAIT
        while len(embedder.batches) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.001)
    assert encoder_threads() == []
    assert len(embedder.batches) < 40


def test_a_model_that_is_being_loaded_is_loaded_to_the_end():
    model = ImportedEmbedder()
    with closing(EmbedderPool(model)) as encoder:
        encoder.start()
        encoder.submit(clips(1), tags=["nobody waits for this one"])
        assert model.begun.wait(WAIT)
    assert model.whole
    assert model.batches == []
    assert encoder_threads() == []
