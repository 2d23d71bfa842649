"""Confidence: how sure it is that a moment shows what was asked for, in three words."""

from enum import StrEnum


class Confidence(StrEnum):
    """The confidence in a moment; with NONE there is nothing convincing about it."""

    STRONG = "strong"
    LIKELY = "likely"
    WEAK = "weak"
    NONE = "none"


# The least standing among the voids for each word (see `search.background.voids`). STRONG was
# chosen on toy clips of which no figure is printed.
LEAST_STANDING = {Confidence.STRONG: 1.15, Confidence.LIKELY: 0.5, Confidence.WEAK: 0.0}


def confidence_of(standing: float) -> Confidence:
    """The word for a standing among the voids."""
    return next(
        (word for word, least in LEAST_STANDING.items() if standing >= least), Confidence.NONE
    )
