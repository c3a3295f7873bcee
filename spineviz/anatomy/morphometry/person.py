"""Whose body it is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field as Limits

from spineviz.spec import Spec


class Person(Spec):
    """Whose body it is. What is left open is the mean of women and men.

    ``stature`` is in metres. ``variation`` seeds a natural variation within the published spread: the same
    number gives the same person.
    """

    sex: Literal["female", "male"] | None = None
    stature: float | None = Limits(default=None, ge=1.4, le=2.1)
    variation: int | None = Limits(default=None, ge=0)
