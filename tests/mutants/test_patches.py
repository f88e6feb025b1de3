"""Every mutant still finds the code that it is to break. `make mutants` runs them."""

from __future__ import annotations

import pytest

from mutants.copies import PROJECT, DoesNotApply, mutated
from mutants.table import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_it_applies_and_is_still_python(mutant: Mutant) -> None:
    source = (PROJECT / mutant.file).read_text(encoding="utf-8")
    compile(mutated(mutant, source), mutant.file, "exec")


def test_code_that_has_changed_is_told() -> None:
    with pytest.raises(DoesNotApply, match="0 times"):
        mutated(MUTANTS[0], "")


def test_the_tests_that_are_to_notice_exist() -> None:
    for mutant in MUTANTS:
        for test in mutant.tests:
            assert (PROJECT / test.partition("::")[0]).exists()
