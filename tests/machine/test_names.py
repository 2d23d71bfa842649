import os
import subprocess
from pathlib import Path
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machine.names import command_line, quoted, shown

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
AS_THEY_ARE = (
    "holiday.mp4",
    "Été à la mer.mp4",
    "猫 и собака 🎬.mp4",
    "運動会\u30002019.mp4",
    "می\u200cخواهم.mp4",
    "क्\u200dष.mp4",
    f"{FAMILY}.mp4",
    "❤\ufe0f\u200d🔥.mp4",
    "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f.mp4",
    "\U0001fae8 of a newer Unicode.mp4",
    "葛\U000e0100飾.mp4",
    "Recording at 9.41\u202fAM.mp4",
    "Snímek\u00a0v\u00a013.05.mp4",
    "back\\slash 100%.mp4",
)
HIDDEN = {
    "red\x1b[31m\n.mp4": r"red\x1b[31m\n.mp4",
    "tab\t\r.mp4": r"tab\t\r.mp4",
    "del\x7f\x9b1m.mp4": r"del\x7f\u009b1m.mp4",
    "\u202e4pm.exe": r"\u202e4pm.exe",
    "a\u2066b\u2069\u200f\u061c": r"a\u2066b\u2069\u200f\u061c",
    "soft\u00adhyphen": r"soft\u00adhyphen",
    "zero\u200bwidth\ufeff\u2060": r"zero\u200bwidth\ufeff\u2060",
    "pay\u200dpal\u200c": r"pay\u200dpal\u200c",
    "filler\u3164\uffa0\u034f": r"filler\u3164\uffa0\u034f",
    "line\u2028par\u2029": r"line\u2028par\u2029",
    "tags\U000e0041\U000e0042": r"tags\U000e0041\U000e0042",
    "private\ue000\U0010ffff": r"private\ue000\U0010ffff",
    os.fsdecode(b"byte\xff\x9b"): r"byte\xff\x9b",
}
PASTED = (
    *AS_THEY_ARE,
    *HIDDEN,
    "two words.mp4",
    'it\'s `date` $HOME "quoted" !! # ; | & > * ? [a] {b} ~.mp4',
    "-n.mp4",
    "\n",
    "x\n\n",
    "%s\n\\n'!'\x01001",
    "\r 'and' \"\\\" %d %% !x",
    " \u3000\u00a0",
)


@pytest.mark.parametrize("name", AS_THEY_ARE)
def test_letters_of_every_script_and_emoji_are_shown_as_they_are(name: str) -> None:
    assert shown(name) == name


@pytest.mark.parametrize("name", HIDDEN)
def test_what_acts_on_the_screen_or_cannot_be_seen_is_escaped(name: str) -> None:
    assert shown(Path("/a", name)) == f"/a/{HIDDEN[name]}"


def test_a_text_that_was_shown_once_stays_as_it_is() -> None:
    for name in (*AS_THEY_ARE, *HIDDEN):
        assert shown(shown(name)) == shown(name)


@given(st.text())
def test_nothing_that_is_shown_moves_the_cursor_or_turns_the_text(text: str) -> None:
    for letter in shown(text):
        assert category(letter) not in {"Cc", "Cs", "Zl", "Zp"}
        assert (
            letter not in "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        )
    assert len(shown(text).splitlines()) <= 1


@pytest.mark.parametrize("name", PASTED)
@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_quoted_name_is_read_back_by_a_shell(name: str, shell: str) -> None:
    for word in (name, Path(name), Path("/films", name)):
        printed = subprocess.run(
            [shell, "-c", f"printf '%s\\0' {command_line('x', word)}"],
            capture_output=True,
            check=True,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
        read = printed.stdout.split(b"\0")[1]
        wanted = f"./{word}" if word == Path("-n.mp4") else str(word)
        assert read == os.fsencode(wanted)
        assert "\n" not in quoted(word)
        assert shown(quoted(word)) == quoted(word)


def test_an_interactive_shell_reads_it_back_too(tmp_path: Path) -> None:
    """There an exclamation mark recalls an earlier line, also within double quotes."""
    name = "what!!\u202f!x \n'!y'.mp4"
    (tmp_path / name).touch()
    script = f"set -H\ntest -f {quoted(tmp_path / name)} && echo found\nexit\n"
    done = subprocess.run(
        ["bash", "--norc", "-i"],
        input=script,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "HISTFILE": "", "PS1": ""},
        start_new_session=True,
    )
    assert "found" in done.stdout, done.stderr


def test_spaces_that_only_look_like_one_are_spelled_out_for_the_shell() -> None:
    assert quoted("9.41\u202fAM") == "\"$(printf '9.41\\342\\200\\257AM')\""
    assert quoted("運動会\u30002019") == "'運動会\u30002019'"


def test_a_path_is_told_from_an_option() -> None:
    assert quoted(Path("-rf")) == "./-rf"
