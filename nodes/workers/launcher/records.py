"""The files between Waypost and its launcher: what to start, and what has become of it.

`launch` is a list of fields, each ended by a NUL, which no argument or variable can hold: reading it needs no parser.
What the launcher writes is JSON, for everybody.
"""

from __future__ import annotations

import os

_LISTS = ("argv", "allow", "secret", "env")
LAUNCH = "launch"


class Launch:
    """What to start, and within which limits."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self.argv, self.allow, self.secret = fields["argv"], fields["allow"], fields["secret"]
        pairs = [entry.partition("=") for entry in fields["env"]]
        self.env = {name: value for name, _, value in pairs}
        (self.cwd,), (self.stdin,) = fields["cwd"], fields["stdin"]
        self.timeout_s = float(fields["timeout_s"][0])
        self.output_limit_bytes = int(fields["output_limit_bytes"][0])


def launch_bytes(fields: dict[str, list[str]]) -> bytes:
    """The file for some fields. Raises ValueError where one holds a NUL, which no program could be given."""
    entries = [f"{name}={value}" for name, values in fields.items() for value in values]
    if any("\0" in entry for entry in entries):
        raise ValueError("an argument or variable of the worker holds a NUL character")
    return "".join(entry + "\0" for entry in entries).encode("utf-8", "surrogateescape")


def read_launch() -> Launch:
    """What to start, from the current folder. Raises OSError, KeyError or ValueError where it cannot be read."""
    with open(LAUNCH, "rb", buffering=0) as file:
        entries = file.readall().decode("utf-8", "surrogateescape").split("\0")[:-1]
    fields: dict[str, list[str]] = {name: [] for name in _LISTS}
    for entry in entries:
        name, _, value = entry.partition("=")
        fields.setdefault(name, []).append(value)
    return Launch(fields)


def write_record(name: str, values: dict[str, object], *, sync: bool) -> None:
    """Replace a JSON file of the current folder in one step; with `sync` it survives a power loss."""
    temporary = f".{name}.tmp"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    members = ", ".join(f"{_text(key)}: {_json(value)}" for key, value in values.items())
    os.write(fd, f"{{{members}}}\n".encode())
    if sync:
        os.fsync(fd)
    os.close(fd)
    os.replace(temporary, name)
    if sync:
        folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        os.fsync(folder)
        os.close(folder)


def load() -> None:
    """Have loaded what is loaded at first use: a process that forks others spares it each of them."""
    for text in (_text("\N{BULLET}"), "\udcff"):
        text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def _json(value: object) -> str:
    if value is None:
        return "null"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(value: str) -> str:
    # Everything outside printable ASCII as \\uXXXX, by way of UTF-16, as JSON wants it.
    units = value.encode("utf-16-be", "surrogatepass")
    codes = [units[i] << 8 | units[i + 1] for i in range(0, len(units), 2)]
    return '"' + "".join(chr(c) if 32 <= c < 127 and c not in (34, 92) else f"\\u{c:04x}" for c in codes) + '"'
