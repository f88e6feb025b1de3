"""Starting the viewer: its routes, its guard, and a server that listens to this machine only."""

from __future__ import annotations

import secrets
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from .access import TOKEN, Guard
from .index import Index
from .ledgers import Ledgers
from .list_page import ListPages
from .live import Follower
from .run_pages import RunPages
from .says import Says

HOST = "127.0.0.1"
_HERE = Path(__file__).parent


class _Server(uvicorn.Server):
    """Lets streams end first: the server waits for every answer that is on its way, and theirs have no end."""

    def __init__(self, config: uvicorn.Config, follower: Follower) -> None:
        super().__init__(config)
        self._follower = follower

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ctrl-C, or SIGTERM; Ctrl-C again waits for no answer that is on its way."""
        self._follower.leave()
        # Uvicorn would raise the signal again, which for SIGTERM is the end before anything is kept.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


class Viewer:
    """One server over one runs folder. Nothing in that folder is written.

    Args:
        root: the runs folder.
        says: what the command line says of runs.
        cache: the file that the list is kept in between two starts; None for nowhere.
        port: the port to listen on; 0 for a free one.

    Attributes:
        address: where a browser goes first; it holds the token, and whoever knows it may look.
    """

    def __init__(self, root: Path, says: Says, *, cache: Path | None, port: int = 0) -> None:
        self._socket = socket.create_server((HOST, port))
        self.port: int = self._socket.getsockname()[1]
        token = secrets.token_urlsafe(32)
        self.address = f"http://{HOST}:{self.port}/?{TOKEN}={token}"
        self._follower = Follower(Index(Ledgers(root), cache), root)
        app = Guard(_app(self._follower, root, says), token=token, port=self.port)
        settings = uvicorn.Config(
            app,
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
            # Whatever else is installed, requests are read by the same parser.
            http="h11",
            ws="none",
            timeout_graceful_shutdown=1,
            server_header=False,
        )
        self._server = _Server(settings, self._follower)

    def serve(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until Ctrl-C, SIGTERM or `stop`."""
        self._follower.start()
        try:
            ready()
            self._server.run(sockets=[self._socket])
        finally:
            self._follower.stop()
            self._socket.close()

    def stop(self) -> None:
        """Let `serve` return, from another thread."""
        self._follower.leave()
        self._server.should_exit = True


def _app(follower: Follower, root: Path, says: Says) -> ASGIApp:
    lists, runs = ListPages(follower, root), RunPages(Ledgers(root), says, follower)
    run = "/run/{name}"
    return Starlette(
        routes=[
            Route("/", lists.all_runs),
            Route("/events", follower.events),
            Route(f"{run}/events", follower.events),
            Route(run, runs.overview),
            Route(f"{run}/checks", runs.checks),
            Route(f"{run}/changes", runs.changes),
            Route(f"{run}/states", runs.states),
            Route(f"{run}/states/{{line:int}}", runs.state),
            Route(f"{run}/evidence", runs.evidence),
            Route(f"{run}/audit", runs.audit),
            Route(f"{run}/attempts/{{step}}/{{number:int}}", runs.attempt),
            Route(f"{run}/file", runs.file),
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ],
        exception_handlers=runs.failures,
    )
