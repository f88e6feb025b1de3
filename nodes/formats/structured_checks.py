"""Checks in YAML and JSON cards: `{run: ..., output: ...}`, `{file: a.json, schema: b.json}`, or all fields by name.

The short form names the kind by the key that holds its subject.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..checks.kinds import BUILTIN
from .raw import Proof, RawCommand, Words
from .source import SourceFile
from .structured_fields import Fields, words_of
from .tree import Mapping, Node, Scalar, Sequence, kind_of

_COMMAND = ("ref", "run", "equivalents", "proves", "timeout_s", "output", "exit_code")
_LONG = ("ref", "kind", "subject", "args", "proves", "timeout_s")
_GENERAL = ("ref", "proves", "timeout_s", "line")
_PLAIN = frozenset({"text", "number"})


def read_command(file: SourceFile, node: Node) -> RawCommand:
    """A command with its fields, or a check of another kind."""
    if not isinstance(node, Mapping) or "kind" in node.entries or _kind_key(node) is not None:
        return read_probe(file, node)
    fields = Fields(file, node, _COMMAND, "command")
    return RawCommand(
        run=fields.required("run"),
        ref=fields.words("ref"),
        equivalents=fields.texts("equivalents"),
        proves=fields.texts("proves"),
        timeout_s=fields.seconds("timeout_s"),
        args=tuple(_arguments(file, node, ("output", "exit_code"))),
    )


def read_probe(file: SourceFile, node: Node) -> RawCommand:
    """A check of a kind, in the long or the short form."""
    if not isinstance(node, Mapping):
        raise file.error(node.line, f"a check is expected, found {kind_of(node)}")
    if "kind" in node.entries:
        fields = Fields(file, node, _LONG, "check")
        args = node.entries.get("args")
        if args is not None and not isinstance(args, Mapping):
            raise file.error(args.line, f'"args" has to be a mapping, found {kind_of(args)}')
        named = tuple(_arguments(file, args, tuple(args.entries))) if args else ()
        return _probe(fields, fields.required("kind"), fields.texts("subject"), named, node.line)
    kind = _kind_key(node)
    if kind is None:
        raise file.error(node.line, "this check has no kind", expected="run: COMMAND, or file: PATH, or kind: NAME")
    fields = Fields(file, node, tuple(node.entries), "check")
    others = tuple(key for key in node.entries if key not in (*_GENERAL, kind))
    named = tuple(_arguments(file, node, others))
    return _probe(fields, Words(kind, fields.line(kind)), fields.texts(kind), named, node.line)


def read_proof(file: SourceFile, node: Node) -> Proof:
    """The check of a criterion, which belongs to nobody else."""
    found = read_command(file, node)
    if found.ref or found.equivalents or found.proves or found.timeout_s:
        raise file.error(
            node.line,
            "a check below a criterion has only what its kind takes",
            next_step="put it into `verification` with a `ref`, and name that here",
        )
    args = tuple((name, words.text) for name, words in found.args)
    if found.kind is None:
        return Proof(found.run.text, found.run.line, is_command=True, args=args)
    more = tuple(words.text for words in found.more)
    if not found.run.text:
        return Proof(found.kind.text, found.run.line, is_command=False)
    return Proof(found.run.text, found.run.line, is_command=False, kind=found.kind.text, more=more, args=args)


def _kind_key(node: Mapping) -> str | None:
    """The key that names a kind: that of a kind we know, or the first one where no command can begin so."""
    known = next((key for key in node.entries if key in BUILTIN), None)
    first = next((key for key in node.entries if key not in _GENERAL), None)
    return known or (None if first in _COMMAND else first)


def _probe(
    fields: Fields, kind: Words, subject: tuple[Words, ...], args: tuple[tuple[str, Words], ...], line: int
) -> RawCommand:
    return RawCommand(
        run=subject[0] if subject else Words("", line),
        ref=fields.words("ref"),
        proves=fields.texts("proves"),
        timeout_s=fields.seconds("timeout_s"),
        kind=kind,
        more=subject[1:],
        args=args,
    )


def _arguments(file: SourceFile, node: Mapping, names: tuple[str, ...]) -> Iterator[tuple[str, Words]]:
    for name in names:
        value = node.entries.get(name)
        if value is None or (isinstance(value, Scalar) and value.kind == "null"):
            continue
        if isinstance(value, Sequence) or not (isinstance(value, Scalar) and value.kind in _PLAIN):
            words_of(file, value, f'field "{name}"')
        assert isinstance(value, Scalar)
        yield name, Words(value.text, value.line)
