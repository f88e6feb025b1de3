"""The house keeps its shape: who may import whom, under which name, and how big a room may be."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("state", "checkpointing", "nodes", "graphs", "telemetry", "viewer", "cli", "studio", "mcp_server")
MODULES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
TOP = sorted(ROOT.glob("*.py"))
TESTS = sorted(path for name in ("tests", "examples", "benchmarks") for path in (ROOT / name).rglob("*.py"))
MAX_FILE_LINES, MAX_FUNCTION_LINES = 350, 70

# Which rooms a room may use besides itself; the modules at the root are open to all.
ALLOWED = {
    "state": set(),
    "checkpointing": {"state"},
    "nodes": {"state"},
    "graphs": {"state", "nodes"},
    "telemetry": {"state"},
    "viewer": {"state", "nodes", "checkpointing"},
    "cli": {"state", "nodes", "graphs", "checkpointing", "telemetry", "viewer", "studio", "mcp_server"},
    "studio": {"state", "nodes", "graphs", "checkpointing", "telemetry", "cli"},
    "mcp_server": {"state", "nodes", "graphs", "checkpointing", "telemetry", "cli"},
}
# The command line loads what a command needs when it is asked for, so that help is fast.
TYPED = ("evidence", "keys", "ledgers", "look", "manual", "runs", "servers", "tasks")
LATE_IMPORTS = {"__init__.py", "checkpointing/__init__.py", *(f"cli/typed/{name}.py" for name in TYPED)}
# Programs of their own, which the command line only starts.
FACES = {"studio", "mcp_server"}


def module_of(path: Path) -> str:
    return ".".join(["waypost", *path.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__")


NAMES = {module_of(path) for path in MODULES}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Line, absolute module name (with `waypost` for relative ones), and whether it stands inside a function."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(outer)
    }
    package = ["waypost", *path.relative_to(ROOT).parts[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, id(node) in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            for alias in node.names:
                whole = f"{module}.{alias.name}"
                yield node.lineno, whole if whole in NAMES else module, id(node) in inside


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down_only(path):
    room = path.relative_to(ROOT).parts[0]
    for line, module, _ in imports(path):
        parts = module.split(".")
        if parts[0] == "waypost" and len(parts) > 1 and parts[1] in PACKAGES and parts[1] != room:
            assert parts[1] in ALLOWED[room], f"{name_of(path)}:{line} imports {module}"
            assert room != "cli" or parts[1] not in FACES or name_of(path) in LATE_IMPORTS


@pytest.mark.parametrize("path", [*MODULES, *TOP], ids=name_of)
def test_inside_the_package_imports_are_relative(path):
    for line, module, _ in imports(path):
        assert module.split(".")[0] not in PACKAGES, f"{name_of(path)}:{line} imports {module}"
    source = path.read_text(encoding="utf-8")
    assert "import waypost" not in source
    assert "from waypost" not in source


@pytest.mark.parametrize("path", [path for path in MODULES if name_of(path) not in LATE_IMPORTS], ids=name_of)
def test_no_import_hides_inside_a_function(path):
    assert [line for line, _, inside in imports(path) if inside] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_graphs_wires_a_langgraph_graph(path):
    if path.relative_to(ROOT).parts[0] != "graphs":
        assert not [module for _, module, _ in imports(path) if module.startswith("langgraph.graph")]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_is_pickled(path):
    assert not [module for _, module, _ in imports(path) if module.split(".")[0] in ("pickle", "marshal", "shelve")]


@pytest.mark.parametrize("path", [*MODULES, *TOP, *TESTS], ids=name_of)
def test_rooms_stay_small(path):
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= MAX_FILE_LINES
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= MAX_FUNCTION_LINES, f"{name_of(path)}:{node.lineno} {node.name} has {length} lines"


def test_there_is_no_cycle_between_modules():
    graph = {
        module_of(path): {module for _, module, inside in imports(path) if module in NAMES and not inside}
        - {module_of(path)}
        for path in MODULES
    }
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module not in done:
            for other in graph[module]:
                visit(other, (*trail, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("name", PACKAGES)
def test_the_wrong_name_fails_loudly(name):
    ran = subprocess.run([sys.executable, "-c", f"import {name}"], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode != 0
    assert "relative import" in ran.stderr


def loaded_by(code: str) -> set[str]:
    program = f"{code}\nimport sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    return set(out.splitlines()[-1].split())


HEAVY = {"langgraph", "langchain_core", "pydantic", "jinja2", "starlette", "uvicorn"}


def test_help_answers_without_loading_langgraph():
    show_help = "from waypost.cli.main import app\ntry:\n    app(['run', '--help'])\nexcept SystemExit: pass"
    # Typer itself looks for Pydantic where it is installed.
    assert not loaded_by(show_help) & (HEAVY - {"pydantic"})


def test_importing_waypost_loads_nothing_heavy():
    assert not loaded_by("import waypost") & HEAVY


def test_every_public_name_can_be_loaded():
    assert "langgraph" in loaded_by("import waypost; [getattr(waypost, name) for name in waypost.__all__]")


def test_the_packages_of_the_wheel_are_the_rooms_of_the_house():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    found = {path.parent for path in MODULES if path.name == "__init__.py"}
    assert sorted(listed) == sorted(["waypost", *(".".join(["waypost", *p.relative_to(ROOT).parts]) for p in found)])


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_belongs_to_a_package_and_says_what_it_is_for(path):
    assert (path.parent / "__init__.py").exists()
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
