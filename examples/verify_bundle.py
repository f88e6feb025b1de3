"""Checks a bundle of Waypost with the standard library alone: `waypost audit` for somebody who installs nothing.

    python verify_bundle.py RUN.tar.gz [--key waypost.pub]

Written from docs/evidence.md and docs/ledger-format.md. Exit code 0: the run is DONE, and every file, every line of the
ledger, every criterion and (with --key) the signature bears that out. Exit code 1: it says what does not.
"""

from __future__ import annotations

import argparse
import ast
import base64
import hashlib
import json
import os
import re
import sys
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEADER = bytes([0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 2, 255, 36, 0, *b"WP", 32, 0])
PAYLOAD_TYPE, MOST_BYTES = "application/vnd.in-toto+json", 4 << 30


class Wrong(Exception):
    """The bundle does not prove what it claims."""


def need(true: object, what: str) -> None:
    """Raise `Wrong` unless it is true."""
    if not true:
        raise Wrong(what)


def sha256(data: bytes) -> str:
    """Hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def unpack(packed: bytes) -> tuple[str, dict[str, bytes]]:
    """The run id and the files of a bundle, path -> content."""
    need(packed.startswith(HEADER + hashlib.sha256(packed[48:]).digest()), "it is no bundle, or its bytes were changed")
    data = (inflate := zlib.decompressobj(31)).decompress(packed, MOST_BYTES)
    need(inflate.eof and not inflate.unused_data, "it is cut, too large, or continued behind its end")
    files, run, at = dict[str, bytes](), "", 0
    while data[at : at + 512] != b"\0" * 512:
        info = tarfile.TarInfo.frombuf(data[at : at + 512], "utf-8", "strict")
        folder, _, path = info.name.partition("/")
        run = run or folder
        odd = {"", ".", ".."} & {*path.split("/")} or folder != run or path in files
        need(not odd, f"{info.name!r} does not belong there")
        files[path] = data[at + 512 : at + 512 + info.size]
        at += 512 + info.size + -info.size % 512
    need(data == b"".join(archive(run, files)), "the archive is not written as Waypost writes it")
    return run, files


def archive(run: str, files: dict[str, bytes]) -> Iterator[bytes]:
    """What a bundle of these files is made of."""
    for path in sorted(files):
        info = tarfile.TarInfo(f"{run}/{path}")
        info.size, info.mode = len(files[path]), 0o600
        yield info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
        yield files[path] + b"\0" * (-len(files[path]) % 512)
    yield b"\0" * 1024


def canonical(data: bytes, name: str) -> Any:
    """The JSON in a file that is written as Waypost writes it."""
    found = json.loads(data)
    need((json.dumps(found, indent=2, ensure_ascii=False) + "\n").encode() == data, f"{name} is written oddly")
    return found


def read_ledger(data: bytes) -> list[Any]:
    """All lines; each ends with its own checksum and names the hash of the line before it."""
    lines, before = list[Any](), "0" * 64
    for number, raw in enumerate(data.splitlines(keepends=True), 1):
        head, _, tail = raw.rpartition(b',"check":"')
        need(tail == b'%08x"}\n' % zlib.crc32(head), f"ledger.jsonl:{number}: it is damaged")
        line = json.loads(raw)
        need((line["number"], line["prev"]) == (number, before), f"ledger.jsonl:{number}: it does not follow")
        lines.append(line)
        before = sha256(raw)
    need(lines, "the ledger is empty")
    return lines


def stored(lines: list[Any], line: int, at: Any) -> tuple[str, Any]:
    """Form and content of the value at an address."""
    value = lines[line - 1]["values" if lines[line - 1]["kind"] == "checkpoint" else "writes"][at]
    if not (origin := value.get("same") or value.get("grown", {}).get("from")):
        return next((form, value[form]) for form in ("json", "msgpack", "base64") if form in value)
    form, old = stored(lines, **origin)
    return form, edited(old, value["grown"]["edit"]) if "grown" in value else old


def edited(old: Any, edit: Any) -> Any:
    """A tree after an edit."""
    if "is" in edit:
        return edit["is"]
    if isinstance(old, str | list):
        kept: Any = old[edit.get("skip", 0) :][: edit.get("keep", len(old))]
        for at, inner in edit.get("change", {}).items():
            kept[int(at)] = edited(kept[int(at)], inner)
        return kept + edit.get("add", kept[:0])
    rest = {key: value for key, value in old.items() if key not in edit.get("drop", ())}
    return rest | {key: edited(rest[key], inner) for key, inner in edit.get("change", {}).items()} | edit.get("set", {})


def plain(form: str, x: Any) -> Any:
    """A value without the tags of a MessagePack image: an object of a class as its arguments."""
    if form != "msgpack" or not isinstance(x, dict | list):
        return x
    if isinstance(x, list):
        return [plain(form, item) for item in x]
    match x:
        case {"$ext": _, "of": [str(), str(), inner, *_]} | {"$ext": _, "of": inner}:
            return plain(form, inner)
        case {"$bytes": text} | {"$float": text}:
            return text
    return {str(plain(form, key)): plain(form, value) for key, value in x.get("$map", x.items())}


def newest_state(lines: list[Any]) -> dict[str, Any]:
    """The values of the newest checkpoint of the run; in "all checks" those of before the work come first."""
    checkpoints = [line for line in lines if (line["kind"], line.get("ns")) == ("checkpoint", "")]
    need(checkpoints, "the ledger holds no checkpoint")
    values = [(line["number"], *pair) for line in checkpoints for pair in line["values"].items()]
    places = {(channel, value["version"]): (line, channel, value) for line, channel, value in values}
    body = plain(*stored([{"kind": "writes", "writes": [checkpoints[-1]["body"]]}], 1, 0))
    found = {channel: places.get((channel, version)) for channel, version in body["channel_versions"].items()}
    state = {ch: plain(*stored(lines, at[0], at[1])) for ch, at in found.items() if at and "empty" not in at[2]}
    return state | {"all checks": [*(state.get("before") or {"checks": []})["checks"], *state["checks"]]}


def check_records(state: dict[str, Any], files: dict[str, bytes]) -> int:
    """Every recorded hash, and every criterion; returns how many criteria are proved."""
    need(state["status"] == "DONE", f"the run is {state['status']}, not DONE")
    logs = [(check, kind) for check in state["all checks"] for kind in ("log", "tests") if check.get(kind)]
    recorded = [(check[kind], check[f"{kind}_sha256"]) for check, kind in logs]
    kept = [file for check in state["all checks"] for file in check.get("kept", ())]
    recorded += [(file["path"], file["sha256"]) for file in [*kept, *state["evidence"]]]
    for attempt in state["attempts"]:
        recorded += [(f"{attempt['folder']}/{name}.log", attempt[f"{name}_sha256"]) for name in ("stdout", "stderr")]
    for path, wanted in recorded:
        need(wanted is None or sha256(files.get(path, b"\0missing")) == wanted, f"{path} is not what was recorded")
    final = [one for one in state["checks"] if one["round"] == max(check["round"] for check in state["checks"])]
    for check in final:
        if check["kind"] == "command" and check["outcome"] == "PASSED":
            contract = next((step for step in state["task"]["steps"] if step["id"] == check["step"]), state["task"])
            said = next(one for one in contract["verification"] if one["ref"] == check["ref"])
            text = files[check["log"]].decode("utf-8", "replace") if said.get("output") else ""
            held = re.search(said.get("output") or "", text, re.MULTILINE)
            fits = held and check["exit_code"] == said.get("exit_code", 0)
            need(fits, f"check {check['id']} is PASSED with exit code {check['exit_code']}, or without its output")
        replaced = any(c["stands_for"] == check["run"] and c["outcome"] == "PASSED" for c in final)
        good = check["outcome"] == "PASSED" or (check["kind"] == "baseline" and replaced)
        need(good, f"check {check['id']} of the last round is {check['outcome']}")
    contracts = [(None, state["task"]), *((step["id"], step) for step in state["task"]["steps"])]
    criteria = [(name, one["id"], task["red_before"]) for name, task in contracts for one in task["criteria"]]
    red = {(c["step"], c["ref"]) for c in state["all checks"] if (c["round"], c["outcome"]) == (0, "FAILED")}
    mapping = {(row["step"], row["criterion"]): row["checks"] for row in state["plan"]["coverage"]}
    for step, criterion, demanded in criteria:
        refs, name = mapping.get((step, criterion), []), f"criterion {criterion} of {step or 'the task'}"
        need(criterion not in demanded or red & {(step, ref) for ref in refs}, f"{name} did not fail before the work")
        proved = refs and {*refs} <= {c["ref"] for c in final if c["step"] == step and c["outcome"] == "PASSED"}
        need(proved, f"{name} is not proved by {refs or 'any check'}")
    need(criteria, "the task has no criteria")
    for step in state["task"]["steps"]:
        ended = [(one["outcome"], one["exit_code"]) for one in state["attempts"] if one["step"] == step["id"]]
        need(ended[-1:] == [("finished", 0)], f"step {step['id']} has no successful attempt")
    return len(criteria)


def check_log(data: bytes, state: dict[str, Any]) -> int:
    """verification.log, frame by frame: each entry is a recorded check with its output. Returns how many there are."""
    entries = [check for check in state["all checks"] if check["argv"] or check["log"]]
    at = data.find(b"\n=== COMMAND ENTRY 1 START ===\n")
    for number, check in enumerate(entries, 1):
        need(data.startswith(b"\n=== COMMAND ENTRY %d START ===\n" % number, at), f"verification.log: no {number}")
        if check["log"]:
            mark = data.index(b"\n--- output ---\n", at) + len(b"\n--- output ---\n")
            size = int(data[data.rindex(b"\nOutput: ", at, mark) + 9 : mark].split()[0])
            need(sha256(data[mark : mark + size]) == check["log_sha256"], f"verification.log: output {number} differs")
            at = data.index(b"--- end of output ---\n", mark + size)
            need(at - mark - size <= 1, f"verification.log: output {number} is longer than it says")
        code = b"Exit Code: %d\n" % check["exit_code"] if check["exit_code"] is not None else b"Exit Code: none"
        end = b"\n=== COMMAND ENTRY %d END ===\n" % number
        frame = data[at : data.index(end, at)]
        need(code in frame and f"Result: {check['outcome']}".encode() in frame, f"verification.log: entry {number}")
        at += len(frame) + len(end)
    need(data.startswith(b"\n=== COVERAGE MAPPING START ===\n", at), "verification.log: no coverage mapping")
    return len(entries)


def check_tree(state: dict[str, Any], files: dict[str, bytes], statement: Any) -> str:
    """The recorded change is whole, and holds the files that the scope check lists; what is to be said of it."""
    tree, isolated, last = state["tree"], state["isolated"], max(check["round"] for check in state["checks"])
    need(tree and tree["round"] == last, "the verified files are not those of the last round")
    need(tree["base"] == (isolated["base"] if isolated else state["baseline"]["commit"]), "the change has another base")
    about = {"name": "verified tree", "digest": {"gitTree": tree["tree"]}}
    need(about in statement["subject"], "the attestation is about other files")
    if not tree["patch"]:
        return f"{tree['tree']}; the change was not kept: {tree['why_no_patch']}"
    need(sha256(files.get(tree["patch"], b"\0missing")) == tree["patch_sha256"], "the change is not what was recorded")
    log = next(c["log"] for c in state["checks"] if (c["kind"], c["round"], c["step"]) == ("scope", last, None))
    listed = {json.loads(line)["path"] for line in files[log].splitlines()}
    # A line of a content begins with another character, and one of binary content holds no space.
    heads = [line[11:].decode("latin-1") for line in files[tree["patch"]].split(b"\n") if line[:11] == b"diff --git "]
    names = [head[len(head) // 2 + 1 :] for head in heads]
    sides = [(ast.literal_eval(name) if name.startswith('"') else name).encode("latin-1") for name in names]
    paths = {os.path.relpath(os.fsdecode(side[2:]), tree["folder"]) for side in sides}
    other = {*tree["omitted"], *(state["baseline"]["dirty"] if not isolated else ())}
    same = paths - other <= listed <= paths | other
    need(same or any("***" in path for path in listed), "the scope check lists other files than the change")
    return f"{tree['tree']}, {len(paths)} files differ from the commit"


def check_attestation(files: dict[str, bytes], folder: str, manifest: Any) -> bytes:
    """The statement names every report and the ledger line as they are here; returns its bytes."""
    raw = files[f"{folder}/attestation.json"]
    statement = canonical(raw, "attestation.json")
    need(statement["_type"] == "https://in-toto.io/Statement/v1", "attestation.json is no in-toto statement")
    need(statement["predicate"]["result"] == "PASSED", "the attestation does not say PASSED")
    named = {subject["name"]: subject["digest"].get("sha256") for subject in statement["subject"]}
    ledger = named.get(f"ledger.jsonl line {manifest['ledger']['line']}")
    need(ledger == manifest["ledger"]["sha256"], "the attestation names another ledger line")
    for name in ("manifest.json", "report.md", "verification.log", "audit-summary.md"):
        need(named.get(name) == sha256(files[f"{folder}/{name}"]), f"the attestation does not cover {name}")
    return raw


P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]


def add(a: Point, b: Point) -> Point:
    """The sum of two points of the curve."""
    both = D * a[0] * b[0] * a[1] * b[1] % P
    x, y = a[0] * b[1] + a[1] * b[0], a[1] * b[1] + a[0] * b[0]
    return x * pow(1 + both, -1, P) % P, y * pow(1 - both, -1, P) % P


def times(scalar: int, point: Point) -> Point:
    """A multiple of a point."""
    total: Point = (0, 1)
    while scalar:
        total = add(total, point) if scalar & 1 else total
        point, scalar = add(point, point), scalar >> 1
    return total


def decompress(data: bytes) -> Point:
    """The point in 32 bytes."""
    sign, y = divmod(int.from_bytes(data, "little"), 1 << 255)
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    need(y < P and (x * x - x2) % P == 0 and (x or not sign), "the key or the signature is no point of the curve")
    return P - x if x & 1 != sign else x, y


BASE = decompress((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an ed25519 signature is right: RFC 8032, section 5.1; slow, and good enough for one."""
    if len(signature) != 64 or (s := int.from_bytes(signature[32:], "little")) >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    return times(s, BASE) == add(decompress(signature[:32]), times(k, decompress(public)))


