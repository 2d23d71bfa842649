"""Subtitle files are read whatever their encoding; what is none is refused in a sentence."""

import time

import pytest

from media import Cue, MediaError, UnreadableError, read_sidecar
from tests.subtitled import ass, srt

ONE = (1.0, 2.5, "Hello there")
RUSSIAN = "Привет, как дела? Это старый фильм про войну и мир"
JAPANESE = "こんにちは、元気ですか。料理を作るのが好きです"
KOREAN = "안녕하세요 오늘 날씨가 참 좋네요"
CHINESE = "你好，今天天气很好。我们去北京吃烤鸭"
SPANISH = "Mañana será otro día, señor. ¿Cómo está usted?"


@pytest.fixture
def read(tmp_path):
    """A function: the cues of a file with this content."""

    def of(content, *, name="a.srt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_sidecar(path)

    return of


def texts(cues):
    return [cue.text for cue in cues]


def test_srt_with_its_times(read):
    cues = read(srt(ONE, (3.25, 4.0, "<i>Bye</i>\nnow, {\\an8}<b>you</b>")))
    assert cues == (Cue(1.0, 2.5, "Hello there"), Cue(3.25, 4.0, "Bye now, you"))


def test_webvtt_with_voices_notes_and_settings(read):
    content = (
        "WEBVTT\n\nSTYLE\n::cue { color: red }\n\nNOTE not said\n\n"
        "00:01.000 --> 00:02.000 align:start\n<v Bob>Tom &amp; <c.red>Jerry</c>\n"
    )
    assert read(content, name="a.vtt") == (Cue(1.0, 2.0, "Tom & Jerry"),)


@pytest.mark.parametrize("name", ["a.ass", "a.ssa", "a.ASS"])
def test_substation_alpha_without_overrides_and_drawings(read, name):
    said = ass(
        (1, 2, "{\\i1}Hello\\Nthere{\\i0}"), (3, 4, "{\\p1}m 0 0 l 10 10{\\p0}a\\hb"),
        (5, 6, "{\\p1}m 0 0 l 10 10"), (8, 7, "reversed"),
    )  # fmt: skip
    assert texts(read(said, name=name)) == ["Hello there", "a b"]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Grüße", "utf-8"), ("Grüße", "utf-8-sig"), ("Grüße", "utf-16"), ("Hello", "utf-16-le"),
        ("Hello", "utf-16-be"), ("Grüße", "utf-32"), (RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"),
        (JAPANESE, "shift_jis"), (KOREAN, "cp949"), (CHINESE, "gb18030"), (SPANISH, "cp1252"),
    ],
)  # fmt: skip
def test_encodings_are_recognised(read, text, encoding):
    assert texts(read(srt((1, 2, text), (3, 4, f"{text}!")).encode(encoding)))[0] == text


def test_line_ends_of_every_system(read):
    for end in ("\r\n", "\r"):
        assert len(read(srt(ONE, (3, 4, "Bye")).replace("\n", end))) == 2


def test_cues_that_overlap_stay_and_are_in_order(read):
    assert texts(read(srt((5, 9, "b"), (1, 8, "a"), (2, 3, "c")))) == ["a", "c", "b"]


def test_a_cue_that_stays_for_hours_counts_for_a_minute(read):
    assert read("1\n00:00:01,000 --> 99:59:59,000\nsign\n") == (Cue(1.0, 61.0, "sign"),)


def test_a_cue_that_ends_before_it_starts_is_left_out(read):
    assert texts(read(srt(ONE, (9, 8, "back")))) == ["Hello there"]


def test_text_that_is_cut_into_frames_is_one_cue(read):
    frames = [(n / 10, (n + 1) / 10, "sliding title") for n in range(10, 30)]
    assert read(srt(*frames, (9, 10, "sliding title"))) == (
        Cue(1.0, 3.0, "sliding title"),
        Cue(9.0, 10.0, "sliding title"),
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (bytes(range(256)) * 100, "is binary, not text"),
        (b"\x7fELF" + bytes(4096), "is binary, not text"),
        (b"{" * 200_000, "holds no subtitles"),
        (b"just some words\n", "holds no subtitles"),
        (b"1\n00:00:01,000 --> 00:00:02,000\n{\\an8}\n\n", "holds no subtitles"),
        (b"x" * ((16 << 20) + 1), "is larger than 16 MiB"),
    ],
)
def test_what_holds_no_subtitles_says_why(read, content, why):
    for name in ("a.srt", "a.vtt", "a.ass"):
        with pytest.raises(MediaError, match=why):
            read(content, name=name)


def test_a_file_that_is_gone_is_unreadable(tmp_path):
    with pytest.raises(UnreadableError, match="No such file"):
        read_sidecar(tmp_path / "a.srt")


@pytest.mark.parametrize(
    "text", ["{" * 200_000, "<" * 200_000, "{\\p1" * 50_000, " " * 200_000, "{\\p1}" * 40_000]
)
def test_text_that_was_made_to_hang_readers_takes_no_time(read, text):
    began = time.process_time()
    assert texts(read(srt((1, 2, f"{text} x"), (3, 4, "end"))))[-1] == "end"
    assert time.process_time() - began < 5


def test_twenty_thousand_cues(read):
    cues = read(srt(*((n, n + 0.5, f"line {n}") for n in range(20_000))))
    assert len(cues) == 20_000
    assert cues[-1] == Cue(19_999.0, 19_999.5, "line 19999")
