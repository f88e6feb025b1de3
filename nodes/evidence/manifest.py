"""The list of every file that the evidence of a run rests on, with its hash: one hash of it stands for all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Literal

import orjson
from pydantic import Field, ValidationError, field_validator

from ...state.errors import EvidenceError
from ...state.ids import RunIdField, TaskIdField
from ...state.model import Record
from .files import RunFolder

FORMAT = "waypost-manifest/1"
MANIFEST = "manifest.json"
ATTESTATION = "attestation.json"
SIGNED = "attestation.dsse.json"
LEDGER = "ledger.jsonl"

_FOLDERS = ("checks", "dispatch", "reports")
_SINGLE = ("config.json", "request.json")
# Locks are empty and belong to the living; drafts are what a killed writer left.
_LEFT_OUT = re.compile(r"(?:^|/)(?:claim\.lock|\.[^/]*\.tmp)$")
_SHA256 = r"^[0-9a-f]{64}$"


class ListedFile(Record):
    """A file of the run: path relative to its folder, bytes, hash."""

    path: str = Field(min_length=1)
    size: int = Field(ge=0)
    sha256: str = Field(pattern=_SHA256)

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, path: str) -> str:
        if path != str(PurePosixPath(path)) or path.startswith("/") or ".." in PurePosixPath(path).parts:
            raise ValueError("is no clean relative path")
        return path


class LedgerMark(Record):
    """How far the ledger went: the number of its last line then, and the SHA-256 of that line."""

    line: int = Field(ge=1)
    sha256: str = Field(pattern=_SHA256)


class Manifest(Record):
    """What a run left, complete: a file in these folders that is not listed here was put there by somebody else."""

    format: Literal["waypost-manifest/1"] = FORMAT
    run: RunIdField
    task: TaskIdField
    ledger: LedgerMark
    files: tuple[ListedFile, ...]

    def encode(self) -> bytes:
        """The one way these facts are written down."""
        return orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def decode_manifest(data: bytes) -> Manifest:
    """The manifest in a file.

    Raises:
        EvidenceError: it is none, or is not written as `encode` writes it.
    """
    try:
        manifest = Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise EvidenceError(f"{MANIFEST} is no manifest: {where}: {first['msg']}") from None
    if manifest.encode() != data:
        raise EvidenceError(f"{MANIFEST} says what a manifest says, but not in the bytes Waypost writes")
    paths = [file.path for file in manifest.files]
    if paths != sorted(set(paths)):
        raise EvidenceError(f"{MANIFEST} lists a file twice, or not in order")
    return manifest


def is_listed_kind(path: str) -> bool:
    """Whether a file of that path belongs into a manifest."""
    name = PurePosixPath(path).name
    if _LEFT_OUT.search(path):
        return False
    if path in _SINGLE:
        return True
    return path.split("/")[0] in _FOLDERS and name not in (MANIFEST, ATTESTATION, SIGNED)


def paths_to_list(run_dir: Path) -> Iterator[str]:
    """The paths of all files that belong into the manifest of the run in `run_dir`, sorted.

    Raises:
        EvidenceError: a symbolic link, or something that is no regular file, stands among them.
    """
    found = [name for name in _SINGLE if (run_dir / name).exists()]
    for folder in _FOLDERS:
        top = run_dir / folder
        if top.is_symlink():
            raise EvidenceError(
                f"{folder} is a symbolic link", next_step="a run never makes links there: find out who did"
            )
        for path in top.rglob("*"):
            relative = path.relative_to(run_dir).as_posix()
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise EvidenceError(f"{relative} is no regular file", next_step="a run never makes such files there")
            if path.is_file() and is_listed_kind(relative):
                found.append(relative)
    yield from sorted(found)


def list_files(run: RunFolder, run_dir: Path) -> tuple[ListedFile, ...]:
    """Every file that belongs into the manifest, with its size and hash now.

    Raises:
        EvidenceError: as `paths_to_list`, or a file cannot be read.
    """
    return tuple(listed(run, path) for path in paths_to_list(run_dir))


def listed(run: RunFolder, path: str) -> ListedFile:
    """One file as it is now. Raises EvidenceError where it cannot be read, or grows while it is read."""
    with run.open(path) as file:
        copied = file.copy(lambda _chunk: None)
        file.require(copied.sha256, copied.sha256)
        return ListedFile(path=path, size=copied.size, sha256=copied.sha256)
