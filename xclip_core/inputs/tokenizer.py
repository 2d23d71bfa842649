"""CLIP's byte-pair encoding (openai/CLIP, arXiv 2103.00020): texts to token ids.

The steps are fixed: split off the two marks, normalise (NFC, one space for each run of white space,
lower case), split into words, write words as bytes, merge pairs in the order of the vocabulary, add
the marks. Only the vocabulary varies, so nothing else is read from a folder's files.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import tokenizers
from numpy.typing import NDArray
from tokenizers import AddedToken, Regex, models, normalizers, pre_tokenizers, processors

from xclip_core.errors import InputError, TokenizerError, damaged

if TYPE_CHECKING:
    from torch import Tensor

START_MARK = "<|startoftext|>"
END_MARK = "<|endoftext|>"
CLIP_VOCABULARY_SIZE = 49408
CLIP_CONTEXT_LENGTH = 77

_WORD_END = "</w>"
_WORD = (
    r"<\|startoftext\|>|<\|endoftext\|>"  # the marks, should one have come through in one piece
    r"|'s|'t|'re|'ve|'m|'ll|'d"  # English clitics
    r"|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"  # letters, one digit, anything else but white space
)

Merges = Sequence[tuple[str, str]]


class Tokenizer:
    """A byte-pair tokenizer with CLIP's steps.

    Args:
        vocabulary: ids by token. It must hold all 256 bytes, within and at the end of a word, so
            that every string can be encoded; the end mark must have the largest id, because the
            text encoder finds the end of a text by it.
        merges: pairs of tokens, the most frequent first.
        max_length: the largest number of tokens L of a text, both marks included.

    Raises:
        TokenizerError: the vocabulary is not of this kind.
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        merges: Merges,
        *,
        max_length: int = CLIP_CONTEXT_LENGTH,
    ) -> None:
        _check_vocabulary(vocabulary)
        self._vocabulary = dict(vocabulary)
        self._merges = [(left, right) for left, right in merges]
        self.max_length = max_length
        self.start_id = self._vocabulary[START_MARK]
        self.end_id = self._vocabulary[END_MARK]
        self._pipeline = _build_pipeline(self._vocabulary, self._merges)
        self._pipeline.enable_truncation(max_length)
        self._pipeline.enable_padding(pad_id=self.end_id, pad_token=END_MARK)

    @property
    def vocabulary_size(self) -> int:
        """Rows of a table of all tokens: the largest id plus 1."""
        return self.end_id + 1

    @classmethod
    def load(cls, folder: Path, *, max_length: int = CLIP_CONTEXT_LENGTH) -> Self:
        """Read `tokenizer.json`, else `vocab.json` and `merges.txt`.

        Raises:
            TokenizerError: the files are missing, damaged, or not CLIP's kind.
        """
        whole, table, pairs = (
            folder / name for name in ("tokenizer.json", "vocab.json", "merges.txt")
        )
        if whole.is_file():
            vocabulary, merges = _read_whole(whole)
        elif table.is_file() and pairs.is_file():
            vocabulary, merges = _read_json(table), _parse_merges(_read_text(pairs))
        else:
            raise TokenizerError(
                f"{folder} has no vocabulary; it needs tokenizer.json, or vocab.json and merges.txt"
            )
        return cls(vocabulary, merges, max_length=max_length)

    @classmethod
    def from_merge_list(cls, text: str, *, vocabulary_size: int = CLIP_VOCABULARY_SIZE) -> Self:
        """Build the vocabulary from OpenAI's merge list (`bpe_simple_vocab_16e6.txt`).

        The list is longer than what CLIP uses: its first merges fill the vocabulary.
        """
        wanted = vocabulary_size - 2 * len(_byte_symbols()) - 2
        merges = _parse_merges(text)[:wanted]
        return cls(_assemble_vocabulary(merges), merges)

    def encode(self, text: str) -> NDArray[np.int64]:
        """Encode one text as ids (L,) int64, marks included.

        A text that is too long is cut, and keeps its end mark. Unpaired surrogates, which are no
        Unicode text, are replaced by U+FFFD.
        """
        return np.array(self._pipeline.encode(_without_surrogates(text)).ids, dtype=np.int64)

    def letters_read(self, text: str) -> int | None:
        """Number of leading characters that `encode` keeps of a text; None for all of them."""
        encoded = self._pipeline.encode(_without_surrogates(text))
        if not encoded.overflowing:
            return None
        end: int = encoded.offsets[-2][1]  # the last one is the end mark
        return end

    def encode_batch(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Encode texts like `encode`, padded on the right with the end mark to the longest.

        Returns:
            ids (K, L) int64 and mask (K, L) int64, 1 for text and 0 for padding.

        Raises:
            InputError: no texts were given.
        """
        import torch

        if not texts:
            raise InputError("no texts were given to encode; give at least one")
        rows = self._pipeline.encode_batch([_without_surrogates(text) for text in texts])
        ids = torch.tensor([row.ids for row in rows], dtype=torch.int64)
        mask = torch.tensor([row.attention_mask for row in rows], dtype=torch.int64)
        return ids, mask

    def digest(self) -> str:
        """Hexadecimal sha256 of the vocabulary and the merges, independent of the files' format."""
        numbers = self._vocabulary
        tokens = sorted(numbers, key=numbers.__getitem__)
        digest = hashlib.sha256(np.array([numbers[token] for token in tokens], "<i8").tobytes())
        for words in (tokens, chain.from_iterable(self._merges)):
            digest.update("\n".join([*words, "\n"]).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def save(self, folder: Path) -> None:
        """Write the published files, for `load` and for the `transformers` library."""
        folder.mkdir(parents=True, exist_ok=True)
        _build_pipeline(self._vocabulary, self._merges).save(str(folder / "tokenizer.json"))
        _write_json(folder / "vocab.json", self._vocabulary)
        lines = ["#version: 0.2", *(f"{left} {right}" for left, right in self._merges)]
        (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        marks = {
            "bos_token": START_MARK,
            "eos_token": END_MARK,
            "pad_token": END_MARK,
            "unk_token": END_MARK,
        }
        _write_json(folder / "special_tokens_map.json", marks)
        settings = {
            "tokenizer_class": "CLIPTokenizer",
            "model_max_length": self.max_length,
            "do_lower_case": True,
            "add_prefix_space": False,
        }
        _write_json(folder / "tokenizer_config.json", {**settings, **marks})


def train_tokenizer(
    captions: Iterable[str], *, vocabulary_size: int, max_length: int = CLIP_CONTEXT_LENGTH
) -> Tokenizer:
    """Learn a small CLIP-style vocabulary: all bytes, then the most frequent pairs of the captions.

    The result does not depend on the order of the captions: of equally frequent pairs the
    alphabetically first is merged first. (The library's own trainer decides otherwise, and with
    its merges the demo model would be another one.)

    Args:
        vocabulary_size: the largest number of tokens, both marks included; fewer when the captions
            hold no more pairs.
        max_length: as in `Tokenizer`.

    Raises:
        TokenizerError: the size is less than the bytes and the marks need.
    """
    wanted = vocabulary_size - 2 * len(_byte_symbols()) - 2
    if wanted < 0:
        raise TokenizerError(
            f"a vocabulary of {vocabulary_size} tokens was asked for; "
            f"the bytes and the marks alone take {vocabulary_size - wanted}"
        )
    words = _count_words(captions)
    merges: list[tuple[str, str]] = []
    while len(merges) < wanted:
        pairs: Counter[tuple[str, str]] = Counter()
        for symbols, count in words.items():
            for pair in pairwise(symbols):
                pairs[pair] += count
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        words = _merge_everywhere(words, best)
    return Tokenizer(_assemble_vocabulary(merges), merges, max_length=max_length)


def _count_words(captions: Iterable[str]) -> dict[tuple[str, ...], int]:
    """Frequencies of words, as byte symbols of which the last has the mark of a word's end."""
    normalizer, pre_tokenizer = _normalizer(), _pre_tokenizer()
    counts: Counter[tuple[str, ...]] = Counter()
    for caption in captions:
        normal = normalizer.normalize_str(_without_surrogates(caption))
        for word, _ in pre_tokenizer.pre_tokenize_str(normal):
            counts[(*word[:-1], word[-1] + _WORD_END)] += 1
    return dict(counts)


def _merge_everywhere(
    words: Mapping[tuple[str, ...], int], pair: tuple[str, str]
) -> dict[tuple[str, ...], int]:
    merged: dict[tuple[str, ...], int] = {}
    for symbols, count in words.items():
        spelled: list[str] = []
        for symbol in symbols:
            if spelled and (spelled[-1], symbol) == pair:
                spelled[-1] += symbol
            else:
                spelled.append(symbol)
        merged[tuple(spelled)] = merged.get(tuple(spelled), 0) + count
    return merged


def _byte_symbols() -> list[str]:
    """The 256 printable characters for bytes, in CLIP's order."""
    return sorted(pre_tokenizers.ByteLevel.alphabet())


def _assemble_vocabulary(merges: Merges) -> dict[str, int]:
    """A vocabulary in CLIP's order: bytes, bytes at a word's end, merges, marks."""
    symbols = _byte_symbols()
    tokens = [*symbols, *(symbol + _WORD_END for symbol in symbols)]
    tokens += [left + right for left, right in merges]
    # Two merges may make the same token, which then has the id of the first.
    return {token: i for i, token in enumerate(dict.fromkeys([*tokens, START_MARK, END_MARK]))}


def _normalizer() -> normalizers.Normalizer:
    return normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )


def _pre_tokenizer() -> pre_tokenizers.PreTokenizer:
    words = pre_tokenizers.Split(Regex(_WORD), behavior="removed", invert=True)
    return pre_tokenizers.Sequence([words, pre_tokenizers.ByteLevel(add_prefix_space=False)])


def _build_pipeline(vocabulary: dict[str, int], merges: Merges) -> tokenizers.Tokenizer:
    try:
        bpe = models.BPE(
            vocab=vocabulary,
            merges=list(merges),
            continuing_subword_prefix="",
            end_of_word_suffix=_WORD_END,
            unk_token=END_MARK,
        )
    except Exception as error:  # the library raises nothing narrower
        raise TokenizerError(f"the merges do not fit the vocabulary: {error}") from error
    pipeline = tokenizers.Tokenizer(bpe)
    pipeline.normalizer = _normalizer()
    pipeline.pre_tokenizer = _pre_tokenizer()
    pipeline.post_processor = processors.RobertaProcessing(
        (END_MARK, vocabulary[END_MARK]),
        (START_MARK, vocabulary[START_MARK]),
        trim_offsets=False,
        add_prefix_space=False,
    )
    marks = [AddedToken(mark, special=True, normalized=False) for mark in (START_MARK, END_MARK)]
    pipeline.add_special_tokens(marks)
    return pipeline


def _check_vocabulary(vocabulary: Mapping[str, int]) -> None:
    symbols = _byte_symbols()
    needed = [START_MARK, END_MARK, *symbols, *(symbol + _WORD_END for symbol in symbols)]
    missing = [token for token in needed if token not in vocabulary]
    if missing:
        named = ", ".join(repr(token) for token in missing[:3])
        raise TokenizerError(
            f"this is not a CLIP byte-pair vocabulary: {len(missing)} of its {len(needed)} fixed "
            f"tokens are missing, among them {named}"
        )
    if not all(isinstance(token_id, int) for token_id in vocabulary.values()):
        raise TokenizerError("the vocabulary holds ids that are not whole numbers")
    largest = max(vocabulary.values())
    if vocabulary[END_MARK] != largest:
        raise TokenizerError(
            f"{END_MARK} has the id {vocabulary[END_MARK]} but the largest id is {largest}; "
            "the end mark must be last, because the text encoder finds the end of a text by it"
        )


def _read_whole(path: Path) -> tuple[dict[str, int], Merges]:
    """The vocabulary and the merges of a `tokenizer.json`."""
    content = _read_json(path)
    try:
        model: dict[str, Any] = content["model"]
        if model["type"] != "BPE" or model["end_of_word_suffix"] != _WORD_END:
            raise TokenizerError(f"{path} does not hold a CLIP byte-pair vocabulary")
        added = {token["content"]: token["id"] for token in content["added_tokens"]}
        # Older files write a merge as "a b", newer ones as ["a", "b"].
        merges = [_parse_merge(m) if isinstance(m, str) else (m[0], m[1]) for m in model["merges"]]
        return {**model["vocab"], **added}, merges
    except (KeyError, TypeError, IndexError) as error:
        raise TokenizerError(damaged(path, f"no tokenizer file: {error!r}")) from error


def _parse_merges(text: str) -> list[tuple[str, str]]:
    """Parse one merge a line, after a first line with the version."""
    return [_parse_merge(line) for line in text.split("\n")[1:] if line.strip()]


def _parse_merge(line: str) -> tuple[str, str]:
    left, _, right = line.strip().partition(" ")
    return left, right


def _without_surrogates(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TokenizerError(damaged(path, error)) from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_read_text(path))
    except ValueError as error:  # no JSON, or a number of more digits than Python reads
        raise TokenizerError(damaged(path, error)) from error
    if not isinstance(content, dict):
        raise TokenizerError(damaged(path, "no JSON object"))
    return content


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
