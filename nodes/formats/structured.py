"""Tasks as YAML or JSON: the fields of the model by their own names, each with its line."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from ...state.budget import Allowance
from ...state.task import Action, ActionKind
from .json_tree import json_tree
from .raw import Proof, RawCommand, RawContract, RawCriterion, RawOutput, Words
from .source import SourceFile
from .tree import Mapping, Node, Scalar, Sequence, kind_of
from .yaml_tree import yaml_tree

_T = TypeVar("_T")
_CONTRACT = ("id", "title", "goal", "actions", "criteria", "outputs", "verification", "depends_on", "allowed_paths")
_DEMANDS = ("red_before", "protected_paths", "changed_tests")
_STEP = (*_CONTRACT, "limits", "approval", *_DEMANDS)
_TASK = (*_STEP, "steps")
# Waypost writes these when it prints a task, and finds them out itself when it reads one.
_DERIVED = frozenset({"line", "source"})


def read_yaml(file: SourceFile) -> list[RawContract]:
    """What a YAML file says: one task, or `tasks:` with several.

    Raises:
        TaskFileError: it is no YAML, a field is unknown, or a value is of the wrong kind.
    """
    return _tasks(file, yaml_tree(file))


def read_json(file: SourceFile) -> list[RawContract]:
    """What a JSON file says; as `read_yaml`.

    Raises:
        TaskFileError: it is no JSON, a field is unknown, or a value is of the wrong kind.
    """
    return _tasks(file, json_tree(file))


def _tasks(file: SourceFile, top: Node | None) -> list[RawContract]:
    if not isinstance(top, Mapping):
        raise file.error(
            top.line if top else None,
            f"a task is expected, found {kind_of(top) if top else 'nothing'}",
            expected="a mapping with the fields of a task, or with `tasks:` and a list of them",
        )
    if "tasks" not in top.entries:
        return [_contract(file, top, _TASK, "task")]
    fields = _Fields(file, top, ("tasks",), "file with `tasks:`")
    tasks = fields.each("tasks", lambda node: _contract(file, node, _TASK, "task"))
    if not tasks:
        raise file.error(fields.line("tasks"), "`tasks` holds no task")
    return tasks


def _contract(file: SourceFile, node: Node, known: tuple[str, ...], kind: str) -> RawContract:
    fields = _Fields(file, node, known, kind)
    return RawContract(
        id=fields.required("id"),
        title=fields.required("title"),
        line=node.line,
        goal=fields.words("goal"),
        actions=tuple(fields.each("actions", lambda item: _action(file, item))),
        criteria=tuple(fields.each("criteria", lambda item: _criterion(file, item))),
        outputs=tuple(fields.each("outputs", lambda item: _output(file, item))),
        verification=tuple(fields.each("verification", lambda item: _command(file, item))),
        depends_on=fields.texts("depends_on"),
        allowed_paths=fields.texts("allowed_paths"),
        limits=fields.record("limits", lambda item: _limits(file, item)),
        approval=fields.texts("approval"),
        red_before=fields.texts("red_before"),
        protected_paths=fields.texts("protected_paths"),
        changed_tests=fields.texts("changed_tests"),
        steps=tuple(fields.each("steps", lambda item: _contract(file, item, _STEP, "step"))) if kind == "task" else (),
    )


def _action(file: SourceFile, node: Node) -> Action:
    if isinstance(node, Scalar):
        words, kind = _words(file, node, "an action"), ActionKind.PROSE
    else:
        fields = _Fields(file, node, ("kind", "text"), "action")
        words, kind = fields.required("text"), _action_kind(file, fields.required("kind"))
    text = words.text.rstrip("\n")
    if not text.strip():
        raise file.error(words.line, "this action is empty")
    return Action(kind=kind, text=text, line=node.line)


def _action_kind(file: SourceFile, words: Words) -> ActionKind:
    if words.text not in tuple(ActionKind):
        raise file.error(words.line, f'unknown kind of action "{words.text}"', known=", ".join(ActionKind))
    return ActionKind(words.text)


def _criterion(file: SourceFile, node: Node) -> RawCriterion:
    if isinstance(node, Scalar):
        return RawCriterion(_words(file, node, "a criterion"))
    fields = _Fields(file, node, ("id", "text", "verified_by"), "criterion")
    proofs = tuple(fields.each("verified_by", lambda item: _proof(file, item), lone=True))
    return RawCriterion(fields.required("text"), fields.words("id"), proofs)


def _proof(file: SourceFile, node: Node) -> Proof:
    if isinstance(node, Scalar):
        return Proof(_words(file, node, "the id of a check").text, node.line, is_command=False)
    run = _Fields(file, node, ("run",), "check").required("run")
    return Proof(run.text, run.line, is_command=True)


def _output(file: SourceFile, node: Node) -> RawOutput:
    if isinstance(node, Scalar):
        return RawOutput(_words(file, node, "an output"))
    fields = _Fields(file, node, ("ref", "path"), "output")
    return RawOutput(fields.required("path"), fields.words("ref"))


def _command(file: SourceFile, node: Node) -> RawCommand:
    if isinstance(node, Scalar):
        return RawCommand(_words(file, node, "a command"))
    fields = _Fields(file, node, ("ref", "run", "equivalents", "proves", "timeout_s"), "command")
    return RawCommand(
        run=fields.required("run"),
        ref=fields.words("ref"),
        equivalents=fields.texts("equivalents"),
        proves=fields.texts("proves"),
        timeout_s=fields.seconds("timeout_s"),
    )


def _limits(file: SourceFile, node: Node) -> Allowance | None:
    fields = _Fields(file, node, tuple(Allowance.model_fields), "limits")
    values = {
        "time_s": fields.seconds("time_s"),
        "turns": fields.count("turns"),
        "cost_usd": fields.number("cost_usd", "US dollars"),
        "attempts": fields.count("attempts"),
    }
    given = {name: value for name, value in values.items() if value is not None}
    return Allowance.model_validate(given) if given else None


def _words(file: SourceFile, node: Node, what: str) -> Words:
    if not isinstance(node, Scalar) or node.kind != "text":
        hint = "put it in quotes" if isinstance(node, Scalar) and node.kind != "null" else ""
        raise file.error(node.line, f"{what} has to be text, found {kind_of(node)}", next_step=hint)
    return Words(node.text, node.line)


class _Fields:
    """The fields of one mapping; refuses those that are not known."""

    def __init__(self, file: SourceFile, node: Node, known: tuple[str, ...], kind: str) -> None:
        if not isinstance(node, Mapping):
            raise file.error(node.line, f"a {kind} is expected, found {kind_of(node)}", known=", ".join(known))
        for name, line in node.lines.items():
            if name not in known and name not in _DERIVED:
                raise file.error(line, f'unknown field "{name[:60]}" of a {kind}', known=", ".join(known))
        self._file = file
        self._node = node
        self._kind = kind

    def line(self, name: str) -> int:
        return self._node.lines.get(name, self._node.line)

    def words(self, name: str) -> Words | None:
        node = self._node.entries.get(name)
        return _words(self._file, node, f'field "{name}"') if node else None

    def required(self, name: str) -> Words:
        words = self.words(name)
        if words is None:
            raise self._file.error(self._node.line, f'this {self._kind} has no field "{name}"')
        if not words.text.strip():
            raise self._file.error(words.line, f'field "{name}" is empty')
        return words

    def each(self, name: str, read: Callable[[Node], _T], *, lone: bool = False) -> list[_T]:
        """The items of a list field, each read by `read`; `lone`: a single item may stand without a list."""
        node = self._node.entries.get(name)
        if node is None:
            return []
        if isinstance(node, Sequence):
            return [read(item) for item in node.items]
        if lone and not (isinstance(node, Scalar) and node.kind == "null"):
            return [read(node)]
        raise self._file.error(node.line, f'field "{name}" has to be a list, found {kind_of(node)}')

    def texts(self, name: str) -> tuple[Words, ...]:
        return tuple(self.each(name, lambda node: _words(self._file, node, f'"{name}"'), lone=True))

    def record(self, name: str, read: Callable[[Node], _T]) -> _T | None:
        """A field that holds a mapping, read by `read`; None where it is left out or null."""
        node = self._present(name)
        return None if node is None else read(node)

    def seconds(self, name: str) -> float | None:
        return self.number(name, "seconds")

    def number(self, name: str, unit: str) -> float | None:
        """A number above 0 of that unit; None where it is left out or null."""
        node = self._present(name)
        if node is None:
            return None
        number = _number(node)
        if not 0 < number < math.inf:
            raise self._file.error(
                node.line, f'field "{name}" has to be a number of {unit} above 0, found {kind_of(node)}'
            )
        return number

    def count(self, name: str) -> int | None:
        number = self.number(name, name)
        if number is not None and not number.is_integer():
            raise self._file.error(self.line(name), f'field "{name}" has to be a whole number, found {number:g}')
        return None if number is None else int(number)

    def _present(self, name: str) -> Node | None:
        node = self._node.entries.get(name)
        return None if isinstance(node, Scalar) and node.kind == "null" else node


def _number(node: Node) -> float:
    try:
        return float(node.text) if isinstance(node, Scalar) and node.kind == "number" else math.nan
    except ValueError:
        return math.nan
