"""Making a run known to a LangGraph server that is running: its thread list only holds what it was told of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from langgraph_sdk import get_sync_client
from langgraph_sdk.errors import LangGraphError

from ..state.errors import InputError, RunNotFound
from ..state.ids import ServerThread, run_id, server_thread

GRAPH = "waypost"
SERVER_URL = "http://127.0.0.1:2024"
_STUDIO = "https://smith.langchain.com/studio/"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Registered:
    """A run that a server knows.

    Attributes:
        checkpoints: whether the server finds any in its ledgers.
        page: Studio with this server; the thread is in its list.
    """

    run: str
    thread: ServerThread
    checkpoints: bool
    page: str


def register(run: str, *, runs: Path, url: str = SERVER_URL) -> Registered:
    """Tell a server of a run; telling it again changes nothing.

    Args:
        runs: the folder of all runs; the server has to be started with the same one.
        url: where the server listens, on this machine.

    Raises:
        InvalidId, RunNotFound: there is no such run.
        InputError: the address is not on this machine, nobody answers there, or it serves something else.
    """
    checked = run_id(run)
    if not (runs / checked).is_dir():
        raise RunNotFound(f"there is no run {checked} in {runs}", next_step=f"waypost status --runs {runs}")
    if urlsplit(url).hostname not in _LOOPBACK:
        raise InputError(f"{url} is not on this machine", next_step=f"give a loopback address such as {SERVER_URL}")
    thread = server_thread(checked)
    client = get_sync_client(url=url, api_key=None, timeout=_TIMEOUT_S)
    try:
        # The client would try several times where nobody answers.
        httpx.get(f"{url}/ok", timeout=_TIMEOUT_S).raise_for_status()
        client.threads.create(
            thread_id=thread, if_exists="do_nothing", graph_id=GRAPH, metadata={"waypost_run_id": checked}
        )
        state: dict[str, Any] = {**client.threads.get_state(thread)}
    except (httpx.HTTPError, LangGraphError) as error:
        raise InputError(
            f"no LangGraph server answers at {url}: {error}",
            next_step="start one with waypost studio, or give its --port",
        ) from None
    page = f"{_STUDIO}?{urlencode({'baseUrl': url})}"
    return Registered(checked, thread, bool(state["values"]), page)
