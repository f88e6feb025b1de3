"""Updates of a state from outside, at any of its checkpoints."""

from __future__ import annotations

import pytest
from kit.cards import card

CARD = card(bash="echo x > out.txt")


@pytest.mark.parametrize("following", ["plan", "verify", "transition"])
def test_an_update_that_names_no_node_counts_as_made_by_the_one_that_moved_the_run_last(bench, following):
    state = bench.new(CARD)
    bench.invoke(state)
    at = next(found for found in bench.graph.get_state_history(bench.config(state)) if found.next == (following,))
    forked = bench.graph.update_state(at.config, {"work_sha256": "0" * 64})
    found = bench.graph.get_state(forked)
    assert (found.next, found.values["work_sha256"]) == ((following,), "0" * 64)
