"""Clips and sentences to vectors: the model, its processors and the machine, put together."""

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
from xclip_core.inference.batching import Batches
from xclip_core.inference.devices import (
    PRECISIONS,
    choose_device,
    choose_precision,
    computing_threads,
    cpu_computes_bf16,
)
from xclip_core.inference.self_check import Probe, golden_probe, verified_backend
from xclip_core.inference.transfer import feeding
from xclip_core.inference.video_encoder import VideoEncoder
from xclip_core.model.model import XCLIP
from xclip_core.text_embedder import clean_text

# Clips that go through the model at once: to begin with, and where growing ends. A processor gains
# nothing by more; a GPU wants more, and says by its speed how much.
_CLIPS_AT_ONCE = {"cpu": (8, 8), "cuda": (8, 256), "mps": (16, 16)}
_TEXTS_AT_ONCE = 64


class Embedder:
    """A checkpoint on a device, in a precision. The checkpoint stays as it is.

    Between calls it remembers nothing but the size of batch that the device likes. Safe to use from
    several threads, whose calls go on side by side.

    Attributes:
        identity: what an index has to remember about the model.
        device: where it runs: "cpu", "cuda", "cuda:1", "mps".
        precision: what it computes in: "fp32", "bf16" or "fp16".
        processor: what prepares frames; it needs nothing of the model, and can be pickled.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        device: str,
        precision: str,
        threads: int | None = None,
    ) -> None:
        model = checkpoint.model
        self.identity = checkpoint.identity
        self.device = device
        self.precision = precision
        self.processor = checkpoint.processor
        self._tokenizer = checkpoint.tokenizer
        self._threads = threads
        # Half precision would round the scale itself by a per cent.
        self._scale = math.exp(model.logit_scale.item())
        dtype = PRECISIONS[precision]
        self._video = VideoEncoder(model, processor=self.processor, device=device, dtype=dtype)
        self._text = _without_frame_encoder(model)
        self._model: XCLIP | None = None
        self._placing = Lock()
        first, most = _CLIPS_AT_ONCE[torch.device(device).type]
        self._feeding = feeding(device)
        self._batches = Batches(first=first, most=most, finish=self._feeding.finish)

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
        threads: int | None = None,
        probe: Probe | None = None,
    ) -> Self:
        """Load a checkpoint and put it on a device, once that has shown that it computes rightly.

        Args:
            model: "demo", a folder, or a Hub id (`owner/name[@revision]`).
            device: "auto" (a GPU if there is one), "cpu", "cuda", "cuda:N" or "mps".
            precision: "auto" (the fastest that the device computes well), or a name from
                `PRECISIONS`.
            offline: do not ask the Hub for what is not in its cache on this machine.
            cache: holds digests of weights, so that they are not hashed at every load.
            on_message: told in sentences what takes time, and what is not used as asked for.
            threads: how many compute where the device is the processor, to leave cores to others;
                None for as many as PyTorch takes by itself. See `computing_threads`.
            probe: what has to come out right before a device and a precision are used; the next
                ones are fp32 and the processor. None for the probe that everyone has.

        Raises:
            ModelError: the checkpoint, the device or the precision cannot be used; one sentence.
        """
        report = on_message or (lambda _: None)
        chosen = choose_device(device)
        fitting = choose_precision(precision, device=chosen)
        if fitting == "bf16" and chosen == "cpu" and not cpu_computes_bf16():
            report("this processor has no bf16 arithmetic: fp32 would be far faster")
        checkpoint = load_checkpoint(model, offline=offline, cache=cache, on_message=report)
        with computing_threads(threads):
            chosen, fitting = verified_backend(
                chosen, fitting, probe=probe or golden_probe(), report=report
            )
        return cls(checkpoint, device=chosen, precision=fitting, threads=threads)

    def prepare_frame(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resize and crop a frame (H, W, 3) uint8 RGB to the model's (S, S, 3) uint8."""
        return self.processor.prepare_frame(pixels)

    @property
    def clips_wanted(self) -> int:
        """How many clips the device takes at once at present: it is worth bringing as many."""
        return self._batches.size

    @torch.inference_mode()
    def embed_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What clips show.

        Args:
            clips: (B, T, S, S, 3) uint8, of prepared frames.

        Returns:
            (B, P) unit vectors.

        Raises:
            InputError: the clips are of another shape or type.
            ModelError: there is not enough memory for a single clip, or what came out is not
                finite.
        """
        self._check_clips(clips)
        with computing_threads(self._threads):
            return self._unit_rows(self._batches.run(self._encode, clips))

    def letters_read(self, text: str) -> int | None:
        """How many letters of a text that is too long count; None where all do."""
        return self._tokenizer.letters_read(clean_text(text))

    @torch.inference_mode()
    def classify(self, clip: NDArray[np.uint8], labels: Sequence[str]) -> NDArray[np.float32]:
        """How well each label fits a clip, by X-CLIP's own score (prompted by the video).

        Args:
            clip: (T, S, S, 3) uint8, of prepared frames.
            labels: K texts.

        Returns:
            (K,) probabilities over the labels.

        Raises:
            InputError: no labels, or a clip of another shape or type.
        """
        if not labels:
            raise InputError("no labels were given; give at least one, better two or more")
        self._check_clips(clip[None])
        with computing_threads(self._threads):
            video, context = self._video.encode_in_context(self._feeding.bring(clip[None]))
            text = self._text_half().condition_text(torch.cat(self._text_vectors(labels)), context)
        cosines = F.normalize(text[0].float(), dim=-1) @ F.normalize(video[0].float(), dim=-1)
        return _finite((self._scale * cosines).softmax(dim=0), precision=self.precision)

    def _text_vectors(self, texts: Sequence[str]) -> list[Tensor]:
        vectors = []
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            part = [clean_text(text) for text in texts[start : start + _TEXTS_AT_ONCE]]
            ids, _ = self._tokenizer.encode_batch(part)  # padding is on the right: no mask needed
            vectors.append(self._text_half().encode_text(ids.to(self.device)))
        return vectors

    def _text_half(self) -> XCLIP:
        """On the device, once it is needed: who only embeds clips does without its weights."""
        with self._placing, torch.inference_mode(mode=False):
            if self._model is None:
                self._model = (
                    deepcopy(self._text).to(self.device, PRECISIONS[self.precision]).eval()
                )
            return self._model

    def _encode(self, clips: NDArray[np.uint8]) -> Tensor:
        return self._video.encode(self._feeding.bring(clips))

    def _unit_rows(self, vectors: list[Tensor]) -> NDArray[np.float32]:
        if not vectors:
            return np.zeros((0, self.identity.dim), dtype=np.float32)
        unit = F.normalize(torch.cat(vectors).float(), dim=-1)
        return _finite(unit, precision=self.precision)

    def _check_clips(self, clips: NDArray[np.uint8]) -> None:
        side = self.identity.image_size
        expected = (self.identity.frames_per_clip, side, side, 3)
        if clips.shape[1:] != expected or clips.dtype != np.uint8:
            raise InputError(
                f"clips of shape {clips.shape} and type {clips.dtype} were given; this model "
                f"takes (clips, {', '.join(map(str, expected))}) of type uint8"
            )


def _without_frame_encoder(model: XCLIP) -> XCLIP:
    """The rest, with the same weights; those for frames are held once more, in another order."""
    rest = copy(model)
    rest._modules = {**model._modules, "vision_model": None}
    return rest


def _finite(values: Tensor, *, precision: str) -> NDArray[np.float32]:
    numbers: NDArray[np.float32] = values.cpu().numpy()
    if not np.isfinite(numbers).all():
        raise ModelError(f"the model computed numbers that are not finite in {precision}; use fp32")
    return numbers
