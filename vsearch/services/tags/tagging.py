"""Tags of the moments of a catalog: found by their labels, stored, counted, removed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from catalog import CatalogLockedError, CatalogStorageError, Tag, TagCount
from search import NothingIndexedError, Searcher
from search.tagging import TaggedMoment, tagged_moments
from vsearch.messages import log
from vsearch.services.answers.search import load_text_embedder
from vsearch.services.file_cache import FileCache
from vsearch.services.models import open_catalog, with_flags
from vsearch.services.sentences.bank import bank_of, keep_background, remembered_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from catalog import Catalog, Provenance, VideoFilter
    from search import Confidence, QueryEmbedder, Step
    from search.asking.question import Question
    from vsearch.settings import Settings
    from xclip_core import ModelIdentity

_MOST_LABEL_FILES = 20

Notes = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Tagging:
    """The moments under labels.

    Attributes:
        model: the model that made the catalog.
        clips: number of clips that were compared.
        moments: by label, then best first.
        counts: of each label, in the order of the labels, also of those without moments.
        notes: about sentences, as those of a SearchResult.
        took_seconds: of everything.
    """

    model: str | None
    clips: int
    moments: tuple[TaggedMoment, ...]
    counts: tuple[TagCount, ...]
    notes: Notes
    took_seconds: float


def find_tags(
    labels: Mapping[str, Step],
    *,
    settings: Settings,
    least: Confidence,
    videos: VideoFilter,
    write: bool,
    on_progress: Callable[[int, int], None],
) -> Tagging:
    """Find the moments under labels; with `write`, store them in place of earlier ones.

    Raises NothingIndexedError, UnknownTagError of the filter, and what a search raises.
    """
    begin = time.perf_counter()
    with open_catalog(settings) as catalog:
        try:
            asked, notes = _asked(labels, catalog, settings=settings)
        except NothingIndexedError as error:
            raise NothingIndexedError(with_flags(str(error), settings=settings)) from error
        with catalog.library() as library:
            if library is None:  # all was removed meanwhile
                raise NothingIndexedError(f"the catalog in {catalog.address} holds no videos")
            clips = library.clip_ids(videos)
            moments = tuple(
                tagged_moments(
                    asked, library, clips, least=least, videos=videos, on_progress=on_progress
                )
            )
        if write:
            catalog.tags.replace(asked, [_tag(moment) for moment in moments])
            _bring_up_to_date(catalog, settings=settings)
        made_by = catalog.provenance
    return Tagging(
        model=made_by.model if made_by else None,
        clips=len(clips),
        moments=moments,
        counts=tuple(_count(name, moments) for name in asked),
        notes=notes,
        took_seconds=time.perf_counter() - begin,
    )


def list_tags(settings: Settings) -> tuple[TagCount, ...]:
    """The tags of the catalog, counted."""
    with open_catalog(settings) as catalog:
        return catalog.tags.counted()


def remove_tags(names: Iterable[str], *, settings: Settings) -> int:
    """Remove tags from the catalog; from how many moments. Raises UnknownTagError."""
    with open_catalog(settings) as catalog:
        gone = catalog.tags.remove(names)
        _bring_up_to_date(catalog, settings=settings)
    return gone


class _RememberedTexts:
    """A text embedder that embeds the sentences of a label file once on this machine."""

    def __init__(
        self, embedder: QueryEmbedder, sentences: Sequence[str], vectors: NDArray[np.float32]
    ) -> None:
        self._embedder = embedder
        self._known = dict(zip(sentences, vectors, strict=True))

    @property
    def identity(self) -> ModelIdentity:
        """The model's identity."""
        return self._embedder.identity

    def letters_read(self, text: str) -> int | None:
        """The number of letters that the model reads of a text; None if it reads all."""
        return self._embedder.letters_read(text)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (K, D) float32 of K texts."""
        if all(text in self._known for text in texts):
            return np.stack([self._known[text] for text in texts])
        return self._embedder.embed_texts(texts)  # those of the bank


def _asked(
    labels: Mapping[str, Step], catalog: Catalog, *, settings: Settings
) -> tuple[dict[str, Question], Notes]:
    """The question of each label by its name, and the notes about sentences."""
    sentences = list(dict.fromkeys(text for step in labels.values() for text in step.texts))

    def load(made_by: Provenance) -> _RememberedTexts:
        embedder = load_text_embedder(made_by, settings=settings)
        vectors = remembered_vectors(
            sentences,
            made_by=made_by,
            embed=embedder.embed_texts,
            cache=FileCache(settings.home / "cache" / "labels", capacity=_MOST_LABEL_FILES),
            purpose="of the labels",
        )
        return _RememberedTexts(embedder, sentences, vectors)

    searcher = Searcher(
        catalog=catalog,
        load_embedder=load,
        bank=lambda made_by, embed: bank_of(made_by, embed, settings=settings),
    )
    questions, notes = searcher.questions(list(labels.values()))
    return dict(zip(labels, questions, strict=True)), notes


def _tag(moment: TaggedMoment) -> Tag:
    hit = moment.hit
    return Tag(
        name=moment.name,
        video_id=moment.video_id,
        start=hit.start,
        end=hit.end,
        confidence=str(hit.confidence),
        score=hit.score,
    )


def _count(name: str, moments: Iterable[TaggedMoment]) -> TagCount:
    its = [moment for moment in moments if moment.name == name]
    return TagCount(
        name=name,
        videos=len({moment.video_id for moment in its}),
        moments=len(its),
        seconds=sum(moment.hit.end - moment.hit.start for moment in its),
    )


def _bring_up_to_date(catalog: Catalog, *, settings: Settings) -> None:
    """Keep what follows from the vectors as that of the new state; an index run does it, too."""
    try:
        with catalog.lock("vsearch tag"):
            catalog.save_snapshot()
            keep_background(catalog, settings=settings)
    except (CatalogLockedError, CatalogStorageError) as error:
        log.debug("%s", error)
