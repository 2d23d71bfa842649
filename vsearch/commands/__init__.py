"""The subcommands: each parses, makes one call into the wiring, and prints.

Nothing heavy is imported before a subcommand runs, so that `--help` answers at once.
"""
