"""A bundle convinces a stranger, and every change of it is found by both of its readers."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kit.cli import Ran, waypost_here
from waypost.nodes.evidence.bundle import read_bundle
from waypost.state.errors import EvidenceError, InputError

from audit.bundles import VERIFIER, Scene, files_of, make_scene, mutations, packed, verifier

SEED = 20261126


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return make_scene(tmp_path_factory.mktemp("audit"))


def audit(bundle: Path, *options: str | Path) -> Ran:
    return waypost_here("audit", bundle, "--json", *options, cwd=bundle.parent)


def verify(bundle: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", str(VERIFIER), str(bundle), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True)


def verifier_passes(bundle: bytes, key: Path) -> bool:
    module = verifier()
    try:
        return bool(list(module.verify(bundle, module.read_key(key))))
    except Exception:
        return False


def test_an_untouched_bundle_passes_in_both(scene: Scene) -> None:
    found = audit(scene.one, "--key", scene.key)
    assert (found.code, found.events[-1]["verified"]) == (0, True)
    ran = verify(scene.one, "--key", scene.key)
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.splitlines()[-1].startswith("VERIFIED")


def test_audit_says_what_it_could_not_check(scene: Scene) -> None:
    rows = audit(scene.one).events[-1]["findings"]
    assert {row["area"] for row in rows if row["found"] == "not checked"} == {"scope", "signature"}


def test_the_same_run_is_packed_to_the_same_bytes(scene: Scene, tmp_path: Path) -> None:
    out = tmp_path / "again.tar.gz"
    assert waypost_here("bundle", "R1", "--runs", scene.folder / "runs", "--out", out, cwd=tmp_path).code == 0
    assert out.read_bytes() == scene.one.read_bytes()


def test_a_bundle_is_never_written_over(scene: Scene) -> None:
    ran = waypost_here("bundle", "R1", "--runs", scene.folder / "runs", "--out", scene.other, cwd=scene.folder)
    assert (ran.code, "is there already" in ran.err) == (2, True)


def test_no_mutation_is_missed(scene: Scene, tmp_path: Path) -> None:
    target = tmp_path / "mutated.tar.gz"
    for mutation in itertools.islice(mutations(scene, SEED), 60):
        target.write_bytes(packed("R1", mutation.files))
        assert audit(target, "--key", scene.key).code != 0, mutation.name
        assert not verifier_passes(target.read_bytes(), scene.key), mutation.name


def test_no_bit_of_the_file_can_be_flipped_unseen(scene: Scene, tmp_path: Path) -> None:
    whole, target = bytearray(scene.one.read_bytes()), tmp_path / "flipped.tar.gz"
    for at, bit in itertools.product(range(1200), range(8)):
        whole[at] ^= 1 << bit
        target.write_bytes(whole)
        with pytest.raises((EvidenceError, InputError)):
            read_bundle(target, tmp_path / f"{at}.{bit}")
        with pytest.raises((verifier().Wrong, zlib.error)):
            verifier().unpack(bytes(whole))
        whole[at] ^= 1 << bit


def test_content_that_is_compressed_in_another_way_is_refused(scene: Scene, tmp_path: Path) -> None:
    whole, target = scene.one.read_bytes(), tmp_path / "other.tar.gz"
    content = gzip.decompress(whole)
    for again in (gzip.compress(content, 9, mtime=0), whole[:48] + gzip.compress(content, 1)[10:]):
        target.write_bytes(again)
        assert audit(target).code == 1
        assert not verifier_passes(again, scene.key)


def test_a_flipped_bit_of_the_file_itself_is_found(scene: Scene, tmp_path: Path) -> None:
    whole, target = scene.one.read_bytes(), tmp_path / "flipped.tar.gz"
    for at in [*range(12), *range(12, len(whole), max(1, len(whole) // 40)), len(whole) - 1]:
        target.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert audit(target, "--key", scene.key).code != 0, at
        assert not verifier_passes(target.read_bytes(), scene.key), at


@pytest.mark.parametrize(
    "behind", [b"\0", b"more", gzip.compress(b"another member", mtime=0)], ids=["nul", "text", "member"]
)
def test_something_behind_the_end_is_found(scene: Scene, tmp_path: Path, behind: bytes) -> None:
    target = tmp_path / "longer.tar.gz"
    target.write_bytes(scene.one.read_bytes() + behind)
    assert audit(target).code == 1
    assert not verifier_passes(target.read_bytes(), scene.key)


def test_a_signature_by_another_key_is_refused(scene: Scene) -> None:
    found = audit(scene.one, "--key", scene.stranger())
    assert found.code == 1
    assert "not signed with the key" in found.out
    assert verify(scene.one, "--key", scene.stranger()).returncode == 1


def test_without_a_signature_a_key_finds_nothing_to_trust(scene: Scene, tmp_path: Path) -> None:
    run, files = files_of(scene.one)
    unsigned = {path: content for path, content in files.items() if not path.endswith("attestation.dsse.json")}
    target = tmp_path / "unsigned.tar.gz"
    target.write_bytes(packed(run, unsigned))
    assert audit(target).code == 0
    assert audit(target, "--key", scene.key).code == 1
    assert not verifier_passes(target.read_bytes(), scene.key)


@pytest.mark.parametrize("path", ["R1/../evil", "/etc/evil", "R1/a/../../evil", "R1/./x", "R2/x"])
def test_no_path_of_a_bundle_leaves_its_folder(scene: Scene, tmp_path: Path, path: str) -> None:
    folder, _, inner = path.partition("/")
    _run, files = files_of(scene.one)
    target = tmp_path / "escape.tar.gz"
    target.write_bytes(packed(folder, {inner: b"x"}) if folder != "R2" else packed("R2", {**files, inner: b"x"}))
    assert audit(target).code in (1, 2)
    assert not list(tmp_path.glob("**/evil"))


def test_a_run_that_went_on_after_it_was_attested_is_told(scene: Scene, tmp_path: Path) -> None:
    run, files = files_of(scene.one)
    _other, others = files_of(scene.other)
    target = tmp_path / "longer-ledger.tar.gz"
    target.write_bytes(packed(run, {**files, "ledger.jsonl": others["ledger.jsonl"]}))
    assert audit(target).code == 1
    assert json.loads(audit(target).out.splitlines()[-1])["verified"] is False


def test_the_recorded_change_is_part_of_a_bundle(scene: Scene) -> None:
    _run, files = files_of(scene.one)
    assert "checks/0001/change.patch" in files
    rows = audit(scene.one).events[-1]["findings"]
    said = [row["what"] for row in rows if row["area"] == "scope" and row["found"] == "ok"]
    assert "lists the 1 files that the recorded change says changed" in said
    assert "tree" in verify(scene.one).stdout


def with_state(scene: Scene, change: Callable[[dict[str, Any]], object]) -> None:
    """The verifier's own look at the change, over a state that was changed and attested again."""
    run, files = files_of(scene.one)
    module = verifier()
    state = module.newest_state(module.read_ledger(files["ledger.jsonl"]))
    statement = json.loads(files["reports/T-1/attestation.json"])
    change({"state": state, "files": files, "statement": statement, "run": run})
    module.check_tree(state, files, statement)


