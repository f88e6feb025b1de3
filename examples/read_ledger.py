"""Reads Waypost's ledgers with the standard library alone: docs/ledger-format.md in Python.

    python examples/read_ledger.py .artifacts/agent_runs/RUN_ID/ledger.jsonl

Prints each checkpoint, oldest first, and then the newest state as JSON; exits 1 with file and line on damage.
"""

import hashlib
import json
import re
import sys
import zlib
from pathlib import Path

START = re.compile(rb'\{"number":\d+,"kind":"')
KINDS = ("open", "checkpoint", "writes", "lease", "tombstone")


def unseal(raw):
    """The object in a line that ends with its own checksum; None if a byte of it is damaged."""
    head, _, tail = raw.rpartition(b',"check":"')
    return json.loads(raw) if tail == b'%08x"}\n' % zlib.crc32(head) else None


def read(path):
    """All intact lines. A torn tail, which nobody was told is saved, is left out; damage ends the program."""
    data, lines, hashes, start = path.read_bytes(), [], ["0" * 64], 0
    while start < len(data):
        number, end = len(lines) + 1, data.find(b"\n", start) + 1 or len(data)
        line = unseal(data[start:end])
        if not line or (line["number"], line["prev"]) != (number, hashes[-1]):
            starts = [found.start() for found in START.finditer(data, start + 1)]
            later = [unseal(data[at : data.find(b"\n", at) + 1]) for at in starts]
            if line or any(other and other["acked"] >= number for other in later):
                sys.exit(f"{path}:{number}: {'does not follow the line before it' if line else 'is damaged'}")
            break
        if line["kind"] not in KINDS or line.get("format", 1) != 1:
            sys.exit(f"{path}:{number}: was written by a newer version")
        lines.append(line)
        hashes.append(hashlib.sha256(data[start:end]).hexdigest())
        start = end
    watermark = path.with_name("watermark")
    mark = unseal(watermark.read_bytes()) if watermark.exists() else None
    if mark and hashes[1:2] in ([], [mark["genesis"]]) and hashes[mark["line"] :][:1] != [mark["sha256"]]:
        sys.exit(f"{path}:{min(mark['line'], len(hashes))}: is not the line that was acknowledged")
    return lines


def resolved(lines, value):
    """Form and content of a VALUE, wherever it is stored."""
    if not (origin := value.get("same") or value.get("grown", {}).get("from")):
        return next((form, value[form]) for form in ("json", "msgpack", "base64") if form in value)
    line = lines[origin["line"] - 1]
    form, found = resolved(lines, line["values" if line["kind"] == "checkpoint" else "writes"][origin["at"]])
    return form, edited(found, value["grown"]["edit"]) if "grown" in value else found


def edited(old, edit):
    """A content after an EDIT."""
    if "is" in edit:
        return edit["is"]
    if isinstance(old, dict):
        kept = {key: item for key, item in old.items() if key not in edit.get("drop", ())}
        return kept | {key: edited(kept[key], one) for key, one in edit.get("change", {}).items()} | edit.get("set", {})
    kept = old[edit.get("skip", 0) :][: edit.get("keep", len(old))]
    for at, one in edit.get("change", {}).items():
        kept[int(at)] = edited(kept[int(at)], one)
    return kept + edit.get("add", kept[:0])


def plain(form, x):
    """A content without the tags of MessagePack; an object of a class becomes its arguments."""
    if form != "msgpack" or not isinstance(x, dict | list):
        return x
    match x:
        case {"$ext": _, "of": [str(), str(), inner, *_]} | {"$ext": _, "of": inner} | {"$ext": _, "raw": inner}:
            return plain(form, inner)
        case {"$bytes": text} | {"$float": text}:
            return text
    if isinstance(x, list):
        return [plain(form, item) for item in x]
    return {str(plain(form, key)): plain(form, item) for key, item in x.get("$map", x.items())}


def state(lines, checkpoint):
    """The values of a checkpoint: of its own line, or of the last line that stores that version of the channel."""
    there = [line for line in [*lines, checkpoint] if line["kind"] == "checkpoint" and line["ns"] == checkpoint["ns"]]
    stored = {(ch, value["version"]): value for line in there for ch, value in line["values"].items()}
    versions = plain(*resolved(lines, checkpoint["body"]))["channel_versions"]
    found = {channel: stored.get((channel, version), {"empty": True}) for channel, version in versions.items()}
    return {channel: plain(*resolved(lines, value)) for channel, value in found.items() if "empty" not in value}


if __name__ == "__main__":
    lines = read(Path(sys.argv[1]))
    checkpoints = {(line["ns"], line["id"]): line for line in lines if line["kind"] == "checkpoint"}
    for (ns, id), line in checkpoints.items():
        print(f"line {line['number']}: checkpoint {id}, parent {line['parent']}, namespace {ns!r}")
    newest = [line for (ns, _), line in checkpoints.items() if ns == ""][-1:]
    if newest and not lines[0]["sealed"] and lines[-1]["kind"] != "tombstone":
        print(json.dumps(state(lines, newest[0]), indent=2))
