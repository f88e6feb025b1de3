"""Reads Waypost's ledgers with the standard library alone: docs/ledger-format.md in sixty lines of Python.

    python examples/read_ledger.py .artifacts/agent_runs/RUN_ID/ledger.jsonl

Prints each checkpoint, oldest first, and then the newest state, each value under the form it is stored in; exits 1
with file and line on damage.
"""

import hashlib
import json
import re
import sys
import zlib
from pathlib import Path


def unseal(raw):
    """The object in a line that ends with its own checksum; None if a byte of it is damaged."""
    head, _, tail = raw.rpartition(b',"check":"')
    return json.loads(raw) if tail == b'%08x"}\n' % zlib.crc32(head) else None


def read(path):
    """All intact lines. A torn tail, which nobody was told is saved, is left out; damage ends the program."""
    data, lines, hashes = path.read_bytes(), [], ["0" * 64]
    for raw in re.finditer(rb"[^\n]*\n|[^\n]+", data):
        number, line = len(lines) + 1, unseal(raw[0])
        if not line or (line["number"], line["prev"]) != (number, hashes[-1]):
            later = re.findall(rb'(?=(\{"number":\d+,"kind":"[^\n]*\n))', data[raw.start() + 1 :])
            if line or any(other and other["acked"] >= number for other in map(unseal, later)):
                sys.exit(f"{path}:{number}: {'does not follow the line before it' if line else 'is damaged'}")
            break
        if line["kind"] not in ("open", "checkpoint", "writes", "lease", "tombstone") or line.get("format", 1) != 1:
            sys.exit(f"{path}:{number}: was written by a newer version")
        lines.append(line)
        hashes.append(hashlib.sha256(raw[0]).hexdigest())
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


def state(lines, checkpoint):
    """Each channel as {form: content}: of the checkpoint's own line, or of the last that stores that version of it."""
    there = [line for line in [*lines, checkpoint] if line["kind"] == "checkpoint" and line["ns"] == checkpoint["ns"]]
    stored = {(ch, value["version"]): value for line in there for ch, value in line["values"].items()}
    versions = resolved(lines, checkpoint["body"])[1]["channel_versions"]
    found = {channel: stored.get((channel, v)) for channel, v in dict(versions.get("$map", versions)).items()}
    return {
        channel: dict([resolved(lines, value)]) for channel, value in found.items() if value and "empty" not in value
    }


if __name__ == "__main__":
    lines = read(Path(sys.argv[1]))
    checkpoints = {(line["ns"], line["id"]): line for line in lines if line["kind"] == "checkpoint"}
    for (ns, id), line in checkpoints.items():
        print(f"line {line['number']}: checkpoint {id}, parent {line['parent']}, namespace {ns!r}")
    newest = [line for (ns, _), line in checkpoints.items() if ns == ""][-1:]
    if newest and not lines[0]["sealed"] and lines[-1]["kind"] != "tombstone":
        print(json.dumps(state(lines, newest[0]), indent=2))
