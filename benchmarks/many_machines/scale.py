"""What larger catalogs take, by the slopes of measured ones, and what breaks first.

Slopes are those of processor times, which do not depend on what else the machine does.
"""

from __future__ import annotations

from benchmarks.many_machines.simulation import Figures

_SIZES = (10_000_000, 100_000_000, 1_000_000_000)
_CLIPS_AN_HOUR = 900  # 8 s every 4 s
_BYTES_IN_MEMORY = 264  # of a vector in 4 bits, with its id
_BREAKS = {
    10_000_000: "the cold build, where a process asks once: keep one that answers",
    100_000_000: "the memory of the machine that answers; then the time of one question",
    1_000_000_000: "one machine for all questions: its memory, and each question's scan",
}


def table(small: Figures, large: Figures) -> str:
    """The table from two measured sizes: what grows with clips grows by their slope."""
    lines = [
        f"From the slopes between {small.clips:,} and {large.clips:,} clips, not measured:",
        "",
        "| clips | hours of film | database | memory of the view | cold build, CPU"
        " | a question, CPU | breaks first |",
        "|---|---|---|---|---|---|---|",
    ]
    for clips in _SIZES:
        cold = _at(clips, small.cold.cpu, large.cold.cpu, small=small, large=large)
        question = _at(clips, small.question.cpu, large.question.cpu, small=small, large=large)
        lines.append(
            f"| {clips:,} | {clips / _CLIPS_AN_HOUR:,.0f} | {_size(clips * large.bytes_a_clip)}"
            f" | {_size(clips * _BYTES_IN_MEMORY)} | {cold:,.0f} s | {question:.1f} s"
            f" | {_BREAKS[clips]} |"
        )
    return "\n".join(lines)


def _at(clips: int, at_small: float, at_large: float, *, small: Figures, large: Figures) -> float:
    slope = (at_large - at_small) / (large.clips - small.clips)
    return at_large + max(slope, 0.0) * (clips - large.clips)


def _size(number: float) -> str:
    return f"{number / 1e9:,.1f} GB" if number < 1e12 else f"{number / 1e12:,.1f} TB"
