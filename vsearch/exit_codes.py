"""The exit codes of `vsearch`, as in the README; 1 and 2 come with one sentence on stderr."""

DONE = 0
REFUSED = 1
WRONG_USAGE = 2
SOME_FAILED = 3
INTERRUPTED = 130  # with Ctrl-C; other signals have a code of their own
