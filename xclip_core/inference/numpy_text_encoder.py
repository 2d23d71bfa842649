"""The text encoder (CLIP's, `xclip_core.model.text`) in NumPy: all that a question needs.

It computes the same as the PyTorch module, sentence by sentence at each one's own length, on
weights that stay in their file. For a dozen tokens the time goes into reading the weights, so
nothing is gained by PyTorch, and its import alone takes longer than a hundred questions.

Letters in shape comments: L tokens, H heads, D width, P projection.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from time import perf_counter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from machine import SPIN_SECONDS, idle_cores, thread_limit
from xclip_core.checkpoint.mapped_weights import StoredTensor
from xclip_core.errors import InputError
from xclip_core.inference.activations import ACTIVATION_ARRAYS, ArrayFunction
from xclip_core.model.config import TextConfig

Floats = NDArray[np.float32]

TEXT_PREFIXES = ("text_model.", "text_projection.")

_MOST_THREADS = 4  # four read memory about as fast as it gives
_WIDTH_WORTH_THREADS = 256  # a narrower layer is done before a second thread has begun

# How many threads NumPy's products take is one number for the whole process.
_TURN = Lock()


@dataclass(frozen=True, slots=True)
class _Norm:
    weight: Floats
    bias: Floats
    eps: float

    def __call__(self, x: Floats) -> Floats:
        scaled: Floats = x - x.mean(axis=1, keepdims=True)
        variance = np.einsum("ld,ld->l", scaled, scaled)[:, None] / np.float32(x.shape[1])
        scaled /= np.sqrt(variance + np.float32(self.eps))
        scaled *= self.weight
        scaled += self.bias
        return scaled


@dataclass(frozen=True, slots=True)
class _Linear:
    weight: Floats  # (outputs, inputs)
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        # The weights stand first as they lie in their file: so the product is shared out among
        # cores by rows of the weights, of which each core reads its own.
        y: Floats = (self.weight @ x.T).T + self.bias
        return y


@dataclass(frozen=True, slots=True)
class _Layer:
    """A pre-norm layer."""

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

    def __call__(self, x: Floats, *, mask: Floats) -> Floats:
        """The states (L, D) after this layer, of the tokens that may ask.

        Args:
            mask: (tokens that ask, L), what is added to the scores; the last tokens ask.
        """
        seen = self.norm1(x)
        asking = slice(-len(mask), None)
        x = x[asking] + self._attend(seen, queries=seen[asking], mask=mask)
        x += self.fc2(self.activation(self.fc1(self.norm2(x))))
        return x

    def _attend(self, x: Floats, *, queries: Floats, mask: Floats) -> Floats:
        q = self._split_heads(self.q(queries))
        k = self._split_heads(self.k(x))
        v = self._split_heads(self.v(x))
        scores: Floats = q @ k.transpose(0, 2, 1)  # (H, tokens that ask, L)
        scores *= np.float32(self.head_width**-0.5)
        scores += mask
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        return self.out((scores @ v).transpose(1, 0, 2).reshape(queries.shape))

    def _split_heads(self, x: Floats) -> Floats:
        """(L, D) to (H, L, D / H)."""
        return x.reshape(len(x), -1, self.head_width).transpose(1, 0, 2)


class FreeCores(Protocol):
    """See `machine.idle_cores`."""

    def __call__(self, *, own_threads: int) -> int | None:
        """How many cores there are to work on."""


class NumpyTextEncoder:
    """Sentences as ids to unit vectors. Safe to use from several threads, which take turns.

    Args:
        config: the architecture.
        weights: the tensors of `text_shapes`, checked.
        free_cores: asked before each sentence, with how many threads of its own may still run:
            threads that wait for a core that others use take longer than one thread alone. None
            for a machine that does not tell; one thread works there.
    """

    def __init__(
        self,
        config: TextConfig,
        weights: Mapping[str, StoredTensor],
        *,
        free_cores: FreeCores = idle_cores,
    ) -> None:
        self._tokens = weights["text_model.embeddings.token_embedding.weight"]
        self._positions = weights["text_model.embeddings.position_embedding.weight"].whole()
        self._layers = [
            _read_layer(config, weights, number=number)
            for number in range(config.num_hidden_layers)
        ]
        self._last_norm = _read_norm(weights, "text_model.final_layer_norm", config=config)
        self._projection = weights["text_projection.weight"].whole()
        self._free_cores = free_cores
        self._products = ThreadpoolController().select(user_api="blas")
        wide = config.hidden_size >= _WIDTH_WORTH_THREADS
        self._most_threads = min(thread_limit() or _MOST_THREADS, _MOST_THREADS) if wide else 1
        self._threads = 1
        self._ended = -math.inf

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
        with _TURN:
            self._threads = self._fitting_threads()
            with self._products.limit(limits=self._threads):
                projected = self._projected(ids[: int(ids.argmax()) + 1])
            self._ended = perf_counter()
        return projected / np.linalg.norm(projected)

    def _projected(self, ids: NDArray[np.int64]) -> Floats:
        x = self._tokens.rows(ids) + self._positions[: len(ids)]
        mask = _no_look_ahead(len(ids))
        for layer in self._layers:
            # Of the last states only the end mark's is wanted, so it alone asks and thinks there.
            x = layer(x, mask=mask[-1:] if layer is self._layers[-1] else mask)
        projected: Floats = self._projection @ self._last_norm(x[-1:])[0]
        return projected

    def _fitting_threads(self) -> int:
        if self._most_threads == 1:
            return 1
        spinning = perf_counter() - self._ended < SPIN_SECONDS
        free = self._free_cores(own_threads=self._threads if spinning else 1) or 1
        # Of three free cores one is left: what others do goes up and down.
        return min(4 if free >= 4 else 2 if free >= 2 else 1, self._most_threads)


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
    weight, bias = (weights[f"{name}.{part}"].whole() for part in ("weight", "bias"))
    return _Norm(weight, bias, eps=config.layer_norm_eps)


def _no_look_ahead(length: int) -> Floats:
    """(L, L): minus infinity where a token would see what comes after it."""
    return np.triu(np.full((length, length), -np.inf, dtype=np.float32), k=1)
