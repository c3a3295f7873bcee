"""The base of every parameter class: frozen, closed, documented by its own fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict

K = TypeVar("K")
V = TypeVar("V")


class Spec(BaseModel):
    """A parameter class: one definition is Python API, file format, JSON schema and form.

    Instances are immutable and hashable; a field that is not declared is refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


class Table(dict[K, V]):
    """Entries by name inside a parameter class; not to be changed, and therefore hashable."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))


Entries = Annotated[Mapping[K, V], AfterValidator(Table)]
"""The type of a parameter that holds entries by name."""
