"""What workers and checks are given of our environment, and which of its values must never be written anywhere."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from typing import Annotated

from pydantic import StringConstraints

from ...state.model import Record
from .launcher.masking import Masker
from .launcher.variables import DEFAULT_ALLOW, chosen, masker_for

VariableName = Annotated[str, StringConstraints(pattern=r"^(\*|\*?[A-Za-z_][A-Za-z0-9_]*\*?)$")]


class Environment(Record):
    """Names of variables; `*` at either end of a name stands for anything.

    Attributes:
        allow: passed to workers and checks, besides `DEFAULT_ALLOW`.
        secret: variables whose values are hidden in all that is written, besides those whose names say that they
            hold a secret. A secret variable is passed only if it is allowed as well.
    """

    allow: tuple[VariableName, ...] = ()
    secret: tuple[VariableName, ...] = ()

    def allowed(self, passed: Iterable[str] = ()) -> tuple[str, ...]:
        """Every name that is passed to a process, with those that this worker needs."""
        return (*DEFAULT_ALLOW, *self.allow, *passed)

    def variables(self) -> dict[str, str]:
        """The part of our own environment that a check is given."""
        return dict(self._variables)

    def masker(self, passed: Iterable[str] = ()) -> Masker:
        """Hides tokens of known shapes and the values of secret variables of our own environment."""
        names = tuple(passed)
        return masker_for(os.environ, (*self.secret, *names)) if names else self._masker

    # Read once: going through the environment costs more than most of what it is asked for.
    @cached_property
    def _variables(self) -> dict[str, str]:
        return _with_absolute_path(chosen(os.environ, self.allowed()))

    @cached_property
    def _masker(self) -> Masker:
        return masker_for(os.environ, self.secret)


def _with_absolute_path(variables: dict[str, str]) -> dict[str, str]:
    """Without the folders of PATH that stand for a place in the workspace, where a worker can put programs."""
    if "PATH" not in variables:
        return variables
    folders = [folder for folder in variables["PATH"].split(os.pathsep) if os.path.isabs(folder)]
    return {**variables, "PATH": os.pathsep.join(folders)}
