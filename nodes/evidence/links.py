"""Links from what a report says to the record behind it: the same for the same records, so that reports can be diffed.

A record of the state is named by a JSON pointer (RFC 6901) behind the name of the ledger: `ledger.jsonl#/checks/3` is
what `waypost status RUN --json | jq .state.checks[3]` shows; those of before the work stand at
`#/before/checks`. A file is named by its path, a line of it by `#L7`.
"""

from __future__ import annotations

from urllib.parse import quote

from ...state.ids import CriterionId, StepId
from ...state.pipeline import PipelineState
from ...state.records import Attempt, Check
from . import markdown
from .manifest import LEDGER
from .markdown import Md

# Reports stand in reports/<TASK_ID>/ of the run's folder.
_RUN = "../../"


class Links:
    """The links of one report."""

    def __init__(self, state: PipelineState) -> None:
        earlier = state.before.checks if state.before else ()
        self._checks: dict[str, tuple[str | int, ...]] = {
            **{check.id: ("before", "checks", place) for place, check in enumerate(earlier)},
            **{check.id: ("checks", place) for place, check in enumerate(state.checks)},
        }
        self._attempts = {(one.step, one.number): place for place, one in enumerate(state.attempts)}
        self._verdicts = {(one.step, one.criterion): place for place, one in enumerate(state.verdicts)}
        self._steps = {step.id: place for place, step in enumerate(state.task.steps)} if state.task else {}

    def state(self, shown: str, *path: str | int) -> Md:
        """A text that leads to a place in the state."""
        pointer = "".join(f"/{part}" for part in path)
        return Md(f"[{_shown(shown)}]({_RUN}{LEDGER}#{quote(pointer)})")

    def check(self, check: Check) -> Md:
        """The id of a check."""
        return self.state(markdown.code(check.id), *self._checks[check.id])

    def attempt(self, attempt: Attempt) -> Md:
        """The number of an attempt."""
        return self.state(str(attempt.number), "attempts", self._attempts[attempt.step, attempt.number])

    def criterion(self, step: StepId | None, criterion: CriterionId | None, shown: str | None = None) -> Md:
        """The id of a criterion, which leads to its verdict; the id alone where there is none."""
        name = _shown(markdown.code(str(criterion)) if shown is None else shown)
        place = self._verdicts.get((step, criterion))
        return name if place is None else self.state(name, "verdicts", place)

    def step(self, step: StepId) -> Md:
        """The id of a step."""
        return self.state(markdown.code(step), "task", "steps", self._steps[step])

    def file(self, path: str, shown: str | None = None, line: int | None = None) -> Md:
        """A file of the run, or a line of it."""
        name = markdown.code_cell(path) if shown is None else _shown(shown)
        return Md(f"[{name}]({_RUN}{quote(path)}{'' if line is None else f'#L{line}'})")

    def beside(self, name: str) -> Md:
        """A file in the folder of the report."""
        return Md(f"[{markdown.code_cell(name)}]({quote(name)})")


def _shown(text: str) -> Md:
    return text if isinstance(text, Md) else markdown.text(text)
