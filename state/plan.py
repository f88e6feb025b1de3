"""What plan froze: the order of the steps and which checks prove which criterion."""

from __future__ import annotations

from .ids import CheckRefField, CriterionIdField, StepIdField
from .model import Record


class Coverage(Record):
    """One row of the mapping: a criterion of a step (of the task itself where `step` is None) and its checks."""

    step: StepIdField | None
    criterion: CriterionIdField
    checks: tuple[CheckRefField, ...]


class Gap(Record):
    """Something that cannot be proved, known before any work is paid for."""

    step: StepIdField | None
    criterion: CriterionIdField | None
    reason: str
    line: int | None = None


class Plan(Record):
    """Waves of steps: the steps of a wave depend only on earlier waves, and stand in file order."""

    waves: tuple[tuple[StepIdField, ...], ...]
    coverage: tuple[Coverage, ...]
    gaps: tuple[Gap, ...] = ()
