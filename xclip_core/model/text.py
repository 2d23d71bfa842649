"""The text encoder: CLIP's (arXiv 2103.00020), which X-CLIP takes over (section 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xclip_core.errors import InputError
from xclip_core.model.attention import Block, Encoder
from xclip_core.model.config import TextConfig


class TextEmbeddings(nn.Module):
    """The embeddings of tokens and of positions."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position_embedding = nn.Embedding(config.max_position_embeddings, config.hidden_size)

    def forward(self, ids: Tensor) -> Tensor:
        """Token ids (K, L) int64 to (K, L, W) float.

        Raises:
            InputError: a text is longer than the position table.
        """
        longest = self.position_embedding.num_embeddings
        if ids.shape[1] > longest:
            raise InputError(
                f"a text of {ids.shape[1]} tokens was given; this model reads at most {longest}"
            )
        tokens: Tensor = self.token_embedding(ids)
        return tokens + self.position_embedding.weight[: ids.shape[1]]


def end_positions(ids: Tensor) -> Tensor:
    """The position of each text's end mark: the first one of the row's largest id.

    In CLIP's vocabulary the end mark is the largest id, and padding repeats it after the first
    one; the `eos_token_id` of published files is meaningless.

    Args:
        ids: (K, L) int64, token ids.

    Returns:
        (K,) int64.
    """
    return ids.argmax(dim=-1)


class TextEncoder(nn.Module):
    """A causal transformer; its state at the end mark represents the text."""

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
        """Encode texts.

        Args:
            ids: (K, L) int64, token ids.
            mask: (K, L) int64, non-zero for text. Not needed for padding on the right: no token
                attends to later ones, so such padding changes nothing.

        Returns:
            The states of all tokens (K, L, W) float, and of the end mark (K, W) float.

        Raises:
            InputError: a text is longer than the position table.
        """
        x = self.embeddings(ids)  # (K, L, W)
        visible = None if mask is None else _visible_keys(mask)
        for layer in self.encoder.layers:
            x = layer(x, mask=visible, causal=visible is None)
        x = self.final_layer_norm(x)
        rows = torch.arange(ids.shape[0], device=ids.device)
        return x, x[rows, end_positions(ids)]


def _visible_keys(mask: Tensor) -> Tensor:
    """The attention mask (K, 1, L, L) bool of a padding mask (K, L).

    A token always attends to itself: a row of padding without any key would become NaN.
    """
    length = mask.shape[1]
    past = torch.ones(length, length, dtype=torch.bool, device=mask.device).tril()
    itself = torch.eye(length, dtype=torch.bool, device=mask.device)
    return ((past & mask.bool()[:, None, :]) | itself)[:, None]
