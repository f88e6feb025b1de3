"""What a step or a run may use, what no longer counts, and where a limit was reached."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from pydantic import Field

from .ids import StepIdField
from .model import Record

_Number = TypeVar("_Number", int, float)


class Resource(StrEnum):
    """What is limited."""

    TIME = "time"
    TURNS = "turns"
    COST = "cost"
    ATTEMPTS = "attempts"


class Allowance(Record):
    """What one step, or a whole run, may use; None for no limit.

    Attributes:
        time_s: all its attempts and checks together.
        turns, cost_usd: of all its attempts together, as their workers report them.
        attempts: how often a worker is started.
    """

    time_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    turns: int | None = Field(default=None, ge=1)
    cost_usd: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    attempts: int | None = Field(default=None, ge=1)

    def limit(self, resource: Resource) -> float | None:
        """The limit of one resource."""
        limits = {
            Resource.TIME: self.time_s,
            Resource.TURNS: self.turns,
            Resource.COST: self.cost_usd,
            Resource.ATTEMPTS: self.attempts,
        }
        return limits[resource]

    def within(self, other: Allowance | None) -> Allowance:
        """The smaller limit of both, one by one."""
        if other is None:
            return self
        return Allowance(
            time_s=_smaller(self.time_s, other.time_s),
            turns=_smaller(self.turns, other.turns),
            cost_usd=_smaller(self.cost_usd, other.cost_usd),
            attempts=_smaller(self.attempts, other.attempts),
        )


class Forgiven(Record):
    """What no longer counts since a person granted a fresh budget: attempts up to a number, checks up to a round."""

    attempts: dict[StepIdField, int] = Field(default_factory=dict[StepIdField, int])
    round: int = Field(default=0, ge=0)


class Overrun(Record):
    """A limit that leaves no room for more work.

    Attributes:
        step: whose limit it is, None for the run's.
        used: how much was used; None where a worker did not say, so that the limit cannot be held.
        attempts: the attempts that used it, or that did not say; `S1/2` is the second of step S1.
        workers: where `used` is None: who did not say.
    """

    resource: Resource
    step: StepIdField | None
    used: float | None
    limit: float
    attempts: tuple[str, ...]
    workers: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The figures, as a person reads them."""
        owner = f"step {self.step}" if self.step else "the run"
        among = f" ({', '.join(self.attempts)})" if self.attempts else ""
        limit = amount(self.resource, self.limit)
        if self.used is None:
            who = ", ".join(f'"{worker}"' for worker in self.workers)
            return (
                f"{owner}: {self.resource} not reported by worker {who}{among}, the limit of {limit} cannot be enforced"
            )
        return f"{owner}: {amount(self.resource, self.used)} used{among}, the limit is {limit}"


def amount(resource: Resource, value: float) -> str:
    """A figure with its unit."""
    if resource is Resource.TIME:
        return f"{value:.6g} s" if value < 0.1 else f"{value:.1f}".removesuffix(".0") + " s"
    if resource is Resource.COST:
        return f"{value:.2f} USD" if value >= 0.01 or not value else f"{value:.2g} USD"
    unit = resource.value if value != 1 else resource.value.removesuffix("s")
    return f"{value:g} {unit}"


def _smaller(one: _Number | None, other: _Number | None) -> _Number | None:
    return min((value for value in (one, other) if value is not None), default=None)
