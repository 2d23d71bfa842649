"""Where the parts meet for all that looks at films: the catalog, the model and the indexer.

The command calls the functions below, one each; those for questions are in `vsearch.asking`. The
page runs in a process of its own: `page_command` tells how to start it, and the settings of the
command that does so travel as environment variables (`page_environment` and `read_page_settings` of
`vsearch.settings` are the two ends).
"""

from __future__ import annotations

import importlib.util
import logging
import socket
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from catalog import Catalog, CatalogError, ClipSpan, Provenance
from indexer import (
    IndexingError,
    IndexReport,
    IndexSettings,
    PathMissingError,
    Sampling,
    provenance_of,
    sample_times,
)
from indexer import index_library as run_index
from machine import usable_cores
from machine.names import command_line
from machine.presence import is_there
from search import SearchError, notes_on
from vsearch.errors import (
    CommandError,
    PageMissingError,
    PortTakenError,
    VideoError,
)
from vsearch.opening import known_digests, model_to_load, open_catalog, stored_provenance
from xclip_core import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from indexer import ClipFormat, Event, Model
    from media import VideoInfo
    from vsearch.settings import Settings
    from xclip_core.embedder import Embedder

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


@dataclass(frozen=True, slots=True)
class Classification:
    """Labels and their probabilities, most probable first; together they make 1.

    `notes` say what is amiss with labels, as those of a SearchResult do with a sentence.
    """

    path: Path
    model: str
    took_ms: float
    labels: tuple[tuple[str, float], ...]
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def user_errors() -> tuple[type[Exception], ...]:
    """What a user can cause and mend; all else is a fault of the program, and keeps its traceback.

    A function, as FFmpeg takes a while to load: whoever decodes nothing does not wait for it.
    """
    from media import MediaError

    return (CatalogError, CommandError, IndexingError, MediaError, ModelError, SearchError)


def index_library(
    paths: Sequence[Path],
    *,
    settings: Settings,
    options: IndexOptions,
    report: Callable[[Event], None],
) -> IndexReport:
    """Index files and folders into the catalog, which is made when it is not there.

    Raises PathMissingError for a path that is not there, unless files below it are known.
    """
    with open_index(settings, paths=paths, purpose="vsearch index") as index:
        how = index_settings(options, made_by=index.made_by)
        return index.run(paths, settings=how, report=report)


@contextmanager
def open_index(
    settings: Settings,
    *,
    paths: Sequence[Path],
    purpose: str,
    model: Model | None = None,
) -> Iterator[OpenIndex]:
    """The catalog, locked for indexing `paths`, for as long as the block lasts.

    It is made when it is not there; a model that cannot be had leaves no catalog. Where there is
    one, its model is loaded only when something has to be decoded, but another one is refused in
    any case. `purpose` is the command that others are told of who want the catalog meanwhile.
    `model` is that of an earlier OpenIndex, which may have been loaded already.

    Raises CatalogLockedError, ModelConflictError, ProvenanceMismatchError, ModelError, and
    PathMissingError when nothing is known yet and there is nothing at one of the paths.
    """
    made_by = stored_provenance(settings)
    model = model or _ModelOnDemand(settings, made_by=made_by)
    if made_by is None:
        _require_there(paths)
        model.clip_format()
    task = f"{purpose} {command_line(*paths)}"
    with open_catalog(settings, create=True) as catalog, catalog.lock(task):
        if made_by is None or settings.model not in (None, made_by.model):
            made_by = _agreeing(catalog, model)
        yield OpenIndex(catalog=catalog, model=model, made_by=made_by)


def _agreeing(catalog: Catalog, model: Model) -> Provenance | None:
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
    model: Model
    made_by: Provenance | None

    def run(
        self,
        paths: Sequence[Path],
        *,
        settings: IndexSettings,
        report: Callable[[Event], None],
    ) -> IndexReport:
        """Index `paths` once."""
        done = run_index(
            paths,
            catalog=self.catalog,
            model=self.model,
            settings=settings,
            report=report,
        )
        made_by = self.catalog.provenance
        return replace(done, model=None if made_by is None else made_by.model)


