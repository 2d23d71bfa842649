"""X-CLIP's prompts: sentences that are conditioned on clips, which are decoded when they are asked.

Nothing of it is stored but the mean context of a catalog, one array (N, D), in the cache.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from catalog import ClipSpan
from search import present_copy
from vsearch.errors import VideoError
from vsearch.services.answers.clips import decoded_clip
from vsearch.services.file_cache import FileCache
from vsearch.services.models import load_embedder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from catalog import Catalog, ClipMatch, Provenance
    from media import VideoInfo
    from vsearch.settings import Settings
    from xclip_core import Embedder, ModelIdentity

log = logging.getLogger("vsearch")

MEAN_OF = 128  # clips
_CONTEXTS_KEPT = 1000  # of clips that were decoded: 100 KB each for 49 patches of 512 numbers
_VIDEOS_KEPT = 100  # that were probed
_MOST_MEANS = 100
_SEED = 11


class Prompts:
    """Prompts for one catalog; the whole model is loaded at the first use.

    Not safe for several threads.
    """

    def __init__(self, catalog: Catalog, *, settings: Settings) -> None:
        self._catalog = catalog
        self._settings = settings
        self._contexts: OrderedDict[int, NDArray[np.float32] | None] = OrderedDict()
        self._probed: OrderedDict[Path, VideoInfo | None] = OrderedDict()

    @cached_property
    def _embedder(self) -> Embedder:
        return load_embedder(self._settings, made_by=self._catalog.provenance)

    def prompt_for(
        self, sentences: Sequence[str], clips: Sequence[ClipMatch]
    ) -> dict[int, NDArray[np.float32]]:
        """Unit vectors (K, D) of sentences prompted by each clip, by clip id; see `PromptFor`."""
        found = {}
        for clip in clips:
            if (context := self._context_of(clip)) is not None:
                found[clip.clip_id] = self._embedder.embed_prompted(sentences, context)
        return found

    def prompted_embedder(self, made_by: Provenance) -> PromptedEmbedder:
        """The embedder of sentences that are all prompted by the mean of the catalog's clips.

        Raises VideoError if none of its videos can be decoded now.
        """
        uuid, generation = self._catalog.version
        key = f"{uuid} {generation} {made_by.model_digest} {MEAN_OF}".encode()
        cache = FileCache(self._settings.home / "cache" / "contexts", capacity=_MOST_MEANS)
        known = cache.get(key)
        if known is not None and len(known) % (4 * made_by.dim) == 0:
            mean = np.frombuffer(known, "<f4").reshape(-1, made_by.dim).astype(np.float32)
        else:
            mean = self._mean_context(made_by)
            cache.put(key, mean.astype("<f4").tobytes())
        return PromptedEmbedder(self._embedder, mean)

    def _mean_context(self, made_by: Provenance) -> NDArray[np.float32]:
        """The mean context (N, D) of random stretches of the catalog's videos."""
        log.info("decoding %d clips for X-CLIP's prompts, once for this catalog", MEAN_OF)
        draw = np.random.default_rng(_SEED)
        # Not in order of the ids: the same videos give the same mean, whichever was indexed first.
        videos = sorted(self._catalog.videos(), key=lambda video: video.paths)
        lengths = np.array([max(video.duration, 1e-3) for video in videos])
        total, count = np.zeros(0, np.float32), 0
        for number in draw.choice(len(videos), MEAN_OF, p=lengths / lengths.sum()):
            video = videos[number]
            start = float(draw.uniform(0.0, max(video.duration - made_by.window, 0.0)))
            span = ClipSpan(start, min(start + made_by.window, video.duration))
            if (context := self._decoded(video.paths, span)) is not None:
                total, count = (total + context if count else context), count + 1
        if not count:
            raise VideoError(
                f"none of {MEAN_OF} clips of the catalog in {self._catalog.address} can be decoded"
                " now; see that the disks with the videos are mounted"
            )
        return total / np.float32(count)

    def _context_of(self, clip: ClipMatch) -> NDArray[np.float32] | None:
        """The context (N, D) of a clip; None if it cannot be decoded now."""
        if clip.clip_id not in self._contexts:
            paths = (*clip.paths, *clip.other_paths)
            self._contexts[clip.clip_id] = self._decoded(paths, ClipSpan(clip.start, clip.end))
            if len(self._contexts) > _CONTEXTS_KEPT:
                self._contexts.popitem(last=False)
        self._contexts.move_to_end(clip.clip_id)
        return self._contexts[clip.clip_id]

    def _decoded(self, paths: Iterable[Path], span: ClipSpan) -> NDArray[np.float32] | None:
        from media import MediaError

        video = self._video_at(present_copy(paths))
        if video is None:
            return None
        try:
            clip = decoded_clip(video, span, embedder=self._embedder)
        except MediaError as error:
            log.debug("%s cannot be decoded for its prompts: %s", video.path, error)
            return None
        context: NDArray[np.float32] = self._embedder.contexts(clip[None])[0]
        return context

    def _video_at(self, path: Path | None) -> VideoInfo | None:
        from media import MediaError, probe

        if path is None:
            return None
        if path not in self._probed:
            try:
                self._probed[path] = probe(path)
            except MediaError as error:
                log.debug("%s cannot be read for its prompts: %s", path, error)
                self._probed[path] = None
            if len(self._probed) > _VIDEOS_KEPT:
                self._probed.popitem(last=False)
        return self._probed[path]


@dataclass(frozen=True, slots=True, eq=False)
class PromptedEmbedder:
    """The text side of a model, whose sentences are all prompted by one mean context (N, D)."""

    embedder: Embedder
    context: NDArray[np.float32]

    @property
    def identity(self) -> ModelIdentity:
        """The model's identity."""
        return self.embedder.identity

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (K, D) float32 of K texts."""
        return self.embedder.embed_prompted(texts, self.context)

    def letters_read(self, text: str) -> int | None:
        """The number of letters that the model reads of a text; None if it reads all."""
        return self.embedder.letters_read(text)

    def made(self, made_by: Provenance) -> Provenance:
        """The provenance under which a bank of prompted sentences is known."""
        digest = hashlib.sha256(made_by.model_digest.encode() + self.context.tobytes())
        return replace(made_by, model_digest=digest.hexdigest())
