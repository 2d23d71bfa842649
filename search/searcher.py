"""Search: a sentence in, ranked moments out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from catalog import (
    EVERY_VIDEO,
    Catalog,
    ClipMatch,
    LibraryVectors,
    Provenance,
    VideoFilter,
    mismatch,
)
from search.arrangement import arranged, looked_at
from search.asking.asked import Asked, Step
from search.asking.example import Likeness, LikenessOf, beside_sentences, examples_of
from search.asking.question import Question
from search.asking.wording import notes_on, notes_on_all
from search.background.bank import Bank, EmbedTexts
from search.background.current import CurrentBackground
from search.background.voids import ByChance, Standing
from search.confidence import confidence_of
from search.copies import copy_to_show
from search.errors import ExampleError, NothingIndexedError
from search.moments.curve import Curve
from search.moments.duplicates import Duplicates
from search.moments.of_clips import Curves, moments_on
from search.moments.own import OwnMoments
from search.moments.ranking import CLIPS_COMPARED, Moment, merge_into_moments, ranked
from search.moments.selection import Selected, Selection
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


@dataclass(frozen=True, slots=True)
class _Pool:
    """The nearest clips of a question, with the scores by which they rank.

    Attributes:
        clips: N clips.
        cosines: theirs, by their ids.
        vectors: (N, D) float32, theirs; None where only cosines count.
    """

    clips: Sequence[ClipMatch]
    cosines: dict[int, float]
    vectors: NDArray[np.float32] | None = None


def require_model_of(catalog: Catalog, made_by: Provenance, model: ModelIdentity) -> None:
    """Raise ProvenanceMismatchError unless it is the model that made the catalog's vectors."""
    if made_by.model_digest != model.model_digest:
        named = f"{model.model} (digest {model.model_digest[:12]})"
        raise mismatch(catalog.folder, made_by=made_by, asked=named)


