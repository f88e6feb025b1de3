"""What the page of a run says of its steps."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from kit.states import make_state
from waypost.state.pipeline import PipelineState
from waypost.state.records import AttemptKind, Order, Transition
from waypost.state.status import Node, Route, Status
from waypost.viewer.run_facts import steps_of


def at_dispatch() -> PipelineState:
    at, source, target = datetime.now(UTC), Status.FREEZE, Status.FREEZE
    move = Transition(source=source, target=target, node=Node.BASELINE, route=Route.MEASURED, reason="x", at=at)
    order = Order(step="S1", number=1, kind=AttemptKind.CREATE)
    return make_state(status=Status.FREEZE, transitions=(move,), orders=(order,), attempts=())


@pytest.mark.parametrize(("driven", "told"), [(True, "RUNNING"), (False, "INTERRUPTED")])
def test_a_step_is_at_work_only_as_long_as_somebody_drives_its_run(driven: bool, told: str):
    (row,) = steps_of(at_dispatch(), driven=driven)
    assert (row.status, row.in_flight) == (told, 1)
