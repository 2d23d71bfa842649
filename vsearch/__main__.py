"""`python -m vsearch`, the same as the `vsearch` command."""

from vsearch.cli import main

if __name__ == "__main__":
    main()
