"""Names of subtitle files: which videos they lie beside, and in which language they are."""

import re
from collections.abc import Collection

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_WORD = re.compile(r"[^\W\d_]{2,20}")
_MOST_ENDINGS = 4
# Endings that say for what a file is, not in which language.
_KINDS = frozenset(
    ("cc", "closed", "commentary", "default", "forced", "foreign", "full", "hi", "sdh", "signs")
)


def video_of(stem: str, videos: Collection[str]) -> tuple[str, str | None] | None:
    """The name of the video that subtitles belong to, and their language; None for no video.

    All names are without suffix: `film.pt-BR.forced` belongs to `film`, and is in pt-BR. Where
    there is `film.en`, too, `film.en` belongs to that.
    """
    name, endings = stem, list[str]()
    while name not in videos:
        name, dot, ending = name.rpartition(".")
        if not (dot and name) or len(endings) == _MOST_ENDINGS or not _is_ending(ending):
            return None
        endings.insert(0, ending)
    return name, next((one for one in endings if one.lower() not in _KINDS), None)


def _is_ending(text: str) -> bool:
    return bool(_LANGUAGE.fullmatch(text) or _WORD.fullmatch(text))
