"""The form that the pictures of a reel are brought to: one size, one rate, one kind of colours."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av.filter
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc

from media.container.source import open_source
from media.editing.facts import SourceFacts, read_facts
from media.frames.layout import Layout

_MOST_RATE = 60  # frames per second
_MATRIX_2020 = 9  # FFmpeg's number; PyAV's `Colorspace` holds the scaler's
_HDR = frozenset({int(ColorTrc.SMPTE2084), int(ColorTrc.ARIB_STD_B67)})  # PQ and HLG


@dataclass(frozen=True, slots=True)
class ReelSource:
    """A moment of a reel, from `start` to `end` seconds on its file's clock, and its video."""

    path: Path
    start: float
    end: float
    facts: SourceFacts
    transfer: int  # FFmpeg's number of the curve of its light

    @classmethod
    def read(cls, path: Path, *, start: float, end: float) -> "ReelSource":
        """Read what has to be known of the video. Raises `MediaError`."""
        facts = read_facts(path)
        with open_source(path, stream_index=facts.layout.stream_index) as source:
            transfer = int(source.stream.codec_context.color_trc)
        return cls(path, start, end, facts, transfer)


@dataclass(frozen=True, slots=True)
class Canvas:
    """The size in pixels, the frames per second, and whether the colours are those of HDR.

    `transfer` is then the curve of its light; else the colours are those of BT.709, in 8 bits.
    """

    width: int
    height: int
    rate: Fraction
    transfer: int | None

    @classmethod
    def of(cls, sources: Sequence[ReelSource]) -> "Canvas":
        """The size and the rate of most seconds, of equally many the larger ones."""
        sizes: Counter[tuple[int, int]] = Counter()
        rates: Counter[Fraction] = Counter()
        for source in sources:
            seconds = round(1000 * (source.end - source.start))
            sizes[source.facts.layout.fitted(1.0, even=True)] += seconds
            rates[min(source.facts.rate.exact, Fraction(_MOST_RATE))] += seconds
        width, height = max(sizes, key=lambda size: (sizes[size], size[0] * size[1]))
        rate = max(rates, key=lambda rate: (rates[rate], rate))
        transfers = {source.transfer for source in sources}
        hdr = len(transfers) == 1 and transfers <= _HDR
        return cls(width, height, rate, transfers.pop() if hdr else None)

    @property
    def colours(self) -> tuple[int, int, int]:
        """FFmpeg's numbers of the matrix, the curve and the primaries."""
        if self.transfer is None:
            return Colorspace.ITU709, ColorTrc.BT709, ColorPrimaries.BT709
        return _MATRIX_2020, self.transfer, ColorPrimaries.BT2020

    @property
    def form(self) -> str:
        """FFmpeg's name of the pixels."""
        return "yuv420p" if self.transfer is None else "yuv420p10le"


class Fitter:
    """Conversion of the frames of one video to a canvas: upright, in the middle of black bars."""

    def __init__(self, canvas: Canvas, layout: Layout, *, transfer: int) -> None:
        self._canvas, self._layout = canvas, layout
        self._bright = transfer in _HDR and canvas.transfer is None
        self._graph: av.filter.Graph | None = None
        self._of: tuple[int, int, str] | None = None  # what the graph takes

    def fitted(self, stored: VideoFrame) -> VideoFrame:
        """Convert a frame; HDR becomes BT.709 on a canvas that has it, its white stays white."""
        of = stored.width, stored.height, stored.format.name
        if self._graph is None or of != self._of:
            self._graph, self._of = self._made(of), of
        stored.pts = None
        self._graph.vpush(stored)
        return self._graph.vpull()

    def _made(self, of: tuple[int, int, str]) -> av.filter.Graph:
        graph = av.filter.Graph()
        width, height, name = of
        last = graph.add_buffer(
            width=width, height=height, format=VideoFormat(name), time_base=Fraction(1, 1000)
        )
        for filter_name, arguments in self._steps():
            step = graph.add(filter_name, arguments)
            last.link_to(step)
            last = step
        last.link_to(graph.add("buffersink"))
        graph.configure()
        return graph

    def _steps(self) -> list[tuple[str, str]]:
        canvas, turn = self._canvas, self._layout.orientation
        scale = min(canvas.width / self._layout.width, canvas.height / self._layout.height)
        width, height = (
            min(most, max(2, round(size * scale / 2) * 2))
            for size, most in (
                (self._layout.width, canvas.width),
                (self._layout.height, canvas.height),
            )
        )
        left, top = (canvas.width - width) // 4 * 2, (canvas.height - height) // 4 * 2
        colours = ":out_color_matrix=bt709:out_range=tv" if canvas.transfer is None else ""
        if self._bright:
            colours += ":out_transfer=bt709:out_primaries=bt709"
        turns = [
            ("transpose", "dir=cclock_flip") if turn.transposed else None,
            ("hflip", "") if turn.flipped_x else None,
            ("vflip", "") if turn.flipped_y else None,
        ]
        return [
            *(step for step in turns if step is not None),
            ("scale", f"w={width}:h={height}{colours}"),
            ("format", canvas.form),
            ("pad", f"w={canvas.width}:h={canvas.height}:x={left}:y={top}"),
            ("setsar", "sar=1"),
        ]
