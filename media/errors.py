"""Errors of media files.

Messages of reading errors do not name the file: the caller, which has the path, shows both.
"""


class MediaError(Exception):
    """Base class of all errors of `media`.

    MediaError
    ├── UnreadableError      the file cannot be opened or read: missing, not a regular file, denied
    ├── UnsupportedError     not an allowed container, no video stream, or no decoder for it
    │   └── NoVideoError     a file of sound alone, which is no error of reading
    ├── LimitError           larger than the limits against hostile files
    ├── UndecodableError     a video stream of which no frame can be decoded
    ├── PointsError          a moment that lies behind the end of its video
    ├── NotCopiedError       a moment of which a copy would not be exact
    └── WriteError           a video or picture cannot be written
        └── TargetError      nor any other in its folder: no room, no permission, a broken disk
    """


class UnreadableError(MediaError):
    """The file cannot be opened or read."""


class UnsupportedError(MediaError):
    """The file is not an allowed container, or holds no video that can be decoded here."""


class NoVideoError(UnsupportedError):
    """The file holds sound and no video: not a video, so no failure to read one."""


class LimitError(MediaError):
    """The file claims more than the limits against hostile files allow."""


class UndecodableError(MediaError):
    """No frame of the video stream can be decoded."""


class PointsError(MediaError):
    """The moment lies behind the end of its video."""


class NotCopiedError(MediaError):
    """The moment cannot be copied: it would not be exact, or not be played."""


class WriteError(MediaError):
    """A video or picture cannot be written."""


class TargetError(WriteError):
    """A file cannot be written, nor any other in its folder."""
