"""Who may ask the server: programs of this machine, and the page of LangGraph Studio.

A server on a loopback address is reached by every page that the browser of its user shows. Waypost runs commands, so a
page of a stranger must not even be able to send a request whose answer it cannot read.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

STUDIO_ORIGIN = "https://smith.langchain.com"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


class OnlyStudio:
    """Refuses requests by other names than those of this machine, and those that another page has sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As any ASGI application."""
        if scope["type"] in ("http", "websocket") and not is_known(Headers(scope=scope)):
            refusal = PlainTextResponse("only LangGraph Studio and programs of this machine may ask\n", 403)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def is_known(headers: Headers) -> bool:
    """Whether a request names this machine, and comes from Studio, from this server's own pages, or from no page."""
    host, origin = headers.get("host", ""), headers.get("origin")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name in _LOOPBACK and origin in (None, STUDIO_ORIGIN, f"http://{host}")


app = Starlette(middleware=[Middleware(OnlyStudio)])
