"""Embedding of clips, compared with `transformers` and the peak of the processor, also when busy.

The model has base-patch32's shape and random weights: 8 frames of 224 × 224 pixels a clip.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.inputs.models import base_patch32
from benchmarks.inputs.videos import real_videos
from benchmarks.measure.section import Row, Section
from benchmarks.measure.timing import Figure, Timing, figure_of, ratio, side_by_side
from benchmarks.processes.busy import contention_row
from media import MediaError, decode_at, probe
from toyworld.picture import render_clip
from toyworld.world import COMBINATIONS
from xclip_core.checkpoint.checkpoint import load_checkpoint
from xclip_core.embedder import Embedder
from xclip_core.inference.devices import PRECISIONS, cpu_computes_bf16
from xclip_core.inference.video_encoder import VideoEncoder
from xclip_core.text_embedder import TextEmbedder

if TYPE_CHECKING:
    from torch import Tensor

FP32_BAR, BF16_BAR, AUTO_BAR, COSINE_BAR, CUDA_BAR = 1.06, 1.3, 5.0, 0.999, 0.5
BATCHES = (1, 8)
_WIDTH, _HIDDEN, _LAYERS, _FRAMES, _TOKENS = 768, 3072, 12, 8, 50
_EMULATED = "this processor emulates bf16: not measured"


def measure() -> Section:
    """Measure all figures of this part, in about two minutes on 4 cores."""
    rows = [*_processor_rows("fp32", rounds=5, bar=FP32_BAR)]
    if cpu_computes_bf16():
        rows += _processor_rows("bf16", rounds=7, bar=BF16_BAR)
        rows.append(_auto_row())
    else:
        rows.append(Row("bf16 against transformers", _EMULATED, f"≥ {BF16_BAR} ×"))
        rows.append(Row("auto against fp32", _EMULATED, f"≥ {AUTO_BAR:g} ×", note="auto is fp32"))
    rows += [contention_row(), *_agreement_rows(), _cuda_row()]
    return Section(
        title="Encode",
        setting=(
            "Video features of base-patch32's shape with random weights, 8 frames of 224 × 224 "
            f"pixels, on {torch.get_num_threads()} threads. transformers is `XCLIPModel` with "
            "`attn_implementation='sdpa'`, given normalised pixels; ours is given bytes."
        ),
        rows=tuple(rows),
    )


class _Rivals:
    """Both implementations with the same weights and the same clips."""

    def __init__(self, precision: str, *, device: str = "cpu") -> None:
        from transformers import XCLIPModel

        folder, dtype = base_patch32(), PRECISIONS[precision]
        checkpoint = load_checkpoint(str(folder), offline=True, on_message=lambda _: None)
        self.device, self.dtype, self.processor = device, dtype, checkpoint.processor
        self.ours = VideoEncoder(
            checkpoint.model, processor=checkpoint.processor, device=device, dtype=dtype
        )
        theirs: Any = XCLIPModel.from_pretrained(folder, attn_implementation="sdpa", dtype=dtype)
        self.theirs = theirs.to(device).eval()

    def ways(self, batch: int) -> dict[str, Callable[[], object]]:
        """Return functions that embed `batch` clips with each implementation."""
        rng = np.random.default_rng(batch)
        clips = rng.integers(0, 256, (batch, _FRAMES, 224, 224, 3), dtype=np.uint8)
        given = torch.from_numpy(clips).to(self.device)
        pixels = self.processor.normalise(given).to(self.dtype)
        return {
            f"ours {batch}": lambda: self.ours.encode(given),
            f"theirs {batch}": lambda: self._features(pixels),
        }

    @torch.inference_mode()
    def _features(self, pixels: Tensor) -> object:
        return self.theirs.get_video_features(pixel_values=pixels)


def _processor_rows(precision: str, *, rounds: int, bar: float) -> list[Row]:
    """Measure ours, theirs and matrix products alone, in turns."""
    rivals = _Rivals(precision)
    ways = {name: way for batch in BATCHES for name, way in rivals.ways(batch).items()}
    ways |= {f"peak {batch}": _products(rivals.dtype, batch=batch) for batch in BATCHES}
    taken = side_by_side(ways, rounds=rounds)
    ours, theirs, peak = (_better(taken, whose) for whose in ("ours", "theirs", "peak"))
    gain = ratio(theirs, ours)
    needed = multiply_accumulates() / _layer_macs()
    share = [100 * needed * p / o for p, o in zip(peak.seconds, ours.seconds, strict=True)]
    better = f"the better batch of {' and '.join(map(str, BATCHES))} for each"
    note = "ours: its matrix products at the speed of products alone, of these shapes"
    return [
        Row(f"{precision} against transformers", gain, f"≥ {bar} ×", gain.median >= bar, better),
        _one_thread_row(rivals, precision),
        Row(f"{precision}, share of the peak", figure_of(share, unit="%"), note=note),
        *(
            Row(f"{precision}, {whose}, batch {batch}", _speed(taken[f"{whose} {batch}"], batch))
            for whose in ("ours", "theirs")
            for batch in BATCHES
        ),
    ]


def _one_thread_row(rivals: _Rivals, precision: str) -> Row:
    """Measure CPU seconds of one thread, which other work on the machine affects least."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    taken = side_by_side(rivals.ways(1), rounds=5, clock=time.process_time)
    torch.set_num_threads(before)
    gain = ratio(taken["theirs 1"], taken["ours 1"])
    return Row(f"{precision} against transformers, one thread, batch 1, in CPU seconds", gain)


