"""`waypost mcp`: the server over standard input and output, for as long as its client lives."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..cli.ledger_text import answer
from ..nodes.config import load_config
from ..state.errors import InputError
from .rules import DIGEST_MIN, Rules
from .server import make_server


def serve(
    *,
    root: Path,
    runs: Path | None,
    workers: tuple[str, ...],
    accepted: tuple[str, ...],
    may_accept: bool,
    may_decide: bool,
) -> int:
    """Serve one client. Standard output belongs to the protocol.

    Args:
        runs: the folder of all runs; the usual one of the project if None.
    """

    def work() -> int:
        project = root.resolve()
        if not project.is_dir():
            raise InputError(f"{root} is no folder", next_step="give the project: --root DIR")
        if shutil.which("git") is None:
            raise InputError("git is not installed, and no run can do without it")
        short = next((digest for digest in accepted if len(digest) < DIGEST_MIN), None)
        if short is not None:
            raise InputError(f"--accept {short!r} is too short", next_step=f"give at least {DIGEST_MIN} characters")
        rules = Rules(
            root=project,
            runs=(runs or project / ".artifacts" / "agent_runs").absolute(),
            workers=workers or ("shell",),
            accepted=accepted,
            may_accept=may_accept,
            may_decide=may_decide,
            config=load_config(project),
        )
        make_server(rules).run("stdio")
        return 0

    return answer(work, json=False)