def forged_patch(given: dict[str, Any]) -> None:
    tree = given["state"]["tree"]
    more = b"diff --git a/evil b/evil\nnew file mode 100644\nindex " + b"0" * 40 + b".." + b"1" * 40 + b"\n"
    given["files"][tree["patch"]] += more
    tree["patch_sha256"] = hashlib.sha256(given["files"][tree["patch"]]).hexdigest()


def quoted_path(given: dict[str, Any]) -> None:
    tree, name = given["state"]["tree"], b'diff --git "a/\\303\\244\\n" "b/\\303\\244\\n"\n'
    given["files"][tree["patch"]] = name
    tree["patch_sha256"] = hashlib.sha256(name).hexdigest()
    log = next(check["log"] for check in given["state"]["checks"] if check["kind"] == "scope")
    given["files"][log] = json.dumps({"path": "ä\n"}).encode()


FORGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "a file that scope has not seen": forged_patch,
    "another hash": lambda given: given["state"]["tree"].update(patch_sha256="0" * 64),
    "another round": lambda given: given["state"]["tree"].update(round=7),
    "another commit": lambda given: given["state"]["tree"].update(base="0" * 40),
    "another tree": lambda given: given["state"]["tree"].update(tree="0" * 40),
    "none": lambda given: given["state"].update(tree=None),
}


def test_the_verifier_accepts_the_change_as_it_is_and_reads_any_path(scene: Scene) -> None:
    with_state(scene, lambda given: None)
    with_state(scene, quoted_path)


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED)
def test_the_verifier_finds_a_forged_change(scene: Scene, change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(verifier().Wrong):
        with_state(scene, change)


def test_the_verifier_holds_done_against_what_had_to_fail_before_the_work(scene: Scene) -> None:
    _run, files = files_of(scene.one)
    module = verifier()
    state = module.newest_state(module.read_ledger(files["ledger.jsonl"]))
    state["task"]["steps"][0]["red_before"] = ["AC1"]
    assert module.check_records(state, files) == 2
    for check in state["before"]["checks"]:
        check["outcome"] = "PASSED"
    with pytest.raises(module.Wrong, match="AC1 of S1 did not fail before the work"):
        module.check_records(state, files)
