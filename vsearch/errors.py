"""What the command itself refuses, as one small tree."""


class CommandError(Exception):
    """The root: every refusal of the command's own, each message one sentence.

    ```
    CommandError
    ├── NothingIndexedError     the catalog is there, and holds no clip to search
    ├── ModelConflictError      --model names another model than the catalog was made with
    └── PageMissingError        this installation holds no page to show
    ```
    """


class NothingIndexedError(CommandError):
    """The catalog holds no clips yet."""


class ModelConflictError(CommandError):
    """A model was asked for that is not the one that made the catalog."""


class PageMissingError(CommandError):
    """The package that holds the page is not installed."""
