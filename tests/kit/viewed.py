"""Real runs to be looked at: done after a rework, waiting for a person, a batch, another graph, a broken one."""

from __future__ import annotations

import json
import operator
from pathlib import Path
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph
from waypost import LedgerSaver

from .cli import waypost_here
from .repos import make_repo

RATES = """RATES = {"AT": 20, "DE": 19, "LU": 17}


def rate(country):
    return RATES[country]
"""
WRONG = """from shop.rates import rate


def gross(net_cents, country):
    return net_cents + net_cents * rate(country) // 100
"""
RIGHT = """from shop.rates import rate


def gross(net_cents, country):
    cents, rest = divmod(net_cents * rate(country), 100)
    return net_cents + cents + (rest >= 50)
"""
TEST = """import sys
sys.path.insert(0, ".")
from shop.prices import gross
wrong = 0
for net, country, expected in ((1000, "AT", 1200), (1099, "DE", 1308), (333, "LU", 390)):
    found = gross(net, country)
    good = found == expected
    wrong += not good
    colour, word = ("32", "ok  ") if good else ("31;1", "FAIL")
    print(f"\\x1b[{colour}m{word}\\x1b[0m gross({net}, {country}) = {found}, \\x1b[2mexpected {expected}\\x1b[0m")
print(f"\\n{3 - wrong} of 3 prices are right")
sys.exit(wrong > 0)
"""


def _write(path: str, text: str, attempt: int | None = None) -> str:
    body = "".join(f"          {line}\n" if line else "\n" for line in text.splitlines())
    when = f"  attempt: {attempt}\n" if attempt else ""
    return f"- write:\n      path: {path}\n      text: |\n{body}{when}"


def _step(id: str, title: str, goal: str, script: str, criteria: str, waits: str = "none", more: str = "") -> str:
    return (
        f"#### Step {id}: {title}\n\n**Goal**\n\n{goal}\n\n**Concrete Actions**\n\n```scripted\n{script}```\n\n"
        f"**Dependencies**\n\n{waits}\n\n**Acceptance Criteria**\n\n{criteria}\n\n**Allowed Scope**\n\n"
        f"- `shop/**`\n- `docs/**`\n{more}\n"
    )


REWORKED = (
    "### Task SHOP-12: Prices with tax\n\n**Goal**\n\nPrices can be shown with the tax of a country.\n\n"
    + _step(
        "S1",
        "Rates by country",
        "`shop/rates.py` knows the rate of each country.",
        _write("shop/rates.py", RATES) + "- say: wrote the rates of three countries\n",
        "- AC1: The rate of Austria is 20. Verified by `grep -q 'AT.: 20' shop/rates.py`",
    )
    + _step(
        "S2",
        "Gross prices, rounded",
        "`gross` adds the tax and rounds to the nearest cent.",
        _write("shop/prices.py", WRONG, 1)
        + _write("shop/prices.py", RIGHT, 2)
        + '- say: "\\e[36mreading\\e[0m shop/rates.py"\n- say: "\\e[36mwriting\\e[0m shop/prices.py"\n',
        "- AC1: Known prices come out right. Verified by `python3 check_prices.py`\n",
        waits="S1",
    )
    + _step(
        "S3",
        "A page for people",
        "`docs/tax.md` says how prices are rounded.",
        _write("docs/tax.md", "# Tax\n\nPrices are rounded to the nearest cent.\n"),
        "- AC1: The page speaks of rounding. Verified by `grep -q rounded docs/tax.md`",
        waits="S1",
    )
)

ASKING = "### Task SHOP-14: Delete old carts\n\n**Goal**\n\nCarts older than a year are gone.\n\n" + _step(
    "S1",
    "Delete them",
    "The table of carts is small again.",
    "- say: deleting\n",
    "- AC1: None is left. Verified by `true`",
    more="\n**Approval**: before dispatch\n",
)

BATCH = {
    "API-1": ("List the users", "", "users.txt"),
    "API-2": ("List the carts", "API-1", "carts.txt"),
    "API-3": ("List the orders", "API-1", ""),
    "API-4": ("Pay an order", "API-2, API-3", "pay.txt"),
}
_BATCH_CARD = """### Task {id}: {title}

**Goal**

Clients can do it.

**Dependencies**

{waits}

**Concrete Actions**

```bash
{bash}
```

**Acceptance Criteria**

- AC1: It is there. Verified by `test -s {id}.txt`
"""


class Talk(TypedDict):
    """The state of a graph that is not ours."""

    lines: Annotated[list[str], operator.add]