def _better(taken: dict[str, Timing], whose: str) -> Timing:
    """Return the seconds per clip of the faster batch size."""
    each = [
        Timing(tuple(second / batch for second in taken[f"{whose} {batch}"].seconds))
        for batch in BATCHES
    ]
    return min(each, key=lambda timing: timing.median)


def _speed(timing: Timing, clips: int) -> Figure:
    return figure_of([clips / second for second in timing.seconds], unit="clips/s")


def _products(dtype: torch.dtype, *, batch: int, device: str = "cpu") -> Callable[[], object]:
    """Return a function that computes the four matrix products of a layer and nothing else."""
    rows = batch * _FRAMES * _TOKENS
    shapes = ((_WIDTH, 3 * _WIDTH), (_WIDTH, _WIDTH), (_WIDTH, _HIDDEN), (_HIDDEN, _WIDTH))
    operands = [
        (
            torch.rand(rows, inward, dtype=dtype, device=device),
            torch.rand(outward, inward, dtype=dtype, device=device).T,
            torch.empty(rows, outward, dtype=dtype, device=device),
        )
        for inward, outward in shapes
    ]

    def multiply() -> None:
        for left, right, product in operands:
            torch.mm(left, right, out=product)

    return multiply


def _layer_macs() -> float:
    """Count the multiply-accumulates per clip in `_products`."""
    return _FRAMES * _TOKENS * (4 * _WIDTH**2 + 2 * _WIDTH * _HIDDEN)


def multiply_accumulates() -> float:
    """Count the multiply-accumulates of a clip; the last layer computes its class token only."""
    d, m, s = _WIDTH, _HIDDEN, _TOKENS
    message = 5 * d**2
    full = message + 3 * (s + 1) * d**2 + 2 * s * (s + 1) * d + s * d**2 + 2 * s * d * m
    last = message + 2 * (s + 1) * d**2 + d**2 + 2 * (s + 1) * d + d**2 + 2 * d * m
    patches = (s - 1) * 3 * 32**2 * d
    return float(_FRAMES * ((_LAYERS - 1) * full + last + patches))


def _auto_row() -> Row:
    """Compare automatic precision with fp32, on processors with bf16 instructions."""
    fast, exact = (_Rivals(precision).ways(8)["ours 8"] for precision in ("bf16", "fp32"))
    taken = side_by_side({"bf16": fast, "fp32": exact}, rounds=5)
    gain = ratio(taken["fp32"], taken["bf16"])
    return Row("auto against fp32", gain, f"≥ {AUTO_BAR:g} ×", gain.median >= AUTO_BAR)


