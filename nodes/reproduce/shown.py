"""A reproduction as one JSON object: the same keys in the same order, whatever came of it."""

from __future__ import annotations

from typing import Any

from .again import CheckAgain, CriterionAgain, Reproduction

FORMAT = "waypost-reproduction/1"


def record_of(found: Reproduction) -> dict[str, Any]:
    """What `--json` prints, and `--out` writes."""
    return {
        "format": FORMAT,
        "run_id": found.run,
        "result": found.result.value,
        "base": found.tree.base,
        "tree": found.tree.tree,
        "world": list(found.world),
        "criteria": [_criterion(one) for one in found.criteria],
        "checks": [_check(one) for one in found.checks],
    }


def _criterion(one: CriterionAgain) -> dict[str, Any]:
    return {
        "step": one.step,
        "criterion": one.id,
        "text": one.text,
        "result": one.result.value,
        "recorded": one.recorded,
        "now": one.now,
        "reason": one.reason,
        "world": list(one.world),
    }


def _check(one: CheckAgain) -> dict[str, Any]:
    return {
        "check": one.name,
        "run": one.run,
        "recorded": one.recorded,
        "now": one.now,
        "reason": one.reason,
        "world": one.world,
        "output": one.output,
    }
