"""The `vsearch` command: settings, the wiring of all parts, and what is printed."""

__version__ = "0.1.0"
