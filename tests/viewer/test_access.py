"""Who is served: the person who started it, on this machine, and no page of anybody else."""

from __future__ import annotations

import http.client
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.browser import viewing
from waypost.viewer.index import Index
from waypost.viewer.ledgers import Ledgers
from waypost.viewer.server import Viewer

PATHS = ("/", "/events", "/static/style.css", "/run/R", "/run/R/file?path=ledger.jsonl", "/nothing")
HOSTS = ("evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.:{port}")
ORIGINS = (
    "http://evil.example",
    "null",
    "https://{host}",
    "http://127.0.0.1:1",
    "http://{host}.evil.example",
    "http://[",
    "",
)
OUTSIDE = (
    *("/run/..", "/run/%2e%2e", "/run/..%2fsecret", "//evil.example"),
    *("/static/../server.py", "/static/%2e%2e/server.py", "/static/..%2fserver.py"),
)


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    runs = tmp_path_factory.mktemp("access") / "runs"
    runs.mkdir()
    (runs.parent / "secret").write_text("secret")
    with viewing(runs, runs.parent / "cache" / "rows.json") as served:
        yield served


class Asker:
    """Speaks HTTP as it is told to, also as no browser would."""

    def __init__(self, viewer: Viewer) -> None:
        self.port = viewer.port
        self.token = viewer.address.partition("token=")[2]
        self.host = f"127.0.0.1:{self.port}"
        self.cookie = f"waypost_view_{self.port}={self.token}"

    def __call__(self, path: str, method: str = "GET", **headers: str | None) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": self.host, "Cookie": self.cookie, "Connection": "close", **headers}.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders()
        self.answer = connection.getresponse()
        self.body = self.answer.read() if "event-stream" not in (self.answer.headers["content-type"] or "") else b""
        connection.close()
        return self.answer


@pytest.fixture
def ask(viewer: Viewer) -> Asker:
    return Asker(viewer)


def test_the_token_opens_the_door_once_and_the_cookie_keeps_it_open(ask: Asker):
    answer = ask(f"/?token={ask.token}", Cookie=None)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    cookie, *rules = answer.headers["set-cookie"].split("; ")
    assert cookie == ask.cookie
    assert {rule.lower() for rule in rules} == {"httponly", "path=/", "samesite=strict"}
    assert ask("/", Cookie=cookie).status == 200


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_served_without_the_token(ask: Asker, path: str):
    assert ask(path, Cookie=None).status == 403
    assert ask.body.startswith(b"Open the address")


@pytest.mark.parametrize("given", ["", "x", "%00", "ä", "\xff" * 99, "a" * 60_000])
def test_a_wrong_token_is_none(ask: Asker, given: str):
    assert ask("/", Cookie=f"waypost_view_{ask.port}={given}".encode().decode("latin-1")).status in (403, 400)


def test_cookies_of_other_servers_on_this_machine_do_no_harm(ask: Asker):
    assert ask("/", Cookie=f'a={{"x": [1, "y"]}}; strange; b="; {ask.cookie}; c=\x01').status == 200


def test_the_cookie_of_another_port_is_none(ask: Asker):
    assert ask("/", Cookie=ask.cookie.replace(str(ask.port), "80", 1)).status == 403


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["/", "/events"])
def test_a_foreign_host_is_refused_even_with_the_token(ask: Asker, host: str, path: str):
    assert ask(path, Host=host.format(port=ask.port)).status == 421


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_foreign_origin_is_refused_even_with_the_token(ask: Asker, origin: str):
    assert ask("/", Origin=origin.format(host=ask.host)).status == 403
    assert "content-security-policy" in ask.answer.headers


def test_its_own_origin_and_both_names_of_this_machine_are_served(ask: Asker):
    assert ask("/", Origin=f"http://{ask.host}").status == 200
    assert ask("/", Host=f"localhost:{ask.port}").status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_nothing_can_be_changed(ask: Asker, method: str):
    assert ask("/", method).status in (400, 405)


@pytest.mark.parametrize("path", ["/", "/nothing", "/run/R", "/static/style.css", "/static/nothing", "/events"])
def test_every_answer_forbids_what_is_not_ours(ask: Asker, path: str):
    headers = ask(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert (headers["cache-control"], headers["x-frame-options"]) == ("no-store", "DENY")


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_out_of_the_folder(ask: Asker, path: str):
    assert ask(path).status == 404
    assert b"secret" not in ask.body.replace(b"secret&#39;", b"")
    assert b"import" not in ask.body


def test_the_token_leads_to_no_other_host(ask: Asker):
    assert ask(f"//evil.example/x?token={ask.token}", Cookie=None).headers["location"] == "/evil.example/x"


def test_only_this_machine_can_connect(viewer: Viewer):
    assert viewer.address.startswith(f"http://127.0.0.1:{viewer.port}/?token=")
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    here = f"0100007F:{viewer.port:04X}"
    assert [fields[1] for fields in listening if fields[1].endswith(here[8:]) and fields[3] == "0A"] == [here]


def test_what_is_kept_is_for_its_owner_only(viewer: Viewer, tmp_path: Path):
    (tmp_path / "runs" / "R").mkdir(parents=True)
    (tmp_path / "runs" / "R" / "request.json").write_text("{}")
    cache = tmp_path / "cache" / "rows.json"
    Index(Ledgers(tmp_path / "runs"), cache).refresh()
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    assert stat.S_IMODE(cache.parent.stat().st_mode) == 0o700
