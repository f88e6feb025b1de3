"""What the help of each command tells besides its options."""

from __future__ import annotations

from dataclasses import dataclass

Rows = tuple[tuple[str, str], ...]

_RUN = "DKT-003_20260211T134056Z_ac778e9"
_ENDS: Rows = (
    ("0", "DONE: every criterion is proved"),
    ("1", "FAILED"),
    ("2", "bad input or usage; nothing was started"),
    ("3", "BLOCKED: a person is needed, and it says what for"),
    ("4", "interrupted; `waypost resume` goes on"),
)
_SHOWN: Rows = (("0", "shown"), ("1", "something cannot be read"), ("2", "there is nothing of that name"))
_TERMINAL: Rows = (
    ("NO_COLOR", "no colours, on any terminal"),
    ("TERM=dumb", "plain lines instead of a picture that is drawn again and again"),
    ("CI", "plain lines, also where stdout is a terminal"),
    ("COLUMNS, LINES", "size of the picture, where it is not the terminal's"),
)
_WORKERS: Rows = (
    ("WAYPOST_ACP_AGENT", "command line of the agent behind --worker acp"),
    ("WAYPOST_MODEL", "PROVIDER:NAME of the model behind --worker langchain"),
)
_RUNS: Rows = (
    (".artifacts/agent_runs/RUN/", "the run: ledger, attempts, checks, reports; see --runs"),
    ("waypost.toml", "workers, environment and prompt, in the workspace or in [tool.waypost] of pyproject.toml"),
)


@dataclass(frozen=True)
class Page:
    """Examples as (what it does, what to type); then rows of (what, meaning)."""

    examples: Rows = ()
    exits: Rows = ()
    environment: Rows = ()
    files: Rows = ()
    see: tuple[str, ...] = ()


