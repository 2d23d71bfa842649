"""Text embedder: texts to vectors without PyTorch, by a checkpoint's tokenizer and text encoder.

`xclip_core.embedder` is its counterpart for clips.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from machine import usable_cores
from xclip_core.checkpoint.cache import Cache
from xclip_core.checkpoint.files import CheckpointFiles
from xclip_core.checkpoint.mapped_weights import map_weights
from xclip_core.checkpoint.tensor_forms import OBSOLETE_BUFFERS, require_forms
from xclip_core.errors import WeightsError, damaged
from xclip_core.identity import DEFAULT_MODEL, ModelIdentity
from xclip_core.inference.numpy_text_encoder import TEXT_PREFIXES, NumpyTextEncoder, text_shapes
from xclip_core.inference.together import Together
from xclip_core.inputs.tokenizer import Tokenizer
from xclip_core.model.config import XCLIPConfig

_TOGETHER = 32  # texts: more gain nothing, and take memory
_STRAIGHT_QUOTES = str.maketrans("‘’‚‛“”„‟", "''''\"\"\"\"")


class TextEmbedder:
    """Text side of a checkpoint, on the processor, in float32. Safe to use from several threads.

    Attributes:
        identity: what an index has to remember about the model.
    """

    def __init__(
        self,
        encoder: NumpyTextEncoder,
        *,
        tokenizer: Tokenizer,
        identity: ModelIdentity,
        source: Path,
    ) -> None:
        self.identity = identity
        self._source = source  # of the weights, for messages
        # Texts of several threads are encoded together. Half of the cores do so at a time: the
        # other half looks for what was encoded before.
        self._encode_lists = Together(
            partial(_encoded_lists, encoder), at_a_time=max(1, usable_cores() // 2)
        )
        self._tokenizer = tokenizer

    @classmethod
    def load(
        cls,
        model: str = DEFAULT_MODEL,
        *,
        offline: bool = False,
        cache: Cache | None = None,
        on_message: Callable[[str], None] | None = None,
    ) -> Self:
        """Find a checkpoint and map its text encoder; the rest of its weights is not read.

        Args:
            model: "demo", a folder, or a Hub id (`owner/name[@revision]`).
            offline: do not ask the Hub for what is not in its cache on this machine.
            cache: holds digests of weights, so that they are not hashed at every load.
            on_message: called with a sentence for what takes time.

        Raises:
            ModelError: the checkpoint cannot be used; one sentence.
        """
        files = CheckpointFiles.read(
            model, offline=offline, on_message=on_message or (lambda _: None)
        )
        with ThreadPoolExecutor(max_workers=1) as beside:
            identity = beside.submit(files.identity, cache=cache)
            encoder = _read_encoder(files.config, files.weights)
        return cls(
            encoder,
            tokenizer=files.tokenizer,
            identity=identity.result(),
            source=files.weights[0],
        )

    def letters_read(self, text: str) -> int | None:
        """Number of leading characters that the model reads of a text; None for all of them."""
        return self._tokenizer.letters_read(clean_text(text))

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed K texts.

        Returns:
            (K, D) float32, unit vectors. They do not depend on any video.

        Raises:
            WeightsError: the vectors are not finite.
        """
        vectors = np.zeros((len(texts), self.identity.dim), dtype=np.float32)
        ids = [self._tokenizer.encode(clean_text(text)) for text in texts]
        for row, vector in enumerate(self._encode_lists(ids)):
            vectors[row] = vector
        if not np.isfinite(vectors).all():
            raise WeightsError(
                damaged(self._source, "the text encoder computes numbers that are not finite")
            )
        return vectors


def _encoded_lists(
    encoder: NumpyTextEncoder, lists: Sequence[Sequence[NDArray[np.int64]]]
) -> list[list[NDArray[np.float32]]]:
    """The vectors of several lists of texts."""
    every = [ids for texts in lists for ids in texts]
    groups = (every[begin : begin + _TOGETHER] for begin in range(0, len(every), _TOGETHER))
    vectors = (vector for group in groups for vector in encoder.encode_all(group))
    return [[next(vectors) for _ in texts] for texts in lists]


def clean_text(text: str) -> str:
    """Spell a text as CLIP's training texts were: HTML unescaped, quotation marks straight."""
    return html.unescape(html.unescape(text)).translate(_STRAIGHT_QUOTES)


def _read_encoder(config: XCLIPConfig, files: Sequence[Path]) -> NumpyTextEncoder:
    stored = map_weights(files, prefixes=TEXT_PREFIXES)
    found = {name: tensor.form for name, tensor in stored.items() if name not in OBSOLETE_BUFFERS}
    wanted = text_shapes(config.text, projection_dim=config.projection_dim)
    require_forms(wanted, found, source=files[0])
    return NumpyTextEncoder(config.text, stored)
