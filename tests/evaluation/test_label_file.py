import json
from pathlib import Path

import pytest

from evaluation.errors import LabelsError
from evaluation.label_file import read_labels
from evaluation.labels import Label, read_seconds


@pytest.fixture
def read(tmp_path: Path):
    def from_text(text: str | bytes, name: str = "labels") -> list[Label]:
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name).write_bytes(content)
        return list(read_labels(tmp_path / name))

    return from_text


def test_a_table_of_sentences_videos_and_moments(read) -> None:
    assert read(
        "sentence,video,start,end\n"
        "a dog,a.mp4,1,2.5\n"
        "a dog,a.mp4,1:00,1:02:03.5\n"
        "\n"
        "a cat,b.mp4,,\n"
        "a unicorn,nothing,,\n"
    ) == [
        Label(2, "a dog", "a.mp4", (1.0, 2.5)),
        Label(3, "a dog", "a.mp4", (60.0, 3723.5)),
        Label(5, "a cat", "b.mp4"),
        Label(6, "a unicorn", None),
    ]


def test_a_table_from_a_spreadsheet_in_any_language(read) -> None:
    """A byte order mark, semicolons, quotes with commas and line breaks, other letters."""
    text = (
        "\ufeffVideo;Sentence\r\n"
        '"Ferien; im Süden.mp4";"a man, who says ""hé"""\r\n'
        '犬.mp4;"two\r\nlines"\r\n'
        "a.mp4;a cat\r\n"
    )
    assert read(text) == [
        Label(2, 'a man, who says "hé"', "Ferien; im Süden.mp4"),
        Label(3, "two\r\nlines", "犬.mp4"),
        Label(5, "a cat", "a.mp4"),
    ]


def test_a_table_needs_no_moments(read) -> None:
    assert read("sentence,video\na dog,a.mp4\n") == [Label(2, "a dog", "a.mp4")]


def test_lines_of_a_template_that_are_not_filled_in_are_passed_over(read) -> None:
    rows = "sentence,video,start,end\n,a.mp4,,\na dog,b.mp4,1,2\n,nothing,,\n"
    assert read(rows) == [Label(3, "a dog", "b.mp4", (1.0, 2.0))]


def test_json_lines(read) -> None:
    entries = [
        {"sentence": "a dog", "video": "a.mp4", "start": 1, "end": "0:02"},
        {"sentence": "a cat", "video": "é.mp4", "spans": [[1, 2], [5, 6.5]]},
        {"sentence": "a cow", "video": "b.mp4"},
        {"sentence": "a unicorn", "video": "nothing"},
    ]
    assert read("\n".join(map(json.dumps, entries))) == [
        Label(1, "a dog", "a.mp4", (1.0, 2.0)),
        Label(2, "a cat", "é.mp4", (1.0, 2.0)),
        Label(2, "a cat", "é.mp4", (5.0, 6.5)),
        Label(3, "a cow", "b.mp4"),
        Label(4, "a unicorn", None),
    ]


def test_msrvtt(read) -> None:
    text = "key,vid_key,video_id,sentence\nret0,msr9770,video9770,a person connects something\n"
    assert read(text) == [Label(2, "a person connects something", "video9770")]


def test_didemo_takes_the_moments_that_most_annotators_chose(read) -> None:
    entry = {
        "annotation_id": 7,
        "description": "the dog jumps",
        "video": "12@N02_1.mov",
        "num_segments": 6,
        "times": [[2, 2], [2, 3], [2, 3], [0, 0]],
    }
    assert read(json.dumps([entry])) == [Label(1, "the dog jumps", "12@N02_1.mov", (10.0, 20.0))]


def test_qvhighlights(read) -> None:
    entry = {
        "qid": 1,
        "query": "Chef makes pizza",
        "duration": 150,
        "vid": "NUt_360.0_510.0",
        "relevant_clip_ids": [41],
        "saliency_scores": [[1, 2, 3]],
        "relevant_windows": [[0, 14], [82, 150]],
    }
    assert read(json.dumps(entry)) == [
        Label(1, "Chef makes pizza", "NUt_360.0_510.0", (0.0, 14.0)),
        Label(1, "Chef makes pizza", "NUt_360.0_510.0", (82.0, 150.0)),
    ]