def check_signature(envelope: bytes, payload: bytes, key: bytes | None) -> str:
    """The envelope around the statement; the name of its signer."""
    found = canonical(envelope, "attestation.dsse.json")
    same = base64.b64decode(found["payload"]) == payload and found["payloadType"] == PAYLOAD_TYPE
    need(same, "the envelope holds another statement, or one of another type")
    message = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
    for one in found["signatures"] if key else ():
        if one["keyid"] == sha256(key) and is_signed(key, message, base64.b64decode(one["sig"])):
            return f"right, by key {one['keyid'][:16]}"
    need(key is None, "it is not signed with the key that was given")
    return "not checked: no --key was given"


def read_key(path: Path) -> bytes:
    """The 32 bytes of a public key in a PEM file: the end of its DER form."""
    der = base64.b64decode("".join(line for line in path.read_text().splitlines() if not line.startswith("-")))
    need(der.startswith(bytes.fromhex("302a300506032b6570032100")) and len(der) == 44, f"{path} is no ed25519 key")
    return der[-32:]


def verify(bundle: bytes, key: bytes | None) -> Iterator[str]:
    """What was found to be right, one line each. Raises `Wrong`, or any error of bytes that are no bundle."""
    run, files = unpack(bundle)
    manifests = [path for path in files if path.startswith("reports/") and path.endswith("/manifest.json")]
    need(len(manifests) == 1, f"it holds {len(manifests)} manifests")
    folder = manifests[0].rpartition("/")[0]
    manifest = canonical(files[manifests[0]], "manifest.json")
    listed = {file["path"]: file["sha256"] for file in manifest["files"]}
    for path, wanted in listed.items():
        need(sha256(files.get(path, b"\0missing")) == wanted, f"{path} is not what the manifest lists")
    closing = (f"{folder}/{name}" for name in ("manifest.json", "attestation.json", "attestation.dsse.json"))
    others = sorted({*files} - {*listed, *closing, "ledger.jsonl"})
    need(not others, f"not in the manifest: {', '.join(others)}")
    yield f"files        {len(listed)}, each as the manifest lists it"
    lines = read_ledger(files["ledger.jsonl"])
    end = {"line": len(lines), "sha256": sha256(files["ledger.jsonl"].splitlines(keepends=True)[-1])}
    need(manifest["ledger"] == end, "the ledger does not end where it should")
    state = newest_state(lines)
    yield f"ledger       {len(lines)} lines, chained"
    need(manifest["run"] == run == state["run_id"] == lines[0]["thread"], "run ids differ")
    yield f"criteria     {check_records(state, files)} proved by checks of the last round"
    if kinds := {check["probe"] for check in state["checks"] if check.get("probe")}:
        yield f"not redone   what checks of the kind {', '.join(sorted(kinds))} have kept: waypost audit judges it"
    yield f"log          {check_log(files[f'{folder}/verification.log'], state)} entries, as recorded"
    payload = check_attestation(files, folder, manifest)
    yield f"tree         {check_tree(state, files, json.loads(payload))}"
    yield "attestation  covers the reports, the manifest and the ledger"
    signed = files.get(f"{folder}/attestation.dsse.json")
    need(signed or key is None, "a key was given, and the attestation is not signed")
    yield f"signature    {check_signature(signed, payload, key) if signed else 'there is none'}"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Check a bundle of Waypost.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--key", type=Path, help="public key (PEM) of the signer")
    given = parser.parse_args()
    try:
        for line in verify(given.bundle.read_bytes(), read_key(given.key) if given.key else None):
            print(line)
    except (Wrong, ValueError, LookupError, TypeError, OSError, zlib.error, tarfile.TarError) as why:
        print(f"NOT VERIFIED {given.bundle}: {why}")
        return 1
    print(f"VERIFIED     {given.bundle}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
