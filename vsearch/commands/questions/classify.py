"""`vsearch classify`: the probabilities of labels for one video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from vsearch.commands.options import (
    CatalogOption,
    DeviceOption,
    JsonOption,
    ModelOption,
    PrecisionOption,
    QuietOption,
    VerboseOption,
    file_given,
    start,
)
from vsearch.messages import tell_notes, tell_of_demo


def classify(
    video: Annotated[
        Path, typer.Argument(metavar="VIDEO", parser=file_given, help="A video file.")
    ],
    labels: Annotated[
        list[str],
        typer.Argument(
            metavar="LABEL...",
            callback=labels_given,
            help="Possible contents, in words: at least two labels.",
        ),
    ],
    *,
    catalog: CatalogOption = None,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Print the probability of each label, in English, for a video (zero-shot, by X-CLIP).

    \b
    Examples:
      vsearch classify clip.mp4 "playing sports" "eating spaghetti" "go shopping"
      vsearch classify toy.mp4 "a red circle" "a blue square" --model demo
    """
    from vsearch.services.answers.classify import Classifier
    from vsearch.show.classification import classification_json, print_classification
    from vsearch.show.output import print_json

    settings = start(
        verbose=verbose,
        quiet=quiet,
        catalog=catalog,
        model=model,
        device=device,
        precision=precision,
    )
    result = Classifier(settings).classify(video, labels)
    if as_json:
        print_json(classification_json(result))
    else:
        print_classification(result)
    for label, notes in result.notes.items():
        tell_notes(notes, about=label)
    tell_of_demo(result.model)


def refused_labels(labels: Sequence[str]) -> str | None:
    """The sentence that refuses labels; None for those that can be compared."""
    if len(labels) < 2 or not all(label.strip() for label in labels):
        return "give at least two labels, none of them empty"
    if len({label.strip() for label in labels}) < len(labels):
        return "two labels are the same; give each once"
    return None


def labels_given(labels: list[str]) -> list[str]:
    """At least two labels, none of them empty or twice; others are refused."""
    if refusal := refused_labels(labels):
        raise typer.BadParameter(refusal)
    return labels