class Searcher:
    """A search over one catalog by one model. Safe to use from several threads.

    Args:
        catalog: the catalog to search.
        load_embedder: loads the model for vectors of this provenance; called once, at first use.
        settings: the parts of a search that are on.
        bank: makes the bank of sentences of a model, from its provenance and what embeds them;
            without one, scores are not centred.
        prompt_for: the second stage, for settings that have one.
        likeness_of: finds the vectors of examples; without it there are none.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        load_embedder: Callable[[Provenance], QueryEmbedder],
        settings: SearchSettings | None = None,
        bank: Callable[[Provenance, EmbedTexts], Bank] | None = None,
        prompt_for: PromptFor | None = None,
        likeness_of: LikenessOf | None = None,
    ) -> None:
        self._catalog = catalog
        self._settings = settings or SearchSettings()
        self._make_bank = bank
        self._bank: Bank | None = None
        self._prompt_for = prompt_for if self._settings.rescoring else None
        self._likeness_of = likeness_of
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
        asked = [(step, self._likenesses(step, made_by)) for step in steps]
        return [self._question(step, made_by, likenesses) for step, likenesses in asked], notes

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
            ExampleError: what was given as an example shows nothing.
            InvalidGlobError: no path can match a glob of the filter.
            CatalogError: the catalog cannot be read.
            What `load_embedder` raises.
        """
        started = perf_counter()
        asked.require_answerable()
        made_by = self._require_provenance()
        words = None if asked.said is None else WordsOf(self._catalog, asked.said)
        if words is not None and not asked.by_vectors:  # no model is needed
            hits = arranged(words.alone(asked), asked)
            return SearchResult(asked, made_by.model, _milliseconds_since(started), hits)
        likenesses = self._likenesses(asked.step, made_by)
        question = self._question(asked.step, made_by, likenesses)
        selected, cosines = self._best_moments(asked, question, likenesses)
        chance = question.chance if self._settings.confidence else None
        found = tuple(
            _hit(one, rank=rank, cosines=cosines, chance=chance)
            for rank, one in enumerate(selected, start=1)
        )
        if words is not None:
            found = words.beside(found, [one.moment.best.video_id for one in selected])
        hits = arranged(found, asked)
        best = {one.moment.best.clip_id: one.moment.best for one in selected}
        return SearchResult(
            asked=asked,
            model=made_by.model,
            took_ms=_milliseconds_since(started),
            hits=hits,
            notes=self._notes(asked.texts, made_by),
            curves=self._video_curves(question, hits, best) if with_curves else (),
        )

    def _require_provenance(self) -> Provenance:
        made_by = self._catalog.provenance
        if made_by is None:
            raise self._nothing_indexed()
        return made_by

    def _embedder_of(self, made_by: Provenance) -> QueryEmbedder:
        with self._loading:
            self._embedder = self._embedder or self._load_embedder(made_by)
        require_model_of(self._catalog, made_by, self._embedder.identity)
        return self._embedder

    def _notes(self, texts: Sequence[str], made_by: Provenance) -> tuple[str, ...]:
        if not texts:
            return ()
        return notes_on_all(texts, letters_read=self._embedder_of(made_by).letters_read)

    def _likenesses(self, step: Step, made_by: Provenance) -> tuple[Likeness, ...]:
        """The examples of a step as they are asked."""
        if not step.examples:
            return ()
        if self._likeness_of is None:
            raise ExampleError("this search takes no examples; give sentences")
        return tuple(self._likeness_of(example, made_by) for example in step.examples)

    def _question(
        self, step: Step, made_by: Provenance, likenesses: Sequence[Likeness]
    ) -> Question:
        """The question that the sentences and examples of a step ask."""
        vectors = self._embed(made_by, step.texts)
        weights = [sentence.weight for sentence in step.sentences]
        examples = examples_of(likenesses, [example.weight for example in step.examples])
        background = None
        if (self._settings.centring or self._settings.moments) and self._make_bank is not None:
            self._bank = self._bank or self._make_bank(made_by, partial(self._embed, made_by))
            background = self._background.read(self._bank)
        if background is None or not self._settings.centring:
            return Question.plain(vectors, weights, background, examples=examples)
        if examples is not None and step.texts:
            with self._catalog.library() as library:
                examples = beside_sentences(examples, vectors, background, library)
        return Question.centred(vectors, weights, background, examples=examples)

    def _embed(self, made_by: Provenance, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (K, D) of K texts; the model is loaded if there are any."""
        if not texts:
            return np.empty((0, made_by.dim), np.float32)
        return self._embedder_of(made_by).embed_texts(texts)

    def _best_moments(
        self, asked: Asked, question: Question, likenesses: Sequence[Likeness]
    ) -> tuple[Sequence[Selected], dict[int, float]]:
        """The best moments for a question, and the cosines of clips by id.

        The number of clips grows until it makes enough moments.
        """
        limit, videos = looked_at(asked), asked.videos
        if asked.said is not None:
            videos = replace(videos, said=asked.said)
        own = OwnMoments(likenesses, question.mean_clip)
        size = max(CLIPS_COMPARED, _CLIPS_PER_MOMENT * limit)
        while True:
            clips = self._catalog.nearest_clips(question.direction, limit=size, videos=videos)
            pool = self._ranked(asked.step, question, clips)
            selected = self._selected(asked, question, pool, own, limit=limit)
            if len(selected) == limit or len(clips) < size:
                break
            if asked.per_video:
                limit = min(limit, asked.per_video * self._videos())
                if len(selected) == limit:
                    break
            size *= _POOL_GROWTH  # many clips of one long video make few moments
        if not selected and not self._catalog.has_videos:
            raise self._nothing_indexed()
        return selected, pool.cosines

    def _selected(
        self, asked: Asked, question: Question, pool: _Pool, own: OwnMoments, *, limit: int
    ) -> Sequence[Selected]:
        """The best moments of a pool, at most `limit`."""
        with self._catalog.library() as library:
            curves = self._curves(question, library)
            duplicates = None
            if asked.fold and library is not None:
                duplicates = _duplicates(question, library, pool)
            selection = Selection(limit=limit, per_video=asked.per_video, duplicates=duplicates)
            clips = pool.clips
            if library is not None:
                clips = own.without(clips, pool.vectors, library)
            if curves is None:
                return selection.of(merge_into_moments(clips))
            looked_into = selection.worth_a_look(ranked(clips))
            return selection.of(moments_on(curves, looked_into, taken=own.stretches))

    def _videos(self) -> int:
        """The number of videos of the catalog."""
        with self._catalog.library() as library:
            return 0 if library is None else library.count_videos()

    def _curves(self, question: Question, library: LibraryVectors | None) -> Curves | None:
        """The curves of a question; None where moments are merged from clips."""
        if library is None or question.ordinary is None or not self._settings.moments:
            return None
        return Curves(library, question, question.ordinary)

    def _video_curves(
        self, question: Question, hits: Sequence[Hit], best: Mapping[int, ClipMatch]
    ) -> tuple[VideoCurve, ...]:
        """The curve of each video that has a moment, under the path of its first hit.

        `best` are the best clips of the hits, by their ids.
        """
        found: dict[int, VideoCurve] = {}
        with self._catalog.library() as library:
            curves = self._curves(question, library)
            if curves is None:
                return ()
            for hit in hits:
                clip = best[hit.clip_id]
                if clip.video_id not in found:
                    found[clip.video_id] = _video_curve(hit.path, curves.whole(clip))
        return tuple(found.values())

    def _ranked(self, step: Step, question: Question, clips: list[ClipMatch]) -> _Pool:
        """Clips with the scores by which they rank."""
        if question.mean_clip is None and self._prompt_for is None:
            return _Pool(clips, {clip.clip_id: clip.score for clip in clips})
        ids = np.array([clip.clip_id for clip in clips], dtype=np.int64)
        with self._catalog.library() as library:
            vectors = np.zeros((len(ids), len(question.vector)), np.float32)
            if library is not None:
                vectors = library.of(ids)
        scores = question.scores(vectors)
        if self._prompt_for is not None and step.texts:
            scores = second_stage(
                step.texts,
                question,
                clips,
                vectors=vectors,
                scores=scores,
                prompt_for=self._prompt_for,
            )
        cosines = np.clip(vectors @ question.vector, -1.0, 1.0).tolist()
        scored = [replace(clip, score=c) for clip, c in zip(clips, scores.tolist(), strict=True)]
        return _Pool(scored, dict(zip(ids.tolist(), cosines, strict=True)), vectors)

    def _nothing_indexed(self) -> NothingIndexedError:
        return NothingIndexedError(
            f"the catalog in {self._catalog.folder} holds no videos yet; add some with"
            " `vsearch index PATH`"
        )


def _milliseconds_since(started: float) -> float:
    return (perf_counter() - started) * 1000.0


def _duplicates(question: Question, library: LibraryVectors, pool: _Pool) -> Duplicates | None:
    """The duplicates in a pool; None where nothing tells them."""
    if question.mean_clip is None or pool.vectors is None or not pool.clips:
        return None
    # The mean of a library is made smaller where it is taken from few clips. What remains of it in
    # all of them would make them alike.
    few = len(pool.clips) < CLIPS_COMPARED
    mean = pool.vectors.mean(axis=0) if few else question.mean_clip
    return Duplicates(library, mean_clip=mean, clips=pool.clips, vectors=pool.vectors)


def _video_curve(path: Path, curve: Curve) -> VideoCurve:
    times, heights = tuple(curve.times.tolist()), tuple(curve.heights.tolist())
    return VideoCurve(path, of_frames=curve.of_frames, times=times, heights=heights)


def _hit(
    selected: Selected, *, rank: int, cosines: Mapping[int, float], chance: ByChance | None
) -> Hit:
    """A selected moment as a hit, with its duplicates."""
    first, *others = (
        hit_of(moment, rank=rank, score=cosines[moment.best.clip_id], chance=chance)
        for moment in (selected.moment, *selected.duplicates)
    )
    return replace(first, duplicates=tuple(others))


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
