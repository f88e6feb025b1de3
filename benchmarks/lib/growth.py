"""What grows: the disk and the time to list with a chat, and the cost of a put with the number of steps."""

from __future__ import annotations

import time
from typing import Any

from langchain_core.messages import HumanMessage

from lib.plan import Plan
from lib.results import Section, Series, Target
from lib.stores import LEDGER, MEMORY, POSTGRES, SQLITE, Shop, Store
from lib.verbs import timed
from lib.work import chatting, telling, text

_NAMES = (LEDGER, SQLITE, POSTGRES, MEMORY)
_CONFIG: dict[str, Any] = {"configurable": {"thread_id": "chat"}}
_MB = 1e6
_HUNDRED_KB = 100_000
_LISTED = ((LEDGER, SQLITE, MEMORY), (MEMORY, SQLITE, LEDGER))


def chat(shop: Shop, plan: Plan) -> Section:
    """A chat with one large constant beside its messages."""
    what = f"{plan.turns} turns, 1 KB in, 1 KB out, a constant text of 100 KB, three checkpoints a turn"
    size = Series("chat_bytes", "A chat on disk", "MB", f"{what}; everything in the folder is counted.", (SQLITE,))
    read = "All of them are read. PostgresSaver is left out: it takes about as long as SqliteSaver."
    listing = Series("chat_list", "Listing that chat's checkpoints", "s", read, (SQLITE, MEMORY))
    talking = Series("chat_turns", "Making that chat", "s", "All turns together, durability sync.", (SQLITE,))
    section = Section("chat", [size, listing, talking])
    with shop.open(*_NAMES) as stores:
        size.begin_round()
        talking.begin_round()
        for name, store in stores.items():
            talking.add(name, timed(lambda store=store: _talk(store, plan.turns)) / 1000)
            _add_size(size, store)
        for at in range(min(plan.few, 2)):
            listing.begin_round()
            for name in _LISTED[at]:
                listing.add(name, timed(lambda store=stores[name]: store.count(_CONFIG)) / 1000)
    section.targets = [
        Target(f"{plan.turns} turns of a chat on disk", 6, "chat_bytes", LEDGER, unit="MB"),
        Target("listing its checkpoints, times SqliteSaver's", 0.2, "chat_list", LEDGER, SQLITE),
    ]
    return section


def _talk(store: Store, turns: int) -> None:
    graph = chatting(store.saver, 1000)
    for at in range(turns):
        said: dict[str, Any] = {"messages": [HumanMessage(text(1000))]}
        graph.invoke(said | ({} if at else {"constant": text(_HUNDRED_KB)}), _CONFIG, durability="sync")


def _add_size(series: Series, store: Store) -> None:
    size = store.bytes()
    if size is not None:
        series.add(store.name, size / _MB)


def messages(shop: Shop, plan: Plan) -> Section:
    """A list that gets one message a super-step."""
    how = f"{plan.messages} messages of 500 characters, one a super-step."
    size = Series("messages_bytes", "Messages on disk", "MB", how, (SQLITE,))
    taken = Series("messages_time", "Telling them", "s", "All super-steps together, durability sync.", (SQLITE,))
    until = {"messages": [], "until": plan.messages}
    config = _CONFIG | {"recursion_limit": plan.messages + 5}
    with shop.open(*_NAMES) as stores:
        for series in (size, taken):
            series.begin_round()
        for name, store in stores.items():
            graph = telling(store.saver, 500)
            began = time.perf_counter()
            graph.invoke(until, config, durability="sync")
            taken.add(name, time.perf_counter() - began)
            _add_size(size, store)
    target = Target(f"{plan.messages} messages on disk", 10, "messages_bytes", LEDGER, unit="MB")
    return Section("messages", [size, taken], [target])
