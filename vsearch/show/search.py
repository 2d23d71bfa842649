"""The answer to a sentence, for people and programs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from machine.clock_text import clock_text
from machine.names import quoted, shown
from search.confidence import LEAST_STANDING, Confidence
from vsearch import caller
from vsearch.services.player import play_command, playable
from vsearch.show.output import console, require_stdout
from vsearch.terminal import is_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rich.text import Text

    from catalog import VideoFilter
    from search import Asked, Hit, Said, SearchResult, Step, VideoCurve

_LETTERS_SAID = 120  # of a cue in one line
_CONFIDENCE_STYLES = {
    Confidence.STRONG: "bold green",
    Confidence.LIKELY: "yellow",
    Confidence.WEAK: "dim",
    Confidence.NONE: "dim",
}


def hit_json(hit: Hit) -> dict[str, Any]:
    """One ranked moment; times in seconds.

    `parts` are the moments of all steps, if there are several; `also` are further files with the
    same content, `duplicates` moments of other videos that show
    the same, if there are any.
    """
    duplicates = [place_json(other) for other in hit.duplicates]
    parts = [place_json(part) for part in hit.parts]
    return {
        "rank": hit.rank,
        **place_json(hit),
        **({"parts": parts} if parts else {}),
        **({"duplicates": duplicates} if duplicates else {}),
    }


def place_json(hit: Hit) -> dict[str, Any]:
    """A moment without its rank and its duplicates; see `hit_json`."""
    confidence = {} if hit.confidence is None else {"confidence": hit.confidence}
    also = {"also": [str(place) for place in hit.other_paths]} if hit.other_paths else {}
    return {
        "score": round(hit.score, 6),
        **confidence,
        "path": str(hit.path),
        "start": playable(hit.start),
        "end": round(hit.end, 3),
        "peak": round(hit.peak, 3),
        "duration": round(hit.duration, 3),
        "clip_id": hit.clip_id,
        "video_id": hit.video_id,
        "captured": local_time(hit.captured),
        "captured_from": hit.captured_from,
        **_said_json(hit.said),
        **also,
    }


def _said_json(said: Said | None) -> dict[str, Any]:
    """What is said in a moment; nothing where no words were asked for."""
    if said is None:
        return {}
    return {
        "said": {
            "text": said.text,
            "language": said.language,
            "source": said.source,
            "start": playable(said.start),
            "end": round(said.end, 3),
        }
    }


def curve_json(curve: VideoCurve) -> dict[str, Any]:
    """The curve of a video: how much more than ordinary of the sentence is at each of `times`."""
    return {
        "path": str(curve.path),
        "step": curve.step,
        "of_frames": curve.of_frames,
        "times": [round(time, 3) for time in curve.times],
        "heights": [round(height, 4) for height in curve.heights],
    }


def search_json(
    result: SearchResult, *, everything: bool = False, with_curves: bool = False
) -> dict[str, Any]:
    """The answer to one sentence; with `everything`, also moments with nothing convincing.

    `with_curves` adds the curves of the videos of these moments.
    """
    hits = result.hits if everything else result.convincing
    paths = {hit.path for hit in hits}
    curves = [curve_json(curve) for curve in result.curves if curve.path in paths]
    return {
        "query": result.query,
        "model": result.model,
        "took_ms": round(result.took_ms, 1),
        "convincing": bool(result.convincing),
        "asked": asked_json(result.asked),
        "hits": [hit_json(hit) for hit in hits],
        **({"curves": curves} if with_curves else {}),
        **notes_json(result.notes),
    }


def local_time(seconds: float) -> str:
    """A time in seconds since 1970 (UTC) in ISO 8601, with the local offset."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")


def asked_json(asked: Asked) -> dict[str, Any]:
    """The normal form of a question: everything that was asked, or is usual."""
    return {
        "steps": [_step_json(step) for step in asked.steps],
        "within": asked.within,
        **({} if asked.said is None else {"said": asked.said}),
        "limit": asked.limit,
        "sort": asked.sort,
        "per_video": asked.per_video,
        "fold": asked.fold,
        "filters": _filters_json(asked.videos),
    }


def _step_json(step: Step) -> dict[str, Any]:
    """The sentences and examples of a step."""
    examples = [
        {"path": str(example.path), "time": example.time, "weight": example.weight}
        for example in step.examples
    ]
    return {
        "sentences": [{"text": one.text, "weight": one.weight} for one in step.sentences],
        **({"examples": examples} if examples else {}),
    }


