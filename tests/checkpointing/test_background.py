"""Work that nobody waits for."""

from __future__ import annotations

import os
import threading

import pytest
from kit.waiting import wait_for
from waypost.checkpointing.background import Background


@pytest.fixture
def background() -> Background:
    return Background()


def test_work_is_done_in_another_thread_in_the_order_in_which_it_came(background: Background) -> None:
    done: list[tuple[int, int]] = []
    for number in range(5):
        background.soon(lambda number=number: done.append((number, threading.get_ident())))
    wait_for(lambda: len(done) == 5)
    assert [number for number, _ in done] == [0, 1, 2, 3, 4]
    assert threading.get_ident() not in {thread for _, thread in done}


def test_work_that_asks_for_it_is_called_again(background: Background) -> None:
    left = [0.01, 0.01, None]
    calls: list[int] = []

    def work() -> float | None:
        calls.append(1)
        return left.pop(0)

    background.soon(work)
    wait_for(lambda: not left)
    other = threading.Event()
    background.soon(other.set)
    assert other.wait(10)
    assert len(calls) == 3


def test_work_that_raises_stops_nothing(background: Background) -> None:
    def work() -> None:
        raise ValueError

    done = threading.Event()
    background.soon(work)
    background.soon(done.set)
    assert done.wait(10)


def test_a_forked_child_has_a_thread_of_its_own() -> None:
    from waypost.checkpointing.background import BACKGROUND

    begun = threading.Event()
    BACKGROUND.soon(begun.set)
    assert begun.wait(10)
    child = os.fork()
    if not child:
        done = threading.Event()
        BACKGROUND.soon(done.set)
        os._exit(0 if done.wait(10) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
