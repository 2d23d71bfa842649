"""Search: a sentence in, ranked moments out."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from catalog import EVERY_VIDEO, Catalog, ClipMatch, Provenance, VideoFilter, mismatch
from search.asking.asked import Asked, Step
from search.asking.question import Question
from search.asking.wording import notes_on, notes_on_all
from search.background.bank import Bank, EmbedTexts
from search.background.current import CurrentBackground
from search.background.voids import ByChance, Standing
from search.confidence import confidence_of
from search.copies import copy_to_show
from search.errors import NothingIndexedError
from search.moments.curve import Curve
from search.moments.of_clips import Curves, moments_on
from search.moments.ranking import CLIPS_COMPARED, Moment, merge_into_moments
from search.records import Hit, SearchResult, VideoCurve
from search.said import WordsOf
from search.second_stage import PromptFor, second_stage
from search.settings import SearchSettings
from xclip_core import ModelIdentity

_CLIPS_PER_MOMENT = 16
_POOL_GROWTH = 4


class QueryEmbedder(Protocol):
    """The text side of a model, as a search uses it."""

    @property
    def identity(self) -> ModelIdentity:
        """The model's identity."""

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (K, D) float32 of K texts."""

    def letters_read(self, text: str) -> int | None:
        """The number of letters that the model reads of a text; None if it reads all."""


class Searcher:
    """A search over one catalog by one model. Safe to use from several threads.

    Args:
        catalog: the catalog to search.
        load_embedder: loads the model for vectors of this provenance; called once, at first use.
        settings: the parts of a search that are on.
        bank: makes the bank of sentences of a model, from its provenance and what embeds them;
            without one, scores are not centred.
        prompt_for: the second stage, for settings that have one.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        load_embedder: Callable[[Provenance], QueryEmbedder],
        settings: SearchSettings | None = None,
        bank: Callable[[Provenance, EmbedTexts], Bank] | None = None,
        prompt_for: PromptFor | None = None,
    ) -> None:
        self._catalog = catalog
        self._settings = settings or SearchSettings()
        self._make_bank = bank
        self._bank: Bank | None = None
        self._prompt_for = prompt_for if self._settings.rescoring else None
        self._background = CurrentBackground(catalog)
        self._load_embedder = load_embedder
        self._loading = Lock()
        self._embedder: QueryEmbedder | None = None

    def warm_up(self) -> None:
        """Load the model now, and check that it is the catalog's.

        Raises:
            NothingIndexedError, ProvenanceMismatchError, and what `load_embedder` raises.
        """
        self._embedder_of(self._require_provenance())

    def questions(self, steps: Sequence[Step]) -> tuple[list[Question], dict[str, tuple[str, ...]]]:
        """The questions that steps ask, one each, and notes on their sentences; mostly none.

        Raises:
            NothingIndexedError, ProvenanceMismatchError, and what `load_embedder` raises.
        """
        made_by = self._require_provenance()
        embedder = self._embedder_of(made_by)
        if not self._catalog.has_videos:
            raise self._nothing_indexed()
        texts = [text for step in steps for text in step.texts]
        notes = {text: notes_on(text, read=embedder.letters_read(text)) for text in texts}
        return [self._question(step, made_by, embedder) for step in steps], notes

    def search(
        self, text: str, *, limit: int = 10, videos: VideoFilter = EVERY_VIDEO
    ) -> SearchResult:
        """The best moments for a sentence; see `answer`."""
        return self.answer(Asked.of(text, limit=limit, videos=videos))

    def answer(self, asked: Asked, *, with_curves: bool = False) -> SearchResult:
        """The answer to a question.

        Args:
            asked: the question.
            with_curves: also the curves of the videos of the moments. There are none without the
                part `moments`, or without a bank.

        Raises:
            EmptyQueryError, InvalidLimitError, NothingIndexedError, ProvenanceMismatchError.
            InvalidGlobError: no path can match a glob of the filter.
            CatalogError: the catalog cannot be read.
            What `load_embedder` raises.
        """
        started = perf_counter()
        asked.require_answerable()
        made_by = self._require_provenance()
        words = None if asked.said is None else WordsOf(self._catalog, asked.said)
        if words is not None and not asked.step.sentences:  # no model is needed
            hits = words.alone(asked)
            return SearchResult(asked, made_by.model, _milliseconds_since(started), hits)
        embedder = self._embedder_of(made_by)
        question = self._question(asked.step, made_by, embedder)
        moments, cosines = self._best_moments(asked, question)
        hits = tuple(
            hit_of(
                moment,
                rank=rank,
                score=cosines[moment.best.clip_id],
                chance=question.chance if self._settings.confidence else None,
            )
            for rank, moment in enumerate(moments, start=1)
        )
        if words is not None:
            hits = words.beside(hits, [moment.best.video_id for moment in moments])
        return SearchResult(
            asked=asked,
            model=made_by.model,
            took_ms=_milliseconds_since(started),
            hits=hits,
            notes=notes_on_all(asked.texts, letters_read=embedder.letters_read),
            curves=self._video_curves(question, moments, hits) if with_curves else (),
        )

    def _require_provenance(self) -> Provenance:
        made_by = self._catalog.provenance
        if made_by is None:
            raise self._nothing_indexed()
        return made_by

    def _embedder_of(self, made_by: Provenance) -> QueryEmbedder:
        with self._loading:
            self._embedder = self._embedder or self._load_embedder(made_by)
        asked = self._embedder.identity
        if made_by.model_digest != asked.model_digest:
            named = f"{asked.model} (digest {asked.model_digest[:12]})"
            raise mismatch(self._catalog.folder, made_by=made_by, asked=named)
        return self._embedder

    def _question(self, step: Step, made_by: Provenance, embedder: QueryEmbedder) -> Question:
        """The question that the sentences of a step ask."""
        vectors = embedder.embed_texts(step.texts)
        weights = [sentence.weight for sentence in step.sentences]
        background = None
        if (self._settings.centring or self._settings.moments) and self._make_bank is not None:
            self._bank = self._bank or self._make_bank(made_by, embedder.embed_texts)
            background = self._background.read(self._bank)
        if background is None or not self._settings.centring:
            return Question.plain(vectors, weights, background)
        return Question.centred(vectors, weights, background)

    def _best_moments(
        self, asked: Asked, question: Question
    ) -> tuple[tuple[Moment, ...], dict[int, float]]:
        """The best moments for a question, and the cosines of clips by id.

        The number of clips grows until it makes enough moments.
        """
        limit, videos = asked.limit, asked.videos
        if asked.said is not None:
            videos = replace(videos, said=asked.said)
        size = max(CLIPS_COMPARED, _CLIPS_PER_MOMENT * limit)
        while True:
            clips = self._catalog.nearest_clips(question.direction, limit=size, videos=videos)
            ranked, cosines = self._ranked(asked.step, question, clips)
            moments = self._moments(question, ranked, limit=limit)
            if len(moments) == limit or len(clips) < size:
                break
            size *= _POOL_GROWTH  # many clips of one long video make few moments
        if not moments and not self._catalog.has_videos:
            raise self._nothing_indexed()
        return moments, cosines

    def _moments(
        self, question: Question, clips: Sequence[ClipMatch], *, limit: int
    ) -> tuple[Moment, ...]:
        """The best moments of clips, at most `limit`."""
        with self._curves(question) as curves:
            if curves is not None:
                return moments_on(curves, clips, limit=limit)
        return merge_into_moments(clips)[:limit]

    @contextmanager
    def _curves(self, question: Question) -> Iterator[Curves | None]:
        """The curves of a question; None where moments are merged from clips."""
        if question.ordinary is None or not self._settings.moments:
            yield None
            return
        with self._catalog.library() as library:
            yield None if library is None else Curves(library, question, question.ordinary)

    def _video_curves(
        self, question: Question, moments: Sequence[Moment], hits: Sequence[Hit]
    ) -> tuple[VideoCurve, ...]:
        """The curve of each video that has a moment, under the path of its best hit."""
        found: dict[int, VideoCurve] = {}
        with self._curves(question) as curves:
            if curves is None:
                return ()
            for moment, hit in zip(moments, hits, strict=True):
                if moment.best.video_id not in found:
                    found[moment.best.video_id] = _video_curve(hit.path, curves.whole(moment.best))
        return tuple(found.values())

    def _ranked(
        self, step: Step, question: Question, clips: list[ClipMatch]
    ) -> tuple[list[ClipMatch], dict[int, float]]:
        """Clips with the scores by which they rank, and their cosines by id."""
        if question.mean_clip is None and self._prompt_for is None:
            return clips, {clip.clip_id: clip.score for clip in clips}
        ids = np.array([clip.clip_id for clip in clips], dtype=np.int64)
        with self._catalog.library() as library:
            vectors = np.zeros((len(ids), len(question.vector)), np.float32)
            if library is not None:
                vectors = library.of(ids)
        scores = question.scores(vectors)
        if self._prompt_for is not None:
            scores = second_stage(
                step.texts,
                question,
                clips,
                vectors=vectors,
                scores=scores,
                prompt_for=self._prompt_for,
            )
        cosines = np.clip(vectors @ question.vector, -1.0, 1.0).tolist()
        ranked = [replace(clip, score=c) for clip, c in zip(clips, scores.tolist(), strict=True)]
        return ranked, dict(zip(ids.tolist(), cosines, strict=True))

    def _nothing_indexed(self) -> NothingIndexedError:
        return NothingIndexedError(
            f"the catalog in {self._catalog.folder} holds no videos yet; add some with"
            " `vsearch index PATH`"
        )


def _milliseconds_since(started: float) -> float:
    return (perf_counter() - started) * 1000.0


def _video_curve(path: Path, curve: Curve) -> VideoCurve:
    times, heights = tuple(curve.times.tolist()), tuple(curve.heights.tolist())
    return VideoCurve(path, of_frames=curve.of_frames, times=times, heights=heights)


def hit_of(moment: Moment, *, rank: int, score: float, chance: ByChance | None) -> Hit:
    """A moment as a hit, with the copy of its file that is there now."""
    best = moment.best
    standing = None if chance is None else Standing(best.score, chance)
    shown, others = copy_to_show(best.paths, best.other_paths)
    return Hit(
        rank=rank,
        score=score,
        path=shown,
        start=moment.start,
        end=moment.end,
        peak=moment.peak,
        duration=best.duration,
        clip_id=best.clip_id,
        other_paths=others,
        confidence=None if standing is None else confidence_of(standing.value),
        standing=standing,
        captured=best.captured,
        captured_from=best.captured_from,
    )
