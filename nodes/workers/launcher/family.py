"""The processes below one of ours: started so that they die with it, and ended with all that they left behind."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from .system import SIGKILL, SIGTERM, become_worker, children_of

# A process that cannot be killed (it waits for a broken disk) is not waited for beyond this.
_FAMILY_S = 10.0
_EINVAL = 22


def spawn(
    argv: list[str],
    environ: Mapping[str, str] | Mapping[bytes, bytes],
    fds: tuple[int, int, int],
    *,
    cwd: str = ".",
    umask: int | None = None,
) -> int:
    """Fork and execute in a session of its own; the pid.

    Args:
        fds: what becomes standard input, output and error.

    Raises:
        OSError: the folder or the program cannot be used.
    """
    reader, writer = os.pipe2(os.O_CLOEXEC)
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            become_worker(parent, SIGTERM)
            if umask is not None:
                os.umask(umask)
            for target, fd in enumerate(fds):
                os.dup2(fd, target)
            os.chdir(cwd)
            _execute(argv, environ)
        except OSError as error:
            os.write(writer, str(error.errno).encode())
        except ValueError:
            os.write(writer, str(_EINVAL).encode())
        finally:
            os._exit(127)
    os.close(writer)
    failure = os.read(reader, 16)
    os.close(reader)
    if failure:
        os.waitpid(child, 0)
        number = int(failure)
        raise OSError(number, os.strerror(number))
    return child


def _execute(argv: list[str], environ: Mapping[str, str] | Mapping[bytes, bytes]) -> None:
    """As `execvpe`, but only what stands somewhere is tried: each try hands over all variables anew."""
    for place in _places(argv[0], environ):
        if os.access(place, os.X_OK) and not os.path.isdir(place):
            try:
                os.execve(place, argv, environ)
            except OSError:
                break
    # It also says what is wrong, where nothing can be executed.
    os.execvpe(argv[0], argv, environ)


def _places(program: str, environ: Mapping[str, str] | Mapping[bytes, bytes]) -> list[str]:
    if "/" in program:
        return [program]
    path = next((os.fsdecode(path) for name, path in environ.items() if os.fsencode(name) == b"PATH"), os.defpath)
    return [os.path.join(folder, program) for folder in path.split(os.pathsep)]


def signal_family(leader: int, number: int) -> None:
    """Signal the whole group of a child, and what has left it and lost its parent."""
    for pid in (-leader, *children_of(os.getpid())):
        _kill(pid, number)


def end_family() -> bool:
    """Kill every descendant that is left, and reap it: what goes on working could change what is verified next.

    Only children are killed: their own children become ours by that, and a pid that is not reaped is never reused.

    Returns:
        Whether none is left; False for one that cannot be killed.
    """
    deadline = time.monotonic() + _FAMILY_S
    while time.monotonic() < deadline:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                continue
        except ChildProcessError:
            return True
        for pid in children_of(os.getpid()):
            _kill(pid, SIGKILL)
        time.sleep(0.001)
    return False


def _kill(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return
