"""One agent CLI as data: what a row of the table may say, and what makes no sense in one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from ....state.model import Record

Allowed = dict[str, tuple[StrictBool | StrictInt | StrictFloat | StrictStr, ...]]
Paths = tuple[str, ...]
Words = tuple[str, ...]

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_KNOWN = frozenset({"options", "session", "new_session", "prompt", "prompt_file", "attempt_folder"})
_CHOSEN = frozenset({"run", "step", "attempt"})
_OF_PROMPT = {"stdin": None, "argument": "prompt", "file": "prompt_file"}


def words_of(match: Allowed) -> Words:
    """The texts by which a line is found before it is parsed: those of the first field that has only texts."""
    for values in match.values():
        if values and all(isinstance(value, str) for value in values):
            return tuple(str(value) for value in values)
    return ()


def _is_findable(match: Allowed) -> Allowed:
    if match and not words_of(match):
        raise ValueError("`match` needs a field that has only texts, as type = ['result']")
    return match


def _nothing() -> Allowed:
    return {}


Found = Annotated[Allowed, AfterValidator(_is_findable)]


class ResultRule(Record):
    """A final event: which line it is, and when it says success. Every `success` field must hold."""

    match: Found = Field(min_length=1)
    unless: Allowed = Field(default_factory=_nothing)
    success: Allowed = Field(default_factory=_nothing)
    fails: bool = False
    failure_text: Paths = ()


class SessionRule(Record):
    """Where the conversation's name is found, or how we choose it when we start one."""

    match: Found = Field(default_factory=_nothing)
    path: str = ""
    chosen: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> SessionRule:
        if bool(self.chosen) == bool(self.match and self.path):
            raise ValueError("give either `chosen`, or `match` and `path`")
        _check_placeholders("session.chosen", self.chosen, _CHOSEN)
        return self


class UsageRule(Record):
    """Which numbers say what was used; of the final event, or of the events of `match`."""

    match: Found = Field(default_factory=_nothing)
    combine: Literal["last", "sum"] = "last"
    turns: Paths | Literal["count"] = ()
    cost_usd: Paths = ()
    input_tokens: Paths = ()
    output_tokens: Paths = ()


class ProgressRule(Record):
    """Which events show what, while it works. `each` is a list inside the event, `item` picks from it."""

    match: Found = Field(min_length=1)
    each: str = ""
    item: Allowed = Field(default_factory=_nothing)
    show: Paths = Field(min_length=1)


class ProbeRule(Record):
    """What is asked before the tool is used: its version, and whether its help knows these flags."""

    version: Words = ("--version",)
    help: tuple[Words, ...] = (("--help",),)
    flags: Words = ()


class FlagsRule(Record):
    """How the tool is told its limits; `{value}` is replaced. Empty where it has no such flag."""

    model: Words = ()
    max_turns: Words = ()
    max_cost_usd: Words = ()


class Agent(Record):
    """A row of the table.

    Attributes:
        executable: a name to look up in PATH, or a path.
        prompt: how the prompt gets there: as standard input, as an argument, or as a file.
        start, resume: arguments of a new conversation, and of one that is continued; no `resume`: it cannot be.
        secrets, environment: names of variables it needs from ours; the values of `secrets` are never written down.
        set: variables that it is given whatever ours are.
        args, model, max_turns, max_cost_usd: what a user adds, put where `{options}` stands.
        results: its final events. Without any, `exit_code_decides` has to say that this is meant.
        exit_codes: what its own exit codes mean, for the message.
    """

    title: str
    docs: Words = ()
    install: str = ""
    executable: str = Field(min_length=1)
    prompt: Literal["stdin", "argument", "file"]
    start: Words = Field(min_length=1)
    resume: Words = ()
    secrets: Words = ()
    environment: Words = ()
    set: dict[str, str] = Field(default_factory=dict[str, str])
    args: Words = ()
    model: str | None = None
    max_turns: int | None = Field(default=None, ge=1)
    max_cost_usd: float | None = Field(default=None, gt=0)
    flags: FlagsRule = FlagsRule()
    results: tuple[ResultRule, ...] = ()
    exit_code_decides: bool = False
    exit_codes: dict[int, str] = Field(default_factory=dict[int, str])
    session: SessionRule | None = None
    usage: UsageRule = UsageRule()
    progress: tuple[ProgressRule, ...] = ()
    probe: ProbeRule = ProbeRule()

    @model_validator(mode="after")
    def _makes_sense(self) -> Agent:
        if self.exit_code_decides == bool(self.results):
            raise ValueError("give either `results`, or `exit_code_decides = true`")
        if bool(self.resume) != (self.session is not None):
            raise ValueError("`resume` and `session` belong together: give both, or none")
        for name in ("model", "max_turns", "max_cost_usd"):
            if getattr(self, name) is not None and not getattr(self.flags, name):
                raise ValueError(f"`{name}` is given, but `flags.{name}` does not say how it is passed on")
            if getattr(self.flags, name) and "{value}" not in " ".join(getattr(self.flags, name)):
                raise ValueError(f'`flags.{name}` needs "{{value}}"')
        _check_call("start", self.start, self.prompt, needs=())
        if self.resume:
            _check_call("resume", self.resume, self.prompt, needs=("session",))
        return self


def fill(words: Words, values: Mapping[str, str], options: Words = ()) -> Words:
    """`words` with placeholders replaced; `{options}` alone becomes any number of words."""
    filled: list[str] = []
    for word in words:
        if word == "{options}":
            filled += options
        else:
            filled.append(_PLACEHOLDER.sub(lambda found: values.get(found.group(1), found.group()), word))
    return tuple(filled)


def _check_call(name: str, words: Words, prompt: str, *, needs: Words) -> None:
    found = set(_PLACEHOLDER.findall(" ".join(words)))
    for word in words:
        _check_placeholders(name, word, _KNOWN)
    given = _OF_PROMPT[prompt]
    missing = [one for one in (*needs, *([given] if given else [])) if one not in found]
    if words.count("{options}") != 1:
        raise ValueError(f'`{name}` needs "{{options}}" as one word of its own')
    if missing:
        raise ValueError(f'`{name}` needs "{{{missing[0]}}}"')


def _check_placeholders(name: str, text: str, known: frozenset[str]) -> None:
    unknown = [one for one in _PLACEHOLDER.findall(text) if one not in known]
    if unknown:
        raise ValueError(f'`{name}` has an unknown "{{{unknown[0]}}}"; known: {", ".join(sorted(known))}')
