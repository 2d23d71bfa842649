"""Files of labels: what is read, and how each fault is told in one sentence."""

import io
import sys
from pathlib import Path

import pytest

from search import Sentence, Step
from vsearch.errors import LabelFileError
from vsearch.services.tags import label_file
from vsearch.services.tags.label_file import read_label_file


def texts(labels: dict[str, Step]) -> dict[str, tuple[str, ...]]:
    return {name: step.texts for name, step in labels.items()}


@pytest.fixture
def written(tmp_path: Path):
    def write(content: bytes | str) -> Path:
        path = tmp_path / "labels.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_names_sentences_blank_lines_and_comments(written):
    content = (
        "\ufeffa dog\r\n\r\n  # animals\n"
        "cat: a cat | a kitten sleeping \n a car | a lorry\nat 12:30\nÉté: a beach\n"
    )
    assert texts(read_label_file(written(content))) == {
        "a dog": ("a dog",),
        "cat": ("a cat", "a kitten sleeping"),
        "a car": ("a car", "a lorry"),
        "at 12:30": ("at 12:30",),
        "Été": ("a beach",),
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "labels.txt holds no label; write one a line, such as: a dog"),
        (b"# nothing\n\n", "holds no label"),
        (b"a dog\n\xff\xfe\n", "labels.txt, line 2: it is not UTF-8; save the file as UTF-8 text"),
        (b"a dog\n\0\0\0", "is no list of labels: give a text file with one a line"),
        (b"a dog\ncat: a cat\nA Dog: a puppy\n", "line 3: the label 'A Dog' is in line 1 already"),
        (b"dog: a dog |\n", "line 1: something is empty"),
        (b": a dog\n", "line 1: something is empty; write it as in: dog: a dog | a puppy"),
        (b"!dog: a dog\n", "line 1: a label cannot begin with !"),
    ],
)
def test_faults(written, content, said):
    with pytest.raises(LabelFileError) as refused:
        read_label_file(written(content))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_and_a_folder(tmp_path):
    with pytest.raises(LabelFileError, match=r"none\.txt cannot be read: No such file"):
        read_label_file(tmp_path / "none.txt")
    with pytest.raises(LabelFileError, match="cannot be read: Is a directory"):
        read_label_file(tmp_path)


def test_a_file_as_large_as_a_video_is_not_read_as_a_whole(written, monkeypatch):
    monkeypatch.setattr(label_file, "_MOST_BYTES", 10)
    assert read_label_file(written("a dog\n"))
    with pytest.raises(LabelFileError, match="is no list of labels"):
        read_label_file(written("a dog\na cat\n"))


def test_stdin(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a dog\n")))
    assert read_label_file(None) == {"a dog": Step((Sentence("a dog"),))}
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n")))
    with pytest.raises(LabelFileError, match="stdin holds no label"):
        read_label_file(None)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(LabelFileError, match="no stdin"):
        read_label_file(None)
