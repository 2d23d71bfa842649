"""Globs on paths: the one meaning that they have in the whole product."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from fnmatch import translate
from glob import escape
from itertools import takewhile
from pathlib import Path
from typing import Protocol

from catalog.errors import InvalidGlobError
from catalog.spelling import composed, ignores_case

_WILD = re.compile(r"[*?\[]")


def require_glob(pattern: str) -> str:
    """Check that a pattern can match a path; the pattern.

    Raises:
        InvalidGlobError: it is empty, or names a folder by dots.
    """
    if not pattern:
        raise InvalidGlobError("a pattern is empty; give a name, a path, or * for everything")
    parts = Path(pattern).parts
    if "\0" in pattern or ".." in parts or not parts:
        raise InvalidGlobError(
            f"the pattern {pattern!r} can match no path; give a name, or a path with neither ."
            " nor .. in it"
        )
    return pattern


def pathname_matcher(pattern: str) -> Callable[[str], bool]:
    """A predicate on the text of an absolute path: whether it, or a folder above it, matches.

    `*` matches anything, `/` included; `?` one character; `[ab]` one of these. A pattern that is
    not absolute may begin at any folder, as if `*/` or `**/` stood before it: `holiday` means
    everything in folders of that name, `*.mkv` all Matroska files, `/media/2023` one folder. A
    pattern that is itself the name of a file or folder matches it, whatever brackets it holds.

    An absolute pattern may lead through links, and so may a path from the current folder. Composed
    and decomposed letters are the same; upper and lower case differ, unless the file system ignores
    case.

    It matches each folder once: there are far fewer folders than videos.

    Raises:
        InvalidGlobError: no path can match.
    """
    fits = name_matcher(pattern)
    folders: dict[str, bool] = {}

    def fits_or_lies_below(place: str) -> bool:
        folder = place.rpartition("/")[0] or "/"
        if folder not in folders:
            folders[folder] = fits(folder) if folder == "/" else fits_or_lies_below(folder)
        return folders[folder] or fits(place)

    return fits_or_lies_below


class NameMatcher(Protocol):
    """A predicate on the text of a path, or of its end; then `path` is the whole."""

    def __call__(self, place: str, /, path: str = "") -> bool:
        """Whether it matches; if only in another case, the file system of `path` decides."""


def name_matcher(pattern: str) -> NameMatcher:
    """A predicate: whether the text of an absolute path matches `pattern`, folders above it apart.

    For a walk, which matches folder by folder on its way down.
    """
    form = "|".join(map(composed, _expressions(Path(require_glob(pattern)).as_posix())))
    match = re.compile(form).match
    match_in_any_case = re.compile(form, re.IGNORECASE).match
    ignoring: dict[str, bool] = {}

    def fits(place: str, /, path: str = "") -> bool:
        text = composed(place)
        if match_in_any_case(text) is None:
            return False
        if match(text) is not None:
            return True
        path = path or place
        folder = path.rpartition("/")[0]
        if folder not in ignoring:
            ignoring[folder] = ignores_case(path)
        return ignoring[folder]

    return fits


def _expressions(pattern: str) -> Iterator[str]:
    """Regular expressions, one of which matches each path that the pattern matches."""
    if not pattern.startswith("/"):
        yield translate(re.sub(r"^(\*+/)*", "*/", pattern))
        yield rf"(?s:.*/{re.escape(pattern)})\Z"
        with suppress(OSError):  # the current folder was deleted
            real = os.path.realpath(pattern)
            if real != str(Path(pattern).absolute()):
                yield rf"(?s:{re.escape(real)})\Z"
        return
    for spelled in dict.fromkeys((pattern, os.path.realpath(pattern))):
        yield rf"(?s:{re.escape(spelled)})\Z"
    yield translate(pattern)
    names = pattern.split("/")
    head = "/".join(takewhile(lambda name: not _WILD.search(name), names))
    rest = pattern[len(head) :]
    for real in _folders_behind_links(head or "/", rest):
        yield translate(real)


def _folders_behind_links(head: str, rest: str) -> Iterator[str]:
    """The pattern in other spellings: with the links in its literal beginning followed.

    `rest` begins at the first name with wildcards, which may mean links as well.
    """
    yield escape(os.path.realpath(head).rstrip("/")) + rest or "/"
    first, _, further = rest.lstrip("/").partition("/")
    try:
        with os.scandir(head) as scan:
            links = [entry.name for entry in scan if entry.is_symlink()] if first else []
    except OSError:
        return
    is_meant = re.compile(translate(first)).match
    for name in links:
        if is_meant(name):
            real = escape(os.path.realpath(f"{head.rstrip('/')}/{name}"))
            yield f"{real}/{further}" if further else real
