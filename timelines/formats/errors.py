"""The error of a format."""


class TimelineError(Exception):
    """A timeline holds what the format cannot."""
