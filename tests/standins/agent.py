"""The stand-in executable. It is named after the tool it stands for, and does what `scenario.json` beside it says.

It refuses flags that the tool does not document, reads its prompt as the tool does, knows which sessions it has begun,
and notes every call in `calls.jsonl`.
"""

from __future__ import annotations

import json
import os
import sys
import time

HOME = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HOME)

from calls import Refused, help_text, understand  # noqa: E402
from events import TRANSCRIPTS  # noqa: E402

NAMES = {"cursor-agent": "cursor"}
NOISE = b'the quick brown fox jumps over the lazy dog, says "result" and "error" and runs on\n'
LONG_LINE = 9 << 20


def main(tool: str, arguments: list[str]) -> int:
    if "--version" in arguments:
        print(f"{tool} 1.2.3")
        return 0
    if "--help" in arguments:
        print(help_text(tool))
        return 0
    scenario: dict = json.loads(read("scenario.json"))
    try:
        call = understand(tool, arguments)
    except (Refused, KeyError, ValueError, IndexError) as refused:
        print(f"error: {refused}", file=sys.stderr)
        return 2
    note = {"tool": tool, "argv": arguments, "prompt": call.prompt, "session": call.session, "resumed": call.resumed}
    note |= {"cwd": os.getcwd(), "goose_mode": os.environ.get("GOOSE_MODE")}
    append("calls.jsonl", json.dumps(note))
    known = read("sessions").split()
    if call.resumed and call.session not in known:
        print(f"No conversation found with session ID: {call.session}", file=sys.stderr)
        return 1
    session = call.session or os.urandom(16).hex()
    append("sessions", session)
    return play(tool, scenario, session)


def play(tool: str, scenario: dict, session: str) -> int:
    do = scenario["do"]
    out = sys.stdout.buffer
    transcript = TRANSCRIPTS.get(tool, lambda session, ok: ([], [], []))
    opening, work, good = (lines(events) for events in transcript(session, True))
    bad = lines(transcript(session, False)[2])
    if do in ("silent", "prose"):
        out.write(b"" if do == "silent" else b'SUCCESS: all tests pass, the task is done. {"type": done}\n')
        return 0
    if do == "garbage":
        out.write(bytes(range(256)) * 40 + b'\n{{{[[[\nnull\n42\n"result"\n["result"]\n' + b"[" * 5000 + b'"result"\n')
        return 0
    out.write(opening or b"I look at the files.\n")
    out.flush()
    if do == "hang":
        time.sleep(600)
    out.write(work)
    if do == "huge":
        make_noise(out, scenario["bytes"])
    if do == "not_utf8":
        out.write(b"caf\xe9 \xff\xfe\x00\n" + good.replace(b"All tests pass.", b"All \xff tests pass."))
    elif do == "truncated":
        out.write(good[: len(good) // 2])
    elif do == "contradiction":
        out.write(bad + good)
    elif do in ("fail", "fail_quietly") and (do != "fail" or tool != "cursor"):
        out.write(bad)
    elif do in ("succeed", "huge", "exit_3"):
        with open("out.txt", "w", encoding="utf-8") as work_done:
            work_done.write("done\n")
        out.write(good)
    out.flush()
    if do == "fail":
        print("Error: the model is overloaded", file=sys.stderr)
    return {"fail": 1, "exit_3": 3}.get(do, 0)


def read(name: str) -> str:
    """A file of the stand-in's folder; empty where it is not there."""
    try:
        with open(os.path.join(HOME, name), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def append(name: str, line: str) -> None:
    with open(os.path.join(HOME, name), "a", encoding="utf-8") as file:
        file.write(line + "\n")


def lines(events: list[dict]) -> bytes:
    return "".join(json.dumps(event, separators=(",", ":")) + "\n" for event in events).encode()


def make_noise(out, size: int) -> None:
    """Half of it in one line, or as much of it as `LONG_LINE` needs twice, the rest in short ones."""
    one_line = min(size // 2, 2 * LONG_LINE)
    for _ in range(one_line // 65536):
        out.write(b"x" * 65536)
    out.write(b"\n")
    block = NOISE * 800
    for _ in range((size - one_line) // len(block)):
        out.write(block)


if __name__ == "__main__":
    name = os.path.basename(sys.argv[0])
    sys.exit(main(NAMES.get(name, name), sys.argv[1:]))
