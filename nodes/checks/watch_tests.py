"""Running a command so that, where it is a pytest or may start one, the tests that run are written down beside its log.

The command is started as it is written. A plugin of ours is named in the environment, under a name that nobody can know
before; it looks on and changes nothing. Where it cannot be loaded, the command runs again without it. What it writes is
sealed row by row, so that a program which finds the file cannot add to it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from ..workers.files import write_private
from ..workers.launcher.masking import Masker
from .process import Ran

_PLUGIN = Path(__file__).with_name("pytest_plugin.py")
_VARIABLE = "WAYPOST_TESTS"
_PLUGINS, _PATH = "PYTEST_PLUGINS", "PYTHONPATH"
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_PYTHON = re.compile(r"python(\d+(\.\d+)?)?")
_PYTEST = frozenset({"pytest", "py.test"})
_RUNNERS = frozenset({("uv", "run"), ("poetry", "run"), ("pdm", "run"), ("pipenv", "run"), ("coverage", "run")})
# What may start a pytest without being one.
_MAY_START = re.compile(r"(?<![\w.-])(?:py\.?test|g?make|just|nox|tox|hatch|inv|invoke|doit|sh|bash|dash|zsh)(?![\w-])")
# Options of Python that make it leave out what the environment says.
_DEAF = re.compile(r"-[A-Za-z]*[EI]")
_WITH_VALUE = frozenset({"-W", "-X"})
_LOOKED_THROUGH = 16 << 20
_KEY_BYTES = 32
NOT_OURS = b'{"event": "not ours"}\n'


class Run(Protocol):
    """A command that only waits for its variables."""

    def __call__(self, *, env: Mapping[str, str]) -> Ran: ...


def tests_file(log: Path) -> Path:
    """Where the tests of the command with that log are written down."""
    return log.with_suffix(".tests.jsonl")


def is_pytest(argv: Sequence[str]) -> bool:
    """True where the command is a pytest that can be watched, to be seen from its words alone."""
    words = list(argv)
    if words and os.path.basename(words[0]) == "env":
        words.pop(0)
        while words and _ASSIGNMENT.match(words[0]):
            if words[0].partition("=")[0] in (_PLUGINS, _PATH):
                return False
            words.pop(0)
    if tuple(words[:2]) in _RUNNERS:
        words = words[2:]
        if words[:1] == ["-m"]:
            words.insert(0, "python")
    name = PurePosixPath(words[0]).name if words else ""
    if name in _PYTEST:
        return True
    if not _PYTHON.fullmatch(name):
        return False
    rest = iter(words[1:])
    for word in rest:
        if word == "-m":
            return next(rest, "") == "pytest"
        if not word.startswith("-") or _DEAF.match(word):
            return False
        if word in _WITH_VALUE:
            next(rest, "")
    return False


def may_start_pytest(argv: Sequence[str]) -> bool:
    """True where a command may start a pytest: a line for a shell, a script of one, a program that runs others."""
    text = argv[-1] if tuple(argv[:2]) == ("bash", "-euo") else " ".join(argv)
    return _MAY_START.search(text) is not None


def run_watched(run: Run, argv: Sequence[str], env: Mapping[str, str], log: Path, masker: Masker) -> Ran:
    """`run` with these variables; what is seen of its tests stands in `tests_file(log)`, if anything is seen."""
    told = tests_file(log)
    # A kind may run several commands on one log: only what the last one says counts.
    told.unlink(missing_ok=True)
    if not (is_pytest(argv) or may_start_pytest(argv)):
        return run(env=env)
    key = secrets.token_bytes(_KEY_BYTES)
    with tempfile.TemporaryDirectory(prefix="waypost-") as folder:
        name = f"waypost_watch_{secrets.token_hex(8)}"
        shutil.copyfile(_PLUGIN, Path(folder) / f"{name}.py")
        ran = run(env={**env, **_variables(folder, name, told, env, key)})
        refused = not told.exists() and ran.exit_code not in (0, None) and name.encode() in _beginning(log)
    if told.exists():
        # An id can hold a value that a test was parametrised with.
        write_private(told, masker.bytes(_opened(told, key)))
    if not refused:
        return ran
    log.unlink(missing_ok=True)
    return run(env=env)


def _opened(told: Path, key: bytes) -> bytes:
    """The rows without their seals; one row that says so where any of them is not ours, or is missing."""
    counts: dict[str, int] = {}
    rows: list[bytes] = []
    for line in told.read_bytes().splitlines():
        seal, _, text = line.partition(b" ")
        if not hmac.compare_digest(seal, hmac.new(key, text, hashlib.sha256).hexdigest().encode()):
            return NOT_OURS
        row = json.loads(text)
        counts[row["process"]] = counts.get(row["process"], 0) + 1
        if row.pop("row") != counts[row["process"]]:
            return NOT_OURS
        rows.append(json.dumps(row).encode() + b"\n")
    return b"".join(rows)


def _variables(folder: str, name: str, told: Path, env: Mapping[str, str], key: bytes) -> dict[str, str]:
    restore = {key: env.get(key) for key in (_PLUGINS, _PATH)}
    return {
        _VARIABLE: json.dumps({"to": str(told), "restore": restore, "key": key.hex()}),
        _PLUGINS: ",".join(filter(None, (env.get(_PLUGINS), name))),
        _PATH: os.pathsep.join(filter(None, (env.get(_PATH), folder))),
    }


def _beginning(log: Path) -> bytes:
    try:
        with log.open("rb") as file:
            return file.read(_LOOKED_THROUGH)
    except OSError:
        return b""
