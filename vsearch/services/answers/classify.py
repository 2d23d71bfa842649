"""Probabilities of labels for one video."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from catalog import ClipSpan
from search import notes_on
from vsearch.errors import VideoError
from vsearch.services.answers.clips import decoded_clip
from vsearch.services.models import catalog_provenance, load_embedder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from catalog import Provenance
    from media import VideoInfo
    from vsearch.settings import Settings
    from xclip_core import Embedder


@dataclass(frozen=True, slots=True)
class Classification:
    """Labels and their probabilities, most probable first; together they make 1.

    `notes` say what is amiss with labels, as those of a SearchResult do with a sentence.
    """

    path: Path
    model: str
    took_ms: float
    labels: tuple[tuple[str, float], ...]
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Classifier:
    """What classifies videos, with a model that stays loaded. Safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loading = Lock()
        self._loaded: tuple[Provenance | None, Embedder] | None = None

    def classify(self, video: Path, labels: Sequence[str]) -> Classification:
        """The probability of each label for a whole video, from a clip of frames spread over it.

        Raises VideoError when the file cannot be read, before any model is loaded where possible.
        """
        info = _probe(video)
        embedder = self._embedder()
        begin = time.perf_counter()
        probabilities = embedder.classify(_whole_video(info, embedder=embedder), labels)
        took_ms = 1000 * (time.perf_counter() - begin)
        by_label = zip(labels, map(float, probabilities), strict=True)
        return Classification(
            path=video,
            model=embedder.identity.model,
            took_ms=took_ms,
            labels=tuple(sorted(by_label, key=lambda pair: -pair[1])),
            notes={label: notes_on(label, read=embedder.letters_read(label)) for label in labels},
        )

    def _embedder(self) -> Embedder:
        """The model of the catalog as it is now."""
        made_by = catalog_provenance(self._settings)
        with self._loading:
            if self._loaded is None or self._loaded[0] != made_by:
                self._loaded = made_by, load_embedder(self._settings, made_by=made_by)
            return self._loaded[1]


def _probe(video: Path) -> VideoInfo:
    from media import MediaError, probe

    try:
        return probe(video)
    except MediaError as error:
        raise VideoError(f"{video}: {error}") from error


def _whole_video(video: VideoInfo, *, embedder: Embedder) -> NDArray[np.uint8]:
    """One clip (T, S, S, 3) of a whole video."""
    from media import MediaError

    try:
        return decoded_clip(video, ClipSpan(video.start, video.end), embedder=embedder)
    except MediaError as error:
        raise VideoError(f"{video.path}: {error}") from error
