"""Stills and short clips of moments, made from the video files on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from media import MediaError, excerpt, thumbnail
from search import present_copy
from ui.byte_cache import ByteCache

if TYPE_CHECKING:
    from search import Hit

LONGEST_PREVIEW = 30.0  # seconds
_BYTES_KEPT = 64 << 20
_STILLS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Preview:
    """A JPEG or an MP4, or else the problem in one sentence."""

    data: bytes | None = None
    problem: str = ""


class Previews:
    """Makes previews on demand and keeps the latest ones."""

    def __init__(self, *, max_bytes: int = _BYTES_KEPT) -> None:
        self._cache = ByteCache(max_bytes=max_bytes)

    def stills(self, hits: Sequence[Hit]) -> Iterator[Preview]:
        """A still of each moment, in order; the next ones are made in threads meanwhile."""
        with ThreadPoolExecutor(_STILLS_AT_ONCE, thread_name_prefix="still") as pool:
            yield from pool.map(self._still, hits)

    def clip(self, hit: Hit) -> Preview:
        """The moment as an H.264 MP4, see `preview_span`."""
        start, end = preview_span(hit)
        return self._made(hit, partial(excerpt, start=start, end=end), key=("clip", start, end))

    def _still(self, hit: Hit) -> Preview:
        return self._made(
            hit, partial(thumbnail, time=hit.peak, threads=1), key=("still", hit.peak)
        )

    def _made(
        self, hit: Hit, make: Callable[[Path], bytes], *, key: tuple[str | float, ...]
    ) -> Preview:
        path = present_copy((hit.path, *hit.other_paths))
        if path is None:
            return Preview(
                problem="The file is gone from where it was indexed; if it moved, say where to: "
                "`vsearch index FOLDER`"
            )
        try:
            found = path.stat()
            content = (path, found.st_size, found.st_mtime_ns)
            return Preview(data=self._cache.get((*content, *key), partial(make, path)))
        except (MediaError, OSError) as error:
            return Preview(problem=f"The file cannot be shown: {error}")


def preview_span(hit: Hit) -> tuple[float, float]:
    """The interval of a moment's preview, in seconds.

    The whole moment; of one that is longer than `LONGEST_PREVIEW`, that much around its peak.
    """
    if hit.end - hit.start <= LONGEST_PREVIEW:
        return hit.start, hit.end
    latest = hit.end - LONGEST_PREVIEW
    start = min(max(hit.start, hit.peak - LONGEST_PREVIEW / 2), latest)
    return start, start + LONGEST_PREVIEW
