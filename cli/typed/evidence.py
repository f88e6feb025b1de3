"""Commands over evidence: `audit`, `reproduce`, `bundle`, `attest`, `keygen`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .app import app
from .keys import keys, opener, signer
from .options import RUNS_DIR, JsonOption, RepositoryOption, RunArgument, RunsOption, SignOption


@app.command()
def audit(
    what: Annotated[str | None, typer.Argument(help="Run id, or the file of a bundle.")] = None,
    logs: Annotated[Path | None, typer.Option(help="Instead: a verification log of the COMMAND ENTRY form.")] = None,
    runs: RunsOption = RUNS_DIR,
    key: Annotated[Path | None, typer.Option(help="Public key (PEM) that the attestation must be signed with.")] = None,
    repository: RepositoryOption = None,
    json: JsonOption = False,
) -> None:
    """Check a run, believing nothing: every hash and verdict is worked out again."""
    from ..audit import audit as look
    from ..audit import audit_foreign_log

    if (what is None) == (logs is None):
        raise typer.BadParameter("give a run, a bundle, or --logs FILE")
    if what is None:
        raise typer.Exit(audit_foreign_log(logs or Path(), json=json))
    raise typer.Exit(look(what, runs=runs, opener=opener(key, json), repository=repository, json=json))


@app.command()
def reproduce(
    what: Annotated[str, typer.Argument(metavar="RUN|BUNDLE", help="Run id, or the file of a bundle.")],
    runs: RunsOption = RUNS_DIR,
    repository: RepositoryOption = None,
    out: Annotated[Path | None, typer.Option(help="New file for the result, as JSON.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Run the commands of a bundle without asking.")] = False,
    json: JsonOption = False,
) -> None:
    """Verify a run again: its commit and its change in a new folder, its commands, its verdicts one by one.

    Exit codes: 0 the same verdicts, 1 different ones, 2 bad input, 3 it could not be run here, 4 interrupted.

    Example:  waypost reproduce DKT-003_20260211T134056Z_ac778e9
    """
    from ..reproduce import reproduce as again
    from ..requests import ReproduceRequest

    raise typer.Exit(again(ReproduceRequest(what, runs, repository, out, yes, json)))


@app.command()
def bundle(
    run_id: RunArgument,
    runs: RunsOption = RUNS_DIR,
    out: Annotated[Path | None, typer.Option(help="File to make; RUN_ID.tar.gz if not given.")] = None,
    json: JsonOption = False,
) -> None:
    """Pack a run into one file, with all that a stranger needs to audit it."""
    from ..books import bundle_run

    raise typer.Exit(bundle_run(run_id, runs=runs, out=out, json=json))


@app.command()
def attest(run_id: RunArgument, runs: RunsOption = RUNS_DIR, sign: SignOption = None, json: JsonOption = False) -> None:
    """Write manifest and attestation of a run that has stopped; `waypost run` does it too."""
    from ..books import attest_run

    raise typer.Exit(attest_run(run_id, runs=runs, sign=signer(sign, json), json=json))


@app.command()
def keygen(
    out: Annotated[Path, typer.Option(help="Folder for waypost.key and waypost.pub.")] = Path("."),
    json: JsonOption = False,
) -> None:
    """Make a pair of ed25519 keys for --sign and --key."""
    raise typer.Exit(keys(json).make_keys(out, json=json))
