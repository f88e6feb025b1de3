"""A run in one file for a stranger: a deterministic tar.gz of all that the manifest lists, and of the ledger.

The same run gives the same archive bytes (the compressed ones depend on the zlib too). Reading refuses everything that
`write_bundle` would not have written: links, odd names, other times or owners, something before, between or behind.
"""

from __future__ import annotations

import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ...state.errors import EvidenceError, InputError
from ...state.ids import run_id as checked_run_id
from .files import CHUNK, open_run_folder
from .manifest import ATTESTATION, LEDGER, MANIFEST, SIGNED, Manifest, decode_manifest
from .write import REPORTS
from .zipped import Unzipped, write_zipped

_BLOCK = 512
_END = b"\0" * (2 * _BLOCK)
MOST_FILES = 200_000


def write_bundle(run_dir: Path, manifest: Manifest, ledger: bytes, out: Path) -> str:
    """Pack a run that was attested.

    Args:
        ledger: the ledger's lines up to the one the manifest names.
        out: the file to make; it must not be there.

    Returns:
        The SHA-256 of the archive before compression.

    Raises:
        EvidenceError: a file is missing, or is not what the manifest says.
        InputError: `out` is there already, or cannot be written.
    """
    try:
        with open(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as raw:
            try:
                return write_zipped(raw, _archive(run_dir, manifest, ledger))
            except BaseException:
                out.unlink()
                raise
    except FileExistsError:
        raise InputError(f"{out} is there already", next_step="give another name with --out") from None
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror}", next_step="give another name with --out") from None


def _archive(run_dir: Path, manifest: Manifest, ledger: bytes) -> Iterator[bytes]:
    listed = {file.path: file for file in manifest.files}
    with open_run_folder(run_dir) as run:
        for path in _members(run_dir, manifest):
            if path == LEDGER:
                yield from _member(manifest.run, path, len(ledger), [ledger])
                continue
            with run.open(path) as file:
                yield _head(manifest.run, path, file.size)
                pieces: list[bytes] = []
                copied = file.copy(pieces.append)
                yield from pieces
                if path in listed:
                    file.require(listed[path].sha256, copied.sha256)
                yield _padding(copied.size)
    yield _END


def _members(run_dir: Path, manifest: Manifest) -> list[str]:
    """The paths of everything that a bundle of the run holds, in their order."""
    closing = [f"{REPORTS}/{manifest.task}/{name}" for name in (MANIFEST, ATTESTATION, SIGNED)]
    closing = [path for path in closing if (run_dir / path).exists()]
    return sorted([*(file.path for file in manifest.files), *closing, LEDGER])


def _member(run: str, path: str, size: int, content: Iterable[bytes]) -> Iterator[bytes]:
    yield _head(run, path, size)
    yield from content
    yield _padding(size)


def _head(run: str, path: str, size: int) -> bytes:
    info = tarfile.TarInfo(f"{run}/{path}")
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _padding(size: int) -> bytes:
    return b"\0" * (-size % _BLOCK)


def read_bundle(path: Path, into: Path) -> Path:
    """Unpack a bundle below `into`, and return the folder of its run.

    Raises:
        EvidenceError: it is no bundle, or not one that `write_bundle` could have written.
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as raw:
            run_dir, names = _unpack(Unzipped(raw), into)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except (tarfile.TarError, zlib.error, UnicodeError) as error:
        raise EvidenceError(f"{path} is no bundle: {error}") from None
    manifest = _manifest(run_dir)
    expected = _members(run_dir, manifest)
    if names != expected or manifest.run != run_dir.name:
        odd = sorted({*names} ^ {*expected}) or [f"run {manifest.run} in folder {run_dir.name}"]
        raise EvidenceError(f"{path} does not hold what its manifest lists: {odd[:5]}")
    return run_dir


def _manifest(run_dir: Path) -> Manifest:
    """The one manifest of an unpacked bundle. It is refused where files are missing or left over."""
    found = sorted(run_dir.glob(f"{REPORTS}/*/{MANIFEST}"))
    if len(found) != 1:
        raise EvidenceError(f"the bundle holds {len(found)} manifests, not one")
    if not (run_dir / LEDGER).is_file():
        raise EvidenceError(f"the bundle holds no {LEDGER}")
    return decode_manifest(found[0].read_bytes())


def _unpack(stream: Unzipped, into: Path) -> tuple[Path, list[str]]:
    """Write every file below `into`. Each block has to be the one that `write_bundle` writes there."""
    run: str | None = None
    names: list[str] = []
    for _ in range(MOST_FILES):
        head = stream.read(_BLOCK)
        if head == b"\0" * _BLOCK:
            break
        info = tarfile.TarInfo.frombuf(head, "utf-8", "strict")
        if info.type == tarfile.XHDTYPE:
            raise EvidenceError("the bundle holds a name that is too long to be read without extensions")
        folder, _, path = info.name.partition("/")
        run = run or checked_run_id(folder)
        if info.type != tarfile.REGTYPE or folder != run or not _is_clean(path):
            raise EvidenceError(f"the bundle holds {info.name!r}, which does not belong there")
        if head != _head(run, path, info.size) or (names and path <= names[-1]):
            raise EvidenceError(f"the bundle holds {info.name!r} in a form, or at a place, that Waypost does not write")
        names.append(path)
        target = into / run / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            left = info.size
            while left:
                piece = stream.read(min(left, CHUNK))
                if not piece:
                    raise EvidenceError("the bundle ends in the middle of a file")
                file.write(piece)
                left -= len(piece)
        stream.expect(_padding(info.size))
    else:
        raise EvidenceError(f"the bundle holds more than {MOST_FILES} files")
    if run is None:
        raise EvidenceError("the bundle is empty")
    stream.expect(_END[_BLOCK:])
    stream.expect_end()
    return into / run, names


def _is_clean(path: str) -> bool:
    parts = path.split("/")
    return bool(path) and not any(part in ("", ".", "..") for part in parts) and "\0" not in path
