"""Names of files of moments: told by question, video and time, and safe whatever these hold."""

from pathlib import Path

from vsearch.services.moments.file_names import names_for

EVIL = '../\x1b[2J\n\udcff\u202e/:*?"<>|\0 .'


def test_a_name_tells_question_video_and_time() -> None:
    moments = [
        ("A red car!", Path("/v/My Holiday.2024.mkv"), 724.2),
        ("a red car", Path("/w/my holiday 2024.avi"), 724.2),
        ("ein Hund läuft", Path("/v/北京.mp4"), 3600.9996),
        ("", Path("/v/---.mp4"), 0.0),
    ]
    assert list(names_for(moments)) == [
        "a-red-car_My-Holiday-2024_00-12-04.200",
        "a-red-car_my-holiday-2024_00-12-04.200_2",  # the same where case is ignored
        "ein-hund-läuft_北京_01-00-01.000",
        "moment_video_00-00-00.000",
    ]


def test_no_name_leaves_its_folder_or_is_too_long_for_a_file_system() -> None:
    moments = [
        (EVIL, Path(f"/v/{EVIL.replace('/', '')}.mp4"), 1.0),
        ("é" * 300, Path("字" * 300), 1e6),
    ]
    evil, long = names_for(moments)
    assert evil == "2j_2J_00-00-01.000"
    assert len(f"{long}_10000.mov".encode()) < 143
    assert long.startswith("éé")
