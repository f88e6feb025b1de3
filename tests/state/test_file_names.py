"""Names of files in a record come back as they were, whatever bytes they are."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st
from waypost.state.pipeline import Baseline

NAMES = st.dictionaries(st.binary(min_size=1).map(os.fsdecode), st.binary().map(os.fsdecode), max_size=5)


@given(NAMES)
def test_every_name_is_kept_as_text_and_comes_back(names):
    names = {name.lstrip("/") or "x": content.lstrip("/") for name, content in names.items()}
    kept = Baseline(commit="c", dirty=names).model_dump()
    assert str(kept).encode()
    assert Baseline.model_validate(kept).dirty == names


def test_a_name_that_is_text_is_kept_as_it_is():
    assert Baseline(commit="c", dirty={"a b/ä%FF": "absent"}).model_dump()["dirty"] == {"a b/ä%FF": "absent"}
