"""Libraries of long videos, indexed and asked under each setting: the outcomes by kind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.answers.distorted_model import DistortedTexts, LoadedModel
from benchmarks.answers.distortions import Distortion
from benchmarks.answers.long_videos import EDITION, Library, make_library, plan_library
from benchmarks.answers.sentences import labels_of
from benchmarks.inputs.models import CACHE
from catalog import Catalog
from evaluation.outcome import Outcome
from evaluation.questions import questions_of
from evaluation.run import ask_all
from indexer import IndexSettings, Sampling, index_library
from search import Bank, Searcher, everyday_sentences, keep_background, settings_named
from toyworld.world import COMBINATIONS
from xclip_core.embedder import Embedder
from xclip_core.text_embedder import TextEmbedder

_FEW = 60

Outcomes = dict[str, dict[str, tuple[Outcome, ...]]]
"""By setting and kind of sentence."""


@dataclass(frozen=True, slots=True)
class Models:
    """The two sides of the model, loaded once."""

    clips: Embedder
    texts: TextEmbedder

    @classmethod
    def load(cls, name: str = "demo") -> Models:
        """Load both sides of a model."""
        clips = Embedder.load(name, device="cpu", precision="fp32")
        return cls(clips, TextEmbedder.load(name))


def ask_library(
    seed: int,
    *,
    videos: int,
    distortions: Sequence[Distortion],
    settings: Sequence[str],
    models: Models,
    beside: Sequence[Path] = (),
    folder: Path = CACHE,
) -> dict[str, Outcomes]:
    """Make a library, and ask it under each distortion and setting.

    Args:
        seed: of the library.
        videos: number of its videos, copies apart.
        distortions: of the vectors; the library is indexed once with each.
        settings: names of settings of the search.
        models: the model.
        beside: further videos to index, which no sentence is true of.
        folder: the folder in which the videos are kept.

    Returns:
        The outcomes, by the name of the distortion.
    """
    library = plan_library(seed, videos=videos)
    place = folder / f"answers {EDITION}" / f"library {seed} of {videos}"
    make_library(place, library)
    found: dict[str, Outcomes] = {}
    for distortion in distortions:
        with indexed([place, *beside], models=models, distortion=distortion) as catalog:
            found[distortion.name] = _ask(
                library, catalog, distortion=distortion, settings=settings, models=models
            )
    return found


@contextmanager
def indexed(paths: Sequence[Path], *, models: Models, distortion: Distortion) -> Iterator[Catalog]:
    """A catalog of these videos, with distorted vectors, for as long as the block lasts."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Catalog.open(Path(folder) / "catalog", create=True) as catalog,
    ):
        report = index_library(
            paths,
            catalog=catalog,
            model=LoadedModel(models.clips, distortion),
            settings=IndexSettings(workers=2, sampling=Sampling.AUTO),
        )
        if report.failed:
            raise SystemExit(f"indexing failed: {report}")
        yield catalog


def searchers(
    catalog: Catalog, *, distortion: Distortion, settings: Sequence[str], models: Models
) -> dict[str, Searcher]:
    """A searcher for each setting, by its name, whose sentences are distorted alike.

    The bank is that of the demo model, all captions of the toy world. After `SETTING@few` it holds
    `_FEW` of them, after `SETTING@everyday` it is the one for real models, which is foreign to the
    toy world. The catalog keeps what it needs of the first.
    """
    texts = DistortedTexts(models.texts, distortion)
    keep_background(catalog, _bank("", models.texts.identity.model_digest, texts))
    found = {}
    for name in settings:
        setting, _, bank = name.partition("@")
        found[name] = Searcher(
            catalog=catalog,
            load_embedder=lambda _: texts,
            settings=settings_named(setting),
            bank=lambda made_by, _, bank=bank: _bank(bank, made_by.model_digest, texts),  # type: ignore[misc]
        )
    return found


def _sure(by_setting: dict[str, Searcher]) -> dict[str, Searcher]:
    """Those that tell a confidence: of others, what is true of nothing shows nothing."""
    named = {name: settings_named(name.partition("@")[0]) for name in by_setting}
    return {
        name: searcher
        for name, searcher in by_setting.items()
        if named[name].confidence and named[name].centring
    }


def _bank(name: str, model_digest: str, texts: DistortedTexts) -> Bank:
    captions = [combination.caption for combination in COMBINATIONS]
    few = np.random.default_rng([EDITION, 3]).permutation(len(captions))[:_FEW]
    sentences = {
        "": captions,
        "few": [captions[number] for number in few],
        "everyday": everyday_sentences(),
    }[name]
    return Bank.of(sentences, model_digest=model_digest, embed=texts.embed_texts)


def _ask(
    library: Library,
    catalog: Catalog,
    *,
    distortion: Distortion,
    settings: Sequence[str],
    models: Models,
) -> Outcomes:
    known = catalog.videos()
    video_ids = {path: video.video_id for video in known for path in video.paths}
    by_setting = searchers(catalog, distortion=distortion, settings=settings, models=models)
    found: Outcomes = {name: {} for name in settings}
    for kind, labels in labels_of(library).items():
        questions, left_out = questions_of(labels, known)
        if left_out:
            raise SystemExit(f"a label cannot be asked: {left_out[0]}")
        asked = by_setting if questions[0].places else _sure(by_setting)
        outcomes = ask_all(questions, asked, video_ids=video_ids)
        for name, its in outcomes.items():
            found[name][kind] = its
    return found
