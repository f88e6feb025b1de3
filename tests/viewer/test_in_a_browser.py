"""The viewer in a real browser, over real runs: every page, a live run, what is planted, and who can use it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.browser import Tab, chromium, viewing
from kit.cli import command, environment
from kit.repos import make_repo
from kit.viewed import LIVE, PLANTED, make_evil, make_runs
from playwright.sync_api import Browser, Page, expect
from waypost.checkpointing import fsck
from waypost.checkpointing.names import folder_name
from waypost.viewer.server import Viewer

pytestmark = pytest.mark.xdist_group("viewer-in-a-browser")

DONE, CHAT = "/run/SHOP-12_done", f"/run/{folder_name('chat 7/ä')}"
PAGES = (
    *("/", DONE, f"{DONE}/checks", f"{DONE}/changes", f"{DONE}/states", f"{DONE}/states/newest", f"{DONE}/evidence"),
    *(f"{DONE}/audit", f"{DONE}/attempts/S2/1", "/run/SHOP-14_asks", "/run/API_batch", CHAT),
)
ALSO = (
    "/?status=DONE&q=prices",
    f"{DONE}/checks?q=1307",
    f"{CHAT}/states/2",
    f"{DONE}/file?path=checks/0002/S2.V1.log",
)
IN_THE_DARK = ("/", DONE, f"{DONE}/checks", f"{DONE}/changes", f"{DONE}/states/newest")
TABS = ("", "/checks", "/checks?q=planted", "/changes", "/states", "/evidence", "/audit")
SHOTS = os.environ.get("WAYPOST_SCREENSHOTS", "")
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def runs(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = Path("/tmp/waypost-shop") if SHOTS else tmp_path_factory.mktemp("viewed")
    folder.mkdir(exist_ok=True)
    made = make_runs(folder)
    if not SHOTS:
        make_evil(folder, made)
    yield made
    for ledger in made.glob("*/ledger.jsonl"):
        assert fsck(ledger).ok or "broken" in str(ledger)


@pytest.fixture(scope="module")
def viewer(runs: Path) -> Iterator[Viewer]:
    with viewing(runs) as served:
        yield served


@pytest.fixture(scope="module")
def tab(browser: Browser, viewer: Viewer) -> Iterator[Tab]:
    opened = Tab.of(browser, viewer.address)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: `make screenshots` says docs/viewer."""
    return Path(SHOTS).absolute() if SHOTS else tmp_path_factory.mktemp("shots")


