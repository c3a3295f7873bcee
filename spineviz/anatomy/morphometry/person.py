"""Whose body it is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field as Limits
from pydantic import field_validator

from spineviz import measures
from spineviz.spec import Spec


class Person(Spec):
    """Whose body it is. What is left open is the mean of women and men.

    ``stature`` is in metres. ``variation`` seeds a natural variation within the published spread: the same
    number gives the same person.
    """

    sex: Literal["female", "male"] | None = None
    stature: float | None = Limits(default=None, ge=1.4, le=2.1)
    variation: int | None = Limits(default=None, ge=0)

    @field_validator("stature", mode="before")
    @classmethod
    def _adult(cls, value: object) -> object:
        """Refuse a stature that no adult has, with the range of those that adults have."""
        low, high = measures.value("calipers.stature.range")
        if isinstance(value, int | float) and not low <= value <= high:
            raise ValueError(
                f"a stature of {value:g} m is not an adult's; the allowed range is {low} to {high} m"
            )
        return value
