import bisect
from itertools import pairwise

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import probe
from media.container.source import ONE_THREAD
from media.frames.rgb import RgbConverter
from media.frames.sequential import DecodedFrame, decode_sequential, displayed_at

_BLANK = av.VideoFrame(16, 16, "yuv420p")


@given(
    starts=st.lists(st.integers(0, 1000), min_size=1, max_size=20).map(sorted),
    times=st.lists(st.integers(-10, 1100), max_size=20).map(sorted),
)
def test_every_time_gets_the_last_frame_that_is_not_later(starts, times):
    pictures = [DecodedFrame(time=float(start), duration=0.0, stored=_BLANK) for start in starts]
    shown = list(displayed_at(iter(pictures), [float(time) for time in times]))
    indices = [max(0, bisect.bisect_right(starts, time) - 1) for time in times]
    assert [picture.time for picture in shown] == [
        float(starts[index]) if starts[0] <= time else float(starts[0])
        for index, time in zip(indices, times, strict=True)
    ]


def test_no_more_frames_are_read_than_needed():
    taken = []

    def pictures():
        for time in range(100):
            taken.append(time)
            yield DecodedFrame(time=float(time), duration=1.0, stored=_BLANK)

    assert len(list(displayed_at(pictures(), [2.5, 3.5]))) == 2
    assert taken == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "kind",
    [
        ("film.mp4", "libx264", {"x264-params": "open-gop=1:bframes=3"}),
        ("film.mkv", "libx264", {"x264-params": "open-gop=1:bframes=3"}),
        ("film.ts", "libx264", {"x264-params": "open-gop=1:bframes=3"}),
        ("film.mp4", "libx264", {"x264-params": "intra-refresh=1"}),
        ("film.avi", "mpeg4", {"bf": "2"}),
        ("film.avi", "libx264", {"bf": "3"}),
        ("film.mpg", "mpeg2video", {"bf": "2"}),
        ("film.flv", "libx264", {"bf": "3"}),
        ("film.gif", "gif", {}),
    ],
)
def test_decoding_from_a_start_time_gives_the_frames_of_decoding_from_the_beginning(
    make_video, numbered, read_number, kind
):
    name, codec, options = kind
    pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
    options = {"g": "40"} | options
    path = make_video(name, numbered(325), codec=codec, options=options, pix_fmt=pix_fmt)
    layout = probe(path).layout
    converter = RgbConverter(layout.orientation, width=layout.width, height=layout.height)
    for start in (10.0, 11.18, 11.2, 11.22, 12.78, 12.8, 13.0):
        pictures = decode_sequential(path, layout, start=start, options=ONE_THREAD)
        (picture,) = displayed_at(pictures, [start])
        pictures.close()
        assert read_number(converter.convert(picture.stored)) == min(324, int(start * 25 + 1e-6))


def test_times_ascend_although_the_decoder_permutes_timestamps(real_videos):
    path = real_videos / "makeup.avi"
    with av.open(str(path)) as container:
        stamps = [frame.pts for frame in container.decode(video=0)]
    assert stamps != sorted(stamps)
    frames = decode_sequential(path, probe(path).layout, options=ONE_THREAD)
    times = [frame.time for frame in frames]
    assert times == pytest.approx([index / 25 for index in range(164)])
    assert all(earlier < later for earlier, later in pairwise(times))
