"""What the command itself refuses, as one small tree."""


class CommandError(Exception):
    """The root: every refusal of the command's own, each message one sentence.

    ```
    CommandError
    ├── SettingError            an environment variable that makes no sense
    ├── VideoError              a video that was named cannot be read; the message names it
    ├── PageMissingError        this installation holds no page to show
    ├── PortTakenError          another program listens on the page's port
    └── NoOutputError           the result is for a program, and there is no stdout to write it to
    ```
    """


class SettingError(CommandError):
    """A variable of the environment holds what makes no sense."""


class VideoError(CommandError):
    """The video that was named cannot be read."""


class PageMissingError(CommandError):
    """The package that holds the page is not installed."""


class PortTakenError(CommandError):
    """Another program listens on the port that the page was to be served on."""


class NoOutputError(CommandError):
    """What was asked for cannot be written: the command was started without stdout."""


def user_errors() -> tuple[type[Exception], ...]:
    """What a user can cause and mend; all else is a fault of the program, and keeps its traceback.

    A function, as FFmpeg takes a while to load: whoever decodes nothing does not wait for it.
    """
    from catalog import CatalogError
    from indexer import IndexingError
    from media import MediaError
    from search import SearchError
    from xclip_core import ModelError

    return (CatalogError, CommandError, IndexingError, MediaError, ModelError, SearchError)
