"""What can go wrong with a media file, as one small tree.

Messages of the reading errors do not name the file: whoever lists them knows it.
"""


class MediaError(Exception):
    """Root of everything that `media` raises on purpose.

    MediaError
    ├── UnreadableError      the file cannot be opened or read: missing, not a regular file, denied
    ├── UnsupportedError     not an allowed container, no video stream, or no decoder for it
    │   └── NoVideoError     a file of sound alone, with which nothing is wrong
    ├── LimitError           larger than the limits that keep hostile files harmless
    ├── UndecodableError     there is a video stream, but not one picture can be had from it
    └── WriteError           a video or picture could not be written
    """


class UnreadableError(MediaError):
    """The file cannot be opened or read."""


class UnsupportedError(MediaError):
    """The file is not an allowed container, or holds no video that can be decoded here."""


class NoVideoError(UnsupportedError):
    """The file holds sound and no video: it is no video that could not be read."""


class LimitError(MediaError):
    """The file claims more than the limits that keep hostile files harmless."""


class UndecodableError(MediaError):
    """The video stream yields no picture."""


class WriteError(MediaError):
    """A video or picture could not be written."""
