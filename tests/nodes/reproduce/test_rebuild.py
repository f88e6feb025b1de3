"""Files are put together as they were recorded, byte for byte, or it is said why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kit.odd_changes import change_everything, files_in, make_odd
from kit.repos import git
from waypost.nodes.checks.snapshot import snapshot_of_workspace
from waypost.nodes.checks.workspace import look, read_baseline
from waypost.nodes.reproduce.rebuild import Rebuilt, rebuild
from waypost.nodes.workers.launcher.masking import Masker
from waypost.state.errors import CannotReproduce
from waypost.state.verified import VerifiedTree


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, VerifiedTree, bytes]:
    repo = make_odd(tmp_path_factory.mktemp("rebuild") / "repo")
    baseline = read_baseline(repo, runs_dir=repo / "none")
    change_everything(repo)
    found = snapshot_of_workspace(repo, baseline.commit, look(repo, baseline, runs_dir=repo / "none"), masker=Masker())
    assert found.patch is not None
    return repo, VerifiedTree(round=1, base=found.base, tree=found.tree, patch="p", patch_sha256="0" * 64), found.patch


def again(recorded: tuple[Path, VerifiedTree, bytes], into: Path, **changes: Any) -> Rebuilt:
    repo, tree, patch = recorded
    given = {"patch": patch, "repository": repo, **changes}
    facts = {name: value for name, value in changes.items() if name in VerifiedTree.model_fields and name != "patch"}
    return rebuild(given["repository"], tree.model_copy(update=facts), given["patch"], into)


def test_every_file_is_as_it_was_whatever_git_hides(recorded: tuple[Path, VerifiedTree, bytes], tmp_path: Path):
    rebuilt = again(recorded, tmp_path)
    assert files_in(rebuilt.top) == files_in(recorded[0])
    assert (rebuilt.tree, rebuilt.workspace) == (recorded[1].tree, rebuilt.top)


def test_the_change_is_not_committed_in_it(recorded: tuple[Path, VerifiedTree, bytes], tmp_path: Path):
    rebuilt = again(recorded, tmp_path)
    assert git(rebuilt.top, "rev-parse", "HEAD") == recorded[1].base
    assert " M text.txt" in git(rebuilt.top, "status", "--porcelain")


def test_what_the_recorded_files_hold_is_known(recorded: tuple[Path, VerifiedTree, bytes], tmp_path: Path):
    rebuilt = again(recorded, tmp_path)
    assert [rebuilt.holds(path) for path in ("text.txt", "moved again", "gone.txt", "ignored/cache")] == [
        *(True, True, False, False),
    ]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a change for other files": ({"patch": b"diff --git a/gone b/gone\ndeleted file mode 100644\n"}, "does not apply"),
    "no change at all": ({"patch": b""}, "does not make the recorded files"),
    "no change was kept": ({"patch": None}, "is not in the repository"),
    "another tree": ({"tree": "1" * 40}, "does not make the recorded files"),
    "another commit": ({"base": "1" * 40}, "is not in the repository"),
    "a folder outside": ({"folder": "../.."}, "have no folder"),
    "a folder that is none": ({"folder": "text.txt"}, "have no folder"),
    "no repository": ({"repository": Path("/")}, "cannot be put together"),
}


@pytest.mark.parametrize(("changes", "said"), REFUSED.values(), ids=REFUSED)
def test_it_is_said_why_not(
    recorded: tuple[Path, VerifiedTree, bytes], tmp_path: Path, changes: dict[str, Any], said: str
):
    with pytest.raises(CannotReproduce, match=said):
        again(recorded, tmp_path, **changes)


@pytest.mark.parametrize("path", ["../evil.txt", "/tmp/evil.txt", ".git/hooks/evil"])
def test_no_change_leaves_the_folder(recorded: tuple[Path, VerifiedTree, bytes], tmp_path: Path, path: str):
    name = path.encode()
    patch = (
        b"diff --git a/%s b/%s\nnew file mode 100755\nindex %s..%s\n--- /dev/null\n+++ b/%s\n@@ -0,0 +1 @@\n+x\n"
        % (name, name, b"0" * 40, b"1" * 40, name)
    )
    with pytest.raises(CannotReproduce):
        again(recorded, tmp_path, patch=patch)
    assert not list(tmp_path.rglob("evil*"))


def test_a_link_in_the_change_is_not_followed_by_it(recorded: tuple[Path, VerifiedTree, bytes], tmp_path: Path):
    target = tmp_path / "outside"
    target.mkdir()
    link = str(target).encode()
    patch = (
        b"diff --git a/l b/l\nnew file mode 120000\nindex %s..%s\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+%s\n"
        b"\\ No newline at end of file\n"
        b"diff --git a/l/evil b/l/evil\nnew file mode 100644\nindex %s..%s\n--- /dev/null\n+++ b/l/evil\n"
        b"@@ -0,0 +1 @@\n+x\n"
    ) % (b"0" * 40, b"1" * 40, link, b"0" * 40, b"1" * 40)
    with pytest.raises(CannotReproduce):
        again(recorded, tmp_path / "into", patch=patch)
    assert not list(target.iterdir())
