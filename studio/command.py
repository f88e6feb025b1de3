"""`waypost studio`: the server that LangGraph Studio looks at, and the runs that it is to know."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import sys
from pathlib import Path

from ..checkpointing.server import RUNS_DIR_VARIABLE
from ..cli.ledger_text import answer, print_json
from ..nodes.prepare import make_runs_folder
from ..nodes.workers.files import make_private_folder
from ..state.errors import InputError
from .asked import WORKSPACE_VARIABLE
from .register import register

# Its own command tells its makers that it was started, unless this is exactly "1".
_SILENT = {"LANGGRAPH_CLI_NO_ANALYTICS": "1", "LANGGRAPH_NO_VERSION_CHECK": "true"}
_AT_ONCE = 4
_CONFIG = Path(__file__).resolve().parents[1] / "langgraph.json"


def serve(*, runs: Path, port: int, json: bool) -> int:
    """Become `langgraph dev`, on this machine only, sending nothing anywhere."""

    def work() -> int:
        if importlib.util.find_spec("langgraph_api") is None or importlib.util.find_spec("langgraph_cli") is None:
            raise InputError(
                "the server needs the package langgraph-cli[inmem], which is not installed",
                next_step='pip install "waypost[studio]"',
            )
        os.environ |= {RUNS_DIR_VARIABLE: str(runs.absolute()), WORKSPACE_VARIABLE: str(Path.cwd()), **_SILENT}
        _refuse_taken(port)
        os.chdir(_fresh_home(runs.absolute(), port))
        # One at a time would let a long run hold up all others.
        options = ["--n-jobs-per-worker", str(_AT_ONCE), "--no-reload", "--no-browser"]
        options += ["--config", str(_CONFIG), "--host", "127.0.0.1", "--port", str(port)]
        os.execv(sys.executable, [sys.executable, "-m", "langgraph_cli", "dev", *options])

    return answer(work, json=json)


def _refuse_taken(port: int) -> None:
    """Before the folder of the server is made anew: where one listens already, it works there."""
    try:
        with socket.create_server(("127.0.0.1", port)):
            pass
    except OSError as error:
        raise InputError(
            f"port {port} cannot be listened on: {error.strerror}", next_step="end what listens there, or give --port"
        ) from None


def _fresh_home(runs: Path, port: int) -> Path:
    """An empty folder for the server to work in.

    It reads pickles from its working directory, and would go on by itself with what they say was running: what an
    earlier server left there, or somebody else has put there, is not taken up. Another server works in another one.
    """
    home = runs / ".studio" / str(port)
    try:
        make_runs_folder(runs)
        if home.parent.is_symlink():
            raise InputError(f"{home.parent} is a link: what it leads to is not cleared", next_step="remove the link")
        if os.path.lexists(home):
            shutil.rmtree(home)
        make_private_folder(home)
    except OSError as error:
        raise InputError(f"the server cannot work in {home}: {error.strerror or error}") from None
    return home


def tell(run: str, runs: Path, port: int, *, json: bool) -> int:
    """Make a run known to the server, and say under which thread id it is there."""

    def work() -> int:
        told = register(run, runs=runs.absolute(), url=f"http://127.0.0.1:{port}")
        if json:
            print_json({"run_id": told.run, "thread_id": told.thread, "studio": told.page})
        else:
            print(f"run         {told.run}\nthread      {told.thread}\nstudio      {told.page}")
        if not told.checkpoints:
            raise InputError(
                f"the server at port {port} finds no checkpoint of run {told.run}",
                facts={"its ledgers": "another folder, or the run was killed before its first checkpoint"},
                next_step=f"start it with the folder of this run: waypost studio --runs {runs}",
            )
        return 0

    return answer(work, json=json)
