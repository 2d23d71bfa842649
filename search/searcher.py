"""Search: a sentence in, ranked moments out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
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
from search.errors import ExampleError, NothingIndexedError
from search.hits import hit_from
from search.moments.curve import Curve
from search.moments.duplicates import duplicates_in
from search.moments.of_clips import Curves, moments_on
from search.moments.own import OwnMoments
from search.moments.pool import Pool
from search.moments.ranking import CLIPS_COMPARED, Moment, merge_into_moments, ranked
from search.moments.selection import Selected, Selection
from search.moments.sequence import Candidates, is_certain, sequences
from search.moments.tagged import tagged_stretches
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


def require_model_of(catalog: Catalog, made_by: Provenance, model: ModelIdentity) -> None:
    """Raise ProvenanceMismatchError unless it is the model that made the catalog's vectors."""
    if made_by.model_digest != model.model_digest:
        named = f"{model.model} (digest {model.model_digest[:12]})"
        raise mismatch(catalog.address, made_by=made_by, asked=named)


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
        likenesses = [self._likenesses(step, made_by) for step in asked.steps]
        questions = [
            self._question(step, made_by, examples)
            for step, examples in zip(asked.steps, likenesses, strict=True)
        ]
        selected, pools = self._best_moments(asked, questions, likenesses)
        cosines = [pool.cosines for pool in pools]
        chances = [one.chance if self._settings.confidence else None for one in questions]
        found = tuple(
            hit_from(one, rank=rank, cosines=cosines, chances=chances)
            for rank, one in enumerate(selected, start=1)
        )
        if words is not None:
            found = words.beside(found, [one.moment for one in selected])
        hits = arranged(found, asked)
        best = {one.moment.best.clip_id: one.moment.best for one in selected}
        return SearchResult(
            asked=asked,
            model=made_by.model,
            took_ms=_milliseconds_since(started),
            hits=hits,
            notes=self._notes(asked.texts, made_by),
            curves=self._video_curves(questions, hits, best) if with_curves else (),
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
        self,
        asked: Asked,
        questions: Sequence[Question],
        likenesses: Sequence[Sequence[Likeness]],
    ) -> tuple[Sequence[Selected], Sequence[Pool]]:
        """The best moments, and the clips that were compared for each step.

        The number of clips grows until it makes enough moments.
        """
        limit, videos = looked_at(asked), asked.videos
        if asked.said is not None:
            videos = replace(videos, said=asked.said)
        own = [
            OwnMoments(examples, question.mean_clip)
            for examples, question in zip(likenesses, questions, strict=True)
        ]
        size = max(CLIPS_COMPARED, _CLIPS_PER_MOMENT * limit)
        while True:
            pools = [
                self._pool(step, question, size=size, videos=videos)
                for step, question in zip(asked.steps, questions, strict=True)
            ]
            selected, certain = self._selected(asked, questions, pools, own, limit=limit)
            if len(selected) == limit and certain:
                break
            if all(len(pool.clips) < size for pool in pools):
                break
            if asked.per_video:
                limit = min(limit, asked.per_video * self._videos())
                if len(selected) == limit and certain:
                    break
            size *= _POOL_GROWTH  # many clips of one long video make few moments
        if not selected and not self._catalog.has_videos:
            raise self._nothing_indexed()
        return selected, pools

    def _selected(
        self,
        asked: Asked,
        questions: Sequence[Question],
        pools: Sequence[Pool],
        own: Sequence[OwnMoments],
        *,
        limit: int,
    ) -> tuple[Sequence[Selected], bool]:
        """The best moments of the pools, at most `limit`; whether more clips give none better."""
        with self._catalog.library() as library:
            duplicates = None
            if asked.fold and library is not None:
                duplicates = duplicates_in(pools, library, mean_clip=questions[0].mean_clip)
            selection = Selection(limit=limit, per_video=asked.per_video, duplicates=duplicates)
            steps = [
                Candidates.of(
                    pool.clips
                    if library is None
                    else its_own.without(pool.clips, pool.vectors, library),
                    self._moments_of(question, library, its_own, pool, asked.videos),
                )
                for question, pool, its_own in zip(questions, pools, own, strict=True)
            ]
            if len(steps) == 1:
                clips = selection.worth_a_look(ranked(steps[0].clips))
                return selection.of(steps[0].moments(clips)), True
            found = sequences(steps, within=asked.within)
            selected = selection.of(selection.until_full(found))
            return selected, is_certain(
                selected[-1].moment if selected else None,
                steps,
                [question.chance for question in questions],
            )

    def _moments_of(
        self,
        question: Question,
        library: LibraryVectors | None,
        own: OwnMoments,
        pool: Pool,
        videos: VideoFilter,
    ) -> Callable[[Iterable[ClipMatch]], Iterable[Moment]]:
        """What makes the moments of clips, best first."""
        curves = self._curves(question, library)
        if curves is None or library is None:
            return merge_into_moments
        taken = tagged_stretches(library, pool.clips, videos=videos)
        for video_id, stretches in own.stretches.items():
            taken.setdefault(video_id, []).extend(stretches)
        return partial(moments_on, curves, taken=taken)

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
        self, questions: Sequence[Question], hits: Sequence[Hit], best: Mapping[int, ClipMatch]
    ) -> tuple[VideoCurve, ...]:
        """For each step the curve of each video that has a moment, under the path of its first hit.

        `best` are the best clips of the hits, by their ids.
        """
        of_video = {best[hit.clip_id].video_id: hit for hit in reversed(hits)}
        first = sorted(of_video.values(), key=lambda hit: hit.rank)
        found = []
        with self._catalog.library() as library:
            for step, question in enumerate(questions, start=1):
                curves = self._curves(question, library)
                if curves is None:
                    return ()
                for hit in first:
                    curve = curves.whole(best[hit.clip_id])
                    found.append(_video_curve(hit.path, curve, step=step))
        return tuple(found)

    def _pool(self, step: Step, question: Question, *, size: int, videos: VideoFilter) -> Pool:
        """The nearest clips with the scores by which they rank, at most `size`."""
        clips = self._catalog.nearest_clips(question.direction, limit=size, videos=videos)
        if question.mean_clip is None and self._prompt_for is None:
            return Pool(clips, {clip.clip_id: clip.score for clip in clips})
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
        return Pool(scored, dict(zip(ids.tolist(), cosines, strict=True)), vectors)

    def _nothing_indexed(self) -> NothingIndexedError:
        return NothingIndexedError(
            f"the catalog in {self._catalog.address} holds no videos yet; add some with"
            " `vsearch index PATH`"
        )


def _milliseconds_since(started: float) -> float:
    return (perf_counter() - started) * 1000.0


def _video_curve(path: Path, curve: Curve, *, step: int) -> VideoCurve:
    times, heights = tuple(curve.times.tolist()), tuple(curve.heights.tolist())
    return VideoCurve(path, of_frames=curve.of_frames, times=times, heights=heights, step=step)
