"""The types a ledger of ours may hold. Whatever else a checkpoint names is refused when it is read."""

from __future__ import annotations

import inspect
from enum import Enum
from types import ModuleType

from pydantic import BaseModel

from ..state import (
    acceptance,
    batch,
    budget,
    frozen,
    guarding,
    ids,
    isolation,
    job,
    model,
    pipeline,
    plan,
    records,
    status,
)
from ..state import task as task_module
from ..state import verified as verified_tree

_MODULES = (
    *(acceptance, batch, budget, frozen, guarding, ids, isolation, job, model, pipeline, plan, records, status),
    task_module,
    verified_tree,
)


def _types_of(module: ModuleType) -> list[type]:
    return [
        item
        for item in vars(module).values()
        if inspect.isclass(item) and item.__module__ == module.__name__ and issubclass(item, (BaseModel, Enum))
    ]


STATE_TYPES: tuple[type, ...] = tuple(item for module in _MODULES for item in _types_of(module))
