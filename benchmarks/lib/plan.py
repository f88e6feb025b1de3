"""How much of everything is done: enough to know, or just enough to see that it works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Sizes of one run of the benchmarks.

    Attributes:
        rounds: of the short measurements; the long ones take fewer.
        block: calls of one store before it is the next one's turn.
        steps: super-steps of each thread, by number of threads.
        turns: of the chat.
        messages: that are told.
        thread: checkpoints of the long thread.
        cold: how often each store is opened by a fresh process.
    """

    rounds: int
    block: int
    steps: dict[int, int]
    turns: int
    messages: int
    thread: int
    cold: int

    @property
    def short_rounds(self) -> int:
        """Rounds of what is measured in short blocks: a disk that changes its mind does so within a second."""
        return 3 * self.rounds

    @property
    def short_block(self) -> int:
        """Calls in such a block."""
        return max(3, self.block // 3)

    @property
    def few(self) -> int:
        """Rounds of the long measurements."""
        return max(1, self.rounds // 5)


FULL = Plan(15, 20, {1: 10, 8: 12, 64: 4}, 400, 1000, 10_000, 5)
QUICK = Plan(2, 5, {1: 4, 8: 2}, 15, 30, 300, 1)