PAGES: dict[str, Page] = {
    "run": Page(
        examples=(
            ("one task of a file, by the commands of its card", "waypost run tasks.md --task DKT-003"),
            ("by an agent, on a branch of its own", "waypost run tasks.md --worker claude --isolate worktree"),
            ("all open tasks, four at a time", "waypost run tasks.md --max-parallel 4 --isolate worktree"),
            ("within half an hour and two dollars", "waypost run tasks.md --budget-s 1800 --max-cost-usd 2"),
            ("without running its checks before the work", "waypost run tasks.md --no-baseline"),
            ("in CI: lines of JSON, the last one says how it ended", "waypost run tasks.md --yes --json"),
        ),
        exits=_ENDS,
        environment=(*_TERMINAL, *_WORKERS),
        files=_RUNS,
        see=("waypost watch", "waypost explain", "waypost resume", "waypost plan", "docs/terminal.md"),
    ),
    "resume": Page(
        examples=(
            ("after a crash, Ctrl-C or SIGTERM", f"waypost resume {_RUN}"),
            ("blocked: the cause is mended", f"waypost resume {_RUN} --recheck --note mended"),
            ("blocked: try again", f"waypost resume {_RUN} --recover --note again"),
        ),
        exits=_ENDS,
        environment=(*_TERMINAL, *_WORKERS),
        see=("waypost explain", "waypost approve", "waypost status"),
    ),
    "approve": Page(
        examples=(("you read the diff, and agree", f'waypost approve {_RUN} --note "read the diff"'),),
        exits=_ENDS,
        environment=_TERMINAL,
        see=("waypost reject", "waypost explain"),
    ),
    "reject": Page(
        examples=(("send a result back", f'waypost reject {_RUN} --note "keep the API"'),),
        exits=_ENDS,
        environment=_TERMINAL,
        see=("waypost approve", "waypost explain"),
    ),
    "watch": Page(
        examples=(
            ("the run that was started last", "waypost watch"),
            ("one run, or a batch, from another terminal", f"waypost watch {_RUN}"),
            ("wait for a run in a script", f"waypost watch {_RUN} --quiet && echo done"),
            ("every event as a line of JSON", f"waypost watch {_RUN} --json"),
        ),
        exits=(*_ENDS[:4], ("4", "nobody drives it, or you stopped watching; `waypost resume` goes on")),
        environment=_TERMINAL,
        see=("waypost explain", "waypost status", "docs/terminal.md"),
    ),
    "explain": Page(
        examples=(
            ("why it is blocked, and what to do", f"waypost explain {_RUN}"),
            ("the same facts for a script", f"waypost explain {_RUN} --json"),
        ),
        exits=_SHOWN,
        see=("waypost status", "waypost watch", "docs/state-machine.md"),
    ),
    "status": Page(
        examples=(
            ("all runs, newest first", "waypost status"),
            ("one run with every move", f"waypost status {_RUN}"),
            ("those that wait for a person", "waypost status --json | jq 'select(.waits_for)'"),
        ),
        exits=_SHOWN,
        environment=(("NO_COLOR", "no colours, on any terminal"),),
        see=("waypost explain", "waypost watch"),
    ),
    "view": Page(
        examples=(
            ("all runs, in your browser", "waypost view --browser"),
            ("an address for a browser of your choice", "waypost view .artifacts/agent_runs --port 8321"),
            ("the address for a script", "waypost view --json | head -1 | jq -r .address"),
        ),
        exits=(
            ("0", "you stopped it"),
            ("2", "there is no such folder, the port is taken, or the extra `view` is missing"),
        ),
        files=(("~/.cache/waypost/view/", "what the list of runs is read from; XDG_CACHE_HOME moves it"),),
        see=("waypost status", "waypost watch", "docs/viewer.md"),
    ),
    "studio": Page(
        examples=(
            ("a server for LangGraph Studio, until Ctrl-C", "waypost studio"),
            ("make a run known to it, from another terminal", f"waypost studio {_RUN}"),
            ("its thread id, for a script", f"waypost studio {_RUN} --json | jq -r .thread_id"),
        ),
        exits=(
            ("0", "the run is known there, or you stopped the server"),
            ("2", "no server answers, it finds no checkpoint of the run, or the extra `studio` is missing"),
        ),
        files=((".artifacts/agent_runs/.studio/PORT/", "what the server itself keeps; made anew at each start"),),
        see=("waypost status", "waypost view", "docs/studio.md"),
    ),
    "mcp": Page(
        examples=(
            ("it may have this plan run, that you have read", "waypost mcp --root ~/app --accept 8c10d9fcc971"),
            ("any plan, by an agent of its own", "waypost mcp --root ~/app --worker claude --allow-accept"),
        ),
        exits=(
            ("0", "the agent has closed the connection; its runs are drained"),
            ("2", "the project cannot be served, or the extra `mcp` is missing"),
        ),
        environment=_WORKERS,
        see=("waypost plan", "waypost status", "docs/mcp.md"),
    ),
    "plan": Page(
        examples=(
            ("what a file asks for, and what of it can be proved", "waypost plan tasks.md"),
            ("one task of a spec-kit file", "waypost plan specs/001-login/tasks.md --task T004"),
            ("freeze it: a run that differs is not started", 'waypost plan tasks.md --freeze --note "agreed"'),
        ),
        exits=(("0", "shown"), ("2", "the file cannot be read as tasks")),
        see=("waypost run", "docs/formats.md"),
    ),
    "init": Page(
        examples=(("a first card and settings, here", "waypost init"), ("elsewhere", "waypost init ../app")),
        exits=(("0", "written"), ("2", "they stand there already; --force overwrites")),
        files=(("tasks.md", "the card"), ("waypost.toml", "the settings")),
        see=("waypost plan", "docs/task-card.md"),
    ),
    "doctor": Page(
        examples=(("all workers", "waypost doctor"), ("one of them", "waypost doctor claude")),
        exits=(("0", "it can be used"), ("1", "something is missing, and it says what")),
        environment=_WORKERS,
        see=("waypost run", "docs/agents.md"),
    ),
    "audit": Page(
        examples=(
            ("a run that lies here", f"waypost audit {_RUN}"),
            ("a bundle from a stranger", f"waypost audit {_RUN}.tar.gz --key waypost.pub"),
            ("its files too, against your checkout", f"waypost audit {_RUN}.tar.gz --repository ../app"),
        ),
        exits=(("0", "verified"), ("1", "not verified"), ("2", "there is nothing to verify")),
        see=("waypost reproduce", "waypost bundle", "waypost attest", "docs/evidence.md"),
    ),
    "reproduce": Page(
        examples=(
            ("verify a run again, in a new folder", f"waypost reproduce {_RUN}"),
            ("a bundle from a stranger", f"waypost reproduce {_RUN}.tar.gz --repository ../app"),
        ),
        exits=(
            ("0", "the same verdict for every criterion"),
            ("1", "another verdict for at least one"),
            ("2", "no such run, a damaged bundle, or evidence that was changed"),
            ("3", "it could not be run here: the world has changed"),
            ("4", "interrupted; what was put together is removed"),
        ),
        see=("waypost audit", "waypost bundle", "docs/reproduce.md"),
    ),
    "bundle": Page(
        examples=(("everything that an audit needs, in one file", f"waypost bundle {_RUN} --out run.tar.gz"),),
        exits=(("0", "packed"), ("1", "the run is damaged"), ("2", "there is no such run")),
        see=("waypost audit", "docs/evidence.md"),
    ),
    "attest": Page(
        examples=(("sign afterwards", f"waypost attest {_RUN} --sign waypost.key"),),
        exits=(("0", "attested"), ("1", "the run is damaged, or has not stopped"), ("2", "there is no such run")),
        see=("waypost keygen", "waypost audit", "docs/evidence.md"),
    ),
    "keygen": Page(
        examples=(("a pair of keys for --sign and --key", "waypost keygen --out ~/.config/waypost"),),
        exits=(("0", "made"), ("2", "there are keys already, or the extra `sign` is missing")),
        files=(("waypost.key", "the private one, readable by you alone"), ("waypost.pub", "the public one")),
        see=("waypost attest", "docs/evidence.md"),
    ),
    "clean": Page(
        examples=(
            ("what would be removed", "waypost clean --dry-run"),
            ("of one run", f"waypost clean {_RUN}"),
        ),
        exits=(("0", "nothing is left"), ("3", "something that holds work was kept")),
        see=("waypost run", "docs/isolation.md"),
    ),
    "fsck": Page(
        examples=(
            ("all ledgers", "waypost fsck"),
            ("take out what can still be read", f"waypost fsck {_RUN} --salvage saved"),
        ),
        exits=(("0", "all fine"), ("1", "damage was found"), ("2", "there is nothing to check")),
        see=("waypost ledger", "docs/ledger-format.md"),
    ),
    "graph": Page(
        examples=(
            ("nodes, for a Mermaid viewer", "waypost graph > pipeline.mmd"),
            ("statuses and moves", "waypost graph --states"),
        ),
        exits=(("0", "printed"),),
        see=("docs/state-machine.md",),
    ),
    "schema": Page(
        examples=(
            ("of a card, for an editor", "waypost schema task > task.schema.json"),
            ("of the lines of --json", "waypost schema events > events.schema.json"),
        ),
        exits=(("0", "printed"), ("2", "there is no such schema")),
        see=("docs/task-card.md", "docs/terminal.md"),
    ),
    "ledger show": Page(
        examples=(
            ("all checkpoints of a thread", "waypost ledger show chat-7"),
            ("the newest values", "waypost ledger show chat-7 --latest"),
        ),
        exits=_SHOWN,
        see=("waypost ledger diff", "waypost ledger tail", "docs/ledger-format.md"),
    ),
    "ledger tail": Page(
        examples=(
            ("the newest three lines", "waypost ledger tail chat-7 -n 3"),
            ("and what comes", "waypost ledger tail chat-7 --follow"),
        ),
        exits=_SHOWN,
        see=("waypost watch", "docs/ledger-format.md"),
    ),
    "ledger diff": Page(
        examples=(("from step 3 to step 5", "waypost ledger diff chat-7 3 5"),),
        exits=_SHOWN,
        see=("waypost ledger show",),
    ),
    "ledger compact": Page(
        examples=(("keep only what can go on", "waypost ledger compact chat-7 --latest-only"),),
        exits=(("0", "written anew"), ("1", "damage was found"), ("4", "somebody else writes it")),
        see=("waypost fsck", "docs/ledger-format.md"),
    ),
    "ledger import": Page(
        examples=(("one thread of a database", "waypost ledger import sqlite:checkpoints.db --thread chat-7"),),
        exits=(("0", "copied, and every tuple compared"), ("1", "a tuple differs"), ("2", "nothing to copy")),
        see=("waypost ledger export",),
    ),
    "ledger export": Page(
        examples=(("all threads into a database", "waypost ledger export sqlite:checkpoints.db"),),
        exits=(("0", "copied, and every tuple compared"), ("1", "a tuple differs"), ("2", "nothing to copy")),
        see=("waypost ledger import",),
    ),
}
