"""Words as the full-text index holds and asks them, also those of languages without spaces.

Between the words of Chinese, Japanese or Thai there is no space, and Korean joins particles to
them: a run of such letters is cut into overlapping pairs, 料理人 into 料理 理人 人, which are found
as a phrase. The last letter stands alone, so that every letter begins a pair or is one.
"""

import re
import unicodedata

from catalog.errors import InvalidWordsError

_MOST_WORDS = 64
_MOST_LETTERS = 1000

_RUN = re.compile(
    "["
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"  # Hangul
    "\u3040-\u30ff\u31f0-\u31ff"  # Kana
    "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "]+"
)
_WORD = re.compile(r"\w+")


def indexed(text: str) -> str:
    """The text as it is indexed: letters in one form, runs cut into pairs."""
    return _RUN.sub(lambda run: f" {' '.join(_pairs(run[0]))} ", _folded(text))


def require_words(text: str) -> str:
    """Check that there is a word in the text; the text with its letters in one form.

    Raises:
        InvalidWordsError: there is none, or there are too many.
    """
    words = _words(text)
    if not words:
        raise InvalidWordsError(
            f"there are no words in {text[:50]!r}: give what is said, as in --said 'happy birthday'"
        )
    if len(words) > _MOST_WORDS or len(text) > _MOST_LETTERS:
        raise InvalidWordsError(
            f"{len(words)} words are too many to look for: give at most {_MOST_WORDS}, with"
            f" {_MOST_LETTERS} letters together"
        )
    return " ".join(words)


def expression(text: str) -> str:
    """The question for cues that hold these words: best with all in their order, else anyhow."""
    words = _words(text)
    phrase = _phrase(" ".join(words), ends=False)
    if len(words) == 1:
        return phrase
    return f"({phrase}) OR ({' AND '.join(_phrase(word, ends=False) for word in words)})"


def halves(text: str) -> list[tuple[str, str, str]]:
    """Each way in which the words may be spread over two cues.

    For each the question for the first cue, that for the second, which begins with its part, and
    the words with which the first one ends.
    """
    whole = " ".join(_words(text))
    cuts = [match.start() for match in re.finditer(" ", whole)]
    cuts += [at for run in _RUN.finditer(whole) for at in range(run.start() + 1, run.end())]
    found = []
    for at in sorted(cuts)[:_MOST_WORDS]:
        head, tail = whole[:at].strip(), whole[at:].strip()
        found.append((_phrase(head, ends=True), f"^{_phrase(tail, ends=False)}", head))
    return found


def ends_with(text: str, words: str) -> bool:
    """Whether the text ends with these words, whatever their case and accents."""
    return _bare(text).endswith(_bare(words))


def _words(text: str) -> list[str]:
    """The words between spaces that hold a letter or a digit."""
    return [word for word in _folded(text).split() if any(map(str.isalnum, word))]


def _phrase(text: str, *, ends: bool) -> str:
    """A phrase in quotes: nothing in it is an operator. With `ends`, a run must end, too."""
    spaced = text.replace('"', " ")
    runs = list(_RUN.finditer(spaced))
    last = runs[-1] if runs and runs[-1].end() == len(spaced.rstrip()) else None
    if last is None or ends:
        return f'"{indexed(spaced)}"'
    before = indexed(spaced[: last.start()])
    if len(last[0]) == 1:  # it begins a pair, or is the last one of a run
        return f'"{before} {last[0]}" *'
    return f'"{before} {" ".join(_pairs(last[0])[:-1])}"'


def _pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run))]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text.replace("\0", " "))


def _bare(text: str) -> str:
    """The words without case and accents, a space before each; the letters of runs are words."""
    spaced = _RUN.sub(lambda run: f" {' '.join(run[0])} ", _folded(text))
    apart = unicodedata.normalize("NFKD", spaced).casefold()
    letters = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return "".join(f" {word}" for word in _WORD.findall(letters))
