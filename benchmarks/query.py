"""A question, sentence to JSON: warm over 100,000 clips, from a cold start, and a peer's way.

The catalog holds random vectors, which are as long to scan as any. Sentences have 8 words that are
a token each, and are never the same twice unless that is what is measured.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.inputs.catalogs import CLIPS_OF_EACH, catalog_of
from benchmarks.inputs.models import CACHE, base_patch32
from benchmarks.measure.section import Row, Section
from benchmarks.measure.timing import Timing, figure_of, ratio, side_by_side
from benchmarks.processes.busy import busy_core
from benchmarks.query_parts import part_rows
from catalog import Catalog
from catalog.vectors.index import VectorIndex
from machine import usable_cores
from search import Moment, Searcher, merge_into_moments
from toyworld.library import library_captions
from vsearch.services.answers.search import open_searcher
from vsearch.settings import Settings
from vsearch.show.search import search_json
from xclip_core.inputs.tokenizer import Tokenizer
from xclip_core.text_embedder import TextEmbedder

FILMS = 400
FEW_FILMS = 4  # of a catalog that is searched without FAISS from a cold start
WORDS = 8
WARM_ROUNDS = 101
PEER_ROUNDS = 9
COLD_ROUNDS = 7
SHOWN = 10  # moments
POOL = 256  # clips that a search for so many moments ranks

PADDED = 77  # tokens, as the published processor pads
_WARM_BAR_MS, _BUSY_FACTOR = 45.0, 2  # the second beside busy processes
_START_BAR, _HELP_BAR = 0.35, 0.15  # of the import of PyTorch, in CPU seconds
_HUB_NAME, _COMMIT = "benchmarks/base-patch32", 40 * "0"
_REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Question:
    """What a question needs, opened once, as the page has it."""

    searcher: Searcher
    embedder: TextEmbedder
    catalog: Catalog
    index: VectorIndex
    sentences: Iterator[str]

    def whole(self) -> None:
        """From a sentence to JSON."""
        json.dumps(search_json(self.searcher.search(next(self.sentences))))

    def moments(self, vector: NDArray[np.float32]) -> tuple[Moment, ...]:
        """From a sentence's vector to what is shown."""
        clips = self.catalog.nearest_clips(vector, limit=POOL)
        return merge_into_moments(clips)[:SHOWN]

    def text(self) -> NDArray[np.float32]:
        """The sentence to its vector."""
        vector: NDArray[np.float32] = self.embedder.embed_texts([next(self.sentences)])[0]
        return vector


def measure() -> Section:
    """All figures of this part, in about two minutes once model and catalog are made."""
    model = base_patch32()
    settings = Settings(home=CACHE, catalog=catalog_of(model, films=FILMS))
    asked = sentences(Tokenizer.load(model))
    with (
        open_searcher(settings) as searcher,
        Catalog.open(settings.catalog) as catalog,
    ):
        embedder = TextEmbedder.load(str(model))
        question = Question(searcher, embedder, catalog, _scanned(catalog), asked)
        rows = [*_warm_rows(question), _contention_row(question), *_peer_rows(question, model)]
    rows += part_rows(model, asked)
    rows += [_mapped_row(model), *_cold_rows(asked, model=model)]
    return Section(
        title="Queries",
        setting=(
            f"{FILMS * CLIPS_OF_EACH:,} clips of {FILMS} films, base-patch32 text encoder in "
            f"float32, sentences of {WORDS} words ({WORDS + 2} tokens), each new. Warm: in a "
            f"process that runs already, {WARM_ROUNDS} rounds. Cold: whole processes, files in the "
            f"page cache, {COLD_ROUNDS} rounds."
        ),
        rows=tuple(rows),
        notes=(
            "The peer embeds with `transformers`, padded to 77 tokens, and multiplies its vector "
            "with all vectors, read from SQLite.",
        ),
    )


def _warm_rows(question: Question) -> list[Row]:
    vector = question.text()
    result = question.searcher.search(next(question.sentences))
    long = "a " * PADDED
    timings = side_by_side(
        {
            "whole": question.whole,
            "text": question.text,
            "long text": lambda: question.embedder.embed_texts([long]),
            "moments": lambda: question.moments(vector),
            "scan": lambda: question.index.nearest(vector, limit=POOL, stored=_none_stored),
            "JSON": lambda: json.dumps(search_json(result)),
        },
        rounds=WARM_ROUNDS,
        warm_ups=3,
    )
    clips = figure_of(_difference_ms(timings["moments"], timings["scan"]), unit="ms")
    met = timings["whole"].median * 1000 <= _WARM_BAR_MS
    return [
        Row("warm question, sentence to JSON", timings["whole"].figure, _bar(_WARM_BAR_MS), met),
        Row("– of it text encoding", timings["text"].figure),
        Row("– of it vector scan", timings["scan"].figure),
        Row("– of it clips (SQL) to moments", clips, note="a vector to moments less the scan"),
        Row("– of it JSON", timings["JSON"].figure),
        Row(
            f"text of {PADDED} tokens / of {WORDS + 2}",
            ratio(timings["long text"], timings["text"]),
        ),
    ]


