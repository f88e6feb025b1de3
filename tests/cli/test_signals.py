"""A stop signal is heard wherever the main thread is."""

from __future__ import annotations

import subprocess
import sys

import pytest
from kit.cli import environment

# The main thread does not take the signal, so nothing interrupts its wait: as where it comes just before the wait.
DEAF = """
import os, signal, threading
from waypost.cli.signals import stop_signals

heard = []
woken = threading.Event()

def listen(name, count):
    heard.append((name, count))
    if count == {times}:
        woken.set()

with stop_signals(listen):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])
    for at in range({times}):
        os.kill(os.getpid(), signal.{name})
        while len(heard) <= at and not woken.wait(0.01):
            pass
    assert woken.wait(60)
print(heard)
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_it_is_heard_while_the_main_thread_waits_and_cannot_be_interrupted(name):
    assert run(DEAF.format(name=name, times=1)) == f"[('{name}', 1)]"


def test_each_is_heard_and_counted():
    assert run(DEAF.format(name="SIGINT", times=3)) == "[('SIGINT', 1), ('SIGINT', 2), ('SIGINT', 3)]"


def test_the_handlers_of_before_are_back_afterwards():
    code = """
import signal
from waypost.cli.signals import stop_signals

before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
with stop_signals(lambda name, count: None):
    pass
assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
assert signal.set_wakeup_fd(-1) == -1
print("same")
"""
    assert run(code) == "same"
