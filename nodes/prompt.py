"""What a worker is told, as a file one can read: the contract of the step, and for rework what really failed."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, cast

from jinja2 import StrictUndefined, Template
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ..state.job import Job
from ..state.records import Check
from .checks.kinds import BUILTIN
from .checks.looking import title_of
from .excerpt import excerpt
from .workers import WorkerRefused

SHIPPED = Path(__file__).with_name("prompt.md.j2")
_PROMPT_MAX = 1_000_000
_BACKTICKS = re.compile(r"`+")


def prompt_text(job: Job, run_dir: Path, template: str | None = None) -> str:
    """The text of `prompt.md`; real failing output is read from the logs that the checks name.

    Args:
        template: a Jinja template instead of the shipped one. It is a stranger's: it is run in a sandbox, and sees
            plain values only.

    Raises:
        WorkerRefused: the template fails, or prints too much.
    """
    try:
        text = _printed(compile_template(template), _view(job, run_dir))
    except Exception as error:  # a stranger's template may raise anything
        raise WorkerRefused(
            f"the prompt template fails: {type(error).__name__}: {error}",
            next_step="mend the template, or leave it out to use the shipped one",
        ) from None
    if not text.strip():
        raise WorkerRefused("the prompt template prints nothing", next_step="mend the template, or leave it out")
    return text.strip("\n") + "\n"


def compile_template(template: str | None) -> Template:
    """A template, ready to be run. Raises jinja2.TemplateSyntaxError, with its line."""
    return _shipped() if template is None else _environment().from_string(template)


def _printed(template: Template, view: dict[str, Any]) -> str:
    parts: list[str] = []
    size = 0
    for part in template.generate(view):
        parts.append(part)
        size += len(part)
        if size > _PROMPT_MAX:
            raise ValueError(f"it prints more than {_PROMPT_MAX} characters")
    return "".join(parts)


class _Sandbox(ImmutableSandboxedEnvironment):
    """No names that begin with an underscore, no changes to what it is given, and nothing that can grow at once."""

    intercepted_binops = frozenset(("*", "**"))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Multiplying texts and lists, or raising to a power, could fill the memory in one expression."""
        if operator == "**" or not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise SecurityError(f"{operator} is not for these values")
        return super().call_binop(context, operator, left, right)


@cache
def _shipped() -> Template:
    return _environment().from_string(SHIPPED.read_text(encoding="utf-8"))


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    made = _Sandbox(
        undefined=StrictUndefined,
        # The prompt is Markdown for an agent: escaping for HTML would change what it is told.
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    cast("dict[str, Any]", made.filters)["fenced"] = _fenced
    return made


def _view(job: Job, run_dir: Path) -> dict[str, Any]:
    """Plain values only: a model's own methods could read files for whoever may call them."""
    step = job.step
    refs = {str(command.ref): command.run for command in step.verification}
    refs |= {str(probe.ref): title_of(BUILTIN, probe) for probe in step.probes}
    refs |= {str(output.ref): output.path for output in step.outputs}
    return {
        "task": {"id": str(job.task_id), "title": job.task_title, "goal": job.task_goal},
        "step": {
            "id": str(step.id),
            "title": step.title,
            "goal": step.goal,
            "actions": [{"kind": action.kind.value, "text": action.text.rstrip("\n")} for action in step.actions],
            "criteria": [
                {
                    "id": str(criterion.id),
                    "text": criterion.text,
                    "proofs": [refs.get(str(ref), str(ref)) for ref in criterion.verified_by],
                }
                for criterion in step.criteria
            ],
            "outputs": [output.path for output in step.outputs],
            "allowed_paths": list(step.allowed_paths),
        },
        "attempt": {"number": job.order.number, "kind": job.order.kind.value},
        "feedback": job.order.feedback,
        "session": job.session,
        "workspace": job.workspace,
        "failing": [_failing(check, run_dir) for check in job.failing],
    }


def _failing(check: Check, run_dir: Path) -> dict[str, Any]:
    return {
        "run": check.run,
        "outcome": check.outcome.value,
        "reason": check.reason,
        "exit_code": check.exit_code,
        "log": check.log,
        "output": excerpt(run_dir / check.log) if check.log else "",
    }


def _fenced(text: str, language: str = "") -> str:
    """A fenced block that its content cannot end: the fence is longer than any run of backticks in it."""
    ticks = "`" * max([3, *(len(run) + 1 for run in _BACKTICKS.findall(text))])
    return f"{ticks}{language}\n{text}\n{ticks}"