def _contention_row(question: Question) -> Row:
    others = max(usable_cores() - 1, 1)
    with ExitStack() as running:
        for _ in range(others):
            running.enter_context(busy_core())
        time.sleep(1.0)  # until they all run
        timing = side_by_side({"whole": question.whole}, rounds=WARM_ROUNDS)["whole"]
    bar = _BUSY_FACTOR * _WARM_BAR_MS
    what = f"warm question with {others} cores kept busy by others"
    return Row(what, timing.figure, _bar(bar), timing.median * 1000 <= bar)


def _bar(milliseconds: float) -> str:
    return f"p50 ≤ {milliseconds:g} ms"


def _difference_ms(whole: Timing, part: Timing) -> list[float]:
    return [1000 * (a - b) for a, b in zip(whole.seconds, part.seconds, strict=True)]


def _peer_rows(question: Question, model: Path) -> list[Row]:
    peer = Peer(model, catalog=question.catalog.folder)
    vector = question.text()
    timings = side_by_side(
        {
            "ours": question.whole,
            "peer": lambda: peer.nearest(peer.embed(next(question.sentences))),
            "our text": question.text,
            "peer's text": lambda: peer.embed(next(question.sentences)),
            "our clips": lambda: question.catalog.nearest_clips(vector, limit=POOL),
            "peer's clips": lambda: peer.nearest(vector),
        },
        rounds=PEER_ROUNDS,
    )
    return [
        Row("peer's warm question / ours", ratio(timings["peer"], timings["ours"])),
        Row("peer's text encoding / ours", ratio(timings["peer's text"], timings["our text"])),
        Row("peer's nearest clips / ours", ratio(timings["peer's clips"], timings["our clips"])),
    ]


class Peer:
    """How it is done where nobody has thought about it: `transformers`, and one matrix product."""

    def __init__(self, model: Path, *, catalog: Path) -> None:
        import transformers

        self._tokenizer = Tokenizer.load(model)
        library: Any = transformers
        library.utils.logging.disable_progress_bar()
        self._model = library.XCLIPModel.from_pretrained(model, dtype="float32")
        self._database = catalog / "catalog.sqlite"

    def embed(self, sentence: str) -> NDArray[np.float32]:
        """The vector (P,) of a sentence, padded as the published processor pads it."""
        import torch

        ids = self._tokenizer.encode(sentence)
        padded = np.pad(ids, (0, PADDED - len(ids)), constant_values=ids[-1])
        mask = (np.arange(PADDED) < len(ids)).astype(np.int64)
        with torch.inference_mode():
            found = self._model.get_text_features(
                input_ids=torch.from_numpy(padded)[None],
                attention_mask=torch.from_numpy(mask)[None],
            )
        vector: NDArray[np.float32] = found.pooler_output[0].numpy()
        return vector / np.linalg.norm(vector)

    def nearest(self, vector: NDArray[np.float32]) -> list[tuple[int, float]]:
        """The ids and cosines of the best clips."""
        with closing(sqlite3.connect(self._database)) as connection:
            rows = connection.execute("SELECT id, vector FROM clips").fetchall()
        ids = [row[0] for row in rows]
        vectors = np.frombuffer(b"".join(row[1] for row in rows), dtype=np.float16)
        scores = vectors.reshape(len(ids), -1).astype(np.float32) @ vector
        best = np.argsort(-scores)[:POOL]
        return [(ids[number], float(scores[number])) for number in best]


