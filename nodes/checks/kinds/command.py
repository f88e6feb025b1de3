"""The kind `command`: it ends with the exit code that is asked for, and its output holds the pattern that is."""

from __future__ import annotations

from ....state.task import Command, Probe
from .kind import Argument, Bench, Judged, Kept, Kind, Seen, Shape, failed, passed

SUCCESS = "0"


class CommandKind(Kind):
    """A command. In a task it stands as a `Command`, which `as_probe` turns into what is judged."""

    name = "command"
    subject = Argument("command", "the command", Shape.COMMAND, required=True)
    arguments = (
        Argument("output", "a pattern that its output has to hold", Shape.PATTERN),
        Argument("exit_code", "the exit code that is a success, 0 if not given", Shape.EXIT_CODE),
    )
    runs = True

    def look(self, probe: Probe, bench: Bench) -> Seen:
        """Run it."""
        return bench.run(probe.subject[0])

    def judge(self, probe: Probe, kept: Kept) -> Judged:
        """Its exit code, and then its output."""
        wanted = int(probe.args.get("exit_code", SUCCESS))
        code = kept.exit_code
        if code != wanted:
            return failed(f"exit code {code}" + (f", {wanted} is asked for" if wanted else ""))
        pattern = probe.args.get("output")
        if pattern is None:
            return passed(f"exit code {code}")
        if not kept.holds(pattern, kept.log()):
            return failed(f"exit code {code}, and its output does not hold: {pattern}")
        return passed(f"exit code {code}, and its output holds: {pattern}")


def as_probe(command: Command, text: str | None = None) -> Probe:
    """A command of a task as what its kind judges; `text` runs instead, where it is an equivalent."""
    args = {} if command.exit_code == 0 else {"exit_code": str(command.exit_code)}
    args |= {} if command.output is None else {"output": command.output}
    return Probe(ref=command.ref, kind=CommandKind.name, subject=(text or command.run,), args=args)
