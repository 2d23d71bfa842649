"""Small library of toy films with its ground truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from toyworld.film import Event, Film, make_film, plan_events
from toyworld.world import COMBINATIONS, HELD_OUT, Combination

TRUTH = "truth.json"
_EDITION = 1  # increase it when the same seed gives other films


def make_library(
    folder: Path,
    *,
    seed: int = 0,
    films: int = 8,
    events_per_film: int = 3,
    on_film: Callable[[Film], None] | None = None,
) -> tuple[Film, ...]:
    """Write a library of films, or reuse the one that an earlier call wrote into the folder.

    One event in each film is a combination that was not used in training. The ground truth is
    in `truth.json`, written last, so that an interrupted library is made again.

    Args:
        folder: the folder for the films; made if it is missing.
        seed: seed of all random choices.
        films: number of films.
        events_per_film: number of events in each film; all events of a library differ.
        on_film: called with each finished film.

    Raises:
        MediaError: a film cannot be written.
        OSError: the folder cannot be made.
    """
    made = _made_earlier(folder, seed=seed, films=films, events_per_film=events_per_film)
    if made is not None:
        return made
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TRUTH).unlink(missing_ok=True)
    library = []
    for number, cast in enumerate(_cast(seed=seed, films=films, events_per_film=events_per_film)):
        events, duration = plan_events(cast, np.random.default_rng([seed, number, 0]))
        path = folder / f"film-{number + 1:02}.mp4"
        library.append(make_film(path, events, duration=duration, seed=(seed, number, 1)))
        if on_film is not None:
            on_film(library[-1])
    _write_truth(folder, library, seed=seed)
    return tuple(library)


def library_captions(*, seed: int = 0, films: int = 8, events_per_film: int = 3) -> tuple[str, ...]:
    """List the captions of the library with this seed, film by film, without rendering."""
    casts = _cast(seed=seed, films=films, events_per_film=events_per_film)
    return tuple(combination.caption for cast in casts for combination in cast)


def _cast(*, seed: int, films: int, events_per_film: int) -> list[list[Combination]]:
    """Choose the combinations of each film: none twice, one held out in each film."""
    rng = np.random.default_rng([seed])
    new = [HELD_OUT[i] for i in rng.permutation(len(HELD_OUT))[:films]]
    others = [
        c for c in (COMBINATIONS[i] for i in rng.permutation(len(COMBINATIONS))) if c not in new
    ]
    casts = []
    for number in range(films):
        first = number * (events_per_film - 1)
        cast = [new[number], *others[first : first + events_per_film - 1]]
        casts.append([cast[i] for i in rng.permutation(len(cast))])
    return casts


def _write_truth(folder: Path, library: list[Film], *, seed: int) -> None:
    truth = {
        "edition": _EDITION,
        "seed": seed,
        "films": [
            {
                "file": film.path.name,
                "duration": film.duration,
                "events": [{**asdict(e), "caption": e.caption} for e in film.events],
            }
            for film in library
        ],
    }
    (folder / TRUTH).write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")


def _made_earlier(
    folder: Path, *, seed: int, films: int, events_per_film: int
) -> tuple[Film, ...] | None:
    """Read the library in the folder; None unless it is complete and has these parameters."""
    try:
        truth = json.loads((folder / TRUTH).read_text(encoding="utf-8"))
        library = tuple(_read_film(folder, film) for film in truth["films"])
        asked = (_EDITION, seed, films, films * events_per_film)
        found = (truth["edition"], truth["seed"], len(library), sum(len(f.events) for f in library))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    whole = found == asked and all(film.path.is_file() for film in library)
    return library if whole else None


def _read_film(folder: Path, film: dict[str, Any]) -> Film:
    events = tuple(
        Event(start=e["start"], end=e["end"], combination=Combination(**e["combination"]))
        for e in film["events"]
    )
    return Film(path=folder / film["file"], duration=film["duration"], events=events)
