"""The page's process, which `vsearch ui` becomes: `python -P -m ui.serve --port N`."""

from __future__ import annotations

import argparse
import os
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from secrets import token_urlsafe

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount
from streamlit import config
from uvicorn.config import LOGGING_CONFIG

from machine import prepare_process
from serving.admission import Admission
from serving.films.routes import film_routes
from serving.guard import Guard
from serving.process import Service
from ui.library import library_of, page_settings
from vsearch.exit_codes import DONE
from vsearch.interruption import Interruption
from vsearch.messages import log, set_volume
from vsearch.services.page import THIS_MACHINE
from vsearch.settings import TOKEN_VARIABLE

_SETTINGS = {
    "server.baseUrlPath": "",
    "server.allowedHosts": ["127.0.0.1", "localhost"],
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.enableAgentApi": False,
    "server.enableStaticServing": False,
    "server.fileWatcherType": "none",
    "server.showEmailPrompt": False,
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
    "client.showErrorLinks": False,
    "client.showSidebarNavigation": False,
    "global.disableWidgetStateDuplicationWarning": True,
    "logger.hideWelcomeMessage": True,
    "logger.level": "warning",
    "secrets.files": [],
    "theme.light.primaryColor": "#2f6fb0",
    "theme.dark.primaryColor": "#5b9bd8",
}
_LAST_SECONDS = 1  # for answers that are being sent when the server ends


def serve(service: Service, *, open_browser: bool) -> int:
    """Serve the page until Ctrl-C, SIGTERM or SIGHUP ends it; its exit code."""
    admission = service.admission
    address, guarded = admission.address, admission.token is not None

    @asynccontextmanager
    async def announce(_: st.App) -> AsyncIterator[None]:
        async with service.running():
            service.commands.follow()
            log.info("the page is at %s; Ctrl-C ends it", address)
            if guarded:
                log.warning(service.warning)
            elif open_browser and _has_windows():
                threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
            yield

    _read_no_foreign_settings()
    _keep_the_server_quiet()
    service.end_soon(_LAST_SECONDS)
    page = st.App(
        Path(__file__).with_name("app.py"),
        routes=[
            *film_routes(service.films),
            Mount("/api", app=service.app),
            *service.agents.routes(),
        ],
        middleware=[Middleware(Guard, admission)],
        lifespan=announce,
    )
    with suppress(KeyboardInterrupt):
        page.run(config=_SETTINGS | _place(admission))
    return DONE


def _place(admission: Admission) -> dict[str, object]:
    """The settings of Streamlit's that name the address. Of hosts, the guard knows more."""
    guarded: dict[str, object] = {"server.allowedHosts": []} if admission.token else {}
    return {
        "server.address": admission.host,
        "server.port": admission.port,
        "browser.serverAddress": admission.host,
        **guarded,
    }


def _read_no_foreign_settings() -> None:
    """Keep to ours: Streamlit's files and variables are for the user's other programs.

    It would read them in the home folder, in the current one and beside the page, put what it finds
    in `secrets.toml` into the environment, and fetch a theme that is given as an address.
    """
    config.get_config_files = _no_files
    for name in [name for name in os.environ if name.startswith("STREAMLIT_")]:
        del os.environ[name]


def _no_files(file_name: str) -> list[str]:  # noqa: ARG001
    return []


def _keep_the_server_quiet() -> None:
    for logger in ("uvicorn", "uvicorn.error"):
        LOGGING_CONFIG["loggers"][logger]["level"] = "WARNING"


def _has_windows() -> bool:
    """Whether a browser can open one: in a bare terminal, Python would start a browser for text."""
    return sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )


def main() -> None:
    """The entry point of the page's process."""
    prepare_process()
    parser = argparse.ArgumentParser(prog="python -m ui.serve")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default=THIS_MACHINE)
    for flag in ("--allow-index", "--open-browser", "--verbose", "--quiet"):
        parser.add_argument(flag, action="store_true")
    given = parser.parse_args()
    set_volume(verbose=given.verbose, quiet=given.quiet)
    told = os.environ.pop(TOKEN_VARIABLE, None) or token_urlsafe()
    token = None if given.host == THIS_MACHINE else told
    service = Service.at(
        given.host,
        given.port,
        token=token,
        warm=library_of(page_settings()),  # one for the page and the API
        may_index=given.allow_index,
        page=True,
    )
    sys.exit(Interruption().exit_code_of(lambda: serve(service, open_browser=given.open_browser)))


if __name__ == "__main__":
    main()
