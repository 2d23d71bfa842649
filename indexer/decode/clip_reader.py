"""Clip reader: probe a video, plan its clips, decode each frame once, prepare the frames.

Runs in a process of its own (see `indexer.decode.pool`): everything here can be pickled.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from catalog import ClipSpan, VideoRecord
from indexer.decode.details_reader import read_details, tracks_of
from indexer.decode.messages import (
    ClipRead,
    End,
    Message,
    Pixels,
    VideoChanged,
    VideoOpened,
    VideoRead,
    VideoUnreadable,
)
from indexer.decode.plan import FrameSchedule, Sampling, plan_clips
from indexer.errors import NotAVideoError, ReadError, UnreadableVideoError, reason
from indexer.scan.fingerprint import Content, FingerprintReading
from indexer.scan.jobs import Job, VideoJob, location_of

if TYPE_CHECKING:
    from media import RgbFrame, VideoInfo


class FrameProcessor(Protocol):
    """Frame processor of a model. It is pickled into the processes that read videos."""

    def resized(self, *, height: int, width: int) -> tuple[int, int]:
        """Height and width of a frame before the square is cut out."""

    def prepare_frame(self, pixels: Pixels, /) -> Pixels:
        """Resize and crop a frame (H, W, 3) uint8 RGB to (S, S, 3) uint8."""


@dataclass(frozen=True, slots=True)
class ClipReader:
    """Clip reader: a video becomes clips of `frames` prepared frames each."""

    processor: FrameProcessor
    frames: int
    window: float  # seconds
    stride: float  # seconds
    sampling: Sampling
    threads: int  # of one video's decoder
    accelerator: str = "none"

    @property
    def preload(self) -> tuple[str, ...]:
        """The modules that reading needs."""
        return "media", type(self.processor).__module__

    @property
    def seconds_of_clip(self) -> float:
        """Seconds of video that are decoded for one clip, at most."""
        return self.window + self.stride

    def read(self, job: Job) -> Generator[Message, None, None]:
        """Read a file step by step; the last message is an `End`.

        A failure in the file ends with VideoUnreadable. A failure in the processor is raised: it is
        not this video's fault.
        """
        if not isinstance(job, VideoJob):
            yield read_details(job)
            return
        try:
            with _fingerprint_reading(job) as reading:
                end: End
                if job.fingerprint_only:
                    end = _content(reading)
                else:
                    damage = yield from self._video(job, reading)
                    end = VideoRead(damage, cut_short=reading.cut_short)
                _require_no_passing_error(reading)
                yield end if _still_holds(reading) else VideoChanged()
        except UnreadableVideoError as error:
            is_video = not isinstance(error, NotAVideoError)
            unread = isinstance(error, ReadError)
            yield VideoUnreadable(str(error), is_video=is_video, unread=unread)
        except MemoryError:
            yield VideoUnreadable("decoding it takes more memory than one video is allowed")

    def _video(
        self, job: VideoJob, reading: FingerprintReading
    ) -> Generator[VideoOpened | ClipRead, None, str | None]:
        """Yield the opened video and its clips; returns what could not be decoded on the way."""
        damage: list[str] = []
        video = _probe(job)
        content = _content(reading)
        spans = plan_clips(
            video.end,
            start=video.start,
            window=self.window,
            stride=self.stride,
            gaps=video.gaps,
        )
        ready = _ready(job, content=content, video=video)
        wanted = tuple(number for number, span in enumerate(spans) if span not in ready)
        record = VideoRecord(
            fingerprint=content.fingerprint,
            sample=content.sample.digest,
            damage=video.damage,
            subtitles=tracks_of(video.subtitles),
            **video.facts(),
        )
        yield VideoOpened(record, location_of(job.file, content.sample), spans, wanted)
        yield from self._clips(video, spans=spans, wanted=wanted, on_damage=damage.append)
        return "; ".join(damage) or None

    def _clips(
        self,
        video: "VideoInfo",
        *,
        spans: tuple[ClipSpan, ...],
        wanted: tuple[int, ...],
        on_damage: Callable[[str], None],
    ) -> Iterator[ClipRead]:
        """Decode each sample time once; keep the frames of unfinished clips, nothing else."""
        unfinished: dict[int, list[Pixels]] = {}
        last_time, prepared = None, None
        whole = FrameSchedule(spans, frames=self.frames)
        schedule = FrameSchedule([spans[clip] for clip in wanted], frames=self.frames)
        decoding = self._decode(video, schedule, whole=whole, on_damage=on_damage)
        with closing(decoding) as decoded:
            for frame, places in decoded:
                # One frame may be on display at several sample times.
                if prepared is None or frame.time != last_time:
                    last_time, prepared = frame.time, self.processor.prepare_frame(frame.pixels)
                for place in places:
                    frames = unfinished.setdefault(place, [])
                    frames.append(prepared)
                    if len(frames) == self.frames:
                        yield ClipRead(wanted[place], np.stack(unfinished.pop(place)))

    def _decode(
        self,
        video: "VideoInfo",
        schedule: FrameSchedule,
        *,
        whole: FrameSchedule,
        on_damage: Callable[[str], None],
    ) -> Generator[tuple["RgbFrame", tuple[int, ...]], None, None]:
        """Pair each sampled frame with the clips that it belongs to, by their number in `schedule`.

        `whole` is the schedule of the whole video: a run that resumes one takes the same frames as
        one that was not interrupted.
        """
        from media import decode_at

        frames = decode_at(
            video,
            schedule.times,
            size=self._size(video),
            tolerance=self.sampling.tolerance(distance=whole.distance),
            among=whole.times,
            threads=self.threads,
            accelerator=self.accelerator,
            on_damage=on_damage,
        )
        try:
            yield from zip(frames, schedule.clips(), strict=True)
        except MemoryError:
            raise
        except Exception as error:
            raise _unreadable(error) from error

    def _size(self, video: "VideoInfo") -> tuple[int, int] | None:
        """Height and width to which the decoder shrinks frames; None where it would enlarge them.

        A very wide and low frame would grow to gigabytes.
        """
        height, width = self.processor.resized(height=video.height, width=video.width)
        return (height, width) if height <= video.height and width <= video.width else None


def _ready(job: VideoJob, *, content: Content, video: "VideoInfo") -> frozenset[ClipSpan]:
    same = (job.ready_of, job.ready_duration) == (content.fingerprint, video.duration)
    return job.ready if same else frozenset()


def _fingerprint_reading(job: VideoJob) -> FingerprintReading:
    try:
        return FingerprintReading(job.file.path, known=job.content)
    except OSError as error:
        raise ReadError(reason(error)) from error


def _content(reading: FingerprintReading) -> Content:
    try:
        return reading.content()
    except OSError as error:
        raise ReadError(reason(error)) from error


def _require_no_passing_error(reading: FingerprintReading) -> None:
    """Raise ReadError where what could not be read can be now: it is no fault of the disk's."""
    if reading.cut_short and reading.reads_on():
        raise ReadError("could not be read for a while")


def _still_holds(reading: FingerprintReading) -> bool:
    try:
        return reading.still_holds()
    except OSError:
        return False


def _probe(job: VideoJob) -> "VideoInfo":
    from media import probe

    try:
        return probe(job.file.path)
    except MemoryError:
        raise
    except Exception as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> UnreadableVideoError:
    """Error of the file for any exception during its decoding, unexpected ones included.

    Only the file is read here, without the model or the catalog, and the video is listed with this
    text: one strange file must not end a long run, and nothing is hidden.
    """
    from media import MediaError, NoVideoError, UnreadableError
    from media.container.source import is_read_error

    if isinstance(error, NoVideoError):
        return NotAVideoError(str(error))
    if isinstance(error, UnreadableError):
        return ReadError(str(error))
    if isinstance(error, MediaError):
        return UnreadableVideoError(str(error))
    if isinstance(error, OSError) and is_read_error(error):
        return ReadError(reason(error))
    return UnreadableVideoError(f"decoding failed unexpectedly ({type(error).__name__}: {error})")
