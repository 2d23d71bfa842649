"""Pieces of the page as HTML, from values to text. Every text from outside is escaped here."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import TYPE_CHECKING

from machine.clock_text import clock_text
from machine.names import command_line, shown
from search import Confidence
from vsearch.show.output import count

if TYPE_CHECKING:
    from catalog import CatalogStatus
    from search import Hit, SearchResult
    from vsearch.settings import Settings

NOTHING_CONVINCING = "Nothing convincing"
_COPIES_SHOWN = 3
_LETTERS_SHOWN = 20  # of what was to be a number
_NARROWEST_MARK = 0.6  # per cent of the strip: visible also for a short moment of a long video


def page_title(sentence: str | None) -> str:
    """The title of the window, for bookmarks and the history."""
    return f"{sentence.strip()} · vsearch" if sentence and sentence.strip() else "vsearch"


def header(status: CatalogStatus | None) -> str:
    """The name, and in a line what is searched."""
    facts = ""
    if status is not None and status.provenance is not None and status.clips:
        facts = " · ".join(
            (
                count(status.videos, "video"),
                clock_text(status.video_seconds, up=True),
                escaped(status.provenance.model),
            )
        )
    return f'<header class="vs-header"><h1>vsearch</h1><span>{facts}</span></header>'


def how_to_begin(settings: Settings, *, has_catalog: bool) -> str:
    """Instructions while nothing is indexed."""
    lacking = "The catalog holds no videos yet" if has_catalog else "There is no catalog yet"
    return (
        f'<section class="vs-note"><h2>{lacking}</h2>'
        f"<p>Looked in <code>{_path(settings.catalog)}</code>. Index your own videos to search "
        "them; each video can be found as soon as it is indexed:</p>"
        f"<pre>{escaped(_index_command(settings))}</pre>"
        "<p>To try it without videos of your own, make a small library of toy videos and open it:"
        f"</p><pre>vsearch demo\n{escaped(_demo_page_command(settings))}</pre></section>"
    )


def _index_command(settings: Settings) -> str:
    model = ("--model", settings.model) if settings.model else ()
    return command_line("vsearch", "index", "FOLDER", *settings.catalog_flags, *model)


def _demo_page_command(settings: Settings) -> str:
    return command_line("vsearch", "ui", "--catalog", settings.home / "demo" / "catalog")


def library(status: CatalogStatus) -> str:
    """The contents of the catalog in numbers."""
    made_by = status.provenance
    figures = {
        "Videos": f"{status.videos:,}",
        "Of video": clock_text(status.video_seconds, up=True),
        "Clips": f"{status.clips:,}",
        "Model": escaped(made_by.model) if made_by else "none",
    }
    if made_by:
        figures["Each clip"] = f"{made_by.window:g} s, every {made_by.stride:g} s"
    cells = "".join(f"<div><dt>{name}</dt><dd>{it}</dd></div>" for name, it in figures.items())
    failed = len(status.failures)
    lacking = (
        f" {count(failed, 'file')} could not be indexed: <code>vsearch status</code> tells why."
        if failed
        else ""
    )
    return (
        f'<dl class="vs-figures">{cells}</dl>'
        f'<p class="vs-quiet">In <code>{_path(status.folder)}</code>.{lacking}</p>'
    )


def demo_note(*, toys: bool) -> str:
    """Note about the demo model, which knows toy videos only."""
    what_follows = (
        "Ask it for one of these:" if toys else "What it finds in other videos means nothing."
    )
    return (
        '<p class="vs-say">This catalog was made by the <b>demo</b> model, which knows coloured '
        f"shapes that move, and nothing else. {what_follows}</p>"
    )


def number_mended(asked_for: str, *, most: int, limit: int) -> str:
    """The address asks for an impossible number of moments, and gets `limit`."""
    begin = asked_for if len(asked_for) <= _LETTERS_SHOWN else f"{asked_for[:_LETTERS_SHOWN]}…"
    return (
        f'<p class="vs-quiet">The address asks for n={escaped(shown(begin))}; from 1 to {most} '
        f"moments can be shown, and {limit} at most are.</p>"
    )


def how_many(result: SearchResult, *, hidden: int = 0) -> str:
    """The number of moments, as plain text."""
    if result.hits:
        return count(len(result.hits), "moment")
    return NOTHING_CONVINCING if hidden else "No moments"


def hidden_moments(hidden: int) -> str:
    """The name of the switch that shows moments with nothing convincing, as plain text."""
    return f"Also show {count(hidden, 'moment')} with nothing convincing"


def spoken(result: SearchResult, *, hidden: int = 0) -> str:
    """The answer for screen readers, as plain text."""
    return ". ".join((how_many(result, hidden=hidden), *result.notes))


def summary(result: SearchResult, *, path_glob: str | None, hidden: int = 0) -> str:
    """The number of moments, and the time that the search took.

    `hidden` moments are left out of the result, as nothing is convincing about them.
    """
    place = f" in files that match <code>{escaped(path_glob)}</code>" if path_glob else ""
    if not result.hits and hidden:
        return (
            f'<p class="vs-say"><b>{NOTHING_CONVINCING}</b>{place}: no moment is as near to it as'
            " the nearest ones are to things that are not there.</p>"
        )
    if not result.hits:
        return f'<p class="vs-say">No moments{place}: no indexed file has such a path.</p>'
    # The moments are separate elements further down: this makes a list of them.
    items = " ".join(map(_item_id, result.hits))
    return (
        f'<p class="vs-quiet">{how_many(result)}{place}, best first, in {result.took_ms:.0f} ms</p>'
        f'<div role="list" aria-label="Moments, best first" aria-owns="{items}"></div>'
    )


def notes(result: SearchResult) -> str:
    """The notes about the question."""
    return "".join(
        f'<p class="vs-say">About this question: {escaped(it)}.</p>' for it in result.notes
    )


def _item_id(hit: Hit) -> str:
    return f"vs-moment-{hit.clip_id}"


def picture_name(hit: Hit) -> str:
    """The name of a moment's still or player, as plain text."""
    return _whole(f"{shown(hit.path.name)}, {clock_text(hit.start)}–{clock_text(hit.end, up=True)}")