def test_charades(read) -> None:
    text = "3MSZA 24.3 30.4##person turn a light on.\n\nAMT7R 0.0 8.1##a person, awake.\n"
    assert read(text) == [
        Label(1, "person turn a light on.", "3MSZA", (24.3, 30.4)),
        Label(3, "a person, awake.", "AMT7R", (0.0, 8.1)),
    ]


HEAD = "sentence,video,start,end\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", " is empty; `vsearch eval FILE --template`"),
        (" \n\ufeff\n", " is empty"),
        (HEAD, "has no sentence yet"),
        (HEAD + ",a.mp4,,\n", "has no sentence yet"),
        (b"sentence,video\na dog,a.mp4\na caf\xe9,b.mp4\n", ", line 3: it is not UTF-8"),
        ("text,file\na dog,a.mp4\n", ", line 1: the columns are text, file, and sentence and"),
        ("sentence,video,start\na dog,a.mp4,1\n", ", line 1: .*, and end is not among them"),
        ("\na dog,a.mp4\n", ", line 1: the columns are without names"),
        (HEAD + "a dog, a cat,a.mp4,1,2\n", ", line 2: it has 5 cells under 4 columns; put"),
        (HEAD + '"a dog,a.mp4,1,2\n', ", line 2: it is no CSV"),
        (HEAD + 'a cat,a.mp4,1,2\n"a"dog,a.mp4,1,2\n', ", line 3: it is no CSV"),
        (HEAD + "a dog,,1,2\n", ", line 2: it names no video"),
        (HEAD + ",a.mp4,1,2\n", ", line 2: it has a moment and no sentence"),
        (HEAD + "a dog,a.mp4,1,\n", ", line 2: it has only one of start and end"),
        (HEAD + "a dog,a.mp4,2,2\n", ", line 2: the moment ends at 2 s, and begins at 2 s"),
        (HEAD + "a dog,a.mp4,1,two\n", ", line 2: 'two' is no time"),
        (HEAD + "a dog,a.mp4,-1,2\n", ", line 2: '-1' is no time"),
        (HEAD + "a dog,a.mp4,nan,2\n", ", line 2: 'nan' is no time"),
        (HEAD + "a dog,nothing,1,2\n", ", line 2: the video is nothing, and yet"),
        (HEAD + "a dog,a.mp4,,\na dog,nothing,,\n", ", line 3: “a dog” is true of nothing in"),
        ('{"sentence": "a dog"}', ", line 1: it lacks video"),
        ('{"sentence": "a dog", "video": 3}', ", line 1: sentence and video are texts"),
        ('{"sentence": "a dog", "video": "a", "spans": [1, 2]}', ", line 1: spans is not a list"),
        ('{"sentence": "a dog", "video": "a"}\n{"sen', ", line 2: it is no JSON"),
        ('{"sentence": "a dog", "video": "a"}\n[1]', ", line 2: it is no JSON object"),
        ('{"query": "a dog", "vid": "a"}', ", line 1: it has no relevant_windows"),
        ('[{"description": "a dog"}]', ", entry 1: it lacks description, video or times"),
        ("[\n{]", ", line 2: it is no JSON"),
        ("A 1 2##a dog\nB 2 1##a cat\n", ", line 2: the moment ends at 1 s"),
        ("A 1 2##a dog\nB 2 a cat\n", ", line 2: it is not as in Charades-STA"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_sentence_with_its_line(read, text, words: str) -> None:
    with pytest.raises(LabelsError, match=words) as told:
        read(text)
    assert "\n" not in str(told.value)
    assert str(told.value).count("labels") == 1


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match=r"none\.csv cannot be read: No such file"):
        read_labels(tmp_path / "none.csv")


@pytest.mark.parametrize("text", ["1:60", "1::2", "", "1:2:3:4", "inf", "1e400", [1]])
def test_what_is_no_time(text) -> None:
    with pytest.raises(ValueError, match="is no time"):
        read_seconds(text)
