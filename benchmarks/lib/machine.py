"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = (
    "langgraph",
    "langgraph-checkpoint",
    "langgraph-checkpoint-sqlite",
    "langgraph-checkpoint-postgres",
    "orjson",
    "ormsgpack",
    "waypost",
)


def now() -> str:
    """When it is, and how busy the machine was in the last minutes: nothing else may run on it for good figures."""
    one, five, _ = os.getloadavg()
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load {one:.1f} over one minute and {five:.1f} over five"


def facts(folder: Path, command: str, postgres: str) -> dict[str, str]:
    """Command, hardware, file system and versions."""
    return {
        "command": f"`{command}`",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores ({_processor()})",
        "kernel": f"{platform.system()} {platform.release()}",
        "file system of all stores": file_system(folder),
        "python": platform.python_version(),
        "packages": ", ".join(f"{name} {_version(name)}" for name in _PACKAGES),
        "databases": f"SQLite {sqlite3.sqlite_version}; {postgres}",
    }


def file_system(folder: Path) -> str:
    """The type of the file system a folder is on, and its options."""
    best = ("", "not known", "")
    for line in Path("/proc/mounts").read_text().splitlines():
        _, at, kind, options, *_ = line.split()
        if folder.resolve().is_relative_to(at) and len(at) >= len(best[0]):
            best = (at, kind, options)
    return f"{best[1]} ({best[2]})"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "not named"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
