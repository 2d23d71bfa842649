"""Clips and sentences to vectors, on whatever this machine has."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from xclip_core.checkpoint.checkpoint import load_checkpoint
from xclip_core.embedder import Embedder
from xclip_core.errors import InputError, ModelError
from xclip_core.inference.devices import cpu_computes_bf16
from xclip_core.inputs.preprocess import FrameProcessor
from xclip_core.inputs.tokenizer import Tokenizer
from xclip_core.model.model import XCLIP

Clips = NDArray[np.uint8]


@pytest.fixture
def embedder(small_folder: Path) -> Embedder:
    return Embedder.load(str(small_folder), device="cpu", precision="fp32")


@pytest.fixture
def clips() -> Clips:
    return np.random.default_rng(0).integers(0, 256, (19, 4, 32, 32, 3), dtype=np.uint8)


def cosines(one: NDArray[np.float32], two: NDArray[np.float32]) -> NDArray[np.float32]:
    return (one * two).sum(axis=-1)


def test_it_says_what_it_is(embedder: Embedder, small_folder: Path) -> None:
    identity = embedder.identity
    assert identity.model == str(small_folder)
    assert len(identity.model_digest) == 64
    assert (identity.dim, identity.frames_per_clip, identity.image_size) == (16, 4, 32)
    assert (embedder.device, embedder.precision) == ("cpu", "fp32")


def test_clips_become_the_models_own_video_vectors(
    embedder: Embedder, clips: Clips, small_model: XCLIP, small_processor: FrameProcessor
) -> None:
    vectors = embedder.embed_clips(clips)
    with torch.no_grad():
        pixels = small_processor.normalise(torch.from_numpy(clips))
        expected = F.normalize(small_model.encode_video(pixels), dim=-1).numpy()
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, expected, atol=1e-5)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_vector_does_not_depend_on_its_neighbours_or_on_what_came_before(
    embedder: Embedder, clips: Clips
) -> None:
    together = embedder.embed_clips(clips)
    alone = np.concatenate([embedder.embed_clips(clip[None]) for clip in clips])
    assert np.allclose(together, alone, atol=1e-5)


def test_frames_are_embedded_by_the_same_pass_and_their_mean_is_the_clip(
    embedder: Embedder, clips: Clips, small_model: XCLIP, small_processor: FrameProcessor
) -> None:
    vectors, frames = embedder.embed_frames(clips)
    assert np.array_equal(vectors, embedder.embed_clips(clips))
    assert (frames.shape, frames.dtype) == ((19, 4, 16), np.float32)
    assert np.allclose(frames.mean(axis=1), vectors, atol=1e-5)
    with torch.no_grad():
        states, _ = small_model.vision_model(small_processor.normalise(torch.from_numpy(clips)))
        alone = small_model.visual_projection(states)  # u, into the integration
        inside = alone + small_model.mit.position_embedding
        for layer in small_model.mit.encoder.layers:
            inside = layer(inside)
        both = (inside + alone).numpy()
    expected = both / np.linalg.norm(both.mean(axis=1), axis=1)[:, None, None]
    assert np.allclose(frames, expected, atol=1e-4)
    assert [part.shape for part in embedder.embed_frames(clips[:0])] == [(0, 16), (0, 4, 16)]


def test_classifying_gives_the_joint_models_probabilities(
    embedder: Embedder,
    clips: Clips,
    small_model: XCLIP,
    small_tokenizer: Tokenizer,
    small_processor: FrameProcessor,
) -> None:
    labels = ["red", "green square", "moving left"]
    probabilities = embedder.classify(clips[0], labels)
    ids, mask = small_tokenizer.encode_batch(labels)
    with torch.no_grad():
        pixels = small_processor.normalise(torch.from_numpy(clips[:1]))
        logits = small_model(ids, pixels, mask=mask).logits_per_video[0]
    assert np.allclose(probabilities, logits.softmax(dim=0).numpy(), atol=1e-5)
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_prompted_texts_and_clips_have_the_joint_models_cosines(
    embedder: Embedder,
    clips: Clips,
    small_model: XCLIP,
    small_tokenizer: Tokenizer,
    small_processor: FrameProcessor,
) -> None:
    labels = ["red", "green square", "moving left"]
    contexts = embedder.contexts(clips[:2])
    assert contexts.shape[0] == 2
    assert contexts.shape[2] == embedder.identity.dim
    vectors = embedder.embed_clips(clips[:2])
    ids, mask = small_tokenizer.encode_batch(labels)
    with torch.no_grad():
        pixels = small_processor.normalise(torch.from_numpy(clips[:2]))
        logits = small_model(ids, pixels, mask=mask).logits_per_video
        scale = small_model.logit_scale.exp()
    for context, vector, row in zip(contexts, vectors, logits / scale, strict=True):
        found = embedder.embed_prompted(labels, context) @ vector
        assert np.allclose(found, row.numpy(), atol=1e-5)


def test_the_more_clips_are_wanted_the_quicker_they_are_embedded(
    embedder: Embedder, clips: Clips
) -> None:
    assert embedder.clips_wanted == 1
    for _ in range(100):  # a busy machine is slow now and then
        embedder.embed_clips(clips[: embedder.clips_wanted])
        if embedder.clips_wanted == 16:
            return
    raise AssertionError(f"{embedder.clips_wanted} clips are wanted")


def test_a_batch_of_nothing_gives_no_vectors(embedder: Embedder, clips: Clips) -> None:
    assert embedder.embed_clips(clips[:0]).shape == (0, 16)


def test_frames_of_any_size_are_prepared_for_the_model(embedder: Embedder) -> None:
    frame = np.zeros((48, 90, 3), dtype=np.uint8)
    assert embedder.prepare_frame(frame).shape == (32, 32, 3)


def test_read_only_clips_are_embedded_and_left_alone(embedder: Embedder, clips: Clips) -> None:
    before = clips.copy()
    clips.setflags(write=False)
    embedder.embed_clips(clips)
    assert np.array_equal(clips, before)


@pytest.mark.parametrize("shape", [(1, 8, 32, 32, 3), (1, 4, 24, 24, 3), (4, 32, 32, 3)])
def test_clips_of_another_shape_are_refused(embedder: Embedder, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="4, 32, 32, 3"):
        embedder.embed_clips(np.zeros(shape, dtype=np.uint8))


def test_clips_that_are_not_bytes_are_refused(embedder: Embedder) -> None:
    with pytest.raises(InputError, match="uint8"):
        embedder.embed_clips(np.zeros((1, 4, 32, 32, 3), np.float32))  # type: ignore[arg-type]


def test_classifying_without_labels_is_refused(embedder: Embedder, clips: Clips) -> None:
    with pytest.raises(InputError, match="labels"):
        embedder.classify(clips[0], [])


def test_bf16_stays_near_fp32(small_folder: Path, embedder: Embedder, clips: Clips) -> None:
    said: list[str] = []
    half = Embedder.load(str(small_folder), device="cpu", precision="bf16", on_message=said.append)
    assert bool(said) is not cpu_computes_bf16()
    vectors = half.embed_clips(clips[:3])
    assert vectors.dtype == np.float32
    assert cosines(vectors, embedder.embed_clips(clips[:3])).min() > 0.99
    labels = ["red", "green", "left", "right"]
    difference = half.classify(clips[0], labels) - embedder.classify(clips[0], labels)
    assert np.abs(difference).max() < 0.02


@pytest.mark.parametrize("precision", ["fp16", "bf16", "fp32"])
def test_a_gpu_agrees_with_the_processor(
    small_folder: Path, embedder: Embedder, clips: Clips, precision: str
) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device on this machine")
    gpu = Embedder.load(str(small_folder), device="cuda", precision=precision)
    assert cosines(gpu.embed_clips(clips), embedder.embed_clips(clips)).min() > 0.99
    labels = ["a red circle", "left"]
    assert np.allclose(
        gpu.classify(clips[0], labels), embedder.classify(clips[0], labels), atol=0.02
    )


def test_numbers_that_are_not_finite_are_refused(small_folder: Path, clips: Clips) -> None:
    weights = load_file(small_folder / "model.safetensors")
    weights["mit.position_embedding"].fill_(float("inf"))
    save_file(weights, small_folder / "model.safetensors")
    broken = Embedder.load(str(small_folder), device="cpu", precision="fp32")
    with pytest.raises(ModelError, match="not finite in fp32"):
        broken.embed_clips(clips[:1])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_checkpoint_may_be_used_again_by_whoever_has_it(
    small_folder: Path, clips: Clips, small_processor: FrameProcessor, precision: str
) -> None:
    checkpoint = load_checkpoint(str(small_folder))
    pixels = small_processor.normalise(torch.from_numpy(clips[:2]))
    with torch.no_grad():
        before = checkpoint.model.encode_video(pixels)
    first, second = (Embedder(checkpoint, device="cpu", precision=precision) for _ in range(2))
    labels = ["a red circle", "a blue square"]
    assert np.array_equal(first.classify(clips[0], labels), second.classify(clips[0], labels))
    assert np.array_equal(first.embed_clips(clips[:2]), second.embed_clips(clips[:2]))
    with torch.no_grad():
        assert torch.equal(checkpoint.model.encode_video(pixels), before)


def test_threads_may_share_it(embedder: Embedder, clips: Clips) -> None:
    labels = ["a red circle", "a blue square"]
    alone = embedder.embed_clips(clips), embedder.classify(clips[0], labels)
    with ThreadPoolExecutor(4) as threads:
        embedded = [threads.submit(embedder.embed_clips, clips) for _ in range(6)]
        classified = [threads.submit(embedder.classify, clips[0], labels) for _ in range(6)]
        assert all(np.allclose(done.result(), alone[0], atol=1e-5) for done in embedded)
        assert all(np.allclose(done.result(), alone[1], atol=1e-5) for done in classified)
