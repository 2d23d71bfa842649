"""What can go wrong with a search, each said in one sentence that a person can act on."""


class SearchError(Exception):
    """The root of everything this package raises on purpose.

    SearchError
    ├── EmptyQueryError       there is nothing to look for
    ├── InvalidLimitError     fewer than one moment asked for
    └── NothingIndexedError   the catalog holds no clips
    """


class EmptyQueryError(SearchError):
    """There is nothing to look for."""


class InvalidLimitError(SearchError):
    """Fewer than one moment was asked for."""


class NothingIndexedError(SearchError):
    """The catalog holds no clips."""
