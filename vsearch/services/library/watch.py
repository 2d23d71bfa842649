"""`vsearch watch`: one index run after another, each over changed paths only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from catalog import CatalogLockedError
from indexer import ReportedFailures, WatchSettings, index_library, watch_library
from machine.presence import is_there
from vsearch.errors import user_errors
from vsearch.messages import log, tell_of_demo
from vsearch.services.library.indexing import index_settings, open_index
from vsearch.services.sentences.bank import keep_background

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from indexer import IndexReport, IndexSettings, LeftOut, ModelLoader, RunCounters, Walk
    from vsearch.services.library.indexing import IndexOptions
    from vsearch.settings import Settings


def watch(
    paths: Sequence[Path],
    *,
    settings: Settings,
    options: IndexOptions,
    timing: WatchSettings,
    progress: Callable[[], AbstractContextManager[RunCounters]],
    on_pass: Callable[[IndexReport], None],
) -> None:
    """Keep the catalog, which is made when it is not there, up to date until KeyboardInterrupt.

    An error of the first run is raised; an error of a later one is logged, and the run is repeated.

    Args:
        progress: opens the display of one run's progress.
        on_pass: called with the report of each run, without failures that were reported before.
    """
    runs = _Runs(
        given=paths, settings=settings, options=options, progress=progress, on_pass=on_pass
    )
    watch_library(
        paths,
        index=runs,
        settings=timing,
        include=options.settings.include,
        exclude=options.settings.exclude,
        ignore_files=options.settings.ignore_files,
        on_message=log.warning,
    )


@dataclass(slots=True, kw_only=True)
class _Runs:
    """Index runs over parts of a library.

    The catalog is opened and locked for each run only: between two runs other processes may work on
    it, repair or replace it, and a process that waits for days keeps neither open files nor an
    index in memory. The model is kept once it was loaded.
    """

    given: Sequence[Path]
    settings: Settings
    options: IndexOptions
    progress: Callable[[], AbstractContextManager[RunCounters]]
    on_pass: Callable[[IndexReport], None]
    _failures: ReportedFailures = field(default_factory=ReportedFailures)
    _failed_subtitles: ReportedFailures = field(default_factory=ReportedFailures)
    _index_settings: IndexSettings | None = None
    _model: ModelLoader | None = None
    _refusal: str | None = None
    _left_out: set[LeftOut] = field(default_factory=set)

    def __call__(
        self,
        paths: Sequence[Path],
        /,
        *,
        roots: frozenset[Path],
        defer: Callable[[Walk], Iterable[Path]],
    ) -> bool:
        """Make one run; False when it has to be repeated."""
        first = self._model is None
        try:
            report = self._run(paths, roots=roots, defer=defer)
        except CatalogLockedError as error:
            return self._refused(error)
        except Exception as error:
            if first or not isinstance(error, (*user_errors(), OSError)):
                raise
            return self._refused(error)
        self._refusal = None
        news = self._failures.new(report.failed, below=paths)
        subtitles = self._failed_subtitles.new(report.failed_subtitles, below=paths)
        left_out = tuple(one for one in report.left_out if one not in self._left_out)
        self._left_out.update(left_out)
        self.on_pass(replace(report, failed=news, failed_subtitles=subtitles, left_out=left_out))
        if report.interrupted:
            raise KeyboardInterrupt
        return True

    def _run(
        self,
        paths: Sequence[Path],
        *,
        roots: frozenset[Path],
        defer: Callable[[Walk], Iterable[Path]],
    ) -> IndexReport:
        with (
            open_index(
                self.settings,
                paths=self.given,
                purpose="vsearch watch",
                model=self._model,
            ) as index,
            self.progress() as counters,
        ):
            if self._model is None:
                tell_of_demo(index.made_by.model if index.made_by else self.settings.model)
            settings = self._index_settings or index_settings(self.options, made_by=index.made_by)
            if self._model is not None:
                # Paths that are gone since, and unknown to the catalog, need no run.
                known = index.catalog.known_files
                paths = [path for path in paths if is_there(path) or known([path])]
            done = index_library(
                paths,
                catalog=index.catalog,
                model=index.model,
                settings=replace(settings, roots=roots, defer=defer),
                counters=counters,
            )
            self._index_settings, self._model = settings, index.model
            kept = done.interrupted or keep_background(index.catalog, settings=self.settings)
            return done if kept else replace(done, interrupted=True)

    def _refused(self, error: Exception) -> bool:
        if str(error) != self._refusal:
            self._refusal = str(error)
            log.warning("%s; what has changed is indexed later", error)
        return False
