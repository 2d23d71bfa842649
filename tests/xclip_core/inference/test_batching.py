"""Batches grow while that is faster, and shrink when memory runs out."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from xclip_core.errors import ModelError
from xclip_core.inference.batching import Batches

CLIPS = np.arange(64, dtype=np.uint8).reshape(64, 1)


class Device:
    """What takes seconds for each batch, as told, on a clock of its own."""

    def __init__(self, seconds: Callable[[int], float]) -> None:
        self._seconds = seconds
        self.now = 0.0
        self.sizes: list[int] = []

    def encode(self, clips: NDArray[np.uint8]) -> torch.Tensor:
        self.sizes.append(len(clips))
        self.now += self._seconds(len(clips))
        return torch.from_numpy(clips)

    def clock(self) -> float:
        return self.now


def batches_on(device: Device, *, first: int, most: int) -> Batches:
    return Batches(first=first, most=most, clock=device.clock)


def allocating(largest: int) -> Callable[[NDArray[np.uint8]], torch.Tensor]:
    """Encodes, but asks PyTorch for more memory than any machine has for more than `largest`."""

    def encode(clips: NDArray[np.uint8]) -> torch.Tensor:
        if len(clips) > largest:
            torch.empty(2**50, dtype=torch.uint8)
        return torch.from_numpy(clips)

    return encode


def test_every_clip_is_encoded_once_and_in_order() -> None:
    device = Device(lambda _: 1.0)
    vectors = batches_on(device, first=5, most=5).run(device.encode, CLIPS)
    assert torch.equal(torch.cat(vectors), torch.from_numpy(CLIPS))
    assert device.sizes == [5] * 12 + [4]


def test_batches_grow_while_that_is_faster_and_then_stay() -> None:
    # A start that takes as long as 8 clips: with 32 at once little of it is left to be saved.
    device = Device(lambda clips: 8.0 + clips + (clips**2) / 64)
    batches = batches_on(device, first=2, most=64)
    for _ in range(8):
        batches.run(device.encode, CLIPS)
    assert sorted(set(device.sizes)) == [2, 4, 8, 16, 32]
    assert batches.size == 16
    assert device.sizes[-4:] == [16] * 4


def test_batches_grow_to_the_most_that_was_allowed() -> None:
    device = Device(lambda _: 1.0)
    batches = batches_on(device, first=1, most=16)
    for _ in range(4):
        batches.run(device.encode, CLIPS)
    assert batches.size == max(device.sizes) == 16


def test_batches_that_are_not_full_say_nothing_about_a_size() -> None:
    device = Device(lambda clips: 1.0 if clips == 4 else 100.0)
    batches = batches_on(device, first=4, most=8)
    for _ in range(5):
        batches.run(device.encode, CLIPS[:3])
    assert batches.size == 4


def test_without_memory_for_a_batch_half_of_it_is_tried_and_remembered() -> None:
    batches = Batches(first=32, most=64)
    vectors = batches.run(allocating(largest=5), CLIPS)
    assert torch.equal(torch.cat(vectors), torch.from_numpy(CLIPS))
    assert batches.size == 4
    batches.run(allocating(largest=64), CLIPS)
    assert batches.size == 4


def test_without_memory_for_one_clip_one_sentence_says_so() -> None:
    with pytest.raises(ModelError, match="not enough memory for one clip"):
        Batches(first=8, most=8).run(allocating(largest=0), CLIPS)


def test_another_fault_is_not_taken_for_a_want_of_memory() -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        Batches(first=8, most=8).run(lambda _: torch.ones(2, 3) @ torch.ones(2, 3), CLIPS)


def test_a_process_with_little_memory_embeds_in_smaller_batches() -> None:
    if sys.platform != "linux":
        pytest.skip("the limit is set as Linux has it")
    done = subprocess.run(
        [sys.executable, "-c", _LITTLE_MEMORY], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) in {4, 8, 16, 32, 64, 128}


_LITTLE_MEMORY = """
import resource
import numpy as np
from xclip_core.inference.batching import Batches
from xclip_core.embedder import Embedder

embedder = Embedder.load("demo", device="cpu", precision="fp32", offline=True, threads=1)
size, frames = embedder.identity.image_size, embedder.identity.frames_per_clip
clips = np.random.default_rng(0).integers(0, 256, (256, frames, size, size, 3), dtype=np.uint8)
expected = embedder.embed_clips(clips)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
embedder._batches = Batches(first=256, most=256)  # takes some 200 MB
resource.setrlimit(resource.RLIMIT_AS, (used + 48 * 2**20, resource.RLIM_INFINITY))
vectors = embedder.embed_clips(clips)
assert np.allclose(vectors, expected, atol=1e-5)
print(embedder.clips_wanted)
"""


def test_threads_that_share_a_size_agree_on_it() -> None:
    fits = 3  # clips at once; the memory that all share

    def encode(clips: NDArray[np.uint8]) -> torch.Tensor:
        if len(clips) > fits:
            raise MemoryError
        return torch.from_numpy(clips.astype(np.float32))

    batches = Batches(first=16, most=64)
    clips = np.arange(40, dtype=np.uint8)[:, None]
    with ThreadPoolExecutor(4) as threads:
        running = [threads.submit(batches.run, encode, clips) for _ in range(8)]
        for done in running:
            assert torch.equal(torch.cat(done.result()), torch.from_numpy(clips.astype(np.float32)))
    assert batches.size == 2
