"""A reader of Waypost's ledgers with the standard library alone, written from docs/ledger-format.md.

    python examples/read_ledger.py .artifacts/agent_runs/RUN_ID/ledger.jsonl

Prints each checkpoint, oldest first, and then the newest state as JSON; exits 1 with file and line on damage.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import zlib
from pathlib import Path
from typing import Any

KINDS = ("open", "checkpoint", "writes", "lease", "tombstone")


def unseal(raw: bytes) -> Any:
    """The object in a line that ends with its own checksum; None if a byte of it is damaged."""
    head, _, tail = raw.rpartition(b',"check":"')
    return json.loads(raw) if tail == b'%08x"}\n' % zlib.crc32(head) else None


def read(path: Path) -> list[Any]:
    """All intact lines. A torn tail, which nobody was told is saved, is left out; damage ends the program."""
    data, lines, hashes, start = path.read_bytes(), [], ["0" * 64], 0
    watermark = path.with_name("watermark")
    mark = unseal(watermark.read_bytes()) if watermark.exists() else None
    while start < len(data):
        raw, number = data[start : data.find(b"\n", start) + 1] or data[start:], len(lines) + 1
        line = unseal(raw)
        if line is None or (line["number"], line["prev"]) != (number, hashes[-1]):
            starts = [
                found.start() for found in re.finditer(rb'\{"number":\d+,"kind":"', data) if found.start() > start
            ]
            later = [found for at in starts if (found := unseal(data[at : data.find(b"\n", at) + 1]))]
            if line or any(found["acked"] >= number for found in later):
                sys.exit(f"{path}:{number}: {'it does not follow the line before it' if line else 'it is damaged'}")
            break
        if line["kind"] not in KINDS or line.get("format", 1) != 1:
            sys.exit(f"{path}:{number}: written by a newer version")
        lines.append(line)
        hashes.append(hashlib.sha256(raw).hexdigest())
        start += len(raw)
        mark = mark if mark and mark["genesis"] == hashes[1] else None
    if mark and (mark["line"] > len(lines) or mark["sha256"] != hashes[mark["line"]]):
        sys.exit(f"{path}:{min(mark['line'], len(lines) + 1)}: it is not the line that was acknowledged")
    return lines


def stored(lines: list[Any], line: int, at: Any) -> tuple[str, Any]:
    """Form and X of the value at an address."""
    value = lines[line - 1]["values" if lines[line - 1]["kind"] == "checkpoint" else "writes"][at]
    if "same" in value:
        return stored(lines, **value["same"])
    if "grown" in value:
        form, old = stored(lines, **value["grown"]["from"])
        return form, edited(old, value["grown"]["edit"])
    return next((form, value[form]) for form in ("json", "msgpack", "base64") if form in value)


def edited(old: Any, edit: Any) -> Any:
    """A tree after an edit."""
    if "is" in edit:
        return edit["is"]
    if isinstance(old, str):
        return old[: edit.get("keep", len(old))] + edit.get("add", "")
    if isinstance(old, list):
        kept = old[edit.get("skip", 0) :][: edit.get("keep", len(old))]
        changed = {int(at): edited(kept[int(at)], inner) for at, inner in edit.get("change", {}).items()}
        return [changed.get(at, item) for at, item in enumerate(kept)] + edit.get("add", [])
    kept = {key: value for key, value in old.items() if key not in edit.get("drop", ())}
    return kept | {key: edited(kept[key], inner) for key, inner in edit.get("change", {}).items()} | edit.get("set", {})


def plain(form: str, x: Any) -> Any:
    """A value without the tags of a MessagePack image: an object of a class as its arguments."""
    if form != "msgpack" or not isinstance(x, dict | list):
        return x
    if isinstance(x, list):
        return [plain(form, item) for item in x]
    match x:
        case {"$ext": _, "of": [str(), str(), inner, *_]} | {"$ext": _, "of": inner} | {"$ext": _, "raw": inner}:
            return plain(form, inner)
        case {"$bytes": text} | {"$float": text}:
            return text
        case {"$map": pairs}:
            return {str(plain(form, key)): plain(form, value) for key, value in pairs}
    return {key: plain(form, value) for key, value in x.items()}


def state(lines: list[Any], checkpoint: Any) -> dict[str, Any]:
    """The values of a checkpoint: in its own line, or in the last line that stores that version of the channel."""
    places = {
        (line["ns"], channel, value["version"]): (line["number"], channel, value)
        for line in [*(line for line in lines if line["kind"] == "checkpoint"), checkpoint]
        for channel, value in line["values"].items()
    }
    versions = plain(*stored([{"kind": "writes", "writes": [checkpoint["body"]]}], 1, 0))["channel_versions"]
    found = {channel: places.get((checkpoint["ns"], channel, version)) for channel, version in versions.items()}
    return {ch: plain(*stored(lines, at[0], at[1])) for ch, at in found.items() if at and "empty" not in at[2]}


def main(path: Path) -> None:
    """Print what a ledger holds."""
    lines = read(path)
    checkpoints = {(line["ns"], line["id"]): line for line in lines if line["kind"] == "checkpoint"}
    for (ns, id), line in checkpoints.items():
        print(f"line {line['number']}: checkpoint {id}, parent {line['parent']}, namespace {ns!r}")
    newest = [line for (ns, _), line in checkpoints.items() if ns == ""][-1:]
    if newest and not lines[0]["sealed"] and lines[-1]["kind"] != "tombstone":
        print(json.dumps(state(lines, newest[0]), indent=2))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
