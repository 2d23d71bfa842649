"""Clips and sentences to vectors: the model, its processors and the machine, put together."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from xclip_core.checkpoint import Checkpoint, load_checkpoint
from xclip_core.errors import DeviceError, InputError, ModelError
from xclip_core.identity import DEFAULT_MODEL, ModelIdentity
from xclip_core.memo import Memo
from xclip_core.sentences import as_trained

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

_CLIPS_AT_ONCE = {"cpu": 8, "cuda": 32, "mps": 16}  # beyond this a batch only costs memory
_TEXTS_AT_ONCE = 64


class Embedder:
    """A checkpoint on a device, in a precision. It keeps no state between calls.

    Attributes:
        identity: what an index has to remember about the model.
        device: where it runs: "cpu", "cuda", "cuda:1", "mps".
        precision: what it computes in: "fp32", "bf16" or "fp16".
        processor: what prepares frames; it needs nothing of the model, and can be pickled.
    """

    def __init__(self, checkpoint: Checkpoint, *, device: str, precision: str) -> None:
        config = checkpoint.model.config
        self.identity = ModelIdentity(
            model=checkpoint.name,
            revision=checkpoint.revision,
            weights_digest=checkpoint.weights_digest,
            dimension=config.projection_dim,
            frames_per_clip=config.vision.num_frames,
            image_size=config.vision.image_size,
        )
        self.device = device
        self.precision = precision
        self.processor = checkpoint.processor
        self._tokenizer = checkpoint.tokenizer
        # Half precision would round the scale itself by a per cent.
        self._scale = math.exp(checkpoint.model.logit_scale.item())
        self._dtype = PRECISIONS[precision]
        self._model = checkpoint.model.to(device, self._dtype).eval()

    @classmethod
    def load(
        cls,
        model: str = DEFAULT_MODEL,
        *,
        device: str = "auto",
        precision: str = "auto",
        offline: bool = False,
        memo: Memo | None = None,
        on_message: Callable[[str], None] | None = None,
    ) -> Self:
        """Load a checkpoint and put it on a device.

        Args:
            model: "demo", a folder, or a Hub id (`owner/name[@revision]`).
            device: "auto" (a GPU if there is one), "cpu", "cuda", "cuda:N" or "mps".
            precision: "auto" (the fastest that the device computes well), or a name from
                `PRECISIONS`.
            offline: do not ask the Hub for what is not in its cache on this machine.
            memo: where digests of weights are kept, so that who asks need not read all of them.
            on_message: told in sentences what takes time.

        Raises:
            ModelError: the checkpoint, the device or the precision cannot be used; one sentence.
        """
        report = on_message or (lambda _: None)
        chosen = choose_device(device)
        fitting = choose_precision(precision, device=chosen)
        if fitting == "bf16" and chosen == "cpu" and not cpu_computes_bf16():
            report("this processor has no bf16 arithmetic: fp32 would be far faster")
        checkpoint = load_checkpoint(model, offline=offline, memo=memo, report=report)
        return cls(checkpoint, device=chosen, precision=fitting)

    def prepare_frame(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resize and crop a frame (H, W, 3) uint8 RGB to the model's (S, S, 3) uint8."""
        return self.processor.prepare_frame(pixels)

    @torch.inference_mode()
    def embed_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What clips show.

        Args:
            clips: (B, T, S, S, 3) uint8, of prepared frames.

        Returns:
            (B, P) unit vectors.

        Raises:
            InputError: the clips are of another shape or type.
        """
        self._check_clips(clips)
        vectors = [
            self._model.encode_video(self._pixels(part))
            for part in self._parts(clips, _CLIPS_AT_ONCE[torch.device(self.device).type])
        ]
        return self._unit_rows(vectors)

    @torch.inference_mode()
    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """What sentences mean, whatever the video: K texts to (K, P) unit vectors."""
        return self._unit_rows(self._text_vectors(texts))

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
        video, context = self._model.encode_video_in_context(self._pixels(clip[None]))
        text = self._model.condition_text(torch.cat(self._text_vectors(labels)), context)
        cosines = F.normalize(text[0].float(), dim=-1) @ F.normalize(video[0].float(), dim=-1)
        return _finite((self._scale * cosines).softmax(dim=0), precision=self.precision)

    def _text_vectors(self, texts: Sequence[str]) -> list[Tensor]:
        vectors = []
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            part = [as_trained(text) for text in texts[start : start + _TEXTS_AT_ONCE]]
            ids, _ = self._tokenizer.encode_batch(part)  # padding is on the right: no mask needed
            vectors.append(self._model.encode_text(ids.to(self.device)))
        return vectors

    def _pixels(self, clips: NDArray[np.uint8]) -> Tensor:
        """(B, T, S, S, 3) bytes to (B, T, 3, S, S) as the model takes them."""
        frames = torch.from_numpy(np.require(clips, requirements=["C", "W"])).to(self.device)
        return self.processor.normalise(frames).to(self._dtype)

    def _unit_rows(self, vectors: list[Tensor]) -> NDArray[np.float32]:
        if not vectors:
            return np.zeros((0, self.identity.dimension), dtype=np.float32)
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

    @staticmethod
    def _parts(clips: NDArray[np.uint8], size: int) -> list[NDArray[np.uint8]]:
        return [clips[start : start + size] for start in range(0, len(clips), size)]


def choose_device(wanted: str) -> str:
    """The device to run on.

    Raises:
        DeviceError: it is not here; the message names what is.
    """
    present = ["cpu"]
    if torch.backends.mps.is_available():
        present.insert(0, "mps")
    if torch.cuda.is_available():
        present = ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count())), *present]
    if wanted == "auto":
        return present[0]
    if wanted not in present:
        raise DeviceError(
            f"the device {wanted!r} is not on this machine; it has {', '.join(present)} "
            "('auto' takes the first)"
        )
    return wanted


def choose_precision(wanted: str, *, device: str) -> str:
    """What to compute in.

    "auto" is fp16 on CUDA (X-CLIP was trained in it, and it is finer than bf16), bf16 on
    processors with instructions for it, else fp32.

    Raises:
        DeviceError: the name is unknown, or the device does not compute in it.
    """
    if wanted == "auto":
        if device.startswith("cuda"):
            return "fp16"
        return "bf16" if device == "cpu" and cpu_computes_bf16() else "fp32"
    if wanted not in PRECISIONS:
        raise DeviceError(
            f"the precision {wanted!r} is unknown; there are auto, {', '.join(PRECISIONS)}"
        )
    if wanted == "fp16" and device == "cpu":
        raise DeviceError("fp16 needs a GPU, and the device is cpu: use fp32 or auto")
    return wanted


def cpu_computes_bf16() -> bool:
    """Whether the processor multiplies bf16 matrices itself; emulated, they take ages."""
    checks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, check, lambda: False)() for check in checks)


def _finite(values: Tensor, *, precision: str) -> NDArray[np.float32]:
    numbers: NDArray[np.float32] = values.cpu().numpy()
    if not np.isfinite(numbers).all():
        raise ModelError(f"the model computed numbers that are not finite in {precision}; use fp32")
    return numbers
