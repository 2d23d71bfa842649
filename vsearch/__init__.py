"""The `vsearch` command line. Here: the process itself, its settings, errors and messages."""

__version__ = "0.1.0"
