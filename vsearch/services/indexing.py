"""Index runs: the catalog, the model and the indexer put together."""

from __future__ import annotations

import logging
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalog import Catalog, Provenance
from indexer import (
    IndexReport,
    IndexSettings,
    PathMissingError,
    Sampling,
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

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from indexer import ModelLoader, RunCounters
    from vsearch.settings import Settings

log = logging.getLogger("vsearch")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    """What `vsearch index` was told; None leaves it to the catalog, else to IndexSettings.

    `window` and `stride` are seconds, `include` and `exclude` glob patterns on paths.
    """

    window: float | None = None
    stride: float | None = None
    sampling: Sampling = Sampling.AUTO
    hwaccel: str = "none"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    ignore_files: bool = True
    workers: int | None = None
    retry_failed: bool = False
    patience: float | None = None


def index_library(
    paths: Sequence[Path],
    *,
    settings: Settings,
    options: IndexOptions,
    counters: RunCounters | None = None,
) -> IndexReport:
    """Index files and folders into the catalog, which is made when it is not there.

    Raises PathMissingError for a path that is not there, unless files below it are known.
    """
    with open_index(settings, paths=paths, purpose="vsearch index") as index:
        how = index_settings(options, made_by=index.made_by)
        return run_index(
            paths, catalog=index.catalog, model=index.model, settings=how, counters=counters
        )


@contextmanager
def open_index(
    settings: Settings,
    *,
    paths: Sequence[Path],
    purpose: str,
    model: ModelLoader | None = None,
) -> Iterator[OpenIndex]:
    """The catalog, locked for indexing `paths`, for as long as the block lasts.

    It is made when it is not there; a model that cannot be had leaves no catalog. Where there is
    one, its model is loaded only when something has to be decoded, but another one is refused in
    any case. `purpose` is the command that others are told of who want the catalog meanwhile.
    `model` is that of an earlier OpenIndex, which may have been loaded already.

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
            _require_there(paths)
            model.clip_format()
        if catalog is None:
            catalog = opened.enter_context(open_catalog(settings, create=True))
        opened.enter_context(catalog.lock(f"{purpose} {command_line(*paths)}"))
        if made_by is None or settings.model not in (None, made_by.model):
            made_by = _agreeing(catalog, model)
        yield OpenIndex(catalog=catalog, model=model, made_by=made_by)


def _agreeing(catalog: Catalog, model: ModelLoader) -> Provenance | None:
    """What made the catalog, if that was the model by whatever name; else it is refused.

    Only a look at the weights can tell. A catalog without videos takes any model: what another one
    has begun there goes.
    """
    made_by = catalog.provenance
    if made_by is None:
        return None
    same_cut = IndexSettings(window=made_by.window, stride=made_by.stride)
    asked = provenance_of(model.load(), settings=same_cut)
    if not made_by.agrees_with(asked) and not catalog.has_videos:
        catalog.remove_partials([Path("/")])
        return None
    catalog.check(asked)
    return made_by


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIndex:
    """A catalog that is locked, what made it, and the model for it, loaded when it is needed."""

    catalog: Catalog
    model: ModelLoader
    made_by: Provenance | None


def _require_there(paths: Iterable[Path]) -> None:
    for path in paths:
        if not is_there(path):
            raise PathMissingError(
                f"{path} is not there; check the spelling, and whether its disk is mounted"
            )


def index_settings(options: IndexOptions, *, made_by: Provenance | None) -> IndexSettings:
    """The options that were given; window and stride else as the catalog has them."""
    usual = made_by or IndexSettings()
    window = usual.window if options.window is None else options.window
    stride = usual.stride if options.stride is None else options.stride
    if stride > window:
        log.warning(
            "clips of %g s every %g s leave %g s between two of them that no search will find",
            window,
            stride,
            stride - window,
        )
    return IndexSettings(
        window=window,
        stride=stride,
        sampling=options.sampling,
        accelerator=_accelerator(options.hwaccel),
        include=options.include,
        exclude=options.exclude,
        ignore_files=options.ignore_files,
        workers=IndexSettings().workers if options.workers is None else options.workers,
        retry_failed=options.retry_failed,
        patience=IndexSettings().patience if options.patience is None else options.patience,
    )


def _accelerator(named: str) -> str:
    """The accelerator to decode with; that there is none that was asked for is told, once a run."""
    if named == "none":
        return named
    from media import first_usable, why_not

    if named == "auto":
        usable = first_usable()
        if usable is None:
            log.info(
                "films are decoded by the processor: FFmpeg finds no graphics card to use here"
            )
        return usable or "none"
    trouble = why_not(named)
    if trouble is None:
        return named
    log.warning("films are decoded without %s: %s", named, trouble)
    return "none"
