"""Embedder: clips to vectors, and X-CLIP's own scores of labels for a clip, on any device."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import copy, deepcopy
from threading import Lock
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from xclip_core.checkpoint.cache import Cache
from xclip_core.checkpoint.checkpoint import Checkpoint, load_checkpoint
from xclip_core.errors import InputError, ModelError
from xclip_core.identity import DEFAULT_MODEL
from xclip_core.inference.batching import Batcher
from xclip_core.inference.devices import (
    PRECISIONS,
    choose_device,
    choose_precision,
    cpu_computes_bf16,
)
from xclip_core.inference.self_check import Probe, golden_probe, verified_backend
from xclip_core.inference.video_encoder import VideoEncoder
from xclip_core.model.model import XCLIP
from xclip_core.text_embedder import clean_text

# Clips per forward pass at most. More gain nothing on a processor.
_MOST_CLIPS = {"cpu": 16, "cuda": 256, "mps": 16}
_TEXTS_PER_PASS = 64


class Embedder:
    """Embedder of clips: a checkpoint on a device, in a precision. The checkpoint is not changed.

    Safe to use from several threads: calls run side by side, and share only `clips_wanted`. On a
    processor each call uses PyTorch's threads, whose number is one for the whole process
    (`torch.set_num_threads`); this class does not set it.

    Attributes:
        identity: what an index has to remember about the model.
        device: "cpu", "cuda", "cuda:1", "mps".
        precision: "fp32", "bf16" or "fp16".
        processor: frame processor; it needs nothing of the model, and can be pickled.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        device: str,
        precision: str,
    ) -> None:
        model = checkpoint.model
        self.identity = checkpoint.identity
        self.device = device
        self.precision = precision
        self.processor = checkpoint.processor
        self._tokenizer = checkpoint.tokenizer
        # Half precision would round the scale itself by a per cent.
        self._scale = math.exp(model.logit_scale.item())
        dtype = PRECISIONS[precision]
        self._video = VideoEncoder(model, processor=self.processor, device=device, dtype=dtype)
        self._text = _without_frame_encoder(model)
        self._model: XCLIP | None = None
        self._moving_text = Lock()
        self._batcher = Batcher(most=_MOST_CLIPS[torch.device(device).type])

    @classmethod
    def load(
        cls,
        model: str = DEFAULT_MODEL,
        *,
        device: str = "auto",
        precision: str = "auto",
        offline: bool = False,
        cache: Cache | None = None,
        on_message: Callable[[str], None] | None = None,
        probe: Probe | None = None,
    ) -> Self:
        """Load a checkpoint onto a device, after a check that the device computes correctly.

        Args:
            model: "demo", a folder, or a Hub id (`owner/name[@revision]`).
            device: "auto" (a GPU if there is one), "cpu", "cuda", "cuda:N" or "mps".
            precision: "auto" (the fastest that the device computes well), or a name from
                `PRECISIONS`.
            offline: do not ask the Hub for what is not in its cache on this machine.
            cache: holds digests of weights, so that they are not hashed at every load.
            on_message: called with a sentence for what takes time, and for a device or precision
                that is not used as asked for.
            probe: clip with a known vector, which a device and a precision must reproduce; else
                fp32 and then the processor are used. None for the built-in probe.

        Raises:
            ModelError: the checkpoint, the device or the precision cannot be used; one sentence.
        """
        report = on_message or (lambda _: None)
        chosen = choose_device(device)
        fitting = choose_precision(precision, device=chosen)
        if fitting == "bf16" and chosen == "cpu" and not cpu_computes_bf16():
            report("this processor has no bf16 arithmetic: fp32 would be far faster")
        checkpoint = load_checkpoint(model, offline=offline, cache=cache, on_message=report)
        chosen, fitting = verified_backend(
            chosen, fitting, probe=probe or golden_probe(), on_message=report
        )
        return cls(checkpoint, device=chosen, precision=fitting)

    def prepare_frame(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resize and crop a frame (H, W, 3) uint8 RGB to the model's (S, S, 3) uint8."""
        return self.processor.prepare_frame(pixels)

    @property
    def clips_wanted(self) -> int:
        """B for the next call that embeds clips: as many as the device is quick with.

        It starts at 1 and doubles while passes are quick; it halves where memory runs out.
        """
        return self._batcher.wanted

    def embed_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed clips.

        Args:
            clips: (B, T, S, S, 3) uint8, of prepared frames; any B.

        Returns:
            (B, D) float32, unit vectors.

        Raises:
            InputError: the clips have another shape or type.
            ModelError: there is not enough memory for a single clip, or the vectors are not finite.
        """
        self._check_clips(clips)
        none = np.zeros((0, self.identity.dim), dtype=np.float32)
        return np.concatenate([none, *self._batcher.run(self._embed, clips)])

    def embed_frames(
        self, clips: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Embed clips and each of their frames, in one pass of the model.

        A frame's vector is what it adds to the clip's: it comes from the last layer of the
        multi-frame integration transformer, divided by the length of the clip's.

        Args:
            clips: as for `embed_clips`.

        Returns:
            The clips' unit vectors (B, D) float32, and those of their frames (B, T, D) float32,
            whose mean over the T frames of a clip is the clip's vector.

        Raises:
            InputError, ModelError: as for `embed_clips`.
        """
        self._check_clips(clips)
        shape = (0, self.identity.frames_per_clip, self.identity.dim)
        frames = np.zeros(shape, dtype=np.float32)
        done = [(frames[:, 0], frames), *self._batcher.run(self._embed_frames, clips)]
        vectors, frames = (np.concatenate(parts) for parts in zip(*done, strict=True))
        return vectors, frames

    def letters_read(self, text: str) -> int | None:
        """Number of leading characters that the model reads of a text; None for all of them."""
        return self._tokenizer.letters_read(clean_text(text))

    @torch.inference_mode()
    def classify(self, clip: NDArray[np.uint8], labels: Sequence[str]) -> NDArray[np.float32]:
        """Compute the probability of each label for a clip: X-CLIP's score, prompted by the video.

        Args:
            clip: (T, S, S, 3) uint8, of prepared frames.
            labels: K texts.

        Returns:
            (K,) float32, probabilities over the labels.

        Raises:
            InputError: there are no labels, or the clip has another shape or type.
        """
        if not labels:
            raise InputError("no labels were given; give at least one, better two or more")
        self._check_clips(clip[None])
        video, context = self._video.encode_in_context(self._to_device(clip[None]))
        text = self._text_half().condition_text(torch.cat(self._text_vectors(labels)), context)
        cosines = F.normalize(text[0].float(), dim=-1) @ F.normalize(video[0].float(), dim=-1)
        return _finite((self._scale * cosines).softmax(dim=0), precision=self.precision)

    @torch.inference_mode()
    def contexts(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Compute what clips give texts to be prompted by.

        Args:
            clips: (B, T, S, S, 3) uint8, of prepared frames; as many as one pass can hold.

        Returns:
            (B, N, D) float32; N is the number of patches of a frame.

        Raises:
            InputError: the clips have another shape or type.
        """
        self._check_clips(clips)
        _, context = self._video.encode_in_context(self._to_device(clips))
        return _finite(context.float(), precision=self.precision)

    @torch.inference_mode()
    def embed_prompted(
        self, texts: Sequence[str], context: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Embed K texts (at least one) as a clip's prompts change them, or a mean of clips'.

        Args:
            texts: K texts.
            context: (N, D) float32, of one clip, or the mean of several.

        Returns:
            (K, D) float32, unit vectors.
        """
        model = self._text_half()
        seen = torch.from_numpy(context)[None].to(self.device, PRECISIONS[self.precision])
        prompted = model.condition_text(torch.cat(self._text_vectors(texts)), seen)[0]
        return _finite(F.normalize(prompted.float(), dim=-1), precision=self.precision)

    def _text_vectors(self, texts: Sequence[str]) -> list[Tensor]:
        vectors = []
        for start in range(0, len(texts), _TEXTS_PER_PASS):
            part = [clean_text(text) for text in texts[start : start + _TEXTS_PER_PASS]]
            ids, _ = self._tokenizer.encode_batch(part)  # padding is on the right: no mask needed
            vectors.append(self._text_half().encode_text(ids.to(self.device)))
        return vectors

    def _text_half(self) -> XCLIP:
        """The text side on the device; loaded at the first use, as embedding clips needs none."""
        with self._moving_text, torch.inference_mode(mode=False):
            if self._model is None:
                self._model = (
                    deepcopy(self._text).to(self.device, PRECISIONS[self.precision]).eval()
                )
            return self._model

    @torch.inference_mode()
    def _embed(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """One forward pass: (B, T, S, S, 3) to unit vectors (B, D)."""
        vectors = self._video.encode(self._to_device(clips))
        return _finite(F.normalize(vectors.float(), dim=-1), precision=self.precision)

    @torch.inference_mode()
    def _embed_frames(
        self, clips: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """One forward pass: (B, T, S, S, 3) to unit vectors (B, D), and of frames (B, T, D)."""
        frames = self._video.encode_frames(self._to_device(clips))
        vectors = frames.mean(dim=1).float()
        lengths = vectors.norm(dim=-1, keepdim=True).clamp_min(1e-12)  # as `F.normalize` has it
        return (
            _finite(vectors / lengths, precision=self.precision),
            _finite(frames.float() / lengths[:, None], precision=self.precision),
        )

    def _to_device(self, clips: NDArray[np.uint8]) -> Tensor:
        """On the processor without a copy, where the clips are contiguous and writable."""
        return torch.from_numpy(np.require(clips, requirements=["C", "W"])).to(self.device)

    def _check_clips(self, clips: NDArray[np.uint8]) -> None:
        side = self.identity.image_size
        expected = (self.identity.frames_per_clip, side, side, 3)
        if clips.shape[1:] != expected or clips.dtype != np.uint8:
            raise InputError(
                f"clips of shape {clips.shape} and type {clips.dtype} were given; this model "
                f"takes (clips, {', '.join(map(str, expected))}) of type uint8"
            )


def _without_frame_encoder(model: XCLIP) -> XCLIP:
    """A shallow copy of the model, with the same parameters, but for the frame encoder."""
    rest = copy(model)
    rest._modules = {**model._modules, "vision_model": None}
    return rest


def _finite(values: Tensor, *, precision: str) -> NDArray[np.float32]:
    numbers: NDArray[np.float32] = values.cpu().numpy()
    if not np.isfinite(numbers).all():
        raise ModelError(f"the model computed numbers that are not finite in {precision}; use fp32")
    return numbers
