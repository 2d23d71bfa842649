"""Sentences about a library of long videos, by kind, with their labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from benchmarks.answers.long_videos import EDITION, Library, stretches
from evaluation.labels import Label
from toyworld.world import COMBINATIONS, OPPOSITE, QUESTIONS, Combination

# Of nothing in the toy world, nor in the videos of the real one that stand beside it.
FOREIGN = (
    "a child opens a birthday present",
    "people sing around a campfire",
    "a train crosses a bridge",
    "snow falls on a city street",
    "a cook chops onions",
    "a surfer rides a wave",
    "a cat sleeps on a sofa",
    "a helicopter lands on a roof",
    "a bride throws her bouquet",
    "a man repairs a bicycle",
    "two men play chess in a park",
    "a horse gallops along a beach",
    "a teacher writes on a blackboard",
    "fireworks over a harbour",
    "a woman plays the violin",
    "a boy builds a sandcastle",
    "a bus drives through the rain",
    "people wait at an airport",
    "a climber hangs on a cliff",
    "a waiter pours wine",
    "a baby crawls on a carpet",
    "a tractor ploughs a field",
    "a diver swims among fish",
    "an old man feeds pigeons",
    "a barber cuts hair",
    "a crowd cheers in a stadium",
    "a girl blows out candles",
    "a squirrel climbs a tree",
    "someone types on a keyboard",
    "a boat sails at sunset",
    "colourless ideas sleep furiously",
    "the square root of a promise",
    "yesterday tastes of arithmetic",
    "a whispered number folds itself",
    "zxqv blarg fnord wibble",
    "lorem ipsum dolor sit amet",
    "asdf jkl qwer uiop",
    "mxyzptlk grommet splunge",
    "ein Hund läuft über die Wiese",
    "un homme joue de la guitare",
    "una mujer cocina en la cocina",
    "犬が走っている",
)

KINDS = {
    "one": "true of one stretch",
    "several": "true of several stretches",
    "general": "general: one attribute",
    "opposite": "absent: the opposite motion",
    "absent": "absent: other combinations",
    "foreign": "absent: foreign",
}
_ABSENT = 60


def labels_of(library: Library) -> dict[str, tuple[Label, ...]]:
    """The labels of a library, by kind.

    Shapes that are seen beside another one are part of the truth, but not asked for by themselves.
    """
    seen = stretches(library)
    asked = {c for c, places in seen.items() if any(not event.second for _, event in places)}
    once = [c for c in asked if len(seen[c]) == 1]
    often = [c for c in asked if len(seen[c]) > 1]
    rng = np.random.default_rng([EDITION, library.seed, 2])
    absent = [c for c in COMBINATIONS if c not in seen]
    opposite = [c for c in absent if Combination(c.colour, c.shape, OPPOSITE[c.motion]) in seen]
    other = [c for c in absent if c not in opposite]
    chosen = [other[i] for i in rng.permutation(len(other))[:_ABSENT]]
    return {
        "one": _true_labels(library, ((c.caption, c.__eq__) for c in sorted(once))),
        "several": _true_labels(library, ((c.caption, c.__eq__) for c in sorted(often))),
        "general": _true_labels(library, _general()),
        "opposite": _nothing_labels(c.caption for c in opposite),
        "absent": _nothing_labels(c.caption for c in chosen),
        "foreign": _nothing_labels(FOREIGN),
    }


def _general() -> Iterable[tuple[str, Callable[[Combination], bool]]]:
    for part, sentences in QUESTIONS.items():
        for value, sentence in sentences.items():
            yield sentence, lambda c, part=part, value=value: getattr(c, part) == value  # type: ignore[misc]


def _true_labels(
    library: Library, sentences: Iterable[tuple[str, Callable[[Combination], bool]]]
) -> tuple[Label, ...]:
    labels = []
    for line, (sentence, is_meant) in enumerate(sentences, start=1):
        for video in library.videos:
            spans = [(e.start, e.end) for e in video.events if is_meant(e.combination)]
            labels += [Label(line, sentence, video.name, span) for span in dict.fromkeys(spans)]
    return tuple(labels)


def _nothing_labels(sentences: Iterable[str]) -> tuple[Label, ...]:
    return tuple(Label(line, sentence, None) for line, sentence in enumerate(sentences, start=1))