def _agreement_rows() -> list[Row]:
    """Compare vectors and rankings of automatic precision and bf16 with fp32."""
    embedders = {
        precision: Embedder.load("demo", device="cpu", precision=precision, offline=True)
        for precision in ("fp32", "auto", "bf16")
    }
    exact = embedders["fp32"]
    clips = _real_clips(exact)
    vectors = {name: embedder.embed_clips(clips) for name, embedder in embedders.items()}
    rows = []
    for name in ("auto", "bf16"):
        worst = float((vectors[name] * vectors["fp32"]).sum(axis=1).min())
        rows.append(
            Row(
                f"cosine of {name} to fp32, the worst of {len(clips)} real videos",
                f"{worst:.5f}",
                f"≥ {COSINE_BAR}",
                worst >= COSINE_BAR,
                f"demo model; auto is {embedders['auto'].precision} here" if name == "auto" else "",
            )
        )
    return [*rows, _ranking_row(exact, embedders["bf16"])]


def _ranking_row(exact: Embedder, half: Embedder) -> Row:
    """Query every caption of the toy world among one clip of each combination."""
    identity = exact.identity
    rng = np.random.default_rng(20_000_000)
    shown = {"frames": identity.frames_per_clip, "size": identity.image_size}
    clips = np.stack([render_clip(combination, rng, **shown) for combination in COMBINATIONS])
    captions = [combination.caption for combination in COMBINATIONS]
    queries = TextEmbedder.load("demo", offline=True).embed_texts(captions)
    first = []
    for embedder in (exact, half):
        scores = queries @ embedder.embed_clips(clips).T
        first.append(float(np.mean(scores.argmax(axis=1) == np.arange(len(captions)))))
    return Row(
        f"recall@1 of {len(captions)} toy captions, bf16 and fp32",
        f"{first[1]:.1%} and {first[0]:.1%}",
        "no change beyond noise",
        abs(first[0] - first[1]) <= 2 / len(captions),
        "noise: two captions",
    )


def _real_clips(embedder: Embedder) -> NDArray[np.uint8]:
    """Read one clip of each video, from its first four seconds."""
    times = np.linspace(0, 4, embedder.identity.frames_per_clip, endpoint=False).tolist()
    clips = []
    for path in real_videos():
        try:
            frames = [embedder.prepare_frame(f.pixels) for f in decode_at(probe(path), times)]
        except MediaError:  # some of the test videos are damaged on purpose
            continue
        clips.append(np.stack(frames))
    return np.stack(clips)


def _cuda_row() -> Row:
    """Measure clips per second on a GPU, and the share of the peak of its matrix units."""
    what, bar = "fp16 on CUDA, share of the peak", f"≥ {CUDA_BAR:.0%}"
    if not torch.cuda.is_available():
        return Row(what, "this machine has no GPU that PyTorch can use: not measured", bar)
    embedder = Embedder.load(str(base_patch32()), device="cuda", precision="fp16", offline=True)
    clips = _settled_batch(embedder)
    batch = len(clips)
    ways: dict[str, Callable[[], object]] = {
        "ours": _Rivals("fp16", device="cuda").ways(batch)[f"ours {batch}"],
        "peak": _products(torch.float16, batch=batch, device="cuda"),
        "whole": lambda: embedder.embed_clips(clips),
    }
    taken = side_by_side(
        {name: _synchronised(way) for name, way in ways.items()}, rounds=9, warm_ups=3
    )
    share = multiply_accumulates() / _layer_macs() * taken["peak"].median / taken["ours"].median
    speeds = {name: f"{batch / taken[name].median:.0f} clips/s" for name in ("ours", "whole")}
    note = (
        f"in batches of {batch}, as the embedder wants; {speeds['ours']}, and {speeds['whole']} "
        "with the copy of the clips to the GPU"
    )
    return Row(what, f"{share:.0%}", bar, share >= CUDA_BAR, note)


def _settled_batch(embedder: Embedder) -> NDArray[np.uint8]:
    """Return clips in a batch of the size at which the embedder stops to grow, as in a long run."""
    size = 0
    while size < embedder.clips_wanted:
        size = embedder.clips_wanted
        clips = np.zeros((size, _FRAMES, 224, 224, 3), dtype=np.uint8)
        for _ in range(3):  # the first call with a size takes longer
            embedder.embed_clips(clips)
    return clips


def _synchronised(way: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        way()
        torch.cuda.synchronize()

    return run
