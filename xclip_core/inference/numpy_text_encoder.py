"""Text encoder in NumPy: CLIP's, as `xclip_core.model.text`, without PyTorch.

It computes each text at its own length, on weights that stay in their file. With a dozen tokens
most of the time goes into reading the weights, so PyTorch would gain nothing, and its import alone
takes longer than a hundred queries. Several texts take turns at each weight, which the processor
then reads once; a product of all of them together would round otherwise than that of each alone.
NumPy's products run in as many threads as its BLAS has:
vsearch sets one (`machine.prepare_process`), as two wait for each other on a busy machine.

Letters in shapes: L tokens, Q tokens whose state is computed, H heads, W width of a state, D length
of the vector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xclip_core.checkpoint.mapped_weights import StoredTensor
from xclip_core.errors import InputError
from xclip_core.inference.activations import ACTIVATION_ARRAYS, ArrayFunction
from xclip_core.model.config import TextConfig

Floats = NDArray[np.float32]

TEXT_PREFIXES = ("text_model.", "text_projection.")


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
    bias: Floats  # (outputs,)

    def __call__(self, xs: Sequence[Floats]) -> list[Floats]:
        # The weights first: BLAS reads them in the order of the file, which is faster.
        return [(self.weight @ x.T).T + self.bias for x in xs]


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

    def __call__(self, xs: Sequence[Floats], *, masks: Sequence[Floats]) -> list[Floats]:
        """States (L, W) of each text to those (Q, W) of its last Q tokens after this layer.

        Args:
            xs: the states of the texts.
            masks: (Q, L) additive attention masks, one for each text.
        """
        normed = [self.norm1(x) for x in xs]
        found = [
            x[-len(mask) :] + attended
            for x, mask, attended in zip(xs, masks, self._attend(normed, masks), strict=True)
        ]
        hidden = [self.activation(x) for x in self.fc1([self.norm2(x) for x in found])]
        for x, further in zip(found, self.fc2(hidden), strict=True):
            x += further  # noqa: PLW2901 - in place
        return found

    def _attend(self, xs: Sequence[Floats], masks: Sequence[Floats]) -> list[Floats]:
        queries = [x[-len(mask) :] for x, mask in zip(xs, masks, strict=True)]
        each = zip(self.q(queries), self.k(xs), self.v(xs), masks, strict=True)
        return self.out([self._attended(q, k, v, mask=mask) for q, k, v, mask in each])

    def _attended(self, q: Floats, k: Floats, v: Floats, *, mask: Floats) -> Floats:
        """Queries (Q, W), keys and values (L, W) to the mean of the values for each query."""
        heads, keys, values = (self._split_heads(x) for x in (q, k, v))
        scores: Floats = heads @ keys.transpose(0, 2, 1)  # (H, Q, L)
        scores *= np.float32(self.head_width**-0.5)
        scores += mask
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        return (scores @ values).transpose(1, 0, 2).reshape(q.shape)

    def _split_heads(self, x: Floats) -> Floats:
        """(L, W) to (H, L, W / H)."""
        return x.reshape(len(x), -1, self.head_width).transpose(1, 0, 2)


class NumpyTextEncoder:
    """Text encoder: token ids to a unit vector. Safe to use from several threads.

    Args:
        config: the architecture.
        weights: the tensors of `text_shapes`, by published name, with checked shapes.
    """

    def __init__(self, config: TextConfig, weights: Mapping[str, StoredTensor]) -> None:
        self._tokens = weights["text_model.embeddings.token_embedding.weight"]
        self._positions = weights["text_model.embeddings.position_embedding.weight"].whole()
        self._layers = [
            _read_layer(config, weights, number=number)
            for number in range(config.num_hidden_layers)
        ]
        self._last_norm = _read_norm(weights, "text_model.final_layer_norm", config=config)
        self._projection = weights["text_projection.weight"].whole()

    def encode(self, ids: NDArray[np.int64]) -> Floats:
        """Encode one text; see `encode_all`."""
        return self.encode_all([ids])[0]

    def encode_all(self, texts: Sequence[NDArray[np.int64]]) -> list[Floats]:
        """Encode several texts; each as it would be alone, to the last bit.

        Args:
            texts: (L,) int64 each. Ids after the first end mark, the largest id, change nothing.

        Returns:
            (D,) float32 of unit length for each.

        Raises:
            InputError: a text is longer than the position table.
        """
        longest = max(map(len, texts), default=0)
        if longest > len(self._positions):
            raise InputError(
                f"a text of {longest} tokens was given; this model reads at most "
                f"{len(self._positions)}"
            )
        ended = [ids[: int(ids.argmax()) + 1] for ids in texts]
        return [projected / np.linalg.norm(projected) for projected in self._projected(ended)]

    def _projected(self, texts: Sequence[NDArray[np.int64]]) -> list[Floats]:
        xs = [self._tokens.rows(ids) + self._positions[: len(ids)] for ids in texts]
        masks = [_causal_mask(len(ids)) for ids in texts]
        of_the_end = [mask[-1:] for mask in masks]
        for layer in self._layers:
            # Of the last layer only the state of the end mark is needed.
            xs = layer(xs, masks=of_the_end if layer is self._layers[-1] else masks)
        return [self._projection @ self._last_norm(x[-1:])[0] for x in xs]


def text_shapes(config: TextConfig, *, projection_dim: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a text encoder's tensors, by published name."""
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


def _causal_mask(length: int) -> Floats:
    """Return the causal attention mask (L, L): minus infinity above the diagonal."""
    return np.triu(np.full((length, length), -np.inf, dtype=np.float32), k=1)
