"""The page of all runs: filtered, searched, a page at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse

from .html import page
from .live import Follower
from .paging import number, page_of
from .rows import Row

LIVE = "live"
_FIRST = ("DONE", "BLOCKED", "FAILED", "INTERRUPTED", "DRAINING", "EXECUTE", "UNREADABLE")


@dataclass(frozen=True)
class Asked:
    """What the address asks for."""

    words: str
    status: str
    page: int

    @classmethod
    def of(cls, request: Request) -> Asked:
        """Read an address; what makes no sense is left out."""
        given = request.query_params
        return cls(given.get("q", "")[:200].strip(), given.get("status", "")[:40], number(given.get("page")))

    def link(self, *, status: str | None = None, page: int = 1) -> str:
        """The address of another page, or of another status."""
        wanted = self.status if status is None else status
        pairs = {"q": self.words, "status": wanted, "page": str(page) if page > 1 else ""}
        query = urlencode({key: value for key, value in pairs.items() if value})
        return f"/?{query}" if query else "/"

    def link_to(self, page: int) -> str:
        """The address of another page of the same rows."""
        return self.link(page=page)

    def fits(self, row: Row) -> bool:
        """Whether a row is asked for, whatever its status."""
        return all(word in row.searched for word in self.words.casefold().split())


class ListPages:
    """The list of runs.

    Args:
        follower: knows all runs.
        root: the runs folder, for its name.
    """

    def __init__(self, follower: Follower, root: Path) -> None:
        self._follower = follower
        self._root = root

    def all_runs(self, request: Request) -> HTMLResponse:
        """The page."""
        asked, listing = Asked.of(request), self._follower.listing()
        found = [row for row in listing.rows if asked.fits(row)] if asked.words else listing.rows
        rows = [row for row in found if _has_status(row, asked.status)] if asked.status else found
        shown, at, pages = page_of(len(rows), asked.page)
        return page(
            "list.html.j2",
            root=str(self._root),
            asked=asked,
            rows=rows[shown],
            number=len(rows),
            all=len(listing.rows),
            missing=listing.missing,
            statuses=_statuses(found),
            at=at,
            pages=pages,
            mark=str(listing.version),
        )


def _has_status(row: Row, status: str) -> bool:
    return row.pid is not None if status == LIVE else row.status == status


def _statuses(rows: Iterable[Row]) -> list[tuple[str, int]]:
    """Every status that there is, with how many have it; what is being driven comes first."""
    found = Counter(row.status for row in rows)
    live = sum(row.pid is not None for row in rows)
    order = sorted(found, key=lambda status: (_FIRST.index(status) if status in _FIRST else len(_FIRST), status))
    return [*([(LIVE, live)] if live else []), *((status, found[status]) for status in order)]
