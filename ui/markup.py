"""Pieces of the page as HTML, from values to text. Every text from outside is escaped here."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from machine.clock_text import clock_text
from machine.names import command_line, shown
from vsearch.show.output import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from catalog import CatalogStatus, FileProblem
    from search import SearchResult
    from ui.notebook import Picked
    from vsearch.services.library.detached_index import RunState
    from vsearch.settings import Settings

NOTHING_CONVINCING = "Nothing convincing"


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
        f'<p class="vs-quiet">In <code>{_path(status.address)}</code>.{lacking}</p>'
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


def hidden_moments(hidden: int, *, also_shown: bool) -> str:
    """The name of the button that shows or hides moments with nothing convincing, as text."""
    return (
        f"{'Hide' if also_shown else 'Also show'} {count(hidden, 'moment')} with nothing convincing"
    )


def spoken(result: SearchResult, *, shown: int) -> str:
    """The answer for screen readers, as plain text."""
    moments = count(shown, "moment") if shown else NOTHING_CONVINCING
    return ". ".join((moments if result.hits else "No moments", *result.notes))


def summary(result: SearchResult, *, shown: int) -> str:
    """The number of moments that are shown, and the time that the search took."""
    place = " in the videos that the filters leave" if result.asked.videos else ""
    if not result.hits:
        return f'<p class="vs-say">No moments{place}: no indexed video meets the filters.</p>'
    if not result.convincing:
        nearest = f" Below {'is the nearest' if shown == 1 else 'are the nearest'}." * bool(shown)
        return (
            f'<p class="vs-say"><b>{NOTHING_CONVINCING}</b>{place}: no moment is as near to it as'
            f" the nearest ones are to things that are not there.{nearest}</p>"
        )
    return f'<p class="vs-quiet">{count(shown, "moment")}{place}, in {result.took_ms:.0f} ms</p>'


def notes(result: SearchResult) -> str:
    """The notes about the question."""
    return "".join(
        f'<p class="vs-say">About this question: {escaped(it)}.</p>' for it in result.notes
    )


def failures(problems: Iterable[FileProblem]) -> str:
    """Files that could not be indexed, with the reasons."""
    rows = "".join(
        f"<li>{_path(problem.path)}: {escaped(problem.reason)}</li>" for problem in problems
    )
    return f'<ul class="vs-failures">{rows}</ul>'


def progress(state: RunState) -> str:
    """How far an index run is, as plain text."""
    told = state.progress
    if told is None:
        return "Indexing: looking for videos…"
    done = f"Indexing: {told['files_done']:,} of {count(told['files'], 'file')}"
    speed = f", {told['speed']:.1f} × realtime" if told.get("speed") else ""
    left = told.get("seconds_left")
    return done + speed + (f", {clock_text(left, up=True)} left" if left is not None else "")


def films_shown(found: int, every: int) -> str:
    """The number of films that a name fits, as plain text."""
    return count(every, "video") if found == every else f"{found:,} of {count(every, 'video')}"


def search_name(address: str) -> str:
    """The name of an earlier search, as plain text, from the query of its address."""
    fields = {key: values[-1] for key, values in parse_qs(address).items()}
    sentence = fields.pop("q", "")
    others = [f"{key}: {value}" for key, value in fields.items()]
    return " · ".join(filter(None, (sentence, *others))) or "everything"


def searches(title: str, named: Mapping[str, str]) -> str:
    """Searches by name, as links to the queries of their addresses."""
    links = "".join(
        f'<li><a href="?{escaped(address)}" target="_self">{escaped(name)}</a></li>'
        for name, address in named.items()
    )
    return f'<h2 class="vs-quiet">{title}</h2><ul class="vs-searches">{links}</ul>'


def quiet(text: str) -> str:
    """A remark."""
    return f'<p class="vs-quiet">{escaped(text)}</p>'


def as_label(text: str) -> str:
    """Plain text as the label of a button, which Streamlit takes for Markdown."""
    return re.sub(r"([\\`*_{}\[\]()#+!$~:<>|-])", r"\\\1", text)


def picked(moment: Picked, *, span: str) -> str:
    """A moment in the basket, with its still where that is known."""
    still = ""
    if moment.video is not None and moment.peak is not None:
        address = f"/still/{int(moment.video)}?at={moment.peak:.3f}"
        still = f'<img src="{address}" alt="" loading="lazy">'
    return (
        f'<div class="vs-picked">{still}<p><b>{_path(Path(moment.path).name)}</b> {span}<br>'
        f'<span class="vs-quiet">{escaped(moment.question)}</span></p></div>'
    )


def same_by_command(command: str) -> str:
    """The command that does what a button does."""
    return f'<p class="vs-quiet">The same by a command: <code>{escaped(command)}</code></p>'


def empty_basket() -> str:
    """What to do with an empty basket."""
    return (
        '<section class="vs-note"><h2>The basket is empty</h2><p>Search for something, and put the'
        " moments that you want to keep into it.</p></section>"
    )


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


def _path(path: object) -> str:
    return escaped(shown(str(path)))
