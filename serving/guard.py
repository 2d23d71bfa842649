"""Guard of a server: only the page's own windows, and programs, get an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response

from serving.problems import problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from serving.admission import Admission

# Streamlit writes styles into the document, shows pictures that are part of it, and runs the page's
# own script from a blob. Films that are made anew reach the player as a blob, too.
_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "media-src 'self' blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "content-security-policy": _CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Guard:
    """ASGI middleware that refuses whatever another web page could send, and sets safe headers.

    Any web page that the user has open may send requests to 127.0.0.1, under a name of its own too,
    which it lets point here (DNS rebinding). Such a request names a foreign host, a foreign origin,
    or a foreign site in `Sec-Fetch-Site`: browsers let no page forge these headers. HTTP is refused
    with status 403, a WebSocket before it opens. So is whoever lacks the token, if there is one.

    Below /api and at /mcp programs may write, too: browsers tell the origin of what pages write.
    """

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self._app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on what comes from the page itself; see the class."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers, safe = Headers(scope=scope), _with_safe_headers(send)
        from_the_page = self._is_from_the_page(scope, headers)
        entering = self._admission.entering(scope) if from_the_page else None
        if entering is not None:
            address, cookie = entering
            told = {"location": address, "set-cookie": cookie, "cache-control": "no-store"}
            await PlainTextResponse(status_code=303, headers=told)(scope, receive, safe)
        elif from_the_page and self._admission.admits(headers):
            await self._app(scope, receive, safe)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._refusal(scope)(scope, receive, safe)

    def _is_from_the_page(self, scope: Scope, headers: Headers) -> bool:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not self._admission.answers_to(hosts[0]):
            return False
        if origins:
            return [origin.lower() for origin in origins] == [f"http://{hosts[0].lower()}"]
        if scope["type"] != "http":
            return False
        if _is_of_the_api(scope) and "sec-fetch-site" not in headers:
            return True
        return _reads_for_the_page(scope["method"], headers)

    def _refusal(self, scope: Scope) -> Response:
        if _is_of_the_api(scope):
            return problem(403, self._api_refusal(scope))
        if self._admission.token is not None:
            return PlainTextResponse(
                "This page opens by the whole address, with its token, that `vsearch ui` showed "
                "where it was started; it answers to no other web page.\n",
                status_code=403,
            )
        _, port = scope["server"]
        return PlainTextResponse(
            f"This page is at http://127.0.0.1:{port} in a browser on this machine; it answers "
            "under no other name, and to no other web page.\n",
            status_code=403,
        )

    def _api_refusal(self, scope: Scope) -> str:
        if self._admission.token is not None:
            return (
                "a token is needed: give the one in the address that was shown where the server"
                " was started, as `Authorization: Bearer TOKEN`"
            )
        _, port = scope["server"]
        return f"ask from this machine, at http://127.0.0.1:{port}; web pages get no answer"


def _is_of_the_api(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.startswith("/api/") or path.rstrip("/") == "/mcp"


def _reads_for_the_page(method: str, headers: Headers) -> bool:
    """Whether a request without `Origin` is one that browsers send without it for the page.

    That is an address that was typed, a link that was followed to the page as a whole, and what the
    page loads of its own. Browsers before 2023, and programs, do not tell the site.
    """
    if method not in ("GET", "HEAD"):
        return False
    site, mode, goal = (headers.get(f"sec-fetch-{what}") for what in ("site", "mode", "dest"))
    return site in (None, "none", "same-origin") or (mode, goal) == ("navigate", "document")


def _with_safe_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_HEADERS)
        await send(message)

    return wrapped
