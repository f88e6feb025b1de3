"""An isolated run is DONE only if what was verified is what its branch, and the user's, hold."""

from __future__ import annotations

import pytest
from kit.states import make_attempt, make_check, make_state
from waypost.nodes.verdicts import judge
from waypost.state.errors import StateError
from waypost.state.isolation import Isolated, Merge
from waypost.state.records import CheckKind
from waypost.state.status import Status
from waypost.state.update import apply_update

BASE, STEP, HEAD = "0" * 40, "1" * 40, "2" * 40
MERGED = Merge(step="S1", attempt=1, commit=STEP, head=HEAD)
WHOLE = {
    "branch": "waypost/R",
    "target": "main",
    "base": BASE,
    "head": HEAD,
    "merges": (MERGED,),
    "verified": HEAD,
    "delivered": HEAD,
}


def done(**changes):
    checks = (make_check(), make_check(None, "SCOPE", kind=CheckKind.SCOPE))
    commit = changes.pop("commit", STEP)
    state = make_state(
        attempts=(make_attempt(commit=commit),),
        checks=checks,
        isolated=Isolated(**{**WHOLE, **changes}),
        accepted=("S1",),
    )
    assert state.task is not None
    assert state.plan is not None
    return apply_update(state, {"status": Status.DONE, "verdicts": judge(state.task, state.plan, checks, ())})


def test_it_is_done_where_one_commit_was_verified_and_delivered():
    assert done().status is Status.DONE
    assert done(target=None, delivered=None).status is Status.DONE


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"verified": None}, "was not verified"),
        ({"verified": STEP}, "was not verified"),
        ({"delivered": None}, "was not brought to main"),
        ({"delivered": BASE}, "was not brought to main"),
        ({"merges": ()}, "is not merged"),
        ({"commit": HEAD}, "is not merged"),
        ({"commit": None}, "is not merged"),
    ],
)
def test_anything_less_is_refused(changes, why):
    with pytest.raises(StateError, match=why):
        done(**changes)
