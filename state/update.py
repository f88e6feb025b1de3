"""Joining an update to a state. LangGraph validates state on a node's input only; this validates what comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Annotated, Any, cast
from weakref import WeakValueDictionary

from pydantic import TypeAdapter, ValidationError

from .errors import StateError
from .model import Record
from .pipeline import PipelineState, append, join_attempts, newest

_REDUCERS = (newest, append, join_attempts)


def validate_state(values: object) -> PipelineState:
    """A whole state from an instance or a mapping of its fields.

    Raises:
        StateError: a field is unknown, missing or of the wrong type, or an invariant is broken.
    """
    raw = {name: _plain(value) for name, value in vars(values).items()} if isinstance(values, PipelineState) else values
    try:
        return _noted(PipelineState.model_validate(raw))
    except ValidationError as error:
        raise StateError("the state of the run is not valid", facts=_facts(error)) from None


def validate_update(update: Mapping[str, Any]) -> dict[str, Any]:
    """Each value of an update, checked against the type of its field.

    Raises:
        StateError: a field is unknown, or a value does not fit.
    """
    checked: dict[str, Any] = {}
    for name, value in update.items():
        if name not in PipelineState.model_fields:
            known = ", ".join(PipelineState.model_fields)
            raise StateError(f'update of unknown field "{name}"', facts={"known": known})
        try:
            checked[name] = _adapter(name).validate_python(_plain(value))
        except ValidationError as error:
            raise StateError(f'update of "{name}" does not fit its type', facts=_facts(error)) from None
    _note(checked.values())
    return checked


def apply_update(state: PipelineState, update: Mapping[str, Any]) -> PipelineState:
    """The state after `update`, joined as LangGraph will join it, and validated whole.

    Raises:
        StateError: as `validate_update`, or the joined state breaks an invariant.
    """
    values = {name: getattr(state, name) for name in PipelineState.model_fields}
    for name, value in validate_update(update).items():
        values[name] = _reducer(name)(values[name], value)
    try:
        # What was there is valid, and so is each value of the update; what they make together is looked at here.
        return PipelineState.model_validate(values)
    except ValidationError as error:
        raise StateError("the state of the run is not valid", facts=_facts(error)) from None


# Records that went through validation as they are, by identity: they do not change, and a long run has many of them.
_VALID: WeakValueDictionary[int, Record] = WeakValueDictionary()


_ANYTHING: TypeAdapter[Any] = TypeAdapter(Any)


def _plain(value: Any) -> Any:
    """A value without any record that was not validated as it is: one that was copied past that would be believed."""
    if type(value) is tuple:
        return tuple(_plain(item) for item in cast(tuple[Any, ...], value))
    return value if _VALID.get(id(value)) is value else _ANYTHING.dump_python(value, warnings=False)


def _noted(state: PipelineState) -> PipelineState:
    _note(vars(state).values())
    return state


def _note(values: Iterable[Any]) -> None:
    for value in values:
        for item in cast(tuple[Any, ...], value) if isinstance(value, tuple) else (value,):
            if isinstance(item, Record):
                _VALID[id(item)] = item


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    field = PipelineState.model_fields[name]
    annotated: Any = cast(Any, Annotated)[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return TypeAdapter(annotated)


def _reducer(name: str) -> Callable[[Any, Any], Any]:
    metadata = PipelineState.model_fields[name].metadata
    return next((reducer for reducer in _REDUCERS if reducer in metadata), newest)


def _facts(error: ValidationError) -> dict[str, str]:
    return {".".join(str(part) for part in item["loc"]) or "state": item["msg"] for item in error.errors()}
