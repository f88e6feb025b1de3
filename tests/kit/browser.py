"""A real Chromium in front of the viewer; skips, with a reason, where this machine has none."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright
from waypost.cli.look import says_of
from waypost.viewer.server import Viewer

# Chromium has little of a machine on which everything else is tested too.
expect.set_options(timeout=20_000)
_NAMES = ("chromium", "chromium-browser", "google-chrome")
SERIOUS = ("serious", "critical")


@contextmanager
def viewing(runs: Path, cache: Path | None = None) -> Iterator[Viewer]:
    """The viewer over a folder, in a thread of this process."""
    viewer, ready = Viewer(runs, says_of(runs), cache=cache), threading.Event()
    thread = threading.Thread(target=viewer.serve, args=(ready.set,))
    thread.start()
    try:
        assert ready.wait(20)
        yield viewer
    finally:
        viewer.stop()
        thread.join(20)
        assert not thread.is_alive()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        # A developer may do without; a verdict over the whole may not.
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up("there is no Chromium here: apt-get install --no-install-recommends chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--disable-gpu", "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Tab:
    """A page that was let in, and everything it complained about."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list[str])
    refused: list[str] = field(default_factory=list[str])

    @classmethod
    def of(cls, browser: Browser, address: str, **context: Any) -> Tab:
        page = browser.new_context(**context).new_page()
        tab = cls(page, address.partition("/?")[0])
        page.on("console", lambda said: tab.complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (tab.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        # Nothing may be asked of any other machine.
        page.route(lambda url: urlsplit(url).netloc != urlsplit(address).netloc, lambda route: tab.refuse(route))
        page.goto(address)
        return tab

    def refuse(self, route: Any) -> None:
        self.refused.append(route.request.url)
        route.abort()

    def go(self, path: str) -> Page:
        answer = self.page.goto(self.address + path, wait_until="domcontentloaded")
        assert answer is not None
        self.status = answer.status
        return self.page

    def faults(self, *rules: str) -> list[str]:
        """What axe finds that is serious, by all of its rules or by these."""
        found = Axe().run(self.page, options={"runOnly": [*rules]} if rules else None).response["violations"]
        return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in SERIOUS]

    def close(self) -> None:
        self.page.context.close()
