"""The process that looks for a stranger's patterns and validates by a stranger's schemas: it can be killed.

Started as a file of its own, with the standard library only; `jsonschema` where it is asked for. Reads one JSON line
and the texts behind it, answers with one JSON line, and so on until there is no more.
"""

from __future__ import annotations

import importlib
import json
import re
import resource
import sys
from typing import Any

_MEMORY_BYTES = 2 << 30
_ERRORS_MAX = 20


def main() -> None:
    """Answer until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    source, answers = sys.stdin.buffer, sys.stdout
    while line := source.readline():
        asked = json.loads(line)
        texts = [source.read(size) for size in asked["sizes"]]
        try:
            told = {"found": _found(asked["pattern"], *texts)} if "pattern" in asked else _errors(*texts)
        except Exception as error:  # what a stranger gave may fail in any way
            told = {"error": f"{type(error).__name__}: {error}"[:500]}
        answers.write(json.dumps(told) + "\n")
        answers.flush()


def _found(pattern: str, text: bytes) -> bool:
    return re.search(pattern, text.decode("utf-8", "replace"), re.MULTILINE) is not None


def _errors(schema: bytes, document: bytes) -> dict[str, Any]:
    try:
        validators = importlib.import_module("jsonschema.validators")
        registry = importlib.import_module("jsonschema_specifications").REGISTRY
    except ImportError as error:
        return {"absent": str(error)}
    rules = json.loads(schema)
    kind = validators.validator_for(rules)
    kind.check_schema(rules)
    try:
        value = json.loads(document, parse_constant=_no_json)
    except ValueError as error:
        return {"errors": [f"no JSON: {error}"]}
    # A registry that is given retrieves nothing: a reference to elsewhere is an error, and not a request.
    found = kind(rules, registry=registry).iter_errors(value)
    errors: list[str] = []
    for error in found:
        errors.append(f"{error.json_path}: {error.message}"[:300])
        if len(errors) >= _ERRORS_MAX:
            break
    return {"errors": errors}


def _no_json(word: str) -> object:
    raise ValueError(f"{word} is no JSON")


if __name__ == "__main__":
    main()
