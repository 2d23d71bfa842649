"""What moments, centred scores and confidence add to a question, to its start, and to a run."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks.inputs.catalogs import CLIPS_OF_EACH, add_film, catalog_of
from benchmarks.inputs.models import CACHE
from benchmarks.measure.section import Row
from benchmarks.measure.timing import Timing, figure_of, side_by_side
from catalog import Catalog
from search import Bank, Searcher, SearchSettings
from search.asking.question import Question
from search.background.current import CurrentBackground
from search.background.upkeep import brought_up_to_date
from vsearch.services.sentences.bank import bank_of
from vsearch.settings import Settings
from xclip_core.text_embedder import TextEmbedder

POOL = 256  # clips that a search ranks
_BARS_MS = {400: 8.0, 4000: 20.0}  # by number of films
_START_BAR_MS = 20.0
_ROUNDS, _COLD_ROUNDS = 51, 9
_RANKED = SearchSettings(moments=False)
_PLAIN = SearchSettings(moments=False, centring=False, confidence=False)


def part_rows(model: Path, asked: Iterator[str]) -> list[Row]:
    """The rows, in about two minutes once the catalogs are made."""
    embedder = TextEmbedder.load(str(model))
    rows: list[Row] = []
    for films, bar in _BARS_MS.items():
        with Catalog.open(catalog_of(model, films=films)) as catalog:
            bank = _bank(catalog, embedder)
            rows += warm_rows(catalog, embedder, asked, bank=bank, bar=bar)
            rows += upkeep_rows(catalog, bank=bank)
    return [*rows, _start_row()]


def _bank(catalog: Catalog, embedder: TextEmbedder) -> Bank:
    made_by = catalog.provenance
    if made_by is None:
        raise SystemExit("a catalog of the benchmark is empty")
    settings = Settings(home=CACHE, catalog=catalog.folder)
    return bank_of(made_by, embedder.embed_texts, settings=settings)


def warm_rows(
    catalog: Catalog, embedder: TextEmbedder, asked: Iterator[str], *, bank: Bank, bar: float
) -> list[Row]:
    """What it adds to a warm question, and where that goes."""

    def searcher(settings: SearchSettings) -> Searcher:
        return Searcher(
            catalog=catalog,
            load_embedder=lambda _: embedder,
            settings=settings,
            bank=lambda *_: bank,
        )

    whole, ranked, plain = (searcher(parts) for parts in (SearchSettings(), _RANKED, _PLAIN))
    current = CurrentBackground(catalog)
    background = current.read(bank)
    if background is None:
        raise SystemExit("a catalog of the benchmark is empty")
    vector: NDArray[np.float32] = embedder.embed_texts([next(asked)])[0]
    question = Question.centred(vector[None], [1.0], background)
    clips = catalog.nearest_clips(question.direction, limit=POOL)
    ids = np.array([clip.clip_id for clip in clips])

    def vectors() -> NDArray[np.float32]:
        with catalog.library() as library:
            assert library is not None
            return library.of(ids)

    read = vectors()
    timings = side_by_side(
        {
            "whole": lambda: whole.search(next(asked)),
            "ranked": lambda: ranked.search(next(asked)),
            "plain": lambda: plain.search(next(asked)),
            "background": lambda: current.read(bank),
            "question": lambda: Question.centred(vector[None], [1.0], background),
            "vectors": vectors,
            "scores": lambda: question.scores(read),
        },
        rounds=_ROUNDS,
        warm_ups=3,
    )
    added = figure_of(_difference_ms(timings["whole"], timings["plain"]), unit="ms")
    moments = figure_of(_difference_ms(timings["whole"], timings["ranked"]), unit="ms")
    with catalog.library() as library:
        framed = library is not None and len(library.frames_of(clips[0].video_id)) > 0
    size = f"{catalog.status().clips:,} clips"
    return [
        Row(
            f"{size}: moments, centred ranking and confidence, added to a warm question",
            added,
            f"p50 ≤ {bar:g} ms",
            added.median <= bar,
        ),
        Row(
            f"– of it moments from {'frame vectors' if framed else 'clips, without frame vectors'}",
            moments,
            note="less merging clips, which they replace",
        ),
        Row("– of it seeing that the background is up to date", timings["background"].figure),
        Row("– of it the question less the mean, and the voids", timings["question"].figure),
        Row(f"– of it reading {POOL} vectors", timings["vectors"].figure),
        Row("– of it their centred scores", timings["scores"].figure),
    ]


def _difference_ms(whole: Timing, part: Timing) -> list[float]:
    return [1000 * (a - b) for a, b in zip(whole.seconds, part.seconds, strict=True)]


def upkeep_rows(catalog: Catalog, *, bank: Bank) -> list[Row]:
    """What an index run spends on the background: once for all clips, then for new ones."""
    with catalog.library() as library:
        assert library is not None
        kept = library.background()
        began = time.perf_counter()
        brought_up_to_date(None, library, bank)
        anew = time.perf_counter() - began
    with _a_film_more(catalog), catalog.library() as library:
        assert library is not None
        began = time.perf_counter()
        brought_up_to_date(kept, library, bank)
        added = time.perf_counter() - began
    return [
        Row("– background of all clips, once", f"{anew:.2f} s"),
        Row(f"– background after {CLIPS_OF_EACH} new clips", f"{1000 * added:.0f} ms"),
    ]


@contextmanager
def _a_film_more(catalog: Catalog) -> Iterator[None]:
    dim = catalog.provenance.dim if catalog.provenance else 0
    add_film(catalog, 999_999, random=np.random.default_rng(1), dim=dim)
    try:
        yield
    finally:
        catalog.remove_files([Path("/films/19/film 999999.mkv")])


_COLD = """
import sys
from pathlib import Path
from search import SearchSettings
from vsearch.services.models import open_catalog
from vsearch.services.answers.search import searchers_of
from vsearch.settings import Settings
settings = Settings(home=Path(sys.argv[1]), catalog=Path(sys.argv[1], "demo", "catalog"))
on = sys.argv[2] == "ranked"
parts = SearchSettings(moments=False, centring=on, confidence=on)
with open_catalog(settings) as catalog:
    searchers_of(catalog, settings, named={"x": parts})["x"].search("a red circle moving left")
"""


def _start_row() -> Row:
    """CPU time of whole processes with and without it, over the catalog of `vsearch demo`."""
    with TemporaryDirectory() as home:
        environment = {"VSEARCH_HOME": home}
        _run([sys.executable, "-m", "vsearch", "demo", "--quiet"], environment)
        timings = side_by_side(
            {
                name: lambda name=name: _run([sys.executable, "-c", _COLD, home, name], environment)  # type: ignore[misc]
                for name in ("ranked", "plain")
            },
            rounds=_COLD_ROUNDS,
            clock=_cpu_of_children,
        )
    added = figure_of(_difference_ms(timings["ranked"], timings["plain"]), unit="ms")
    return Row(
        "centred ranking and confidence, added to a query from cold, CPU time",
        added,
        f"p50 ≤ {_START_BAR_MS:g} ms",
        added.median <= _START_BAR_MS,
        note="the demo's 106 clips",
    )


def _run(command: list[str], variables: dict[str, str]) -> None:
    subprocess.run(command, env={**os.environ, **variables}, check=True, capture_output=True)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
