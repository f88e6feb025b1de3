"""Which commands test the project in a folder, by the files that common tools leave there. Runs nothing."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

_MAX_BYTES = 1_000_000
_TARGET = re.compile(r"^(test|tests|check)\s{0,5}:(?!=)", re.MULTILINE)
_JUST = re.compile(r"^(test|tests|check)(?:\s[^:\n]{0,100})?:(?!=)", re.MULTILINE)
_NO_TEST = "no test specified"


@dataclass(frozen=True, slots=True)
class Found:
    """A command, and which file says so."""

    command: str
    reason: str


def test_commands(folder: Path) -> list[Found]:
    """Every test command that the folder's files speak of, the most telling first."""
    return [found for look in _LOOKS for found in look(folder)]


def _make(folder: Path) -> Iterator[Found]:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        target = _TARGET.search(_text(folder / name))
        if target:
            yield Found(f"make {target[1]}", f'{name} has the target "{target[1]}"')
            return


def _just(folder: Path) -> Iterator[Found]:
    for name in ("justfile", "Justfile", ".justfile"):
        recipe = _JUST.search(_text(folder / name))
        if recipe:
            yield Found(f"just {recipe[1]}", f'{name} has the recipe "{recipe[1]}"')
            return


def _nox_and_tox(folder: Path) -> Iterator[Found]:
    if (folder / "noxfile.py").is_file():
        yield Found("nox", "noxfile.py")
    tool = _toml(folder / "pyproject.toml").get("tool")
    if (folder / "tox.ini").is_file() or (folder / "tox.toml").is_file():
        yield Found("tox", "tox.ini" if (folder / "tox.ini").is_file() else "tox.toml")
    elif isinstance(tool, dict) and "tox" in tool:
        yield Found("tox", "pyproject.toml has [tool.tox]")


def _pytest(folder: Path) -> Iterator[Found]:
    text = _text(folder / "pyproject.toml")
    runner = "uv run pytest" if (folder / "uv.lock").is_file() else "python3 -m pytest"
    if "pytest" in text:
        yield Found(runner, "pyproject.toml speaks of pytest")
    elif (folder / "pytest.ini").is_file() or "[tool:pytest]" in _text(folder / "setup.cfg"):
        name = "pytest.ini" if (folder / "pytest.ini").is_file() else "setup.cfg"
        yield Found(runner, name)
    elif (folder / "conftest.py").is_file() or (folder / "tests" / "conftest.py").is_file():
        yield Found(runner, "conftest.py")
    elif next(folder.glob("tests/test_*.py"), None) is not None:
        yield Found("python3 -m unittest discover -s tests", "tests/test_*.py, and no word of pytest")


def _node(folder: Path) -> Iterator[Found]:
    try:
        value: object = json.loads(_text(folder / "package.json") or "{}")
    except (ValueError, RecursionError):
        return
    scripts: object = cast("dict[str, object]", value).get("scripts") if isinstance(value, dict) else None
    script: object = cast("dict[str, object]", scripts).get("test") if isinstance(scripts, dict) else None
    if isinstance(script, str) and script.strip() and _NO_TEST not in script:
        lock = {
            "pnpm-lock.yaml": "pnpm test",
            "yarn.lock": "yarn test",
            "bun.lock": "bun run test",
            "bun.lockb": "bun run test",
        }
        command = next((run for name, run in lock.items() if (folder / name).is_file()), "npm test")
        yield Found(command, 'package.json has the script "test"')


def _compiled(folder: Path) -> Iterator[Found]:
    if (folder / "Cargo.toml").is_file():
        yield Found("cargo test", "Cargo.toml")
    if (folder / "go.mod").is_file():
        yield Found("go test ./...", "go.mod")
    if (folder / "pom.xml").is_file():
        yield Found("./mvnw -q test" if (folder / "mvnw").is_file() else "mvn -q test", "pom.xml")
    gradle = next((name for name in ("build.gradle", "build.gradle.kts") if (folder / name).is_file()), None)
    if gradle is not None:
        yield Found("./gradlew test" if (folder / "gradlew").is_file() else "gradle test", gradle)
    if next(folder.glob("*.sln"), None) is not None or next(folder.glob("*.csproj"), None) is not None:
        yield Found("dotnet test", "a .NET project file")
    if (folder / "mix.exs").is_file():
        yield Found("mix test", "mix.exs")


_LOOKS: tuple[Callable[[Path], Iterator[Found]], ...] = (_make, _just, _nox_and_tox, _pytest, _node, _compiled)


def _text(path: Path) -> str:
    """A small text file; empty where it is missing, too large or no text."""
    try:
        if not path.is_file() or path.stat().st_size > _MAX_BYTES:
            return ""
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
