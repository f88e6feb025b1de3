"""Tasks as YAML or JSON: the fields of the model by their own names, each with its line."""

from __future__ import annotations

from ...state.budget import Allowance
from ...state.task import Action, ActionKind
from .json_tree import json_tree
from .raw import Proof, RawCommand, RawContract, RawCriterion, RawOutput, Words
from .source import SourceFile
from .structured_checks import read_command, read_probe, read_proof
from .structured_fields import Fields, words_of
from .tree import Mapping, Node, Scalar, kind_of
from .yaml_tree import yaml_tree

_CONTRACT = ("id", "title", "goal", "actions", "criteria", "outputs", "verification", "depends_on", "allowed_paths")
_DEMANDS = ("red_before", "protected_paths", "changed_tests")
_STEP = (*_CONTRACT, "probes", "limits", "approval", *_DEMANDS)
_TASK = (*_STEP, "steps")


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
    fields = Fields(file, top, ("tasks",), "file with `tasks:`")
    tasks = fields.each("tasks", lambda node: _contract(file, node, _TASK, "task"))
    if not tasks:
        raise file.error(fields.line("tasks"), "`tasks` holds no task")
    return tasks


def _contract(file: SourceFile, node: Node, known: tuple[str, ...], kind: str) -> RawContract:
    fields = Fields(file, node, known, kind)
    return RawContract(
        id=fields.required("id"),
        title=fields.required("title"),
        line=node.line,
        goal=fields.words("goal"),
        actions=tuple(fields.each("actions", lambda item: _action(file, item))),
        criteria=tuple(fields.each("criteria", lambda item: _criterion(file, item))),
        outputs=tuple(fields.each("outputs", lambda item: _output(file, item))),
        verification=(
            *fields.each("verification", lambda item: _command(file, item)),
            *fields.each("probes", lambda item: read_probe(file, item)),
        ),
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
        words, kind = words_of(file, node, "an action"), ActionKind.PROSE
    else:
        fields = Fields(file, node, ("kind", "text"), "action")
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
        return RawCriterion(words_of(file, node, "a criterion"))
    fields = Fields(file, node, ("id", "text", "verified_by"), "criterion")
    proofs = tuple(fields.each("verified_by", lambda item: _proof(file, item), lone=True))
    return RawCriterion(fields.required("text"), fields.words("id"), proofs)


def _proof(file: SourceFile, node: Node) -> Proof:
    if isinstance(node, Scalar):
        return Proof(words_of(file, node, "the id of a check").text, node.line, is_command=False)
    return read_proof(file, node)


def _output(file: SourceFile, node: Node) -> RawOutput:
    if isinstance(node, Scalar):
        return RawOutput(words_of(file, node, "an output"))
    fields = Fields(file, node, ("ref", "path"), "output")
    return RawOutput(fields.required("path"), fields.words("ref"))


def _command(file: SourceFile, node: Node) -> RawCommand:
    return RawCommand(words_of(file, node, "a command")) if isinstance(node, Scalar) else read_command(file, node)


def _limits(file: SourceFile, node: Node) -> Allowance | None:
    fields = Fields(file, node, tuple(Allowance.model_fields), "limits")
    values = {
        "time_s": fields.seconds("time_s"),
        "turns": fields.count("turns"),
        "cost_usd": fields.number("cost_usd", "US dollars"),
        "attempts": fields.count("attempts"),
    }
    given = {name: value for name, value in values.items() if value is not None}
    return Allowance.model_validate(given) if given else None
