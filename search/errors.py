"""The errors of a search; each message is one sentence that says what to do."""


class SearchError(Exception):
    """The base class of all errors of this package.

    SearchError
    ├── EmptyQueryError       the query has no text
    ├── ExampleError          a file or moment that was given as an example shows nothing
    ├── InvalidLimitError     the limit is below one moment
    ├── InvalidSequenceError  there are too many steps, or no time between them
    ├── NothingIndexedError   the catalog holds no clips
    └── UnknownSettingError   no part of a search has this name
    """


class EmptyQueryError(SearchError):
    """The query has no text."""


class ExampleError(SearchError):
    """What was given as an example cannot be one: not there, no picture, beyond the end."""


class InvalidLimitError(SearchError):
    """The limit is below one moment."""


class InvalidSequenceError(SearchError):
    """There are too many steps, or no time between them."""


class NothingIndexedError(SearchError):
    """The catalog holds no clips."""


class UnknownSettingError(SearchError):
    """No part of a search has this name."""