def moment(hit: Hit) -> str:
    """One ranked moment: rank, video, confidence, score, times, a strip, and the paths."""
    left, width = _mark(hit)
    copies = [f"also at {_path(path)}" for path in hit.other_paths[:_COPIES_SHOWN]]
    if more := len(hit.other_paths) - len(copies):
        copies.append(f"and at {count(more, 'further place')}")
    places = "".join(f'<div class="vs-place">{text}</div>' for text in (_path(hit.path), *copies))
    return (
        f'<div class="vs-moment" role="listitem" id="{_item_id(hit)}">'
        f'<div class="vs-title"><span class="vs-rank">{hit.rank}</span>'
        f"<h2>{_path(Path(hit.path.name))}</h2>{_confidence(hit)}"
        f'<span class="vs-score" title="Cosine of sentence and clip, at most 1">{hit.score:.3f}'
        "</span></div>"
        f'<div class="vs-when"><span>{clock_text(hit.start)}–{clock_text(hit.end, up=True)}</span>'
        f'<span class="vs-strip"><i style="left:{left:.2f}%;width:{width:.2f}%"></i></span>'
        f"<span>{clock_text(hit.duration, up=True)}</span></div>"
        f"{places}</div>"
    )


def _confidence(hit: Hit) -> str:
    """The word for how sure the moment is; nothing where that is not known."""
    if hit.confidence is None:
        return ""
    word = "not convincing" if hit.confidence is Confidence.NONE else str(hit.confidence)
    return f'<span class="vs-confidence vs-{hit.confidence}">{word}</span>'


def _mark(hit: Hit) -> tuple[float, float]:
    """Position and width of the moment on the strip, in per cent."""
    whole = max(hit.duration, hit.end)
    width = max(_NARROWEST_MARK, 100 * (hit.end - hit.start) / whole)
    return max(0.0, min(100 * hit.start / whole, 100 - width)), width


def preview_note(start: float, end: float) -> str:
    """The caption of the player."""
    return f'<p class="vs-quiet">{clock_text(start)}–{clock_text(end, up=True)}, without sound</p>'


def no_picture() -> str:
    """The placeholder for a missing still."""
    return '<div class="vs-missing">No picture</div>'


def lacking(problem: str) -> str:
    """The reason why a moment cannot be shown."""
    return f'<p class="vs-lacking">{_sentence(problem)}</p>'


def problem(message: str) -> str:
    """An error: one sentence."""
    return f'<section class="vs-note vs-problem"><p>{_sentence(message)}</p></section>'


def escaped(text: str) -> str:
    """Text that cannot act as markup; half characters, which names on disk may hold, become `?`."""
    return html.escape(_whole(text))


def _whole(text: str) -> str:
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _sentence(message: str) -> str:
    """Escaped text, with words in backticks set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped(message))


def _path(path: Path) -> str:
    return escaped(shown(path))