def _filters_json(videos: VideoFilter) -> dict[str, Any]:
    """The conditions on videos that were given."""
    times = {"after", "before"}
    return {
        name: local_time(value) if name in times else value
        for name, value in asdict(videos).items()
        if value not in (None, ())
    }


def print_search(
    result: SearchResult, *, everything: bool = False, explained: bool = False
) -> None:
    """Two lines a moment: rank, score, when and where; then how to play it from there.

    Moments with nothing convincing are printed with `everything` only; with `explained`, three more
    lines a moment say where its confidence comes from.
    """
    page = console()
    hits = result.hits if everything else result.convincing
    if result.hits and not hits:
        page.print("Nothing convincing.")
    for hit in hits:
        page.print(moment_line(hit, name=shown(hit.path)))
        for part, step in zip(hit.parts, result.asked.steps, strict=bool(hit.parts)):
            page.print(part_line(part, name=str(step)))
        if hit.said is not None:
            page.print(f"     {said_line(hit.said)}")
        if explained and result.asked.by_vectors:
            for line in explanation(hit):
                page.print(f"     {line}", style="dim")
        page.print(f"     {play_command(hit.path, start=hit.start)}", style="dim")
        for place in hit.other_paths:
            page.print(f"     also at {shown(place)}", style="dim")
        if hit.duplicates:
            page.print(f"     and {len(hit.duplicates)} more like it", style="dim")


def said_line(said: Said) -> str:
    """What is said in a moment, with its time and its language."""
    text = said.text if len(said.text) <= _LETTERS_SAID else f"{said.text[:_LETTERS_SAID]}…"
    language = f" ({said.language})" if said.language else ""
    return shown(f"{clock_text(said.start)} “{text}”{language}")


def explanation(hit: Hit) -> Iterator[str]:
    """Where rank and confidence of a moment come from."""
    yield f"cosine of its best clip {hit.score:.3f}, best second {clock_text(hit.peak)}"
    if hit.standing is not None:
        chance = hit.standing.chance
        least = ", ".join(f"{word} from {x:g}" for word, x in LEAST_STANDING.items())
        yield (
            f"centred score {hit.standing.score:.3f}; what is true of nothing reaches"
            f" {chance.median:.3f} half of the time, {chance.top:.3f} rarely"
        )
        yield f"so it stands at {hit.standing.value:.2f}, where these are 0 and 1: {least}"


def moment_line(hit: Hit, *, name: str) -> Text:
    """A moment in a line: rank, confidence, score, when and where."""
    from rich.text import Text

    word = hit.confidence
    confidence = () if word is None else ((f"{word:6}  ", _CONFIDENCE_STYLES[word]),)
    return Text.assemble(
        (f"{hit.rank:3}. ", "bold"),
        *confidence,
        (f"{hit.score:6.3f}  ", "cyan"),
        (f"{clock_text(hit.start)}–{clock_text(hit.end, up=True)}  ", "green"),
        name,
    )


def part_line(part: Hit, *, name: str) -> Text:
    """A part of a moment in a line: confidence, score, when and what."""
    from rich.text import Text

    line = moment_line(part, name=shown(name))
    return Text("     ").append_text(line[len("  1. ") :])


def print_paths(result: SearchResult, *, null: bool, everything: bool = False) -> tuple[Path, ...]:
    """The files of the answer, best first, each once and as it is, for a pipe.

    Each ends with a line break, or with NUL. Returns those that hold a line break themselves and
    were left out for that: a reader of lines would take them for other files. A person at a
    terminal gets a name that cannot be shown as it is in the form in which it can be pasted.
    """
    end = "\0" if null else "\n"
    require_stdout()
    for_people = not null and is_terminal(caller.stdout())
    hits = result.hits if everything else result.convincing
    left_out = []
    for path in dict.fromkeys(hit.path for hit in hits):
        if for_people and shown(path) != str(path):
            caller.stdout().write(f"{quoted(path)}\n")
        elif end in str(path):
            left_out.append(path)
        else:
            caller.stdout().write(f"{path}{end}")
    return tuple(left_out)


def notes_json(notes: Sequence[str]) -> dict[str, Any]:
    """The notes about a question as JSON; empty if there are none."""
    return {"notes": list(notes)} if notes else {}
