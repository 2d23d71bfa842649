"""Threads that embed: beside each other, heard when they fail, ended in the middle of a clip."""

import threading
import time

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
        assert encoder.bell.poll(WAIT)
        tags += [tag for batch in encoder.collect() for tag in batch.tags]
    return tags


class MeetingEmbedder(ColourEmbedder):
    """Embeds nothing before as many calls as it is made for have come together."""

    def load(self):
        self.barrier = threading.Barrier(self.calls_at_once, timeout=WAIT)
        return self

    def embed_clips(self, clips):
        self.barrier.wait()
        return super().embed_clips(clips)


class EndlessEmbedder(ColourEmbedder):
    """Is never done with a clip, as a large model on a slow machine seems to be."""

    def embed_clips(self, clips):
        self.batches.append(clips)
        while True:
            time.sleep(0.01)


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
    return [thread for thread in threading.enumerate() if thread.name == "encoder"]


def test_as_many_calls_as_do_well_together_go_on_at_a_time():
    with EmbedderPool(MeetingEmbedder(calls_at_once=3), limit=1) as encoder:
        encoder.start()
        for tag in range(6):
            encoder.submit(clips(1), tags=[tag])
        assert sorted(collected(encoder)) == list(range(6))
    assert encoder_threads() == []


def test_batches_grow_up_to_the_limit_while_the_model_is_quick():
    with EmbedderPool(ColourEmbedder(), limit=6) as encoder:
        encoder.start()
        sizes = []
        for _ in range(5):
            sizes.append(encoder.size)
            encoder.submit(clips(encoder.size), tags=range(encoder.size))
            collected(encoder)
    assert sizes == [1, 2, 4, 6, 6]


def test_batches_stay_small_while_the_model_is_slow():
    class SlowEmbedder(ColourEmbedder):
        def embed_clips(self, clips):
            time.sleep(0.3)
            return super().embed_clips(clips)

    with EmbedderPool(SlowEmbedder(), limit=6) as encoder:
        encoder.start()
        for _ in range(2):
            encoder.submit(clips(1), tags=[0])
            collected(encoder)
        assert encoder.size == 1


def test_clips_can_be_submitted_while_the_model_loads():
    go_on = threading.Event()

    class LateEmbedder(ColourEmbedder):
        def load(self):
            assert go_on.wait(WAIT)
            return self

    with EmbedderPool(LateEmbedder(), limit=4) as encoder:
        encoder.start()
        encoder.submit(clips(1), tags=["early"])
        assert encoder.collect() == []
        go_on.set()
        assert collected(encoder) == ["early"]


@pytest.mark.parametrize("step", ["load", "embed_clips"])
def test_what_the_model_fails_with_is_raised_to_whoever_collects(step: str):
    def fail(*_):
        raise ModelBrokeError

    embedder = ColourEmbedder()
    setattr(embedder, step, fail)
    with EmbedderPool(embedder, limit=4) as encoder:
        encoder.start()
        encoder.submit(clips(1), tags=[0])
        with pytest.raises(ModelBrokeError):
            collected(encoder)
    assert encoder_threads() == []


def test_leaving_ends_the_threads_in_the_middle_of_a_clip():
    embedder = EndlessEmbedder(calls_at_once=2)
    with EmbedderPool(embedder, limit=1) as encoder:
        encoder.start()
        for tag in range(4):
            encoder.submit(clips(1), tags=[tag])
        deadline = time.monotonic() + WAIT
        while len(embedder.batches) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.001)
    assert encoder_threads() == []
    assert len(embedder.batches) == 2


def test_a_model_that_is_being_loaded_is_loaded_to_the_end():
    model = ImportedEmbedder()
    with EmbedderPool(model, limit=1) as encoder:
        encoder.start()
        encoder.submit(clips(1), tags=["nobody waits for this one"])
        assert model.begun.wait(WAIT)
    assert model.whole
    assert model.batches == []
    assert encoder_threads() == []
