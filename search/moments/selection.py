"""The selection of an answer's moments from all that were found, best first."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from catalog import ClipMatch
from search.moments.duplicates import Duplicates
from search.moments.ranking import Moment


@dataclass(slots=True)
class Selected:
    """A moment of an answer, and those of other videos that show the same, best first."""

    moment: Moment
    duplicates: list[Moment] = field(default_factory=list)


class Selection:
    """The best moments, each video's at most some times, and what shows the same only once.

    Args:
        limit: maximum number of moments.
        per_video: maximum number of moments of one video; 0: no maximum.
        duplicates: tells what shows the same; None: nothing does.
    """

    def __init__(
        self, *, limit: int, per_video: int = 0, duplicates: Duplicates | None = None
    ) -> None:
        self._limit = limit
        self._per_video = per_video
        self._duplicates = duplicates
        self._selected: list[Selected] = []
        self._of_video: Counter[int] = Counter()

    def worth_a_look(self, clips: Sequence[ClipMatch]) -> Iterator[ClipMatch]:
        """Those of these clips whose moments can change the selection, as it is when they come."""
        near: set[int] = set()  # clips near the moments that were compared with all clips
        compared = 0
        for clip in clips:
            if not self._full() and self._has_room(clip):
                yield clip
            elif self._duplicates is not None:
                if new := self._moments()[compared:]:
                    near |= self._duplicates.near(new)
                    compared += len(new)
                if clip.clip_id in near:
                    yield clip
            elif self._full():
                return

    def until_full(self, moments: Iterable[Moment]) -> Iterator[Moment]:
        """These moments, as long as one more can be selected."""
        for moment in moments:
            yield moment
            if self._full():
                return

    def of(self, moments: Iterable[Moment]) -> Sequence[Selected]:
        """The selection from these moments, which come best first.

        What was selected is compared with the rest of them, so that duplicates are counted.
        """
        for moment in moments:
            self._take(moment)
            if self._full() and self._duplicates is None:
                break
        return self._selected

    def _take(self, moment: Moment) -> None:
        if self._duplicates is not None:
            original = self._duplicates.original(moment, self._moments())
            if original is not None:
                self._selected[original].duplicates.append(moment)
                return
        if not self._full() and self._has_room(moment.best):
            self._of_video[moment.best.video_id] += 1
            self._selected.append(Selected(moment))

    def _moments(self) -> list[Moment]:
        return [one.moment for one in self._selected]

    def _has_room(self, clip: ClipMatch) -> bool:
        """Whether there may be one more moment of a clip's video."""
        return not self._per_video or self._of_video[clip.video_id] < self._per_video

    def _full(self) -> bool:
        return len(self._selected) == self._limit