class _ModelOnDemand:
    """Loads the model once, when it is needed first; a conflict of names is refused at once."""

    def __init__(self, settings: Settings, *, made_by: Provenance | None) -> None:
        self._settings = settings
        self._made_by = made_by
        self._loaded: Embedder | None = None
        self._name = model_to_load(settings, made_by=made_by)

    def clip_format(self) -> ClipFormat:
        """From the checkpoint's small files, without PyTorch; fetches what is not here yet."""
        from xclip_core.checkpoint.files import read_clip_format
        from xclip_core.checkpoint.location import locate

        return read_clip_format(locate(self._name, on_message=log.info).folder)

    def load(self) -> Embedder:
        """The embedder, each of whose calls keeps to one core: a call for each core goes on."""
        if self._loaded is None:
            from xclip_core.inference.devices import compute_in_one_thread

            compute_in_one_thread()
            self._loaded = load_embedder(self._settings, made_by=self._made_by)
        return self._loaded

    @property
    def calls_at_once(self) -> int:
        """One for each core; one for a GPU, which has cores enough for each call."""
        on_cpu = self._loaded is not None and self._loaded.device == "cpu"
        return usable_cores() if on_cpu else 1


def _require_there(paths: Iterable[Path]) -> None:
    for path in paths:
        if not is_there(path):
            raise PathMissingError(
                f"{path} is not there; check the spelling, and whether its disk is mounted"
            )


def classify(
    video: Path,
    labels: Sequence[str],
    *,
    settings: Settings,
) -> Classification:
    """The probability of each label for a whole video, from one clip of frames spread over it.

    Raises VideoError when the file cannot be read, before any model is loaded where possible.
    """
    info = _probe(video)
    embedder = load_embedder(settings, made_by=stored_provenance(settings))
    begin = time.perf_counter()
    probabilities = embedder.classify(_whole_video(info, embedder=embedder), labels)
    took_ms = 1000 * (time.perf_counter() - begin)
    ranked = sorted(zip(labels, map(float, probabilities), strict=True), key=lambda pair: -pair[1])
    return Classification(
        path=video,
        model=embedder.identity.model,
        took_ms=took_ms,
        labels=tuple(ranked),
        notes={label: notes_on(label, read=embedder.letters_read(label)) for label in labels},
    )


def _probe(video: Path) -> VideoInfo:
    from media import MediaError, probe

    try:
        return probe(video)
    except MediaError as error:
        raise VideoError(f"{video}: {error}") from error


def _whole_video(video: VideoInfo, *, embedder: Embedder) -> NDArray[np.uint8]:
    """One clip (T, S, S, 3) of a whole video."""
    from media import MediaError, decode_at

    span = ClipSpan(video.start, video.end)
    times = sample_times(span, frames=embedder.identity.frames_per_clip)
    try:
        frames = [embedder.prepare_frame(frame.pixels) for frame in decode_at(video, times)]
    except MediaError as error:
        raise VideoError(f"{video.path}: {error}") from error
    return np.stack(frames)


def page_command(*, port: int, flags: Sequence[str]) -> list[str]:
    """The arguments with which Python serves the page, on 127.0.0.1 only.

    Raises PageMissingError where the `ui` package is not installed, and PortTakenError.
    """
    _require_free(port)
    if importlib.util.find_spec("ui") is None:
        raise PageMissingError("this installation holds no page; install vsearch again, with `ui`")
    return ["-m", "ui.serve", "--port", str(port), *flags]


def _require_free(port: int) -> None:
    with socket.socket() as listener:
        # As a server does: a port that was in use a moment ago is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTakenError(
                f"port {port} of 127.0.0.1 cannot be had ({error.strerror}); is the page open "
                "already? Give another port with `--port N`"
            ) from error


def load_embedder(settings: Settings, *, made_by: Provenance | None) -> Embedder:
    """The model that was asked for, else the one that made the catalog, else the default.

    Raises ModelConflictError, before loading anything, when a model is asked for by another name
    than that of the one that made the catalog.
    """
    from xclip_core.embedder import Embedder

    embedder = Embedder.load(
        model_to_load(settings, made_by=made_by),
        device=settings.device,
        precision=settings.precision,
        cache=known_digests(settings),
        on_message=log.info,
    )
    log.debug("model %s on %s in %s", embedder.identity.model, embedder.device, embedder.precision)
    return embedder


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
