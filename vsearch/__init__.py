"""The `vsearch` command: settings, the wiring of all parts, and what is printed."""
