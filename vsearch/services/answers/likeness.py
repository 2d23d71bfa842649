"""Examples of what is looked for: vectors of the catalog, or of files that are decoded for them."""

from __future__ import annotations

import math
import os
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from catalog import ClipSpan
from machine.file_state import size_and_time
from machine.presence import is_folder, is_regular_file
from search import ExampleError, Likeness, stored_likeness
from search.asking.example import require_in
from search.background.centring import unit
from search.searcher import require_model_of
from vsearch import caller
from vsearch.services.library.known_paths import known_as
from vsearch.services.models import load_embedder, model_to_load

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from catalog import Catalog, Provenance
    from search import Example
    from vsearch.settings import Settings
    from xclip_core import Embedder

_MOST_CLIPS = 16  # of a video that is not indexed, evenly spread


class Likenesses:
    """The vectors of examples; the whole model is loaded for the first that is not indexed."""

    def __init__(self, catalog: Catalog, *, settings: Settings) -> None:
        self._catalog = catalog
        self._settings = settings

    def of(self, example: Example, made_by: Provenance) -> Likeness:
        """The likeness of an example; see `LikenessOf`."""
        if "\0" in str(example.path):
            raise ExampleError("no file has a name with a NUL in it")
        model_to_load(self._settings, made_by=made_by)  # another one is refused
        video_id = self._indexed(example.path)
        try:
            if video_id is not None:
                with self._catalog.library() as library:
                    if library is not None:
                        return stored_likeness(library, video_id, time=example.time)
            return Likeness(self._decoded(example, made_by))
        except ExampleError as error:
            raise ExampleError(f"{example.path}: {error}") from error

    def _indexed(self, path: Path) -> int | None:
        """The id of the video of a file; None for one that is not indexed as it is now."""
        place = known_as(self._catalog, path) if caller.sees_files() else path
        known = self._catalog.known_files([place]).get(str(place))
        if known is None or not is_regular_file(place):
            return None if known is None else known.video_id
        as_indexed = size_and_time(os.stat(place)) == (known.size, known.mtime_ns)  # noqa: PTH116
        return known.video_id if as_indexed else None

    @cached_property
    def _embedder(self) -> Embedder:
        return load_embedder(self._settings, made_by=self._catalog.provenance)

    def _decoded(self, example: Example, made_by: Provenance) -> NDArray[np.float32]:
        """The vector (D,) of a file that is not indexed, as it is now."""
        from media import MediaError
        from media.picture import read_picture

        if not caller.sees_files():
            raise ExampleError("is no video that is indexed as it is now")
        _require_file(example.path)
        require_model_of(self._catalog, made_by, self._embedder.identity)
        try:
            picture = read_picture(example.path)
            if picture is None:
                clips = self._clips(example, window=made_by.window)
            elif example.time is None:
                frame = self._embedder.prepare_frame(picture)
                clips = np.stack([frame] * self._embedder.identity.frames_per_clip)[None]
            else:
                raise ExampleError("is a picture, which has no times; leave out what follows the @")
        except MediaError as error:
            raise ExampleError(str(error)) from error
        return unit(self._embedder.embed_clips(clips).mean(axis=0))

    def _clips(self, example: Example, *, window: float) -> NDArray[np.uint8]:
        """The clip (1, T, S, S, 3) around a moment of a video, or clips (B, …) spread over it."""
        from media import UnsupportedError, probe
        from vsearch.services.answers.clips import decoded_clip

        try:
            video = probe(example.path)
        except UnsupportedError as error:
            raise ExampleError(f"is no picture, and no video: it {error}") from error
        require_in(video.end, time=example.time)
        latest = max(video.start, video.end - window)
        if example.time is None:
            count = min(_MOST_CLIPS, math.ceil((video.end - video.start) / window))
            starts = np.linspace(video.start, latest, max(1, count)).tolist()
        else:
            starts = [min(max(video.start, example.time - window / 2), latest)]
        spans = [ClipSpan(start, min(start + window, video.end)) for start in starts]
        return np.stack([decoded_clip(video, span, embedder=self._embedder) for span in spans])


def _require_file(path: Path) -> None:
    if is_folder(path):
        raise ExampleError("is a folder; give one of its files")
    if not is_regular_file(path):
        hint = "; a moment is given as in film.mp4@1:23" if "@" in path.name else ""
        raise ExampleError(f"is not there, and no indexed video has this path{hint}")
