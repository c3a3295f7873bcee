"""What all pathologies share that deform the column itself: bones move, and all tissue follows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from spineviz.anatomy.column.deformation import Deformation
from spineviz.spec import Spec
from spineviz.terms import Level


class WithDeformation(Protocol):
    """An anatomy, as far as a deforming pathology needs to know it: a frozen dataclass."""

    @property
    def levels(self) -> tuple[Level, ...]:
        """The bones of the column, from above."""
        ...

    @property
    def deformation(self) -> Deformation:
        """What is deformed of it."""
        ...


A = TypeVar("A", bound=WithDeformation)


class Deforming(Spec):
    """The base of pathologies that deform the column."""


def with_entries(anatomy: A, part: str, entries: Mapping[Any, Spec]) -> A:
    """Return an anatomy with entries added to a part of its deformation, by disc or by level.

    Raises ValueError where there is an entry of the same name already.
    """
    known: Mapping[Any, Spec] = getattr(anatomy.deformation, part)
    if twice := [name for name in entries if name in known]:
        raise ValueError(f"{twice[0]}: two pathologies change it in the same way; take one of them away")
    changes: dict[str, Any] = {part: {**known, **entries}}
    everything: Any = anatomy
    result: A = replace(everything, deformation=replace(anatomy.deformation, **changes))
    return result


def require(what: str, name: str, known: tuple[str, ...]) -> None:
    """Raise ValueError where an anatomy lacks a bone or a disc."""
    if name not in known:
        raise ValueError(f"no {what} {name}; there is: {', '.join(known)}")