def make_runs(folder: Path) -> Path:
    """All of them, made in this process; the folder of runs."""
    runs = folder / "runs"
    shop = make_repo(folder / "shop")
    (shop / "check_prices.py").write_text(TEST, encoding="utf-8")
    reworked = _card(folder, "tasks.md", REWORKED)
    common = ("--workspace", shop, "--runs", runs, "--json")
    ran = waypost_here("run", reworked, *common, "--worker", "scripted", "--run-id", "SHOP-12_done", cwd=shop)
    assert ran.code == 0, ran
    asking = _card(folder, "carts.md", ASKING)
    ran = waypost_here("run", asking, *common, "--worker", "scripted", "--run-id", "SHOP-14_asks", cwd=shop)
    assert ran.code == 3, ran
    api = make_repo(folder / "api")
    many = _card(folder, "api.md", "\n".join(_batch_card(id, *about) for id, about in BATCH.items()))
    words = ("run", many, "--workspace", api, "--runs", runs, "--max-rework", "0", "--run-id", "API_batch", "--json")
    assert waypost_here(*words, cwd=api).code == 3
    talk(runs, "chat 7/ä", 3)
    broken = runs / "SHOP-9_broken"
    broken.mkdir(mode=0o700)
    (broken / "ledger.jsonl").write_bytes(b"no ledger\n{\n")
    return runs


def talk(runs: Path, thread: str, lines: int, says: str = "line") -> None:
    """A thread of somebody else's graph."""
    builder = StateGraph(Talk)
    builder.add_node("speak", lambda state: {"lines": [f"{says} {len(state['lines'])}"]})
    builder.add_edge(START, "speak")
    builder.add_conditional_edges("speak", lambda state: "speak" if len(state["lines"]) < lines else END)
    with LedgerSaver(runs, durability="process", mirror=False) as saver:
        graph = builder.compile(checkpointer=saver)
        graph.invoke({"lines": []}, {"configurable": {"thread_id": thread}, "recursion_limit": lines + 5})


def _batch_card(id: str, title: str, waits: str, file: str) -> str:
    bash = f"echo {title} > {id}.txt" if file else "true"
    return _BATCH_CARD.format(id=id, title=title, waits=waits or "none", bash=bash)


def _card(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


PLANTED = "<script>window.planted=1</script><img src=x onerror=window.planted=1>'\"><svg onload=window.planted=1>"
_EVIL = f"""### Task EVIL-1: {PLANTED}

**Goal**

{PLANTED}

#### Step S1: {PLANTED}

**Goal**

{PLANTED} [a link](javascript:window.planted=1)

**Concrete Actions**

- {PLANTED}

```scripted
- say: {{said}}
- complain: {{said}}
- write: {{{{path: "<img src=x onerror=planted=1>.txt", text: {{said}}}}}}
```

**Acceptance Criteria**

- AC1: {PLANTED} Verified by `printf %s {{said}} >&2; touch "new blob" "$(printf "x\\377")"; false`
"""


LIVE = """### Task SHOP-15: Search by the name of a product

**Goal**

Customers find what they type.

**Concrete Actions**

```bash
mkdir -p search
echo -e '\\e[36mreading\\e[0m products.csv'
echo -e '\\e[32mindexed\\e[0m 1 200 of 4 800 products'
while [ ! -e ../go ]; do sleep 0.05; done
echo -e '\\e[32mindexed\\e[0m 4 800 of 4 800 products'
echo ready > search/index
```

**Acceptance Criteria**

- AC1: The index is there. Verified by `test -s search/index`

**Allowed Scope**

- `search/**`
"""


def make_evil(folder: Path, runs: Path) -> None:
    """A run in which everything that a task file, a worker, a check or a person can write tries to run in a browser."""
    repo = make_repo(folder / "<b>evil")
    steering = "\x1b]8;;javascript:window.planted=1\x07link\x1b]8;;\x07\x1b[31m\x1b[" + "9" * 5000 + "m"
    said = json.dumps(PLANTED + steering + PLANTED)
    path = _card(folder, "<i>evil.md", _EVIL.format(said=said))
    words = ("--runs", runs, "--json")
    more = ("--workspace", repo, "--worker", "scripted", "--max-rework", "0", "--run-id", "EVIL")
    ran = waypost_here("run", path, *words, *more, cwd=repo)
    assert ran.code == 3, ran
    ran = waypost_here("resume", "EVIL", *words, "--give-up", "--note", PLANTED, cwd=repo)
    assert ran.code == 1, ran
    talk(runs, PLANTED, 2, says=PLANTED)
