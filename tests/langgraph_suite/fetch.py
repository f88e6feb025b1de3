"""What a run is made of, kept in a cache: the tests out of a source distribution, and the packages they import."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
from pathlib import Path, PurePosixPath

# What the suite's files import beside the installed packages; its conftest.py imports the clients of the servers that
# only other parameters of its fixtures need, and no server is started.
PACKAGES = (
    "aiosqlite",
    "langgraph-checkpoint-postgres",
    "langgraph-checkpoint-sqlite",
    "psycopg",
    "psycopg-binary",
    "psycopg-pool",
    "pycryptodome",
    "pytest-mock",
    "redis",
    "sqlite-vec",
    "syrupy",
)


def unpacked(cache: Path, version: str) -> Path:
    """The folder with the tests of a version of langgraph, downloaded unless it is there.

    Raises:
        subprocess.CalledProcessError: its source distribution cannot be downloaded.
    """
    suite = cache / f"langgraph-{version}"
    if not suite.is_dir():
        with tempfile.TemporaryDirectory(dir=cache) as fresh:
            wanted = ["--no-binary", "langgraph", "--no-deps", "--dest", fresh, f"langgraph=={version}"]
            pip(cache, "download", *wanted)
            extract(next(Path(fresh).glob("*.tar.gz")), Path(fresh, "suite"))
            move(Path(fresh, "suite"), suite)
    return suite


def extract(archive: Path, target: Path) -> None:
    """Take the tests and two tables out of a source distribution, as plain files below `target` and nowhere else.

    The library in it is left behind, so that the installed one is tested.
    """
    with tarfile.open(archive) as packed:
        for member in packed:
            inner = PurePosixPath(member.name).parts[1:]
            wanted = inner[:1] == ("tests",) or inner in (("pyproject.toml",), ("uv.lock",))
            if wanted and member.isfile() and ".." not in inner and (source := packed.extractfile(member)):
                path = target.joinpath(*inner)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(source.read())


def packages(cache: Path, suite: Path) -> Path:
    """A folder with `PACKAGES` in the versions the suite was locked with, and nothing that is installed already."""
    lock = suite / "uv.lock"
    locked = tomllib.loads(lock.read_text(encoding="utf-8"))["package"] if lock.is_file() else []
    published = {package["name"]: package["version"] for package in locked if "registry" in package["source"]}
    wanted = [f"{name}=={published[name]}" if name in published else name for name in PACKAGES]
    key = hashlib.sha256("\n".join([sys.version, sys.platform, *wanted]).encode()).hexdigest()[:12]
    target = cache / f"packages-{key}"
    if not target.is_dir():
        with tempfile.TemporaryDirectory(dir=cache) as fresh:
            pip(cache, "install", "--no-deps", "--prefer-binary", "--target", f"{fresh}/packages", *wanted)
            move(Path(fresh, "packages"), target)
    return target


def pip(cache: Path, *arguments: str) -> None:
    """Run this environment's pip, or one of our own where it has none, as environments made by uv."""
    python = Path(sys.executable)
    if importlib.util.find_spec("pip") is None:
        python = cache / "pip" / "bin" / "python"
        if not python.exists():
            venv.create(cache / "pip", with_pip=True)
    print("pip", *arguments, flush=True)
    subprocess.run([python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments], check=True)


def move(fresh: Path, target: Path) -> None:
    """Put a finished folder in its place, unless another run was faster."""
    try:
        fresh.rename(target)
    except OSError:
        if not target.is_dir():
            raise
