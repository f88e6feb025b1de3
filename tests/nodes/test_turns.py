"""Turns of threads: few at a time, and nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from kit.waiting import wait_for
from waypost.nodes.turns import Turns


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    monkeypatch.setattr("waypost.nodes.turns._PATIENCE_S", 30.0)
    return Turns(1)


def test_a_second_thread_begins_once_the_first_has_ended_its_turn(turns):
    order: list[str] = []

    def second() -> None:
        with turns.taken():
            order.append("second")

    with turns.taken():
        other = in_thread(second)
        order.append("first")
    other.join(10)
    assert order == ["first", "second"]


def test_while_a_thread_waits_for_something_else_another_one_has_its_turn(turns):
    came = threading.Event()

    def second() -> None:
        with turns.taken():
            came.set()

    with turns.taken():
        other = in_thread(second)
        with turns.aside():
            assert came.wait(10)
    other.join(10)


def test_who_gets_no_turn_in_good_time_goes_on_without_one():
    turns, came = Turns(1), threading.Event()

    def second() -> None:
        with turns.taken(), turns.aside():
            came.set()

    with turns.taken():
        in_thread(second).join(10)
        assert came.is_set()


def test_a_thread_that_takes_no_turns_is_not_kept_waiting(turns):
    done = threading.Event()

    def outsider() -> None:
        with turns.aside():
            done.set()

    with turns.taken():
        in_thread(outsider)
        wait_for(done.is_set)


def test_an_error_ends_a_turn(turns):
    with pytest.raises(ValueError, match="x"), turns.taken(), turns.aside():
        raise ValueError("x")
    with turns.taken():
        pass
