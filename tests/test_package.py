"""The wheel holds exactly the package, and works next to folders of the same names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from kit.cards import card, write_card
from kit.cli import environment

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("state", "checkpointing", "nodes", "graphs", "telemetry", "viewer", "cli", "studio", "mcp_server")

KINDS = ("*.py", "*.j2", "*.toml", "*.css", "*.js", "*.svg")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel built from a copy of the sources, without what git ignores."""
    source = tmp_path_factory.mktemp("source") / "any-name"
    ignore = shutil.ignore_patterns(
        ".git", ".venv", ".artifacts", "build", "dist", "*.egg-info", "__pycache__", ".*_cache"
    )
    shutil.copytree(ROOT, source, ignore=ignore)
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(out.glob("*.whl"))


def test_it_holds_exactly_the_modules_and_templates_of_the_package(wheel):
    expected = {f"waypost/{path.name}" for path in ROOT.glob("*.py")} | {"waypost/py.typed", "waypost/langgraph.json"}
    for room in PACKAGES:
        files = [path for kind in KINDS for path in (ROOT / room).rglob(kind)]
        expected |= {f"waypost/{path.relative_to(ROOT)}" for path in files}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == expected


def test_installed_elsewhere_it_runs_beside_the_users_own_graphs_and_nodes(wheel, repo, tmp_path):
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    for name in PACKAGES:
        (repo / name).mkdir()
        (repo / name / "__init__.py").write_text("raise SystemExit('the wrong package was imported')\n")
    path = write_card(tmp_path, card(bash="echo x > out.txt"))
    where = [sys.executable, "-c", "import waypost; print(waypost.__file__)"]
    run = [sys.executable, "-m", "waypost", "run", str(path)]
    env = {**environment(), "PYTHONPATH": os.fspath(site)}
    assert str(site) in subprocess.run(where, cwd=repo, env=env, capture_output=True, text=True).stdout
    ran = subprocess.run(run, cwd=repo, env=env, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "DONE" in ran.stdout


@pytest.mark.parametrize("name", ["run", "dev", "bench"])
def test_what_pip_installs_is_what_uv_locked(name):
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    locked = {(package["name"], package.get("version")) for package in lock["package"]}
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", text, re.MULTILINE))
    assert pinned
    assert pinned <= locked


def test_every_dependency_has_a_lower_bound():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    assert all(">=" in requirement for requirement in wanted)
