"""The errors of the command itself, and all errors that a user can mend."""


class CommandError(Exception):
    """The root: every refusal of the command's own, each message one sentence.

    ```
    CommandError
    ├── AgentsMissingError      the package by which agents are answered is not installed
    ├── SettingError            an environment variable that makes no sense
    ├── LabelFileError          a file of labels cannot be used; the message names file and line
    ├── MomentFileError         a file of moments cannot be used; the message names file and line
    ├── ExportError             a list of moments cannot be written where or as it was asked for
    ├── CutError                moments cannot be cut to where they were to go
    ├── VideoError              a video that was named cannot be read; the message names it
    ├── UnknownVideoError       the catalog has no video or clip with that id
    ├── MomentMissingError      an answer has no moment of that number, or no further ones
    ├── PageMissingError        this installation holds no page to show
    ├── PlayerError             no player is installed, or it does not start
    ├── PortTakenError          another program listens on the page's port
    ├── QuestionError           the words of a question cannot be understood
    ├── ServerError             the server that was named does not answer, or refuses to
    ├── IndexPathError          an index run cannot be started at a path that was given
    ├── IndexRunningError       the index run that was started last goes on
    └── NoOutputError           the result is for a program, and there is no stdout to write it to
    ```
    """


class AgentsMissingError(CommandError):
    """The package of the protocol of agents is not installed."""


class SettingError(CommandError):
    """A variable of the environment holds what makes no sense."""


class LabelFileError(CommandError):
    """A file of labels cannot be used."""


class MomentFileError(CommandError):
    """A file of moments cannot be used."""


class ExportError(CommandError):
    """A list of moments cannot be written, or there are no moments to write."""


class CutError(CommandError):
    """Moments cannot be written to where they were to go."""


class VideoError(CommandError):
    """The video that was named cannot be read."""


class UnknownVideoError(CommandError):
    """The catalog has no video, or no clip, with the id that was given."""


class MomentMissingError(CommandError):
    """The last answer has no moment of that number, or no further ones."""


class PageMissingError(CommandError):
    """The package that holds the page is not installed."""


class PlayerError(CommandError):
    """No player is installed, or the one that is does not start."""


class PortTakenError(CommandError):
    """Another program listens on the port that the page was to be served on."""


class QuestionError(CommandError):
    """The words of a question cannot be understood."""


class ServerError(CommandError):
    """The server that was named does not answer, or refuses to."""


class IndexPathError(CommandError):
    """A path that was given to be indexed is not a whole one, or is not there."""


class IndexRunningError(CommandError):
    """The index run that was started last goes on."""


class NoOutputError(CommandError):
    """The result cannot be written: the command was started without stdout."""


def user_errors() -> tuple[type[Exception], ...]:
    """The errors that a user can cause and mend; others are faults of vsearch, with a traceback.

    A function, because FFmpeg takes time to load: a command that decodes nothing does not wait.
    """
    from catalog import CatalogError
    from evaluation.errors import EvaluationError
    from indexer import IndexingError
    from media import MediaError
    from search import SearchError
    from xclip_core import ModelError

    return (
        CatalogError,
        CommandError,
        EvaluationError,
        IndexingError,
        MediaError,
        ModelError,
        SearchError,
    )


def usage_errors() -> tuple[type[Exception], ...]:
    """Those of them that are wrong usage, as a flag is that does not exist."""
    from catalog import UnknownTagError

    return (LabelFileError, MomentFileError, UnknownTagError)
