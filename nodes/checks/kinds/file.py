"""The kind `file`: a regular file that is there and not empty, holds a pattern, or is valid by a JSON Schema."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from ....state.task import Probe
from .kind import Argument, Bench, Judged, Kept, Kind, NotKept, Seen, Shape, failed, passed
from .notes import facts_of

_CONTENT, _SCHEMA = "content", "schema"
_SHOWN = 3


class FileKind(Kind):
    """A file of the workspace. A symbolic link, also on the way to it, is no file."""

    name = "file"
    subject = Argument("path", "the path of a file in the workspace", Shape.PATH, required=True)
    arguments = (
        Argument("matches", "a pattern that it has to hold", Shape.PATTERN),
        Argument("schema", "the path of the JSON Schema that it has to be valid by", Shape.PATH),
    )

    def complaint(self, subject: Sequence[str], args: Mapping[str, str]) -> str:
        """A file cannot be its own schema."""
        return "is to be valid by itself" if args.get("schema") == subject[0] else ""

    def judging_files(self, probe: Probe) -> tuple[str, ...]:
        """Its schema."""
        return (probe.args["schema"],) if "schema" in probe.args else ()

    def look(self, probe: Probe, bench: Bench) -> Seen:
        """Read it, and its schema; keep them where the verdict needs more than that it is there."""
        path = probe.subject[0]
        try:
            content = bench.read(path)
            kept = {_CONTENT: bench.keep(_CONTENT, content)} if probe.args else {}
            if "schema" in probe.args:
                kept[_SCHEMA] = bench.keep(_SCHEMA, bench.read(probe.args["schema"]))
        except NotKept as why:
            return Seen(log=bench.note(path=path, refused=str(why)))
        log = bench.note(path=path, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        return Seen(log=log, kept=kept)

    def judge(self, probe: Probe, kept: Kept) -> Judged:
        """What was noted about it, and what was kept of it."""
        facts = facts_of(kept.log())
        path = probe.subject[0]
        if facts.get("path") != path or "refused" in facts:
            return failed(str(facts.get("refused", f"it was not {path} that was looked at")))
        if not isinstance(size := facts.get("bytes"), int) or size <= 0:
            return failed(f"{path} is empty")
        reasons = [f"{size} bytes, sha256 {facts.get('sha256')}"]
        if (pattern := probe.args.get("matches")) is not None:
            if not kept.holds(pattern, kept.file(_CONTENT)):
                return failed(f"{path} does not hold: {pattern}")
            reasons.append(f"holds: {pattern}")
        if (schema := probe.args.get("schema")) is not None:
            if errors := kept.schema_errors(kept.file(_SCHEMA), kept.file(_CONTENT)):
                more = f"; {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
                return failed(f"{path} is not valid by {schema}: {'; '.join(errors[:_SHOWN])}{more}")
            reasons.append(f"valid by {schema}")
        return passed(f"{path}: {', '.join(reasons)}")
