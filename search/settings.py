"""The parts of a search that can be switched, so that each can be measured against the others."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """Which parts of a search are on: `vsearch eval --compare` switches them.

    Attributes:
        moments: start, end and peak come from the curve of the sentence over the video; without,
            a moment is merged from overlapping clips.
        centring: scores compare with the mean sentence and the mean clip taken away.
        confidence: hits have a confidence, and an answer is convincing or not.
        prompts: the sentence is conditioned on the catalog's mean clip, as X-CLIP's prompts do.
    """

    moments: bool = True
    centring: bool = True
    confidence: bool = True
    prompts: bool = False


PLAIN = SearchSettings(moments=False, centring=False, confidence=False)
"""Cosines and merged clips alone."""
