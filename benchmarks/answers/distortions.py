"""What real models do to vectors and the toy model does not, imitated: noise, a gap and hubs.

noise: each clip's vector gets one of its own, of length 0.6. gap: sentences and clips stand in two
narrow cones, as those of CLIP do: v' = unit(√.4 v + √.6 μ_V), t' = unit(√.4 t + √.6 μ_T), where
μ_V · μ_T = .1. hubs: before that, each clip gets some of μ_T, .08 |N(0, 1)|, and one in fifty .35
more: it is near to every sentence. Vectors of frames go through the same as their clip, with noise
of their own besides, so that their mean remains the clip's vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_NOISE, _OWN, _GAP_COSINE = 0.6, 0.4, 0.1
_HUB, _STRONG_HUB, _STRONG_HUBS = 0.08, 0.35, 0.02


@dataclass(frozen=True, slots=True)
class Distortion:
    """A choice of distortions, for vectors of length D from one seed."""

    name: str
    noise: bool = False
    gap: bool = False
    hubs: bool = False

    def of_texts(self, vectors: Floats) -> Floats:
        """(K, D) unit vectors of sentences, distorted."""
        if not self.gap:
            return vectors
        _, text_mean = _cones(vectors.shape[1])
        return _unit(np.sqrt(_OWN) * vectors + np.sqrt(1 - _OWN) * text_mean)

    def of_clip(self, vector: Floats, frames: Floats, *, content: bytes) -> tuple[Floats, Floats]:
        """A clip's unit vector (D,) and its frames' (T, D), whose mean it is, distorted.

        `content` decides what is drawn: equal clips are distorted alike.
        """
        rng = np.random.default_rng(int.from_bytes(sha256(content).digest()[:8]))
        clip_mean, text_mean = _cones(len(vector))
        length = len(vector)
        if self.hubs:
            share = _HUB * abs(rng.normal()) + _STRONG_HUB * (rng.random() < _STRONG_HUBS)
            frames = frames + share * text_mean
        if self.noise:
            own = rng.normal(0, _NOISE / np.sqrt(length), frames.shape)
            all_alike = rng.normal(0, _NOISE / np.sqrt(length), length)
            frames = frames + all_alike + own - own.mean(axis=0)
        if self.gap:
            frames = frames / np.linalg.norm(frames.mean(axis=0))
            frames = np.sqrt(_OWN) * frames + np.sqrt(1 - _OWN) * clip_mean
        mean = frames.mean(axis=0)
        norm = np.linalg.norm(mean)
        return (mean / norm).astype(np.float32), (frames / norm).astype(np.float32)


NONE = Distortion("none")
NOISE = Distortion("noise", noise=True)
GAP = Distortion("gap", gap=True)
GAP_HUBS = Distortion("gap + hubs", gap=True, hubs=True)
ALL = Distortion("gap + hubs + noise", noise=True, gap=True, hubs=True)


def _cones(length: int) -> tuple[Floats, Floats]:
    """The middles of the clips' and of the sentences' cone: unit vectors (D,)."""
    rng = np.random.default_rng([20, length])
    clip_mean, other = _unit(rng.normal(size=(2, length)).astype(np.float32))
    other = _unit((other - (other @ clip_mean) * clip_mean)[None])[0]
    text_mean = _GAP_COSINE * clip_mean + np.sqrt(1 - _GAP_COSINE**2) * other
    return clip_mean, text_mean.astype(np.float32)


def _unit(vectors: Floats) -> Floats:
    unit: Floats = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit
