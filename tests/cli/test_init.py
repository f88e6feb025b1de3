"""`waypost init`: a starter card and settings, with the test command that the project's files speak of."""

from __future__ import annotations

import tomllib

import pytest
from kit.cli import waypost_here
from waypost.cli.project import test_commands as commands_of
from waypost.nodes.formats import read_task_file

PROJECTS = {
    ("Makefile", "build:\n\ntest: build\n\tpytest\n"): "make test",
    ("Makefile", "check:\n\ttrue\n"): "make check",
    ("justfile", "test arg='x':\n  pytest\n"): "just test",
    ("noxfile.py", ""): "nox",
    ("tox.ini", ""): "tox",
    ("pyproject.toml", "[tool.tox]\n"): "tox",
    ("pyproject.toml", "[tool.pytest.ini_options]\n"): "python3 -m pytest",
    ("pytest.ini", ""): "python3 -m pytest",
    ("tests/conftest.py", ""): "python3 -m pytest",
    ("tests/test_a.py", ""): "python3 -m unittest discover -s tests",
    ("package.json", '{"scripts": {"test": "jest"}}'): "npm test",
    ("Cargo.toml", ""): "cargo test",
    ("go.mod", ""): "go test ./...",
    ("pom.xml", ""): "mvn -q test",
    ("build.gradle.kts", ""): "gradle test",
    ("a.csproj", ""): "dotnet test",
    ("mix.exs", ""): "mix test",
}
NOTHING = [
    ("Makefile", "test := 1\n"),
    ("package.json", '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'),
    ("package.json", "[" * 100_000),
    ("package.json", '{"scripts": []}'),
    ("pyproject.toml", "not toml"),
    ("README.md", "make test"),
]


def put(folder, name, text):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text)


@pytest.mark.parametrize("file", PROJECTS, ids=lambda file: file[0])
def test_the_test_command_is_found(tmp_path, file):
    put(tmp_path, *file)
    assert [found.command for found in commands_of(tmp_path)] == [PROJECTS[file]]


@pytest.mark.parametrize("file", NOTHING, ids=lambda file: file[0])
def test_what_is_no_test_command_is_not_found(tmp_path, file):
    put(tmp_path, *file)
    assert commands_of(tmp_path) == []


@pytest.mark.parametrize(
    ("lock", "command"), [("pnpm-lock.yaml", "pnpm test"), ("yarn.lock", "yarn test"), ("bun.lock", "bun run test")]
)
def test_the_lock_file_tells_the_package_manager(tmp_path, lock, command):
    put(tmp_path, "package.json", '{"scripts": {"test": "jest"}}')
    put(tmp_path, lock, "")
    assert [found.command for found in commands_of(tmp_path)] == [command]


def test_the_files_it_writes_are_a_card_and_valid_settings(tmp_path):
    put(tmp_path, "Makefile", "test:\n\ttrue\n")
    ran = waypost_here("init", cwd=tmp_path)
    assert ran.code == 0
    assert "found       make test" in ran.out
    task = read_task_file(tmp_path / "tasks.md")
    assert [command.run for command in task.steps[0].verification] == ["make test", "test -s CHANGED_FILE"]
    settings = (tmp_path / "waypost.toml").read_text()
    assert tomllib.loads(settings) == {}
    example = "\n".join(line.removeprefix("# ") for line in settings.splitlines() if "=" in line or "[" in line)
    assert set(tomllib.loads(example)) == {"agents", "environment"}


def test_without_a_test_command_the_card_cannot_pass_by_itself(tmp_path):
    assert "no test command" in waypost_here("init", cwd=tmp_path).out
    assert read_task_file(tmp_path / "tasks.md").steps[0].verification[0].run == "false"


def test_nothing_is_overwritten_without_force(tmp_path):
    put(tmp_path, "waypost.toml", "mine")
    ran = waypost_here("init", cwd=tmp_path)
    assert (ran.code, "--force" in ran.err) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["waypost.toml"]
    assert waypost_here("init", "--force", cwd=tmp_path).code == 0
    assert "mine" not in (tmp_path / "waypost.toml").read_text()


def test_a_link_in_the_place_of_a_file_is_not_written_through(tmp_path):
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / "tasks.md").symlink_to(tmp_path / "elsewhere")
    assert waypost_here("init", "--force", cwd=tmp_path).code == 2
    assert (tmp_path / "elsewhere").read_text() == "mine"
