"""The collapse of a vertebral body."""

from __future__ import annotations

from pydantic import Field as Limits

from spineviz.spec import Spec


class Collapse(Spec):
    """How much lower a vertebral body has become, in parts of its height in front, in the middle and behind.

    ``both`` tells that both endplates gave way, not the upper one alone. ``retropulsion`` (mm) is how far the
    upper posterior corner stands back into the canal, ``widened`` (mm) how much farther the pedicles stand
    apart.
    """

    front: float = Limits(default=0.0, ge=0.0, le=0.8)
    middle: float = Limits(default=0.0, ge=0.0, le=0.8)
    back: float = Limits(default=0.0, ge=0.0, le=0.8)
    both: bool = False
    retropulsion: float = Limits(default=0.0, ge=0.0, le=15.0)
    widened: float = Limits(default=0.0, ge=0.0, le=10.0)
