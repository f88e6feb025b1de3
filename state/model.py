"""The base of every record: unknown fields are refused, records do not change after they are made."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A frozen Pydantic model that refuses unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)
