"""The parts of a search that can be switched, so that each can be measured against the others."""

import re
from dataclasses import dataclass, fields, replace

from search.errors import UnknownSettingError


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """Which parts of a search are on: `vsearch eval --compare` switches them.

    Attributes:
        moments: start, end and peak come from the curve of the sentence over the video; without,
            a moment is merged from overlapping clips.
        centring: clips rank by centred scores (see `search.background.centring`); else by cosines.
        confidence: hits have a confidence, which is told from centred scores only.
        prompts: the sentence, and those of the bank, get X-CLIP's prompts for the mean of clips.
        rescoring: the best 50 clips are decoded, and scored again with X-CLIP's prompts for each.
    """

    moments: bool = True
    centring: bool = True
    confidence: bool = True
    prompts: bool = False
    rescoring: bool = False


PLAIN = SearchSettings(moments=False, centring=False, confidence=False)
"""Cosines and merged clips alone."""


def settings_named(name: str) -> SearchSettings:
    """The settings of a name: `default` or `plain`, with parts added by + or taken away by -.

    `moments+centring` is `plain+moments+centring`.

    Raises:
        UnknownSettingError: there is no such part.
    """
    parts = [field.name for field in fields(SearchSettings)]
    first, *changes = re.split(r"(?=[+-])", name)
    bases = {"default": SearchSettings(), "plain": PLAIN}
    if first not in bases:
        first, changes = "plain", [f"+{first}", *changes]
    if unknown := [change[1:] for change in changes if change[1:] not in parts]:
        raise UnknownSettingError(
            f"there is no setting {unknown[0]!r}; give default, plain, or parts joined by + out of"
            f" {', '.join(parts)}; default-moments is the default without moments"
        )
    return replace(bases[first], **{change[1:]: change[0] == "+" for change in changes})
