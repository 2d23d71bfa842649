"""The text encoder (CLIP's, `xclip_core.text`) in NumPy: what a question needs, and nothing else.

It computes the same as the PyTorch module, sentence by sentence at each one's own length, on
weights that stay in their file. For a dozen tokens the time goes into reading the weights, so
nothing is gained by PyTorch, and its import alone takes longer than a hundred questions.

Letters in shape comments: L tokens, H heads, D width, P projection.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from xclip_core.activations import ACTIVATION_ARRAYS, ArrayFunction
from xclip_core.config import TextConfig
from xclip_core.errors import InputError
from xclip_core.mapped_weights import StoredTensor

Floats = NDArray[np.float32]

TEXT_PREFIXES = ("text_model.", "text_projection.")

# Two threads take about a tenth off; more wait for each other's Python, and to be woken. Threads
# that spin instead halve the time on an idle machine, and take seconds on a busy one.
_MOST_THREADS = 2
_WIDTH_WORTH_THREADS = 256  # a narrower layer is done before a second thread has begun


@dataclass(frozen=True, slots=True)
class _Norm:
    weight: Floats
    bias: Floats
    eps: float

    def __call__(self, x: Floats) -> Floats:
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = np.mean(centred * centred, axis=-1, keepdims=True)
        scaled: Floats = centred / np.sqrt(variance + np.float32(self.eps))
        return scaled * self.weight + self.bias


@dataclass(frozen=True, slots=True)
class _Linear:
    weight: Floats
    bias: Floats

    def outputs(self, some: slice, *, x: Floats) -> Floats:
        """Some of the outputs."""
        y: Floats = x @ self.weight[some].T
        y += self.bias[some]
        return y

    def from_inputs(self, some: slice, *, x: Floats) -> Floats:
        """What some of the inputs contribute to all outputs; the bias is not among it."""
        y: Floats = x @ self.weight[:, some].T
        return y


@dataclass(frozen=True, slots=True)
class _Layer:
    """A pre-norm layer. Heads, and hidden units, do not see each other: both split into parts."""

    norm1: _Norm
    q: _Linear
    k: _Linear
    v: _Linear
    out: _Linear
    norm2: _Norm
    fc1: _Linear
    fc2: _Linear
    activation: ArrayFunction
    head_width: int

    def attend(self, some: slice, *, x: Floats, queries: Floats) -> Floats:
        """What the heads in these columns contribute.

        Args:
            x: (L, D), of which each token sees itself and what is before it.
            queries: x, or its last row alone.

        Returns:
            as many rows as there are queries.
        """
        q = self._split_heads(self.q.outputs(some, x=queries))
        k = self._split_heads(self.k.outputs(some, x=x))
        v = self._split_heads(self.v.outputs(some, x=x))
        scores: Floats = q @ k.transpose(0, 2, 1)
        scores *= np.float32(self.head_width**-0.5)
        if len(queries) > 1:
            scores += _no_look_ahead(len(queries))
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        joined = (scores @ v).transpose(1, 0, 2).reshape(len(queries), -1)
        return self.out.from_inputs(some, x=joined)

    def think(self, some: slice, *, x: Floats) -> Floats:
        """What some of the hidden units contribute."""
        return self.fc2.from_inputs(some, x=self.activation(self.fc1.outputs(some, x=x)))

    def _split_heads(self, x: Floats) -> Floats:
        """(L, D) to (H, L, D / H)."""
        return x.reshape(len(x), -1, self.head_width).transpose(1, 0, 2)


class TextTower:
    """Sentences as ids to unit vectors. Safe to use from several threads.

    Args:
        config: the architecture.
        weights: the tensors of `text_shapes`, checked.
        threads: at most this many work on a sentence; None leaves it to the machine and the size.
    """

    def __init__(
        self,
        config: TextConfig,
        weights: Mapping[str, StoredTensor],
        *,
        threads: int | None = None,
    ) -> None:
        self._tokens = weights["text_model.embeddings.token_embedding.weight"]
        self._positions = weights["text_model.embeddings.position_embedding.weight"].whole()
        self._layers = [
            _read_layer(config, weights, number=number)
            for number in range(config.num_hidden_layers)
        ]
        self._last_norm = _read_norm(weights, "text_model.final_layer_norm", config=config)
        self._projection = weights["text_projection.weight"].whole()
        parts = min(threads or _fitting_threads(config), config.num_attention_heads)
        head_width = config.hidden_size // config.num_attention_heads
        self._columns = _cut(config.hidden_size, parts=parts, grain=head_width)
        self._hidden = _cut(config.intermediate_size, parts=parts)
        self._beside = ThreadPoolExecutor(max(1, parts - 1), thread_name_prefix="text-tower")

    def encode(self, ids: NDArray[np.int64]) -> Floats:
        """What a sentence means.

        Args:
            ids: (L,). What follows the first end mark, the largest id, changes nothing.

        Returns:
            (P,) of unit length.

        Raises:
            InputError: the sentence is longer than the position table.
        """
        if len(ids) > len(self._positions):
            raise InputError(
                f"a text of {len(ids)} tokens was given; this model reads at most "
                f"{len(self._positions)}"
            )
        ids = ids[: int(ids.argmax()) + 1]
        x = self._tokens.rows(ids) + self._positions[: len(ids)]
        for layer in self._layers:
            # Of the last states only the end mark's is wanted, so it alone asks and thinks there.
            kept = slice(-1, None) if layer is self._layers[-1] else slice(None)
            x = self._pass(layer, x, kept=kept)
        projected: Floats = self._projection @ self._last_norm(x[-1:])[0]
        return projected / np.linalg.norm(projected)

    def _pass(self, layer: _Layer, x: Floats, *, kept: slice) -> Floats:
        seen = layer.norm1(x)
        x = x[kept] + layer.out.bias
        x += self._summed(
            lambda some: layer.attend(some, x=seen, queries=seen[kept]), self._columns
        )
        state = layer.norm2(x)
        x += layer.fc2.bias
        x += self._summed(lambda some: layer.think(some, x=state), self._hidden)
        return x

    def _summed(self, contribution: Callable[[slice], Floats], parts: list[slice]) -> Floats:
        """The contributions of all parts, worked on side by side and added in their order."""
        others = [self._beside.submit(contribution, some) for some in parts[1:]]
        total = contribution(parts[0])
        for other in others:
            total += other.result()
        return total


def text_shapes(config: TextConfig, *, projection_dim: int) -> dict[str, tuple[int, ...]]:
    """The tensors of a text encoder, by published name."""
    width, hidden = config.hidden_size, config.intermediate_size
    shapes: dict[str, tuple[int, ...]] = {
        "text_model.embeddings.token_embedding.weight": (config.vocab_size, width),
        "text_model.embeddings.position_embedding.weight": (config.max_position_embeddings, width),
        "text_projection.weight": (projection_dim, width),
    }
    linear = {f"self_attn.{name}_proj": (width, width) for name in ("q", "k", "v", "out")}
    linear |= {"mlp.fc1": (hidden, width), "mlp.fc2": (width, hidden)}
    for number in range(config.num_hidden_layers):
        layer = _layer_name(number)
        for name, shape in linear.items():
            shapes |= {f"{layer}.{name}.weight": shape, f"{layer}.{name}.bias": shape[:1]}
        for norm in ("layer_norm1", "layer_norm2"):
            shapes |= {f"{layer}.{norm}.{part}": (width,) for part in ("weight", "bias")}
    return shapes | {f"text_model.final_layer_norm.{part}": (width,) for part in ("weight", "bias")}


def _layer_name(number: int) -> str:
    return f"text_model.encoder.layers.{number}"


def _read_layer(config: TextConfig, weights: Mapping[str, StoredTensor], *, number: int) -> _Layer:
    layer = _layer_name(number)
    q, k, v, out = (
        _read_linear(weights, f"{layer}.self_attn.{name}_proj") for name in ("q", "k", "v", "out")
    )
    return _Layer(
        norm1=_read_norm(weights, f"{layer}.layer_norm1", config=config),
        q=q,
        k=k,
        v=v,
        out=out,
        norm2=_read_norm(weights, f"{layer}.layer_norm2", config=config),
        fc1=_read_linear(weights, f"{layer}.mlp.fc1"),
        fc2=_read_linear(weights, f"{layer}.mlp.fc2"),
        activation=ACTIVATION_ARRAYS[config.hidden_act],
        head_width=config.hidden_size // config.num_attention_heads,
    )


def _read_linear(weights: Mapping[str, StoredTensor], name: str) -> _Linear:
    return _Linear(weights[f"{name}.weight"].whole(), weights[f"{name}.bias"].whole())


def _read_norm(weights: Mapping[str, StoredTensor], name: str, *, config: TextConfig) -> _Norm:
    weight, bias = weights[f"{name}.weight"].whole(), weights[f"{name}.bias"].whole()
    return _Norm(weight, bias, eps=config.layer_norm_eps)


def _no_look_ahead(length: int) -> Floats:
    """(L, L): minus infinity where a token would see what comes after it."""
    return np.triu(np.full((length, length), -np.inf, dtype=np.float32), k=1)


def _cut(total: int, *, parts: int, grain: int = 1) -> list[slice]:
    """Ranges that cover `total`, about equally long, each a multiple of `grain`."""
    edges = [total // grain * part // parts * grain for part in range(parts + 1)]
    return [slice(begin, end) for begin, end in pairwise(edges) if begin < end]


def _fitting_threads(config: TextConfig) -> int:
    if config.hidden_size < _WIDTH_WORTH_THREADS:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(_MOST_THREADS, cores or 1)
