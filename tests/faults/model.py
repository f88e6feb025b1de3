"""What a thread may hold, given what was tried and what was acknowledged.

After a call that never returned there are two right answers: it happened, or it did not. So the truth is a small set
of possible states; each acknowledgement, and each look at the thread, makes it smaller.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

Op = list[Any]
CHANGES = ("put", "write", "prune", "delete")


class Item(NamedTuple):
    """One checkpoint: its id, a digest of its values, and its pending writes as (task, value)."""

    id: str
    value: str
    writes: tuple[tuple[str, str], ...] = ()


State = tuple[Item, ...]


class Impossible(Exception):
    """A thread holds what no history of the calls made explains."""


def state_of(data: list[Any]) -> State:
    """A state that was sent as JSON."""
    return tuple(Item(id, value, tuple((task, text) for task, text in writes)) for id, value, writes in data)


def apply(state: State, op: Op) -> State:
    """What a call makes of a thread."""
    match op:
        case ["put", _, id, value]:
            return (*state, Item(id, value))
        case ["write", _, id, task, value]:
            return tuple(
                item._replace(writes=tuple(sorted((*item.writes, (task, value))))) if item.id == id else item
                for item in state
            )
        case ["prune", _]:
            return state[-1:]
        case ["delete", _]:
            return ()
        case _:
            return state


@dataclass
class Truth:
    """The possible states of all threads.

    Attributes:
        acknowledged: how many changes returned.
        broken: what else a victim died of than what was done to it.
    """

    possible: dict[str, set[State]] = field(default_factory=dict[str, set[State]])
    acknowledged: int = 0
    broken: str = ""
    _open: Op | None = None
    _before: set[State] = field(default_factory=set[State])
    _late: dict[str, set[State]] = field(default_factory=dict[str, set[State]])

    def copy(self) -> Truth:
        """The same knowledge, to be narrowed without changing this one."""
        threads = {thread: set(states) for thread, states in self.possible.items()}
        return Truth(threads, self.acknowledged, self.broken, self._open, set(self._before))

    def of(self, thread: str) -> set[State]:
        """What a thread may hold; a thread that nobody wrote is empty."""
        return self.possible.get(thread, {()})

    def take(self, message: dict[str, Any]) -> None:
        """Take in what a victim told: what it tries, that it returned or failed, what it was shown."""
        match message:
            case {"try": op} if op[0] in CHANGES:
                self._open, self._before = op, self.of(op[1])
                self.possible[op[1]] = self._before | {apply(state, op) for state in self._before}
            case {"try": _} | {"failed": _}:
                self._open = None
            case {"ok": _} if self._open is not None:
                self.acknowledged += 1
                self.possible[self._open[1]] = {apply(state, self._open) for state in self._before}
                self._open = None
            case {"shown": [thread, state]}:
                self.see(thread, state_of(state))
            case {"broken": what}:
                self.broken = what
            case _:
                pass

    def take_late(self, messages: list[dict[str, Any]]) -> None:
        """Take in what was told after the power was cut: some first part of it may have happened."""
        for message in messages:
            match message:
                case {"try": op} if op[0] in CHANGES:
                    latest = self._late.get(op[1], self.of(op[1]))
                    self._late[op[1]] = {apply(state, op) for state in latest}
                    self.possible[op[1]] = self.of(op[1]) | self._late[op[1]]
                case _:
                    pass
        self._late = {}

    def see(self, thread: str, state: State) -> None:
        """A reader was shown this.

        Raises:
            Impossible: it is none of the possible states.
        """
        possible = self.of(thread)
        if state not in possible:
            raise Impossible(_difference(thread, state, possible))
        self.possible[thread] = {state}


def _difference(thread: str, shown: State, possible: set[State]) -> str:
    fullest = max(possible, key=len)
    least = set.intersection(*(set(state) for state in possible)) if possible else set()
    lost = [item.value[:24] for item in least if item not in shown]
    made_up = [item.value[:24] for item in shown if not any(item in state for state in possible)]
    return (
        f"thread {thread} shows {len(shown)} checkpoints, {len(least)} to {len(fullest)} are possible; "
        f"lost {lost[:3]}, never written so {made_up[:3]}"
    )
