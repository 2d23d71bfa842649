"""File names for people: shown so that none deceives, quoted so that a shell reads them back.

Whatever is printed of a name, or of a text that may hold one, goes through `shown`; whatever is
meant to be pasted goes through `quoted`.
"""

from __future__ import annotations

import os
import re
import shlex  # noqa: TID251 - here, for all
from pathlib import Path
from unicodedata import category

# Joiners shape letters (Persian, Hindi) and families of emoji; behind others they only hide. The
# letters of a flag's region (Scotland's) are invisible by themselves.
_SHAPING = "(?<=[\u0590-\u1dff\u2190-\U0001faff])[\u200c\u200d]"
_FLAG = "(?<=\U0001f3f4)[\U000e0061-\U000e007a]{3,6}\U000e007f"
_UNUSUAL = re.compile(f"({_SHAPING}|{_FLAG})|[^ -~]")

# Letters to Unicode, and yet nothing is seen of them.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
# An older Unicode does not know the newest of these.
_EMOJI = ("\U0001f000", "\U0001faff")

_PLAIN = re.compile(r"[\w ./,-]", re.ASCII)
_LINE_BREAK = '"${IFS#??}"'  # the third of what IFS holds in every shell that was just started


def shown(name: str | Path) -> str:
    r"""A name, or a text that may hold names, for a person: one line, and nothing hidden in it.

    Letters of all scripts, emoji and spaces stay as they are. Control characters, those that turn
    the direction of reading, and those that cannot be seen are escaped as in Python (`\n`,
    `\u202e`), and a byte that is not Unicode as `\xff`.
    """
    text = str(name)
    if text.isascii() and text.isprintable():
        return text
    return _UNUSUAL.sub(lambda found: found[1] or _visible(found[0]), text)


def quoted(word: str | Path) -> str:
    r"""A word as bash and sh read it back: as it is where it can be, else in single quotes.

    What cannot be seen, or seen apart from a space, is spelled in bytes for `printf`, as nothing
    else is understood by every shell: a name survives on its way through any clipboard. A path that
    begins with a dash is not taken for an option.
    """
    text = str(word)
    if isinstance(word, Path) and text.startswith("-"):
        text = f"./{text}"
    if all(map(_can_be_pasted, text)) and shown(text) == text:
        return shlex.quote(text)
    body = text.rstrip("\n")  # a shell takes line breaks off the end of what a command prints
    spelled = "".join(map(_spelled, body))
    return f"\"$(printf '{spelled}')\"" + _LINE_BREAK * (len(text) - len(body))


def command_line(*words: str | Path) -> str:
    """Words as one line that can be pasted into a shell."""
    return " ".join(map(quoted, words))


def words_in(line: str) -> list[str]:
    """The words of a line, as a shell splits it by spaces and quotes.

    Raises ValueError for a quote that is not closed, or a backslash at the end.
    """
    return shlex.split(line)


def _visible(letter: str) -> str:
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    if _can_be_seen(letter):
        return letter
    if letter.isascii():
        return repr(letter)[1:-1]
    return f"\\u{ord(letter):04x}" if letter <= "\uffff" else f"\\U{ord(letter):08x}"


def _can_be_seen(letter: str) -> bool:
    if letter in _BLANK:
        return False
    if category(letter) == "Zs" or _EMOJI[0] <= letter <= _EMOJI[1]:
        return True
    return letter.isprintable()


def _can_be_pasted(letter: str) -> bool:
    """Whether it is not one of the spaces that look like the usual one, which programs replace."""
    return letter in " \u3000" or category(letter) != "Zs"


def _spelled(letter: str) -> str:
    """A letter in the format of `printf`, inside double and single quotes."""
    plain = _PLAIN.match(letter) if letter.isascii() else _is_plain_beyond_ascii(letter)
    return letter if plain else "".join(f"\\{byte:03o}" for byte in os.fsencode(letter))


def _is_plain_beyond_ascii(letter: str) -> bool:
    return _can_be_pasted(letter) and shown(letter) == letter
