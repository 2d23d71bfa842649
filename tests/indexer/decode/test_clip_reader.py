"""One video from file to clips, without a process around it."""

import numpy as np
import pytest

from indexer.decode.clip_reader import ClipReader
from indexer.decode.messages import VideoOpened, VideoRead, VideoUnreadable
from indexer.decode.plan import FrameSchedule, Sampling, plan_clips
from indexer.scan.fingerprint import read_sample
from indexer.scan.jobs import VideoJob
from indexer.scan.walk import FoundFile
from media import write_video
from tests.indexer.colours import FRAMES, ColourProcessor
from tests.indexer.videos import delay_pictures


@pytest.fixture
def read(tmp_path):
    def messages(path, *, sampling=Sampling.AUTO):
        reader = ClipReader(
            processor=ColourProcessor(tally=tmp_path / "tally"),
            frames=FRAMES,
            window=8.0,
            stride=4.0,
            sampling=sampling,
            threads=1,
        )
        file = FoundFile(root=path.parent, pathname=str(path), size=1, mtime_ns=1)
        return list(reader.read(VideoJob(file, read_sample(path))))

    return messages


def test_sample_times_that_clips_share_are_prepared_once(film, read, tmp_path):
    read(film("a.mp4", seconds=20))
    times = FrameSchedule(plan_clips(20.0, window=8.0, stride=4.0), frames=4).times
    assert (tmp_path / "tally").stat().st_size == len(times) == 10


def test_a_frame_that_serves_several_sample_times_is_prepared_once(film, read, tmp_path):
    opened, clip, end = read(film("one.mp4", seconds=0.5))
    assert (len(opened.spans), clip.clip, end) == (1, 0, VideoRead())
    assert (tmp_path / "tally").stat().st_size == 1


def test_clips_begin_with_the_first_picture_but_count_from_the_sound_before_it(film, read, library):
    path = delay_pictures(film("a.mp4", seconds=20), library / "late.mkv", seconds=30, sound=60)
    opened, *clips, end = read(path)
    assert [span.start for span in opened.spans] == pytest.approx([30.0, 34.0, 38.0, 42.0])
    assert [span.end for span in opened.spans] == pytest.approx([38.0, 42.0, 46.0, 50.0])
    assert (len(clips), end) == (4, VideoRead())
    assert opened.record.duration == pytest.approx(60.0)


def test_a_video_that_cannot_be_opened_tells_its_reason_and_nothing_else(library, read):
    path = library / "a.mp4"
    path.write_text("this is no film")
    (message,) = read(path)
    assert isinstance(message, VideoUnreadable)
    assert message.error


def test_a_damaged_video_tells_what_could_not_be_read(film, read):
    path = film("a.mp4", seconds=60, step=1)
    content = bytearray(path.read_bytes())
    middle = content.index(b"mdat") + 4
    spoilt = range(middle + 3000, middle + 9000)
    content[spoilt.start : spoilt.stop] = b"\xff" * len(spoilt)
    path.write_bytes(content)
    messages = read(path)
    assert isinstance(messages[0], VideoOpened)
    assert isinstance(messages[-1], VideoRead)
    assert messages[-1].damage


def test_key_frames_are_enough_where_they_are_asked_for(library, read, tmp_path):
    path = library / "a.mp4"
    picture = np.full((48, 64, 3), 90, np.uint8)
    write_video(path, [picture] * 300, frame_rate=5, keyframe_seconds=10.0)
    opened, *clips, end = read(path, sampling=Sampling.KEYFRAMES)
    assert len(clips) == len(opened.spans)
    assert end == VideoRead()
    assert (tmp_path / "tally").stat().st_size == 6  # a key frame every 10 s
