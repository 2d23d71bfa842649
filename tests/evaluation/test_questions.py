from pathlib import Path

import pytest

from evaluation.labels import Label
from evaluation.questions import Question, questions_of
from tests.evaluation.places import VIDEOS, place


def asked(*labels: Label, given_video: bool = False):
    questions, left_out = questions_of(labels, VIDEOS, given_video=given_video)
    return list(questions), [(one.line, one.reason) for one in left_out]


@pytest.mark.parametrize(
    "name",
    ["/films/a.mp4", "films/a.mp4", "a.mp4", "a", "./a.mp4", "copy of a", "/films/copy of a.mkv"],
)
def test_a_video_has_many_names(name: str) -> None:
    questions, left_out = asked(Label(2, "a dog", name))
    assert questions == [Question(2, "a dog", (place(1),))]
    assert not left_out


def test_a_name_with_composed_letters_is_the_same_as_with_decomposed_ones() -> None:
    video = type(VIDEOS[0])(7, 10.0, (Path("/films/e\u0301te\u0301.mp4"),))
    (question,), _ = questions_of([Label(1, "sun", "été.mp4")], [video])
    assert question.places[0].video_id == 7


def test_a_name_of_several_videos_is_left_out_and_more_of_the_path_decides() -> None:
    questions, left_out = asked(Label(2, "a dog", "b.mp4"), Label(3, "a cat", "2025/b.mp4"))
    assert questions == [Question(3, "a cat", (place(3),))]
    assert left_out == [(2, "2 videos are called b.mp4; give more of the path")]


@pytest.mark.parametrize("name", ["c.mp4", "ilms/a.mp4", "a.mp", "mp4", "b.mp4/a"])
def test_an_unknown_name_is_left_out(name: str) -> None:
    questions, left_out = asked(Label(2, "a dog", name))
    assert not questions
    assert left_out == [(2, f"no indexed video is called {name}; index it, or correct its name")]


def test_lines_with_the_same_sentence_are_one_question() -> None:
    questions, left_out = asked(
        Label(2, "a dog", "a.mp4", (1.0, 2.0)),
        Label(3, "a unicorn", None),
        Label(4, "a dog", "2024/b.mp4"),
        Label(5, "a dog", "gone.mp4"),
        Label(6, "a dog", "copy of a.mkv", (5.0, 6.0)),
    )
    assert questions == [
        Question(2, "a dog", (place(1, 1.0, 2.0), place(1, 5.0, 6.0), place(2))),
        Question(3, "a unicorn", ()),
    ]
    assert [line for line, _ in left_out] == [5]


def test_in_the_given_video_each_video_is_a_question_of_its_own() -> None:
    questions, _ = asked(
        Label(2, "a dog", "a.mp4", (1.0, 2.0)),
        Label(3, "a dog", "2024/b.mp4", (3.0, 4.0)),
        Label(4, "a dog", "a.mp4", (7.0, 8.0)),
        Label(5, "a unicorn", None),
        given_video=True,
    )
    assert questions == [
        Question(2, "a dog", (place(1, 1.0, 2.0), place(1, 7.0, 8.0)), Path("/films/a.mp4")),
        Question(3, "a dog", (place(2, 3.0, 4.0),), Path("/films/2024/b.mp4")),
    ]


def test_a_moment_ends_with_its_video_and_one_that_begins_after_it_is_left_out() -> None:
    questions, left_out = asked(
        Label(2, "a dog", "2024/b.mp4", (25.0, 31.0)), Label(3, "a cat", "2024/b.mp4", (30.0, 31.0))
    )
    assert questions == [Question(2, "a dog", (place(2, 25.0, 30.0),))]
    assert left_out == [
        (3, "the moment begins at 30 s, after the end of 2024/b.mp4 (30 s); correct its times")
    ]
