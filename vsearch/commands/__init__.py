"""Subcommands, one file each: read the flags, call one service, print what it returns.

Nothing heavy is imported before a subcommand runs, so that `--help` answers at once.
"""
