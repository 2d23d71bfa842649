"""The errors of an evaluation; each message is one sentence that says what to do."""


class EvaluationError(Exception):
    """The base class of all errors of this package.

    EvaluationError
    ├── LabelsError          a file of labels cannot be read; names the line
    ├── NothingToAskError    no sentence is left that can be asked of this catalog
    └── PlotError            the plot cannot be written
    """


class LabelsError(EvaluationError):
    """A file of labels cannot be read."""


class NothingToAskError(EvaluationError):
    """No sentence is left that can be asked of this catalog."""


class PlotError(EvaluationError):
    """The plot cannot be written."""
