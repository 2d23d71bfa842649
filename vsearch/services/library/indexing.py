"""Index runs: opens and locks the catalog, chooses model and settings, runs the indexer."""

from __future__ import annotations

import logging
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from catalog import Catalog, Provenance
from indexer import (
    IndexReport,
    IndexSettings,
    PathMissingError,
    provenance_of,
)
from indexer import index_library as run_index
from machine.names import command_line
from machine.presence import is_there
from vsearch.services.models import (
    LazyModel,
    binding_provenance,
    existing_catalog,
    open_catalog,
)
from vsearch.services.sentences.bank import keep_background

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from indexer import ModelLoader, RunCounters
    from vsearch.settings import Settings

log = logging.getLogger("vsearch")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    """The options of an index run, before the catalog and the machine are known.

    Attributes:
        window: the length of a clip in seconds; None: as in the catalog, else the default.
        stride: the seconds from the start of one clip to the next; None likewise.
        settings: everything else. Its window and stride are not used, and its accelerator may be
            one that does not work here.
    """

    window: float | None = None
    stride: float | None = None
    settings: IndexSettings = field(default_factory=IndexSettings)


def index_library(
    paths: Sequence[Path],
    *,
    settings: Settings,
    options: IndexOptions,
    counters: RunCounters | None = None,
    model: ModelLoader | None = None,
) -> IndexReport:
    """Index files and folders into the catalog, which is made when there is none.

    `model` is used instead of the one that the settings name, if it is given.

    Raises PathMissingError for a path that does not exist, unless files below it are known.
    """
    with open_index(settings, paths=paths, purpose="vsearch index", model=model) as index:
        how = index_settings(options, made_by=index.made_by)
        report = run_index(
            paths, catalog=index.catalog, model=index.model, settings=how, counters=counters
        )
        kept = report.interrupted or keep_background(index.catalog, settings=settings)
        return report if kept else replace(report, interrupted=True)


@contextmanager
def open_index(
    settings: Settings,
    *,
    paths: Sequence[Path],
    purpose: str,
    model: ModelLoader | None = None,
) -> Iterator[OpenIndex]:
    """Open the catalog, locked for indexing `paths`, for as long as the block lasts.

    It is made when there is none, but not before the paths are there and the model can be had. The
    model is loaded only when something has to be decoded; a model other than the catalog's is
    refused in any case.

    Args:
        purpose: the command that the error for other processes names meanwhile.
        model: used instead of the one that the settings name: of an earlier OpenIndex, which may
            be loaded already, or on another machine.

    Raises CatalogLockedError, ProvenanceMismatchError, ModelError, and PathMissingError when
    nothing is known yet and one of the paths does not exist.
    """
    with ExitStack() as opened:
        catalog = existing_catalog(settings)
        made_by: Provenance | None = None
        if catalog is not None:
            opened.enter_context(catalog)
            made_by = binding_provenance(catalog, settings=settings)
        model = model or LazyModel(settings, made_by=made_by)
        if made_by is None:
            _require_sources(paths, model)
        if catalog is None:
            catalog = opened.enter_context(open_catalog(settings, create=True))
        opened.enter_context(catalog.lock(f"{purpose} {command_line(*paths)}", shared=True))
        if made_by is None or settings.model not in (None, made_by.model):
            made_by = _agreeing(catalog, model)
        yield OpenIndex(catalog=catalog, model=model, made_by=made_by)


def _agreeing(catalog: Catalog, model: ModelLoader) -> Provenance | None:
    """The catalog's provenance, if this model made it, by whatever name; else it is refused.

    Only the weights can tell. From a catalog without videos, the partial videos of another model
    are removed, unless other runs may be at them.
    """
    made_by = catalog.provenance
    if made_by is None:
        return None
    same_cut = IndexSettings(window=made_by.window, stride=made_by.stride)
    asked = provenance_of(model.load(), settings=same_cut)
    alone = not catalog.claims.shared
    if alone and not made_by.agrees_with(asked) and not catalog.has_videos:
        catalog.remove_partials([Path("/")])
        return None
    catalog.check(asked)
    return made_by


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIndex:
    """A locked catalog, its provenance, and the model for it, loaded on first use."""

    catalog: Catalog
    model: ModelLoader
    made_by: Provenance | None


def _require_sources(paths: Iterable[Path], model: ModelLoader) -> None:
    """Check that there is something to index, and a model to do it with."""
    for path in paths:
        if not is_there(path):
            raise PathMissingError.of(path)
    model.clip_format()


def index_settings(options: IndexOptions, *, made_by: Provenance | None) -> IndexSettings:
    """The settings of a run: window and stride as in the catalog, unless options say otherwise."""
    usual = made_by or options.settings
    window = usual.window if options.window is None else options.window
    stride = usual.stride if options.stride is None else options.stride
    if stride > window:
        log.warning(
            "clips of %g s every %g s leave %g s between two of them that no search will find",
            window,
            stride,
            stride - window,
        )
    accelerator = _accelerator(options.settings.accelerator)
    return replace(options.settings, window=window, stride=stride, accelerator=accelerator)


def _accelerator(named: str) -> str:
    """The accelerator to decode with; the lack of one that was asked for is logged, once a run."""
    if named == "none":
        return named
    from media import first_usable, why_not

    if named == "auto":
        usable = first_usable()
        if usable is None:
            log.info(
                "videos are decoded by the processor: FFmpeg finds no graphics card to use here"
            )
        return usable or "none"
    trouble = why_not(named)
    if trouble is None:
        return named
    log.warning("videos are decoded without %s: %s", named, trouble)
    return "none"
