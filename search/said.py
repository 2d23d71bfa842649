"""Moments at which words are said: found by subtitles alone, or beside what is seen."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from catalog import Catalog, CueMatch
from search.asking.asked import Asked
from search.copies import copy_to_show
from search.moments.ranking import Moment
from search.records import Hit, Said


@dataclass(frozen=True, slots=True)
class WordsOf:
    """Words of a question, and the catalog that knows where they are said."""

    catalog: Catalog
    words: str

    def alone(self, asked: Asked) -> tuple[Hit, ...]:
        """The moments of the best cues: BM25 is their score.

        Raises:
            InvalidWordsError, InvalidGlobError, UnknownTagError.
        """
        size, cues_saying = asked.limit, self.catalog.details.cues_saying
        while True:
            cues = cues_saying(self.words, limit=size, videos=asked.videos)
            best = _best(cues, asked)
            if len(best) == asked.limit or len(cues) < size:
                return tuple(_hit_of(cue, rank=rank) for rank, cue in enumerate(best, start=1))
            size *= 4

    def beside(self, hits: Sequence[Hit], moments: Sequence[Moment]) -> tuple[Hit, ...]:
        """The hits of these moments, each with what is said in it or near it.

        Where its clip is near the words, but not the moment itself, it is what is near the clip.
        """
        cues_near = self.catalog.details.cues_near
        cues = cues_near(self.words, [(one.best.video_id, one.start, one.end) for one in moments])
        if None in cues:
            clips = [(one.best.video_id, one.best.start, one.best.end) for one in moments]
            of_clips = cues_near(self.words, clips)
            cues = [cue or other for cue, other in zip(cues, of_clips, strict=True)]
        return tuple(
            replace(hit, said=None if cue is None else _said(cue))
            for hit, cue in zip(hits, cues, strict=True)
        )


def _best(cues: Sequence[CueMatch], asked: Asked) -> list[CueMatch]:
    """The first cues, of each video as many as asked for."""
    of_videos: Counter[int] = Counter()
    best = []
    for cue in cues:
        of_videos[cue.video_id] += 1
        if not asked.per_video or of_videos[cue.video_id] <= asked.per_video:
            best.append(cue)
    return best[: asked.limit]


def _hit_of(cue: CueMatch, *, rank: int) -> Hit:
    path, others = copy_to_show(cue.paths, cue.other_paths)
    return Hit(
        rank=rank,
        score=cue.score,
        path=path,
        start=cue.start,
        end=cue.end,
        peak=(cue.start + cue.end) / 2,
        duration=cue.duration,
        clip_id=cue.clip_id,
        video_id=cue.video_id,
        other_paths=others,
        captured=cue.captured,
        captured_from=cue.captured_from,
        said=_said(cue),
    )


def _said(cue: CueMatch) -> Said:
    return Said(cue.text, cue.language, cue.source, cue.start, cue.end)
