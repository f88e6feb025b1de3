"""JUnit XML as pytest, surefire, gtest and others write it, read as a stranger's text: no DTD, no entities, bounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.parsers import expat

_DEPTH_MAX = 64
_CASES_MAX = 200_000
_SUITES = frozenset({"testsuites", "testsuite"})
# Whatever else stands in a test case says that it did not simply pass.
_HARMLESS = frozenset({"system-out", "system-err", "properties"})
_RAN = frozenset({"", "run", "passed", "pass", "success", "ok", "completed"})


class NoReport(Exception):
    """What was written is no JUnit report, and why."""


@dataclass
class Case:
    """One test of a report; `what` says why it did not pass, and is empty where it did."""

    address: str
    what: str


def read_report(data: bytes) -> list[Case]:
    """The tests of a report, in its order.

    Raises:
        NoReport: no XML, with a DTD, nested too deep, too many tests, or another kind of document.
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=None)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    # Entities need a DTD: without one nothing can be expanded or fetched.
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise NoReport(f"no XML: {error}") from None
    return reader.cases


def verdict_on(id: str, cases: Sequence[Case]) -> str:
    """Why a test is not proved by the report; empty where it is there, and passed everywhere it is there.

    An id without parameters stands for all cases of that test.
    """
    wanted = address_of(id)
    many = "" if "[" in id else f"{wanted}["
    found = [case for case in cases if case.address == wanted or (many and case.address.startswith(many))]
    if not found:
        return f"{id} is not in the report of {len(cases)} tests"
    return next((f"{id} {case.what}" for case in found if case.what), "")


def address_of(id: str) -> str:
    """An id of pytest (`tests/test_a.py::TestB::test_c[1]`) as class name and name in a report; any other as it is."""
    name, bracket, parameters = id.partition("[")
    if "::" not in name:
        return id
    file, *rest = name.split("::")
    module = file.removeprefix("./").removesuffix(".py").replace("/", ".")
    return ".".join([module, *rest]) + bracket + parameters


def _refuse_doctype(*_: object) -> None:
    raise NoReport("it has a document type, which a report needs not")


class _Reader:
    def __init__(self) -> None:
        self.cases: list[Case] = []
        self._path: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._path and tag not in _SUITES:
            raise NoReport(f"its first element is <{tag[:40]}>")
        if len(self._path) >= _DEPTH_MAX:
            raise NoReport(f"it is nested deeper than {_DEPTH_MAX}")
        if tag == "testcase":
            if not set(self._path) <= _SUITES:
                raise NoReport(f"a test stands inside of <{self._path[-1][:40]}>")
            self._case(attributes)
        elif self._path and self._path[-1] == "testcase" and tag not in _HARMLESS:
            words = " ".join(filter(None, (attributes.get("type"), attributes.get("message"))))
            self.cases[-1].what = f"did not pass: {tag[:40]}" + (f" ({' '.join(words.split())[:200]})" if words else "")
        self._path.append(tag)

    def end(self, _tag: str) -> None:
        self._path.pop()

    def _case(self, attributes: dict[str, str]) -> None:
        if len(self.cases) >= _CASES_MAX:
            raise NoReport(f"it has more than {_CASES_MAX} tests")
        name, group = attributes.get("name", ""), attributes.get("classname", "")
        said = [attributes.get(key, "") for key in ("status", "result")]
        odd = next((word for word in said if word.casefold() not in _RAN), "")
        address = f"{group}.{name}" if group else name
        self.cases.append(Case(address, f"did not pass: {odd[:40]}" if odd else ""))
