"""The text encoder (CLIP's): what a sentence means."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xclip_core.errors import InputError
from xclip_core.model.attention import Block, Encoder
from xclip_core.model.config import TextConfig


class TextEmbeddings(nn.Module):
    """Token and position tables."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position_embedding = nn.Embedding(config.max_position_embeddings, config.hidden_size)

    def forward(self, ids: Tensor) -> Tensor:
        """(K, L) ids to (K, L, D)."""
        longest = self.position_embedding.num_embeddings
        if ids.shape[1] > longest:
            raise InputError(
                f"a text of {ids.shape[1]} tokens was given; this model reads at most {longest}"
            )
        tokens: Tensor = self.token_embedding(ids)
        return tokens + self.position_embedding.weight[: ids.shape[1]]


def end_positions(ids: Tensor) -> Tensor:
    """Where each sentence ends: the first place of the row's largest id.

    In CLIP's vocabulary the end mark is the largest id, and padding repeats it behind the first
    one; the `eos_token_id` of published files is meaningless.

    Args:
        ids: (K, L).

    Returns:
        (K,) positions.
    """
    return ids.argmax(dim=-1)


class TextEncoder(nn.Module):
    """A causal transformer whose state at the end mark stands for the sentence."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.embeddings = TextEmbeddings(config)
        self.encoder = Encoder(
            [
                Block(
                    width=config.hidden_size,
                    heads=config.num_attention_heads,
                    hidden=config.intermediate_size,
                    activation=config.hidden_act,
                    eps=config.layer_norm_eps,
                    dropout=config.attention_dropout,
                )
                for _ in range(config.num_hidden_layers)
            ]
        )
        self.final_layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Encode sentences.

        Args:
            ids: (K, L) token ids.
            mask: (K, L), non-zero where there is text. It may be left out when padding is on the
                right: no state sees what follows it, so such padding changes nothing.

        Returns:
            All states (K, L, D) and the state at the end mark (K, D).

        Raises:
            InputError: a text is longer than the position table.
        """
        x = self.embeddings(ids)  # (K, L, D)
        visible = None if mask is None else _visible_keys(mask)
        for layer in self.encoder.layers:
            x = layer(x, mask=visible, causal=visible is None)
        x = self.final_layer_norm(x)
        rows = torch.arange(ids.shape[0], device=ids.device)
        return x, x[rows, end_positions(ids)]


def _visible_keys(mask: Tensor) -> Tensor:
    """Which key each query may see: (K, L) padding mask to (K, 1, L, L) booleans.

    A token always sees itself, so that a row of padding has something to attend to and never
    becomes NaN.
    """
    length = mask.shape[1]
    past = torch.ones(length, length, dtype=torch.bool, device=mask.device).tril()
    itself = torch.eye(length, dtype=torch.bool, device=mask.device)
    return ((past & mask.bool()[:, None, :]) | itself)[:, None]
