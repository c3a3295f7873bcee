"""The base of every parameter class: frozen, closed, documented by its own fields."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Spec(BaseModel):
    """A parameter class: one definition is Python API, file format, JSON schema and form.

    Instances are immutable and hashable; a field that is not declared is refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)
