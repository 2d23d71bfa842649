"""What the command says on stderr beside its progress, and how much of it."""

import logging

log = logging.getLogger("vsearch")


def set_volume(*, verbose: bool, quiet: bool) -> None:
    """Messages go to stderr: none, those that matter, or all of them."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.handlers = [handler]
    log.propagate = False
    log.setLevel(logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO)


def tell_of_demo(model: str | None) -> None:
    """Ranks and probabilities of real footage look as sure as any; they mean nothing here."""
    from xclip_core import DEMO_MODEL

    if model == DEMO_MODEL:
        log.info("the demo model knows coloured shapes that move, and nothing else")
