"""The probabilities of labels, for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from machine.names import shown
from vsearch.show.output import console
from vsearch.show.search import notes_json

if TYPE_CHECKING:
    from vsearch.services.answers.classify import Classification


def classification_json(result: Classification) -> dict[str, Any]:
    """The probability of each label, most probable first."""
    return {
        "path": str(result.path),
        "model": result.model,
        "took_ms": round(result.took_ms, 1),
        "labels": [
            {
                "label": label,
                "probability": round(probability, 6),
                **notes_json(result.notes.get(label, ())),
            }
            for label, probability in result.labels
        ],
    }


def print_classification(result: Classification) -> None:
    """A line for each label, most probable first."""
    page = console()
    for label, probability in result.labels:
        page.print(f"{100 * probability:5.1f} %  {shown(label)}")
