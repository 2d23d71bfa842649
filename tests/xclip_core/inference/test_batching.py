"""Batches grow while passes are quick, and shrink when memory runs out."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from xclip_core.checkpoint.checkpoint import save_checkpoint
from xclip_core.errors import ModelError
from xclip_core.inference.batching import Batcher
from xclip_core.inputs.preprocess import FrameProcessor
from xclip_core.inputs.tokenizer import Tokenizer
from xclip_core.model.config import TextConfig, VisionConfig, XCLIPConfig
from xclip_core.model.model import XCLIP

CLIPS = np.arange(64, dtype=np.uint8).reshape(64, 1)

Bytes = NDArray[np.uint8]
Vectors = NDArray[np.float32]


class Device:
    """Takes the given seconds for each pass, on a clock of its own."""

    def __init__(self, seconds: Callable[[int], float]) -> None:
        self._seconds = seconds
        self.now = 0.0
        self.sizes: list[int] = []

    def encode(self, clips: Bytes) -> Vectors:
        self.sizes.append(len(clips))
        self.now += self._seconds(len(clips))
        return clips.astype(np.float32)

    def clock(self) -> float:
        return self.now


def sizes_wanted(device: Device, *, most: int, calls: int) -> list[int]:
    """The batch sizes of calls that each bring as many clips as are wanted."""
    batcher = Batcher(most=most, clock=device.clock)
    sizes = []
    for _ in range(calls):
        sizes.append(batcher.wanted)
        batcher.run(device.encode, CLIPS[: batcher.wanted])
    return sizes


def allocating(largest: int) -> Callable[[Bytes], Vectors]:
    """Encodes; for more than `largest` clips it asks PyTorch for more memory than there is."""

    def encode(clips: Bytes) -> Vectors:
        if len(clips) > largest:
            torch.empty(2**50, dtype=torch.uint8)
        return clips.astype(np.float32)

    return encode


def test_every_clip_is_encoded_once_and_in_order() -> None:
    device = Device(lambda _: 1.0)
    vectors = Batcher(most=5, clock=device.clock).run(device.encode, CLIPS)
    assert np.array_equal(np.concatenate(vectors), CLIPS)
    assert device.sizes == [5] * 12 + [4]


def test_batches_grow_up_to_the_most_while_passes_are_quick() -> None:
    device = Device(lambda clips: 0.001 * clips)
    assert sizes_wanted(device, most=48, calls=8) == [1, 2, 4, 8, 16, 32, 48, 48]
    assert device.sizes == [1, 2, 4, 8, 16, 32, 48, 48]  # none is cut


def test_batches_stay_as_they_are_once_passes_take_long() -> None:
    device = Device(lambda clips: 0.04 * clips)
    assert sizes_wanted(device, most=64, calls=6) == [1, 2, 4, 8, 8, 8]


def test_a_first_pass_that_takes_long_does_not_end_the_growth() -> None:
    device = Device(lambda _: 0.001 if device.sizes[1:] else 5.0)
    assert sizes_wanted(device, most=8, calls=6) == [1, 1, 2, 4, 8, 8]


def test_a_batch_that_is_not_full_does_not_make_the_next_one_larger() -> None:
    device = Device(lambda _: 0.001)
    batcher = Batcher(most=8, clock=device.clock)
    batcher.run(device.encode, CLIPS[:1])
    for _ in range(5):
        batcher.run(device.encode, CLIPS[:1])
    assert batcher.wanted == 2


def test_without_memory_for_a_batch_half_of_it_is_tried_and_remembered() -> None:
    batcher = Batcher(most=32)
    vectors = batcher.run(allocating(largest=5), CLIPS)
    assert np.array_equal(np.concatenate(vectors), CLIPS)
    assert batcher.wanted <= 4
    device = Device(lambda _: 0.001)
    for _ in range(5):
        batcher.run(device.encode, CLIPS)
    assert batcher.wanted == max(device.sizes) == 4


def test_without_memory_for_one_clip_one_sentence_says_so() -> None:
    with pytest.raises(ModelError, match="not enough memory for one clip"):
        Batcher(most=8).run(allocating(largest=0), CLIPS)


def test_another_fault_is_not_taken_for_a_lack_of_memory() -> None:
    def encode(clips: Bytes) -> Vectors:
        return (torch.ones(2, 3) @ torch.ones(2, 3)).numpy()

    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        Batcher(most=8).run(encode, CLIPS)


def test_threads_that_share_a_batch_size_agree_on_it() -> None:
    fits = 3  # clips in the memory that all threads share

    def encode(clips: Bytes) -> Vectors:
        if len(clips) > fits:
            raise MemoryError
        return clips.astype(np.float32)

    batcher = Batcher(most=64)
    clips = np.arange(40, dtype=np.uint8)[:, None]
    with ThreadPoolExecutor(4) as threads:
        running = [threads.submit(batcher.run, encode, clips) for _ in range(8)]
        for done in running:
            assert np.array_equal(np.concatenate(done.result()), clips)
    assert batcher.wanted == 2


@pytest.fixture
def wide_folder(tmp_path: Path, small_tokenizer: Tokenizer) -> Path:
    """A checkpoint with small weights and large activations: 16 clips need some 200 MB."""
    text = TextConfig(
        vocab_size=small_tokenizer.vocabulary_size,
        hidden_size=8,
        num_hidden_layers=0,
        num_attention_heads=1,
        max_position_embeddings=24,
    )
    vision = VisionConfig(
        hidden_size=16,
        intermediate_size=4096,
        num_hidden_layers=2,
        num_attention_heads=1,
        mit_hidden_size=8,
        mit_intermediate_size=8,
        mit_num_attention_heads=1,
        image_size=224,
        patch_size=16,
        num_frames=4,
    )
    processor = FrameProcessor.published(224)
    config = XCLIPConfig.from_parts(text=text, vision=vision, prompt_num_attention_heads=1)
    folder = tmp_path / "wide"
    model = XCLIP(config)
    save_checkpoint(folder, model=model, tokenizer=small_tokenizer, processor=processor)
    return folder


_LITTLE_MEMORY = """
import resource, sys
import numpy as np
import torch
from xclip_core.embedder import Embedder

torch.set_num_threads(1)
embedder = Embedder.load(sys.argv[1], device="cpu", precision="fp32", offline=True)
clips = np.random.default_rng(0).integers(0, 256, (16, 4, 224, 224, 3), dtype=np.uint8)
expected = np.concatenate([embedder.embed_clips(clip[None]) for clip in clips])
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 64 * 2**20, resource.RLIM_INFINITY))
try:
    torch.empty(16 * 4 * 197 * 4096)  # what an activation of all clips takes
except RuntimeError:
    vectors = embedder.embed_clips(clips)
    assert np.allclose(vectors, expected, atol=1e-5)
    print(embedder.clips_wanted)
"""


def test_a_process_with_little_memory_embeds_in_smaller_batches(wide_folder: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("the limit is set as Linux has it")
    done = subprocess.run(
        [sys.executable, "-c", _LITTLE_MEMORY, str(wide_folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 16
