"""What a glob on a path means, everywhere in the product."""

import re
from collections.abc import Callable
from fnmatch import translate
from pathlib import Path


def path_matcher(pattern: str) -> Callable[[Path], bool]:
    """A test whether an absolute path, or a folder above it, fits `pattern`.

    `*` matches anything, `/` included; `?` one character; `[ab]` one of these. A pattern that is
    not absolute may begin at any folder, as if `*/` or `**/` stood before it: `holiday` means
    everything in folders of that name, `*.mkv` all Matroska files, `/media/2023` one folder. A
    pattern that is itself the name of a file or folder matches it, whatever brackets it holds.
    Upper and lower case differ.
    """
    fits = pathname_matcher(pattern)
    return lambda path: fits(path.as_posix())


def pathname_matcher(pattern: str) -> Callable[[str], bool]:
    """The same test on the text of the path.

    It looks at each folder once: there are far fewer of them than of films.
    """
    fits = name_matcher(pattern)
    folders: dict[str, bool] = {}

    def fits_or_lies_below(place: str) -> bool:
        folder = place.rpartition("/")[0] or "/"
        if folder not in folders:
            folders[folder] = fits(folder) if folder == "/" else fits_or_lies_below(folder)
        return folders[folder] or fits(place)

    return fits_or_lies_below


def name_matcher(pattern: str) -> Callable[[str], bool]:
    """A test whether the text of an absolute path fits `pattern` itself, not a folder above it.

    For those who come down folder by folder, and ask about each on the way.
    """
    named = Path(pattern).as_posix()
    anchored = Path(pattern).is_absolute()
    match = re.compile(translate(named if anchored else re.sub(r"^(\*+/)*", "*/", named))).match
    if anchored:
        return lambda place: place == named or match(place) is not None
    below = f"/{named}"
    return lambda place: place.endswith(below) or match(place) is not None
