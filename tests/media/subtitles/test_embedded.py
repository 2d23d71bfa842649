"""Text streams of videos are read beside their pictures, on the clock of the file."""

from fractions import Fraction

import av
import pytest

from media import Cue, probe, read_details
from tests.subtitled import ass, write_subtitled

SAID = [(1.0, 2.5, "Hello <i>there</i>"), (3.0, 4.0, "Bye")]
GERMAN = [(1.0, 2.5, "Hallo")]
CUES = (Cue(1.0, 2.5, "Hello there"), Cue(3.0, 4.0, "Bye"))


@pytest.mark.parametrize("read", [probe, read_details])
def test_each_stream_comes_with_its_language_and_times(tmp_path, read):
    film = write_subtitled(
        tmp_path / "a.mkv", ("srt", "eng", SAID), ("ass", "ger", GERMAN), ("srt", "und", GERMAN)
    )
    tracks = read(film).subtitles
    assert [(track.stream, track.language) for track in tracks] == [
        (1, "eng"),
        (2, "ger"),
        (3, None),
    ]
    assert tracks[0].cues == CUES
    assert tracks[1].cues == (Cue(1.0, 2.5, "Hallo"),)


@pytest.mark.parametrize("read", [probe, read_details])
def test_times_count_from_the_beginning_of_the_file(tmp_path, read):
    film = write_subtitled(tmp_path / "a.mkv", ("srt", "eng", SAID))
    late = tmp_path / "late.mkv"
    with av.open(str(film)) as source, av.open(str(late), "w") as out:
        streams = {one.index: out.add_stream_from_template(one) for one in source.streams}
        for packet in source.demux():
            if packet.pts is not None:
                packet.pts += round(100 / packet.time_base)
                packet.dts = (
                    packet.pts if packet.dts is None else packet.dts + round(100 / packet.time_base)
                )
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    (track,) = read(late).subtitles
    assert [(cue.start, cue.end) for cue in track.cues] == [(1.0, 2.5), (3.0, 4.0)]


def test_a_video_without_text_has_none(tmp_path):
    film = write_subtitled(tmp_path / "a.mp4")
    assert probe(film).subtitles == read_details(film).subtitles == ()


def test_the_text_of_mp4_is_read(tmp_path):
    film = tmp_path / "a.mp4"
    with av.open(str(film), "w") as out:
        video = out.add_stream("mpeg4", rate=2)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        text = out.add_stream("mov_text")
        text.codec_context.subtitle_header = ass().encode()
        text.time_base = Fraction(1, 1000)
        text.metadata["language"] = "deu"
        for _ in range(12):
            out.mux(video.encode(av.VideoFrame(64, 48, "yuv420p")))
        out.mux(video.encode(None))
        said = "Grüß Gott".encode()
        packet = av.Packet(len(said).to_bytes(2, "big") + said)
        packet.stream, packet.pts, packet.dts, packet.duration = text, 1000, 1000, 1500
        packet.time_base = text.time_base
        out.mux(packet)
    (track,) = probe(film).subtitles
    assert (track.language, track.cues) == ("deu", (Cue(1.0, 2.5, "Grüß Gott"),))
    assert read_details(film).subtitles == (track,)
