"""What there is in the toy world, how it is described, and which of it is never trained on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (215, 38, 38),
    "green": (40, 160, 60),
    "blue": (40, 70, 215),
    "yellow": (240, 215, 40),
    "purple": (150, 50, 185),
    "cyan": (60, 210, 220),
    "white": (246, 246, 246),
    "black": (14, 14, 14),
}

SHAPES: tuple[str, ...] = ("circle", "square", "triangle", "star", "cross", "heart", "ring")

MOTION_PAIRS: tuple[tuple[str, str], ...] = (
    ("moving left", "moving right"),
    ("moving up", "moving down"),
    ("growing", "shrinking"),
    ("circling clockwise", "circling anticlockwise"),
)
"""Each pair shows the same single frames; only their order tells its two members apart."""

MOTIONS: tuple[str, ...] = tuple(motion for pair in MOTION_PAIRS for motion in pair)

OPPOSITE: dict[str, str] = {
    motion: opposite for a, b in MOTION_PAIRS for motion, opposite in ((a, b), (b, a))
}

_OTHER_WORDS: dict[str, tuple[str, ...]] = {
    "moving left": ("moves left", "going left", "drifting to the left"),
    "moving right": ("moves right", "going right", "drifting to the right"),
    "moving up": ("moves up", "going up", "rising"),
    "moving down": ("moves down", "going down", "sinking"),
    "growing": ("grows", "getting bigger", "becoming larger"),
    "shrinking": ("shrinks", "getting smaller", "becoming smaller"),
    "circling clockwise": ("circles clockwise", "going round clockwise", "orbiting clockwise"),
    "circling anticlockwise": (
        "circles anticlockwise",
        "going round anticlockwise",
        "orbiting counterclockwise",
    ),
}


@dataclass(frozen=True, slots=True, order=True)
class Combination:
    """Combination of a colour, a shape and a motion: one kind of event."""

    colour: str
    shape: str
    motion: str

    @property
    def caption(self) -> str:
        """Plain sentence for the combination, as in "a red circle moving left"."""
        return f"a {self.colour} {self.shape} {self.motion}"

    def paraphrase(self, rng: np.random.Generator) -> str:
        """Other wording of the combination: half of the time the plain caption."""
        if rng.random() < 0.5:
            return self.caption
        article = ("a ", "the ", "")[rng.integers(3)]
        words = (self.motion, *_OTHER_WORDS[self.motion])
        return f"{article}{self.colour} {self.shape} {words[rng.integers(len(words))]}"


COMBINATIONS: tuple[Combination, ...] = tuple(
    Combination(*parts) for parts in product(COLOURS, SHAPES, MOTIONS)
)


def is_held_out(combination: Combination) -> bool:
    """Whether training leaves this combination out: one in four, spread like a Latin square.

    Every colour, shape and motion, and every two of them together, is still seen in training:
    what is new about a held-out combination is that all three meet.
    """
    colour = list(COLOURS).index(combination.colour)
    shape = SHAPES.index(combination.shape)
    motion = MOTIONS.index(combination.motion)
    # Three is odd, so the two members of a motion pair never leave training together.
    return (colour + 2 * shape + 3 * motion) % 4 == 0


TRAINED: tuple[Combination, ...] = tuple(c for c in COMBINATIONS if not is_held_out(c))
HELD_OUT: tuple[Combination, ...] = tuple(c for c in COMBINATIONS if is_held_out(c))


QUESTIONS: dict[str, dict[str, str]] = {
    "colour": {colour: f"something {colour}" for colour in COLOURS},
    "shape": {shape: f"a {shape}" for shape in SHAPES},
    "motion": {motion: f"something {motion}" for motion in MOTIONS},
}
"""Sentences that tell one part of a combination and leave the others open."""


WHERE: dict[str, tuple[str, ...]] = {
    "across": (
        "something at the far left",
        "something left of the middle",
        "something in the middle",
        "something right of the middle",
        "something at the far right",
    ),
    "height": (
        "something at the very top",
        "something above the middle",
        "something at half height",
        "something below the middle",
        "something at the very bottom",
    ),
    "size": ("something tiny", "something small", "something large", "something huge"),
}
"""What can be said of a single frame and of no motion: the steps of three scales, in order."""

WHERE_EDGES: dict[str, tuple[float, ...]] = {
    "across": (0.32, 0.44, 0.56, 0.68),
    "height": (0.32, 0.44, 0.56, 0.68),
    "size": (0.11, 0.15, 0.2),
}
"""Where one step of `WHERE` ends and the next begins, as fractions of the picture's side."""


def every_sentence() -> tuple[str, ...]:
    """All ways in which the world is described: what a vocabulary for it is built from."""
    sentences = [c.caption for c in COMBINATIONS]
    sentences += [sentence for question in QUESTIONS.values() for sentence in question.values()]
    sentences += [sentence for scale in WHERE.values() for sentence in scale]
    for c in COMBINATIONS:
        sentences += [f"the {c.colour} {c.shape} {words}" for words in _OTHER_WORDS[c.motion]]
    return tuple(sentences)
