"""The digest of a model: the same for two models that make the same vectors.

It covers the weights, the configuration, the preparation of frames and the tokenizer, in a normal
form of their own: how the files spell it, and keys that change no vector, make no difference.

Hashing the largest published weights takes seconds, and a question is answered in milliseconds. So
digests of weights are kept in a cache, by size, times and place of the file. The cache only saves
time: a file that is not in it is hashed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from xclip_core.checkpoint.cache import Cache
from xclip_core.inputs.preprocess import FrameProcessor
from xclip_core.inputs.tokenizer import Tokenizer
from xclip_core.model.config import XCLIPConfig

# A file that is written twice within one tick of the file system's clock has the same times after
# both; only of a file that has been at rest for longer do they say what is in it.
_REST_SECONDS = 2.0

_SHA256 = re.compile(rb"[0-9a-f]{64}")

# Fields of a configuration that change no vector: they act in training, on new weights, on the
# score of `classify` alone, or not at all.
_NO_EFFECT = re.compile(r"initializer_|prompt_|logit_scale_|drop_path_|\w*dropout|\w*_token_id")


def model_digest(
    weights: str, *, config: XCLIPConfig, processor: FrameProcessor, tokenizer: Tokenizer
) -> str:
    """Hexadecimal sha256 of everything that changes a model's vectors.

    Args:
        weights: the digest of the weights.
    """
    content = {
        "weights": weights,
        "text": _effective(asdict(config.text)),
        "vision": _effective(asdict(config.vision)),
        "frames": asdict(processor),
        "tokens": tokenizer.digest(),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("ascii")).hexdigest()


def _effective(part: dict[str, object]) -> dict[str, object]:
    """The fields that change vectors; an epsilon of 0 and of 0.0 are the same."""
    return {
        name: float(value) if name == "layer_norm_eps" else value  # type: ignore[arg-type]
        for name, value in part.items()
        if not _NO_EFFECT.match(name)
    }


def weights_digest(
    files: Sequence[Path], *, cache: Cache | None = None, rest: float = _REST_SECONDS
) -> str:
    """Hexadecimal sha256 of a file, or of the digests of several in order.

    Args:
        files: at least one.
        cache: holds digests of files by place, size and times.
        rest: seconds for which a file must have been unchanged before its digest is cached.

    Raises:
        OSError: a file cannot be read.
    """
    digests = [_file_digest(path, cache=cache, rest=rest) for path in files]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256(b"".join(map(bytes.fromhex, digests))).hexdigest()


def _file_digest(path: Path, *, cache: Cache | None, rest: float) -> str:
    with path.open("rb") as opened:
        before = _state(path, opened.fileno())
        known = None if cache is None else cache.get(before)
        if known is not None and _SHA256.fullmatch(known):
            return known.decode("ascii")
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        unchanged = _state(path, opened.fileno()) == before
        if cache is not None and unchanged and _at_rest(opened.fileno(), seconds=rest):
            cache.put(before, digest.encode("ascii"))
    return digest


def _state(path: Path, descriptor: int) -> bytes:
    """The place of a file, and all numbers that change when somebody writes to it."""
    found = os.fstat(descriptor)
    numbers = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return os.fsencode(path.resolve()) + b"\0" + ",".join(map(str, numbers)).encode("ascii")


def _at_rest(descriptor: int, *, seconds: float) -> bool:
    found = os.fstat(descriptor)
    return time.time() - max(found.st_mtime, found.st_ctime) >= seconds
