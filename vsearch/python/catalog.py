"""Catalogs for programs: `open_catalog`, and what can be asked of an open one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from vsearch.python.errors import VsearchError, one_kind_of_error
from vsearch.python.results import (
    Answer,
    Classification,
    Moment,
    Status,
    Video,
    answer_of,
    classification_of,
    status_of,
    video_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vsearch.services.answers.search import WarmSearch
    from vsearch.settings import Settings

Texts = str | Iterable[str]
Date = str | date
Sort = Literal["relevance", "newest", "oldest", "path"]
Orientation = Literal["landscape", "portrait", "square"]


def open_catalog(catalog: str | Path | None = None, *, model: str | None = None) -> OpenCatalog:
    """Open the usual catalog, or that of a folder or the URL of a database, to ask it questions.

    `model` is a Hub id, a folder or `demo`; without it, the catalog's own. It is loaded for the
    first question. The variable VSEARCH_HOME counts as it does for the command.

    Raises:
        VsearchError: there is no such catalog, or it cannot be opened.
    """
    from vsearch.settings import read_settings

    with one_kind_of_error():
        return OpenCatalog(read_settings(os.environ, catalog=catalog, model=model))


class OpenCatalog:
    """An open catalog, to be closed at the end, as by `with`. Safe to use from several threads.

    Answers are those of the command. What other processes index meanwhile is in the next answer.
    Every method raises VsearchError, with the command's sentence, for what cannot be done.
    """

    def __init__(self, settings: Settings) -> None:
        """Programs call `open_catalog`."""
        from vsearch.services.answers.classify import Classifier
        from vsearch.services.answers.search import WarmSearch

        self._warm: WarmSearch | None = WarmSearch(settings)
        self._classifier = Classifier(settings)
        self._warm.version()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it; a second time does nothing."""
        warm, self._warm = self._warm, None
        if warm is not None:
            warm.close()

    def search(
        self,
        text: Texts = (),
        *,
        not_: Texts = (),
        then: Texts = (),
        within: float | None = None,
        said: str | None = None,
        like: str | Path | Iterable[str | Path] = (),
        limit: int = 10,
        sort: Sort = "relevance",
        per_video: int = 3,
        show_duplicates: bool = False,
        all_: bool = False,
        in_: Texts = (),
        after: Date | None = None,
        before: Date | None = None,
        min_duration: float | None = None,
        max_duration: float | None = None,
        min_height: int | None = None,
        orientation: Orientation | None = None,
        camera: str | None = None,
        tag: Texts = (),
    ) -> Answer:
        """The moments of a sentence, or of several that all have to fit.

        The other parameters are the options of `vsearch query`; a date may be one of `datetime`. An
        example (`like`) is a file, or a moment as in `beach.mp4@1:23`. With `all_`, the answer has
        also the nearest moments with nothing convincing.
        """
        question: dict[str, Any] = {
            "text": _several(text),
            "not": _several(not_),
            "then": _several(then),
            "within": within,
            "said": said,
            "like": _several(like),
            "limit": limit,
            "sort": sort,
            "per-video": per_video,
            "show-duplicates": show_duplicates,
            "in": _several(in_),
            "after": _date(after),
            "before": _date(before),
            "min-duration": min_duration,
            "max-duration": max_duration,
            "min-height": min_height,
            "orientation": orientation,
            "camera": camera,
            "tag": _several(tag),
        }
        return self._answer(question, everything=all_)

    def similar(
        self,
        example: str | Path | Moment,
        *,
        at: float | None = None,
        limit: int = 10,
        per_video: int = 3,
        in_: Texts = (),
        after: Date | None = None,
        before: Date | None = None,
    ) -> Answer:
        """More like a picture, a video, a moment of an answer, or `at` these seconds of a video.

        The answer has no confidence: of examples it cannot be told. `search` has more options
        (`like`), also for an example beside a sentence.
        """
        if isinstance(example, Moment):
            path, at = str(example.path), example.peak if at is None else at
        else:
            path = str(example)
        # With a weight, the end of a name is not taken for one.
        like = path if at is None else f"{path}@{at:.3f}^1"
        question = {
            "like": [like],
            "limit": limit,
            "per-video": per_video,
            "in": _several(in_),
            "after": _date(after),
            "before": _date(before),
        }
        return self._answer(question, everything=False)

    def classify(self, video: str | Path, labels: Iterable[str]) -> Classification:
        """The probability of each of two or more labels for a video file, indexed or not."""
        from vsearch.commands.options import file_given
        from vsearch.commands.questions.classify import labels_given

        with one_kind_of_error():
            self._opened()
            path, texts = file_given(str(video)), labels_given(_several(labels))
            return classification_of(self._classifier.classify(path, texts))

    def videos(self, folder: str | Path | None = None) -> tuple[Video, ...]:
        """All videos, in the order in which they were indexed; with a folder, those below it."""
        from vsearch.services.library.listing import MOST_VIDEOS, list_videos

        under = None if folder is None else Path(folder).expanduser().absolute()
        found: list[Video] = []
        after: int | None = 0
        with one_kind_of_error():
            while after is not None:
                page = self._opened().read(
                    partial(list_videos, folder=under, after=after, limit=MOST_VIDEOS)
                )
                found += map(video_of, page.videos)
                after = page.after
        return tuple(found)

    def status(self) -> Status:
        """The contents of the catalog, counted."""
        with one_kind_of_error():
            return status_of(self._opened().status())

    def _answer(self, question: Mapping[str, Any], *, everything: bool) -> Answer:
        from vsearch.commands.questions.options.examples import examples_refused
        from vsearch.python.asking import asked_of

        with one_kind_of_error(), examples_refused():
            result = self._opened().answer(asked_of(question))
            return answer_of(result, everything=everything)

    def _opened(self) -> WarmSearch:
        if self._warm is None:
            raise VsearchError("the catalog is closed; open it again with open_catalog")
        return self._warm


def _several(given: str | Path | Iterable[str | Path]) -> list[str]:
    """One or several texts or paths as a list."""
    if isinstance(given, str | Path):
        return [str(given)]
    return [str(one) if isinstance(one, Path) else one for one in given]


def _date(given: Date | None) -> str | None:
    """A date as the command reads it, in local time."""
    if isinstance(given, datetime):
        local = given.astimezone() if given.tzinfo is not None else given
        return f"{local:%Y-%m-%d %H:%M:%S}"
    return given.isoformat() if isinstance(given, date) else given
