"""Ignore files: marks that exclude a folder, and files with patterns.

`.nomedia` is for the whole folder, whatever is in it, and so is a `.ignore` that is empty, as in
Jellyfin. Otherwise `.ignore`, `.immichignore`, `.plexignore` and `.ppignore` (PhotoPrism) hold
patterns in the manner of `.gitignore`, which https://git-scm.com/docs/gitignore describes.

The patterns come with the videos, perhaps from a stranger. Each name is compared on its own, by an
expression that does not go back over what it has matched: none takes long, however it was made up.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import translate
from itertools import pairwise

from catalog import composed
from indexer.scan.names import MARKS, PATTERN_FILES

_MOST_BYTES, _MOST_LINES = 1 << 16, 1000  # of an ignore file that are read
_MOST_NAMES, _LONGEST_NAME = 50, 255  # in a pattern: names, and letters of one
_EVERYTHING = "**"


@dataclass(frozen=True, slots=True)
class _Rule:
    """A line: `names` fit one after another, "**" any number of them; `keeps` is for `!`."""

    names: tuple[re.Pattern[str] | str, ...]
    keeps: bool
    folders_only: bool

    def fits(self, names: Sequence[str], *, is_folder: bool) -> bool:
        if self.folders_only and not is_folder:
            return False
        # The numbers of the patterns that the next name may fit; as many as there are names and
        # patterns at most, whatever the line.
        open_at = _opened({0}, self.names)
        for name in names:
            going_on = {at for at in open_at if self._any_number(at)}
            going_on |= {at + 1 for at in open_at if self._takes(at, name)}
            open_at = _opened(going_on, self.names)
        return len(self.names) in open_at

    def _any_number(self, at: int) -> bool:
        return at < len(self.names) and self.names[at] == _EVERYTHING

    def _takes(self, at: int, name: str) -> bool:
        """Whether pattern number `at` is done with by this name."""
        if at == len(self.names):
            return False
        pattern = self.names[at]
        if isinstance(pattern, str):
            return at == len(self.names) - 1  # what lies in the folder, not the folder itself
        return pattern.match(name) is not None


def _opened(numbers: set[int], names: Sequence[re.Pattern[str] | str]) -> set[int]:
    """With what may follow at once, as "**" may stand for nothing; not at the end."""
    every = set(numbers)
    for at in numbers:
        if at < len(names) - 1 and names[at] == _EVERYTHING:
            every.add(at + 1)
    return every


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """What the ignore files of a folder and of those above it say; the nearest comes first."""

    files: tuple[tuple[int, tuple[_Rule, ...]], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.files)

    def ignores(self, pathname: str, *, is_folder: bool) -> bool:
        """Whether a file or folder is to be left alone, the folders above it being allowed."""
        text = composed(pathname)
        for start, rules in self.files:
            names = text[start:].strip("/").split("/")
            for rule in reversed(rules):
                if rule.fits(names, is_folder=is_folder):
                    return not rule.keeps
        return False

    def with_files_in(self, folder: str, names: Iterable[str]) -> "IgnoreRules | None":
        """These rules and those of the ignore files `names` in a folder; None: leave it alone.

        An ignore file that cannot be read is passed over.
        """
        found = self.files
        for name in sorted(names):
            if name in MARKS:
                return None
            lines = _lines(f"{folder.rstrip('/')}/{name}")
            if name == ".ignore" and lines is not None and not any(map(str.strip, lines)):
                return None
            rules = tuple(_rules(lines or (), any_case=name == ".ppignore"))
            if rules:
                found = ((len(composed(folder)), rules), *found)
        return IgnoreRules(found)


def ignore_files_in(folder: str) -> tuple[str, ...]:
    """The names of the ignore files in a folder that is not listed otherwise."""
    names = MARKS | PATTERN_FILES
    return tuple(name for name in names if os.path.lexists(f"{folder.rstrip('/')}/{name}"))


def _lines(pathname: str) -> list[str] | None:
    try:
        descriptor = os.open(pathname, os.O_RDONLY | os.O_NONBLOCK)  # a pipe must not hold us
        with open(descriptor, "rb") as file:  # noqa: PTH123 - of a descriptor
            content = file.read(_MOST_BYTES)
    except OSError:
        return None
    text = content.decode("utf-8", errors="surrogateescape").removeprefix("\N{BOM}")
    return [line.removesuffix("\r") for line in composed(text).split("\n")[:_MOST_LINES]]


def _rules(lines: Iterable[str], *, any_case: bool) -> Iterator[_Rule]:
    for line in lines:
        text = _without_blanks(line)
        if not text or text.startswith("#"):
            continue
        keeps = text.startswith("!")
        text = text.removeprefix("!")
        folders_only = text.endswith("/")
        text = text.rstrip("/")
        anchored = "/" in text
        names = [name for name in text.split("/") if name]
        if names and not anchored:
            names.insert(0, _EVERYTHING)
        pairs = pairwise(["", *names])
        names = [name for before, name in pairs if not before == name == _EVERYTHING]
        if not names or len(names) > _MOST_NAMES or len(max(names, key=len)) > _LONGEST_NAME:
            continue
        flags = re.IGNORECASE if any_case else 0
        yield _Rule(
            names=tuple(name if name == _EVERYTHING else _name(name, flags) for name in names),
            keeps=keeps,
            folders_only=folders_only,
        )


def _without_blanks(line: str) -> str:
    """Without those at its end, but for one behind a backslash."""
    text = line.rstrip(" \t")
    return line[: len(text) + 1] if text.endswith("\\") else text


def _name(pattern: str, flags: int) -> re.Pattern[str]:
    """`\\x` stands for x itself, as in a shell; `fnmatch` knows only brackets for that."""
    plain = re.sub(r"\\([*?[])", r"[\1]", pattern)
    return re.compile(translate(re.sub(r"\\(.)", r"\1", plain)), flags)
