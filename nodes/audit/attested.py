"""Manifest and attestation: that they cover all files, and say what the records say."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from ...state.errors import EvidenceError
from ...state.pipeline import PipelineState
from ..evidence.attest import statement_over
from ..evidence.envelope import decode_envelope
from ..evidence.files import RunFolder
from ..evidence.manifest import ATTESTATION, MANIFEST, SIGNED, LedgerMark, Manifest, decode_manifest, paths_to_list
from ..evidence.write import report_folder
from .finding import Finding, not_checked, ok, wrong

Opener = Callable[[bytes], bytes]
LineHash = Callable[[int], str | None]


def audit_attestation(
    state: PipelineState, run_dir: Path, run: RunFolder, line_hash: LineHash, opener: Opener | None
) -> Iterator[Finding]:
    """The manifest against the files and the ledger, the attestation against both, the signature against a key.

    Args:
        line_hash: the SHA-256 of a line of the ledger, None where there is no such line.
        opener: gives the payload of an envelope whose signature is right, or raises EvidenceError; None: no key.
    """
    if state.task is None:
        return
    folder = report_folder(state.task)
    try:
        manifest = decode_manifest(run.read(f"{folder}/{MANIFEST}"))
        found = run.read(f"{folder}/{ATTESTATION}")
    except EvidenceError as error:
        yield wrong(
            "attestation", "run", f"{error.what}; close the books of the run with: waypost attest {state.run_id}"
        )
        return
    yield from _manifest(state, run_dir, run, manifest)
    yield from _ledger(manifest.ledger, line_hash)
    if found != statement_over(state, manifest):
        yield wrong("attestation", ATTESTATION, "does not say what the records and the manifest say")
    else:
        digest = hashlib.sha256(found).hexdigest()
        yield ok("attestation", ATTESTATION, f"says what the records say (sha256 {digest})")
    yield from _signature(run, f"{folder}/{SIGNED}", found, opener)


def _manifest(state: PipelineState, run_dir: Path, run: RunFolder, manifest: Manifest) -> Iterator[Finding]:
    if (manifest.run, manifest.task) != (state.run_id, state.task_id):
        yield wrong("manifest", MANIFEST, f"is of run {manifest.run}, task {manifest.task}")
        return
    good = 0
    for file in manifest.files:
        try:
            run.verify(file.path, file.sha256)
            good += 1
        except EvidenceError as error:
            yield wrong("manifest", file.path, error.what)
    try:
        unlisted = {*paths_to_list(run_dir)} - {file.path for file in manifest.files}
    except EvidenceError as error:
        yield wrong("manifest", MANIFEST, error.what)
        return
    for path in sorted(unlisted):
        yield wrong("manifest", path, "stands among the files of the run, and is not listed")
    if good == len(manifest.files) > 0 and not unlisted:
        yield ok("manifest", MANIFEST, f"{good} files, each with its listed bytes, and no other")


def _ledger(mark: LedgerMark, line_hash: LineHash) -> Iterator[Finding]:
    found = line_hash(mark.line)
    if found != mark.sha256:
        yield wrong("attestation", f"ledger line {mark.line}", f"attested is {mark.sha256}, found {found or 'nothing'}")
    else:
        yield ok("attestation", f"ledger line {mark.line}", "is the line that was attested")


def _signature(run: RunFolder, path: str, payload: bytes, opener: Opener | None) -> Iterator[Finding]:
    if run.sha256(path) is None:
        if opener is not None:
            yield wrong("signature", SIGNED, "a key was given, and the attestation is not signed")
        else:
            yield not_checked(
                "signature", SIGNED, "the attestation is not signed: whoever can write all files can forge it"
            )
        return
    try:
        envelope = run.read(path)
        claimed = decode_envelope(envelope)
        if claimed.payload != payload:
            yield wrong("signature", SIGNED, "signs another statement than the one beside it")
            return
        signers = ", ".join(name for name, _ in claimed.signatures) or "nobody"
        if opener is None:
            yield not_checked("signature", SIGNED, f"give the key of the signer with --key; it says: {signers}")
            return
        opener(envelope)
    except EvidenceError as error:
        yield wrong("signature", SIGNED, error.render())
        return
    yield ok("signature", SIGNED, f"signed with the key that was given: {signers}")
