"""Catalogs of random clips, which are as long to scan as any."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from benchmarks.inputs.models import CACHE
from catalog import (
    Catalog,
    ClipSpan,
    Cue,
    FileLocation,
    FrameVectors,
    Provenance,
    QuantisedVectors,
    SubtitleFile,
    VideoRecord,
)
from vsearch.services.sentences.bank import keep_background
from vsearch.settings import Settings
from xclip_core.text_embedder import TextEmbedder

CLIPS_OF_EACH = 250
WORDS = 20_000  # different ones in subtitles: "w0" is the commonest
_WORDS_OF_A_CUE, _SECONDS_OF_A_CUE = 6, 2.0
_MOST_FRAMED = 400  # films: with frame vectors of more, a catalog would take gigabytes


def catalog_of(model: Path, *, films: int) -> Path:
    """A catalog of random clips that says it was made with the model; made once.

    With up to 400 films it has frame vectors.
    """
    identity = TextEmbedder.load(str(model)).identity
    framed = films <= _MOST_FRAMED
    kind = "clips-and-frames" if framed else "clips"
    folder = CACHE / f"{kind}-{films}x{CLIPS_OF_EACH}-{identity.model_digest[:12]}"
    if folder.exists():
        with Catalog.open(folder) as catalog:
            bring_up_to_date(catalog)  # an earlier version may have left it
        return folder
    beside = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    provenance = Provenance(
        model=identity.model,
        revision=None,
        model_digest=identity.model_digest,
        dim=identity.dim,
        frames_per_clip=identity.frames_per_clip,
        window=8.0,
        stride=4.0,
    )
    random = np.random.default_rng(0)
    with Catalog.open(beside, create=True) as catalog:
        catalog.bind(provenance)
        for number in range(films):
            add_film(catalog, number, random=random, dim=identity.dim, framed=framed)
        bring_up_to_date(catalog)
    beside.replace(folder)
    return folder


def bring_up_to_date(catalog: Catalog) -> None:
    """Do what an index run does at its end."""
    catalog.save_snapshot()
    keep_background(catalog, settings=Settings(home=CACHE, catalog=catalog.folder))


def path_of(number: int) -> Path:
    """The path of a film."""
    return Path(f"/films/{number % 20:02}/film {number:04}.mkv")


def add_film(
    catalog: Catalog, number: int, *, random: np.random.Generator, dim: int, framed: bool = False
) -> None:
    """Add a film of random clips, with random frame vectors or without any."""
    vectors = random.standard_normal((CLIPS_OF_EACH, dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    duration = 4.0 * CLIPS_OF_EACH + 4.0
    catalog.add_video(
        VideoRecord(f"film {number}", duration, 1280, 720, 25.0, "h264", "matroska"),
        location=FileLocation(Path("/films"), path_of(number), 1, 1),
        clips=[ClipSpan(4.0 * clip, 4.0 * clip + 8.0) for clip in range(CLIPS_OF_EACH)],
        vectors=vectors,
        frames=_frames(int(duration), random=random, dim=dim) if framed else None,
    )


def random_subtitles(number: int, *, random: np.random.Generator, cues: int) -> SubtitleFile:
    """Subtitles of a film, of invented words as frequent as in speech: the nth by 1/n."""
    frequent = 1 / np.arange(1, WORDS + 1)
    drawn = random.choice(WORDS, (cues, _WORDS_OF_A_CUE), p=frequent / frequent.sum())
    texts = [" ".join(f"w{word}" for word in line) for line in drawn]
    starts = np.sort(random.uniform(0, 4.0 * CLIPS_OF_EACH, cues)).tolist()
    said = tuple(Cue(s, s + _SECONDS_OF_A_CUE, t) for s, t in zip(starts, texts, strict=True))
    path = path_of(number)
    return SubtitleFile(path.with_suffix(".srt"), 1, 1, (path,), cues=said)


def _frames(count: int, *, random: np.random.Generator, dim: int) -> FrameVectors:
    """Random vectors of unit length, one a second."""
    values = random.integers(-127, 128, (count, dim), dtype=np.int8)
    lengths = np.linalg.norm(values.astype(np.float32), axis=1)
    quantised = QuantisedVectors((1 / lengths).astype(np.float16), values)
    return FrameVectors(np.arange(count, dtype=np.float64) + 0.5, quantised)
