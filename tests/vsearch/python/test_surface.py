"""The surface for programs as it was promised: names, signatures and fields; and what it costs."""

import inspect
import subprocess
import sys
from dataclasses import fields, is_dataclass

import pytest

import vsearch
from tests.vsearch.test_documentation import HEAVY
from vsearch.cli import command
from vsearch.commands.questions.lines import question_parameters

SIGNATURES = {
    "open_catalog": "(catalog: 'str | Path | None' = None, *, model: 'str | None' = None)"
    " -> 'OpenCatalog'",
    "OpenCatalog.search": "(self, text: 'Texts' = (), *, not_: 'Texts' = (), then: 'Texts' = (),"
    " within: 'float | None' = None, said: 'str | None' = None,"
    " like: 'str | Path | Iterable[str | Path]' = (), limit: 'int' = 10,"
    " sort: 'Sort' = 'relevance', per_video: 'int' = 3, show_duplicates: 'bool' = False,"
    " all_: 'bool' = False, in_: 'Texts' = (), after: 'Date | None' = None,"
    " before: 'Date | None' = None, min_duration: 'float | None' = None,"
    " max_duration: 'float | None' = None, min_height: 'int | None' = None,"
    " orientation: 'Orientation | None' = None, camera: 'str | None' = None,"
    " tag: 'Texts' = ()) -> 'Answer'",
    "OpenCatalog.similar": "(self, example: 'str | Path | Moment', *, at: 'float | None' = None,"
    " limit: 'int' = 10, per_video: 'int' = 3, in_: 'Texts' = (), after: 'Date | None' = None,"
    " before: 'Date | None' = None) -> 'Answer'",
    "OpenCatalog.classify": "(self, video: 'str | Path', labels: 'Iterable[str]')"
    " -> 'Classification'",
    "OpenCatalog.videos": "(self, folder: 'str | Path | None' = None) -> 'tuple[Video, ...]'",
    "OpenCatalog.status": "(self) -> 'Status'",
    "OpenCatalog.close": "(self) -> 'None'",
}
FIELDS = {
    "Answer": "moments convincing query notes model took_ms",
    "Classification": "path labels model took_ms",
    "FailedFile": "path reason",
    "LabelProbability": "label probability notes",
    "Moment": "path start end peak duration score confidence rank clip_id video_id captured"
    " captured_from also said duplicates parts",
    "SaidWords": "text language source start end",
    "Status": "catalog model videos files clips video_seconds generation roots failed damaged",
    "Video": "path duration captured clips video_id also",
}


def test_the_names_are_those_that_were_promised() -> None:
    promised = {*FIELDS, "OpenCatalog", "VsearchError", "__version__", "open_catalog"}
    assert set(vsearch.__all__) == promised
    assert promised <= set(dir(vsearch))
    with pytest.raises(AttributeError, match="has no attribute 'open_catalogue'"):
        vsearch.open_catalogue  # noqa: B018


def test_the_signatures_are_those_that_were_promised() -> None:
    methods = {
        f"OpenCatalog.{name}": one
        for name, one in vars(vsearch.OpenCatalog).items()
        if not name.startswith("_")
    }
    found = {"open_catalog": vsearch.open_catalog, **methods}
    assert {name: str(inspect.signature(one)) for name, one in found.items()} == SIGNATURES


@pytest.mark.parametrize("name", FIELDS)
def test_the_fields_are_those_that_were_promised(name: str) -> None:
    result = getattr(vsearch, name)
    assert is_dataclass(result)
    assert " ".join(field.name for field in fields(result)) == FIELDS[name]
    assert result.__dataclass_params__.frozen


def test_all_that_the_command_can_ask_a_program_can_ask() -> None:
    options = set(question_parameters(command().commands["query"])) - {"and", "all", "curve"}
    asked = set(inspect.signature(vsearch.OpenCatalog.search).parameters) - {"self", "all_"}
    assert {name.strip("_").replace("_", "-") for name in asked} == options


def test_what_does_not_ask_does_not_wait() -> None:
    code = (
        "import sys, vsearch\n"
        "light = set(sys.modules)\n"
        "from vsearch import OpenCatalog, VsearchError, open_catalog\n"
        f"heavy = {HEAVY!r} & {{name.partition('.')[0] for name in sys.modules}}\n"
        "loaded = {name for name in light if name.startswith('vsearch')} - {'vsearch'}\n"
        "sys.exit(f'{heavy} {loaded}' if heavy or loaded or 'typing' in light else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
