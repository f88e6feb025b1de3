"""Who may ask: a browser on this machine that was given the token, and no page of anybody else in it."""

from __future__ import annotations

import hmac
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "token"
_NEEDS_ADDRESS = "Open the address that `waypost view` has printed: it holds the token that this page asks for.\n"
_POLICY = "; ".join(
    (
        *("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"),
        *("base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"),
        *("require-trusted-types-for 'script'", "trusted-types 'none'"),
    )
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """Refuses every request that is not from the person who started the server, before anything is read for it.

    A page of somebody else could name us by another host name (DNS rebinding), or send requests from its own origin;
    cookies are shared between the ports of a host, so ours has the port in its name.

    Args:
        app: what is guarded.
        token: what the printed address holds.
        port: the port that is listened on.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int) -> None:
        self._app = app
        self._token = token.encode()
        self._cookie = f"waypost_view_{port}"
        self._hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refusal, or let the request through; either way with headers that let nothing foreign run."""
        if scope["type"] != "http":
            # Websockets are not spoken here, and the start of the server asks nothing.
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._refusal(scope) or self._entrance(scope)
        await (answer or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("Nothing can be changed here.\n", 405, {"allow": "GET, HEAD"})
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return PlainTextResponse("This is not the host that is served here.\n", 421)
        if any(origin != f"http://{hosts[0]}" for origin in headers.getlist("origin")):
            return PlainTextResponse("Pages of another origin are not served.\n", 403)
        return None

    def _entrance(self, scope: Scope) -> Response | None:
        """What a request gets that is not let in: the cookie where it brings the token, else a refusal."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get(TOKEN, [""])[-1]
        if given and self._is_token(given):
            # A path of two slashes would lead to another host.
            answer = RedirectResponse("/" + scope["path"].lstrip("/"), 303)
            answer.set_cookie(self._cookie, given, httponly=True, samesite="strict", path="/")
            return answer
        if self._is_token(Request(scope).cookies.get(self._cookie, "")):
            return None
        return PlainTextResponse(_NEEDS_ADDRESS, 403)

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token)
