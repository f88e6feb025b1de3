"""`waypost view` as a command: it says where to look, serves until Ctrl-C, and tells what it needs."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from kit.cli import command, environment, waypost_here
from kit.viewed import talk
from waypost.state.event_schema import check_event


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_to_look_and_ends_quietly_when_it_is_stopped(tmp_path: Path, end: signal.Signals):
    talk(tmp_path / "runs", "chat", 1)
    words = command("view", tmp_path / "runs", "--json")
    given = {**environment(), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    process = subprocess.Popen(
        words, cwd=tmp_path, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        check_event(told)
        assert told["event"] == "viewing"
        host, _, token = told["address"].removeprefix("http://").partition("/?token=")
        connection = http.client.HTTPConnection(host, timeout=60)
        cookie = {"Cookie": f"waypost_view_{host.partition(':')[2]}={token}"}
        connection.request("GET", "/", headers=cookie)
        assert b"chat" in connection.getresponse().read()
        connection.request("GET", "/events", headers=cookie)
        assert connection.getresponse().status == 200
        process.send_signal(end)
        assert process.communicate(timeout=60) == ("", "")
        assert process.returncode == 0
        connection.close()
    finally:
        process.kill()
        process.wait()
    assert len([*(tmp_path / "cache" / "waypost" / "view").iterdir()]) == 1


def test_a_folder_that_is_not_there_is_told(tmp_path: Path):
    ran = waypost_here("view", "nowhere", cwd=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert "there is no folder nowhere" in ran.err


def test_a_port_that_is_taken_is_told(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = waypost_here("view", ".", "--port", str(taken.getsockname()[1]), cwd=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert "cannot be listened on" in ran.err


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_without_its_extra_the_error_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str):
    for name in [*sys.modules]:
        if name == "waypost.cli.look" or name.startswith("waypost.viewer") or name.partition(".")[0] == missing:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    ran = waypost_here("view", ".", cwd=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert f"needs the package {missing}" in ran.err
    assert 'pip install "waypost[view]"' in ran.err