def _cold_rows(asked: Iterator[str], *, model: Path) -> list[Row]:
    """Measure CPU seconds of whole processes; those of wall time depend on what else runs."""
    with tempfile.TemporaryDirectory() as home:
        ask = partial(_ask_in_a_process, asked, home=Path(home))
        ways: dict[str, Callable[[], object]] = {
            "torch": lambda: _run([sys.executable, "-c", "import torch"]),
            "help": lambda: _run([sys.executable, "-m", "vsearch", "--help"]),
        }
        for films in (FEW_FILMS, FILMS):
            catalog = catalog_of(model, films=films)
            of_hub = _named_by_the_hub(catalog, model=model, home=Path(home))
            for name, folder in (("folder", catalog), ("Hub id", of_hub)):
                ways[f"{name}, {films * CLIPS_OF_EACH:,} clips"] = partial(ask, catalog=folder)
        timings = side_by_side(ways, rounds=COLD_ROUNDS, clock=_cpu_of_children)
    torch, asked_for_help = timings.pop("torch"), timings.pop("help")
    rows = [Row('`python -c "import torch"`, CPU time', torch.figure)]
    for name, timing in timings.items():
        share = ratio(timing, torch)
        what = f"`vsearch query` from cold, model from a {name}"
        rows.append(Row(f"{what}, CPU time", timing.figure))
        met = share.median <= _START_BAR
        rows.append(Row(f"{what} / import of torch", share, f"≤ {_START_BAR} ×", met))
    share = ratio(asked_for_help, torch)
    met = share.median <= _HELP_BAR
    return [*rows, Row("`vsearch --help` / import of torch", share, f"≤ {_HELP_BAR} ×", met)]


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _named_by_the_hub(catalog: Path, *, model: Path, home: Path) -> Path:
    """Copy a catalog as if its model had come from the Hub, and put the model into the cache."""
    snapshots = home / "hub" / f"models--{_HUB_NAME.replace('/', '--')}" / "snapshots"
    if not snapshots.exists():
        snapshots.mkdir(parents=True)
        (snapshots / _COMMIT).symlink_to(model)
    copy = home / f"{catalog.name} of the Hub's model"
    shutil.copytree(catalog, copy)
    with closing(sqlite3.connect(copy / "catalog.sqlite")) as connection, connection:
        connection.execute("UPDATE meta SET model = ?, revision = ?", (_HUB_NAME, _COMMIT))
    return copy


def _ask_in_a_process(asked: Iterator[str], *, catalog: Path, home: Path) -> None:
    flags = ["--catalog", str(catalog), "--json"]
    command = [sys.executable, "-m", "vsearch", "query", next(asked), *flags]
    _run(command, VSEARCH_HOME=str(home), HF_HUB_CACHE=str(home / "hub"))


def _run(command: list[str], **variables: str) -> str:
    environment = {**os.environ, **variables}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
    run = subprocess.run(
        command, cwd=_REPOSITORY, env=environment, check=True, capture_output=True, text=True
    )
    return run.stdout


_MAPPED = """
import sys
from pathlib import Path
from xclip_core.text_embedder import TextEmbedder
embedder = TextEmbedder.load(sys.argv[1], cache=type("Known", (), {
    "get": lambda self, key: b"0" * 64, "put": lambda self, key, value: None})())
embedder.embed_texts([sys.argv[2]])
print(Path("/proc/self/smaps").read_text())
"""


def _mapped_row(model: Path) -> Row:
    """What a process that has embedded one sentence has of the weights in its memory."""
    weights = model / "model.safetensors"
    what = f"of the weights' {weights.stat().st_size / 1e6:.0f} MB, read for a sentence"
    if not Path("/proc/self/smaps").exists():
        return Row(what, "only Linux tells")
    told = _run([sys.executable, "-c", _MAPPED, str(model), "a red circle moving left"])
    mapping = told[told.index(str(weights)) :]
    resident = re.search(r"^Rss: +([0-9]+) kB", mapping, flags=re.MULTILINE)
    if resident is None:
        return Row(what, "this Linux does not tell")
    return Row(what, figure_of([int(resident[1]) * 1024 / 1e6], unit="MB"), note="memory-mapped")


def sentences(tokenizer: Tokenizer) -> Iterator[str]:
    """Never the same twice."""
    words = [
        word
        for word in sorted({word for caption in library_captions() for word in caption.split()})
        if len(tokenizer.encode(word)) == 3
    ]
    random = Random(0)
    asked: set[str] = set()
    while True:
        sentence = " ".join(random.choices(words, k=WORDS))
        if sentence not in asked:
            asked.add(sentence)
            yield sentence


def _scanned(catalog: Catalog) -> VectorIndex:
    """The vectors of the catalog in an index of their own, to time the scan alone."""
    with closing(sqlite3.connect(catalog.folder / "catalog.sqlite")) as connection:
        rows = connection.execute("SELECT id, vector FROM clips ORDER BY id").fetchall()
    vectors = np.frombuffer(b"".join(row[1] for row in rows), dtype=np.float16)
    index = VectorIndex(dim=vectors.size // len(rows))
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    index.add(ids, vectors.reshape(len(rows), -1).astype(np.float32))
    return index


def _none_stored(ids: NDArray[np.int64]) -> NDArray[np.float32]:
    raise AssertionError(f"{len(ids)} vectors of an exact index were asked for again")
