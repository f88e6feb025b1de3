"""Files that judge the work: which they are, what they were, and a copy of the checkout that holds them again."""

from __future__ import annotations

import os

import pytest
from kit.repos import git
from waypost.nodes.checks.copy_tree import copied
from waypost.nodes.checks.protected import Original, Originals, Patterns, touched
from waypost.nodes.checks.workspace import changes_since, content_of, read_baseline
from waypost.state.errors import WorkspaceError

PROTECTED = (
    *("tests/data/x.json", "pkg/tests/deep/any", "test_a.py", "pkg/a_test.py", "conftest.py", "pkg/conftest.py"),
    *("pytest.ini", "tox.ini", "pyproject.toml", "pkg/a_test.go", "src/a.spec.ts", "src/a.test.jsx", "jest.config.mjs"),
    *("src/FooTest.java", "spec/a_spec.rb", "src/__tests__/a.js", "a.bats", "sitecustomize.py"),
)
FREE = ("src/a.py", "latest.py", "contest/x", "Makefile", "testing.md", "src/attest.go", "package.json")


@pytest.mark.parametrize("path", PROTECTED)
def test_what_usually_judges_the_work_is_protected(path):
    assert Patterns().protects(path)


@pytest.mark.parametrize("path", FREE)
def test_anything_else_is_not(path):
    assert not Patterns().protects(path)


def test_more_can_be_protected_and_some_of_it_taken_back():
    patterns = Patterns(("golden/**", "!tests/data/**"))
    assert [patterns.protects(path) for path in ("golden/a", "tests/a.py", "tests/data/a")] == [True, True, False]


def find(repo, **fields):
    """What of the changes in the repository touches protected files."""
    baseline = fields.pop("baseline")
    originals = Originals(repo, ".", baseline, fields.get("kept", {}), repo.parent)
    return touched(repo, changes_since(repo, baseline, runs_dir=repo / "runs"), Patterns(), originals)


@pytest.fixture
def tested(repo):
    """A repository with tests and settings."""
    (repo / "tests").mkdir()
    for name in ("test_a.py", "test_b.py", "run.sh"):
        (repo / "tests" / name).write_text(f"first {name}")
    (repo / "tests" / "run.sh").chmod(0o755)
    (repo / "pyproject.toml").write_text('[project]\nname = "x"\n[tool.pytest.ini_options]\naddopts = "-q"\n')
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "tests")
    return repo


def test_changed_deleted_and_added_files_are_told_apart(tested):
    baseline = read_baseline(tested, runs_dir=tested / "runs")
    (tested / "tests" / "test_a.py").write_text("weaker")
    (tested / "tests" / "test_b.py").unlink()
    (tested / "conftest.py").write_text("new")
    (tested / "src.py").write_text("the work")
    found = find(tested, baseline=baseline)
    assert (found.changed, found.deleted, found.added) == (("tests/test_a.py",), ("tests/test_b.py",), ("conftest.py",))


@pytest.mark.parametrize(
    ("old", "new", "counts"), [('"x"', '"y"', False), ('"-q"', '"--co"', True), ("[tool", "[", True)]
)
def test_of_a_file_with_many_uses_only_the_part_for_tests_counts(tested, old, new, counts):
    baseline = read_baseline(tested, runs_dir=tested / "runs")
    path = tested / "pyproject.toml"
    path.write_text(path.read_text().replace(old, new))
    assert find(tested, baseline=baseline).any == counts


def test_a_file_that_was_not_committed_is_what_was_kept_of_it(tested):
    test = tested / "tests" / "test_a.py"
    test.write_text("not committed")
    baseline = read_baseline(tested, runs_dir=tested / "runs")
    (tested.parent / "kept").write_text("not committed")
    test.write_text("weaker")
    originals = Originals(tested, ".", baseline, {"tests/test_a.py": "kept"}, tested.parent)
    assert originals.of("tests/test_a.py") == Original(b"not committed")
    (tested.parent / "kept").write_text("forged")
    with pytest.raises(WorkspaceError):
        originals.of("tests/test_a.py")


def test_a_blob_that_was_overwritten_in_git_is_refused(tested):
    baseline = read_baseline(tested, runs_dir=tested / "runs")
    first = git(tested, "rev-parse", "HEAD:tests/test_a.py")
    (tested / "evil").write_text("evil")
    other = git(tested, "hash-object", "-w", "evil")
    paths = [tested / ".git" / "objects" / id[:2] / id[2:] for id in (first, other)]
    paths[0].chmod(0o644)
    paths[0].write_bytes(paths[1].read_bytes())
    with pytest.raises(WorkspaceError):
        Originals(tested, ".", baseline, {}, tested.parent).of("tests/test_a.py")


def test_a_copy_holds_the_first_versions_and_leaves_the_checkout_alone(tested):
    baseline = read_baseline(tested, runs_dir=tested / "runs")
    (tested / ".gitignore").write_text("/env/\n__pycache__/\n")
    for name in ("env", "__pycache__", "runs", "elsewhere"):
        (tested / name).mkdir()
        (tested / name / "x").write_text("x")
    (tested / "tests" / "test_b.py").unlink()
    (tested / "tests" / "run.sh").unlink()
    (tested / "tests").rename(tested / "moved")
    (tested / "tests").symlink_to(tested / "elsewhere")
    originals = Originals(tested, ".", baseline, {}, tested.parent)
    with copied(tested, without=(tested / "runs",)) as copy:
        for path in ("tests/test_b.py", "tests/run.sh", "tests/none.py"):
            copy.put(path, originals.of(path))
        assert sorted(os.listdir(copy.top / "tests")) == ["run.sh", "test_b.py"]
        assert (copy.top / "tests" / "test_b.py").read_text() == "first test_b.py"
        assert os.access(copy.top / "tests" / "run.sh", os.X_OK)
        assert (copy.top / "env").is_symlink()
        assert not (copy.top / "__pycache__").exists()
        assert not (copy.top / "runs").exists()
        assert git(copy.top, "rev-parse", "HEAD") == baseline.commit
        with pytest.raises(ValueError, match="does not lie in the copy"):
            copy.put("../x", None)
    assert content_of(tested / "elsewhere" / "test_b.py") == "absent"
    assert not copy.top.exists()