@pytest.fixture(autouse=True)
def _nothing_to_complain_about(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "tab" in request.fixturenames:
        found: Tab = request.getfixturevalue("tab")
        complaints, refused = [*found.complaints], [*found.refused]
        found.complaints.clear()
        found.refused.clear()
        assert (complaints, refused) == ([], [])


def opened(tab: Tab, path: str) -> Page:
    """A page; which line of a ledger holds the newest state says the list of states."""
    if path.endswith("/states/newest"):
        path = tab.go(path.removesuffix("/newest")).locator(".row-link").first.get_attribute("href") or ""
    return tab.go(path)


def told(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*")}


def test_every_page_opens_for_everybody_and_leaves_the_runs_as_they_are(tab: Tab, runs: Path):
    before = told(runs)
    faults: dict[str, list[str]] = {}
    for path in ALSO:
        tab.go(path)
        assert tab.status == 200
    for path in PAGES:
        opened(tab, path)
        assert tab.status == 200
        faults[path] = tab.faults()
    assert faults == {path: [] for path in PAGES}
    assert told(runs) == before


def test_the_pages_can_be_read_in_the_dark(browser: Browser, viewer: Viewer):
    tab = Tab.of(browser, viewer.address, color_scheme="dark")
    faults: dict[str, list[str]] = {}
    for path in IN_THE_DARK:
        page = opened(tab, path)
        faults[path] = tab.faults("color-contrast")
    assert faults == {path: [] for path in IN_THE_DARK}
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 21, 25)"
    tab.close()


def test_nothing_is_wider_than_a_phone(browser: Browser, viewer: Viewer):
    tab = Tab.of(browser, viewer.address, **PHONE)
    widths = {path: opened(tab, path).evaluate("document.documentElement.scrollWidth") for path in PAGES}
    assert widths == dict.fromkeys(PAGES, 390)
    tab.close()


def test_what_a_worker_or_a_task_file_has_planted_stays_text(tab: Tab):
    thread = f"/run/{folder_name(PLANTED)}"
    more = (
        "/attempts/S1/1",
        "/evidence?path=reports/EVIL-1/verification.log",
        "/states/newest",
    )
    evil = [f"/run/EVIL{path}" for path in (*TABS, *more)]
    newest = tab.go(thread).locator(".row-link").first.get_attribute("href")
    for path in ("/", *evil, thread, newest, "/run/<img src=x onerror=window.planted=1>"):
        page = opened(tab, path)
        assert "planted=1" in page.content(), path
        made = "main :is(script, img, iframe, object, embed, [onload], [onerror], [style]), main a[href^='javascript']"
        assert page.locator(made).count() == 0, path
        assert page.evaluate("window.planted") is None
    # The last of them is not there.
    tab.complaints.pop()


def test_even_what_gets_into_a_page_is_not_run(browser: Browser, viewer: Viewer):
    tab = Tab.of(browser, viewer.address)
    page = tab.go("/")
    for code in (
        "document.body.innerHTML = '<img src=x onerror=window.planted=1>'",
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.planted=1'}))",
        "setTimeout('window.planted=1')",
    ):
        refusal = page.evaluate(f"() => {{ try {{ {code} }} catch (error) {{ return String(error) }} }}")
        assert "Trusted" in refusal or "Content Security Policy" in refusal
    assert page.evaluate("() => new Promise((done) => setTimeout(() => done(window.planted), 50))") is None
    tab.close()


def test_a_live_run_is_followed_to_its_end_without_a_reload(tab: Tab, runs: Path, shots: Path):
    repo = make_repo(runs.parent / "live")
    path = repo.parent / "search.md"
    path.write_text(LIVE, encoding="utf-8")
    page = tab.go("/")
    page.evaluate("window.kept = true")
    words = command("run", path, "--workspace", repo, "--runs", runs, "--run-id", "SHOP-15_live")
    process = subprocess.Popen(words, cwd=repo, env=environment(), stdout=subprocess.DEVNULL)
    try:
        row = page.locator("tr", has_text="SHOP-15_live")
        expect(row.locator(".live-tag")).to_be_visible(timeout=20_000)
        page.screenshot(path=shots / "runs.png")
        row.locator("a").click()
        page.evaluate("window.kept = true")
        expect(page.locator(".live-card pre .f2")).to_have_text("indexed", timeout=20_000)
        expect(page.locator(".stage.here .name")).to_have_text("dispatch")
        page.screenshot(path=shots / "live.png", clip={"x": 0, "y": 0, "width": 1280, "height": 720})
        (repo.parent / "go").touch()
        expect(page.locator(".run-head .pill")).to_have_text("DONE", timeout=20_000)
        expect(page.locator(".stage.here .name")).to_have_text("DONE")
        expect(page.locator("#said")).to_contain_text("SHOP-15_live is DONE")
        expect(page.locator(".timeline li")).to_have_count(6)
        assert page.evaluate("window.kept")
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    page.go_back()
    expect(page.locator("tr", has_text="SHOP-15_live").locator(".pill")).to_have_text("DONE")


def test_the_list_is_searched_while_one_types_and_walked_with_the_keyboard(tab: Tab):
    page = tab.go("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.locator("#q").focus()
    page.keyboard.type("api-")
    expect(page.locator(".runs tbody tr")).to_have_count(3)
    assert page.url.endswith("/?q=api-")
    expect(page.locator("#q")).to_be_focused()
    page.locator(".row-link").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".row-link").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("List the carts")


def test_a_check_that_failed_is_unfolded_with_its_colours_and_is_found_by_its_output(tab: Tab):
    page = tab.go(f"{DONE}/checks")
    shown = page.locator("details[open]")
    expect(shown).to_have_count(1)
    expect(shown.locator("pre .f1.t-bold").first).to_have_text("FAIL")
    expect(page.locator(".round").last).to_have_text("Before the work")
    page.locator("#q").fill("= 1307")
    page.keyboard.press("Enter")
    expect(page.locator("details.check")).to_have_count(1)
    expect(page.locator("mark").first).to_have_text("= 1307")


def test_the_links_of_a_report_lead_to_what_it_rests_on(tab: Tab):
    page = tab.go(f"{DONE}/evidence")
    assert "](" not in page.locator(".prose").inner_text()
    hrefs = page.locator(".prose a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert {f"{DONE}/states", f"{DONE}/file?path=checks/0002/S2.V1.log"} <= {*hrefs}
    for href in dict.fromkeys(hrefs):
        tab.go(href)
        assert tab.status == 200, href


def test_the_drawings_say_where_a_run_and_a_batch_stand(tab: Tab):
    page = tab.go("/run/SHOP-14_asks")
    expect(page.locator(".stage.here .name")).to_have_text("person")
    assert "The run is at person." in page.locator("#told-text").text_content()
    # What was worked out once is not worked out again and again while a run goes on.
    assert tab.go(f"{DONE}/audit").locator("body[data-events]").count() == 0
    page = tab.go("/run/API_batch")
    expect(page.locator(".dag .node.wait .name")).to_have_text("API-3")
    assert page.locator(".dag .wait-line").count() == 4


def test_the_screenshots_of_the_page_on_the_viewer_are_taken(browser: Browser, viewer: Viewer, shots: Path):
    wide = {"viewport": {"width": 1180, "height": 800}}
    for name, path, how in (
        ("run", DONE, wide),
        ("checks", f"{DONE}/checks", {**wide, "color_scheme": "dark"}),
        ("changes", f"{DONE}/changes", wide),
        ("batch", "/run/API_batch", {**wide, "color_scheme": "dark"}),
        ("phone", "/run/SHOP-14_asks", PHONE),
    ):
        tab = Tab.of(browser, viewer.address, **how)
        page = tab.go(path)
        if name == "checks":
            page.locator("details[open]").scroll_into_view_if_needed()
        page.screenshot(path=shots / f"{name}.png")
        tab.close()
    page_of_docs = (Path(__file__).parents[2] / "docs" / "viewer.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"\(viewer/(\w+\.png)\)", page_of_docs))
    assert shown == {path.name for path in shots.iterdir()} | {"live.png", "runs.png"}


def test_without_the_cookie_a_browser_sees_nothing(browser: Browser, viewer: Viewer):
    page = browser.new_context().new_page()
    answer = page.goto(f"http://127.0.0.1:{viewer.port}/")
    assert answer is not None
    assert (answer.status, page.locator("table").count()) == (403, 0)
    page.context.close()
