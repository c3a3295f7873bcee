"""Stenosis of the canal, a lateral recess or a foramen, by the grades of Schizas, Bartynski and Lee."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, Protocol, TypeVar

from pydantic import Field as Limits
from pydantic import model_validator

from spineviz import measures
from spineviz.anatomy.stenosis import Causes, Narrowing, Place
from spineviz.spec import Spec
from spineviz.terms import LOWER_LUMBAR_DISCS, SIDES, Disc, LumbarDisc, Side

Grade = Literal["0", "A", "B", "C", "D", "1", "2", "3"]

SCHEMES: Mapping[Place, str] = {"central": "Schizas", "recess": "Bartynski", "foraminal": "Lee"}
"""Whose grades tell how narrow a place is."""

GRADES: Mapping[Place, tuple[Grade, ...]] = {
    "central": ("0", "A", "B", "C", "D"),
    "recess": ("0", "1", "2", "3"),
    "foraminal": ("0", "1", "2", "3"),
}
"""The grades of each place; 0 is health."""

USUAL: Mapping[Place, Grade] = {"central": "C", "recess": "2", "foraminal": "2"}


class Stenosis(Spec):
    """A narrowed canal, lateral recess or foramen; grade 0 is a healthy one.

    A canal is narrow by its grade after Schizas or by the area of the sac that is left. Raises ValueError,
    telling what is possible, for what cannot be.
    """

    kind: Literal["stenosis"] = "stenosis"
    disc: LumbarDisc = Limits("L4-L5", description="The disc, by the vertebrae above and below it.")
    place: Place = Limits(
        "central", description="The canal, the lateral recess on a side, or the foramen on a side."
    )
    side: Side = Limits("left", description="The patient's side; of no account in the canal.")
    both: bool = Limits(False, description="Whether the recesses or foramina of both sides are narrow.")
    grade: Grade = Limits(
        "C",
        description="How narrow: A to D after Schizas in the canal, 1 to 3 after Bartynski in a recess and "
        "after Lee in a foramen; 0 is health.",
    )
    sac_area: float | None = Limits(
        None, gt=0.0, le=400.0, description="What is left of the sac, mm², in place of a grade of the canal."
    )
    causes: Causes = Limits(Causes(), description="What takes the room away, in proportions.")

    @model_validator(mode="before")
    @classmethod
    def _usual(cls, data: Any) -> Any:
        """Fill in the grade that is meant where none is told."""
        if not isinstance(data, dict) or data.get("grade") is not None:
            return data
        place, area = data.get("place", "central"), data.get("sac_area")
        if place == "central" and isinstance(area, int | float):
            return {**data, "grade": grade_of(float(area))}
        return {**data, "grade": USUAL.get(place, "C")}

    @model_validator(mode="after")
    def _consistent(self) -> Stenosis:
        if self.place == "recess" and self.disc not in LOWER_LUMBAR_DISCS:
            raise ValueError(
                f"at {self.disc} the canal is oval and has no true lateral recess; choose "
                f"{', '.join(LOWER_LUMBAR_DISCS)}, or place 'central' or 'foraminal'"
            )
        grades = GRADES[self.place]
        if self.grade not in grades:
            raise ValueError(
                f"grade {self.grade}: {_NAMES[self.place]} is graded {', '.join(grades)} after "
                f"{SCHEMES[self.place]}"
            )
        if self.sac_area is not None and self.place != "central":
            raise ValueError(f"sac_area tells of the canal; give {_NAMES[self.place]} a grade")
        if self.sac_area is not None and self.grade != grade_of(self.sac_area):
            raise ValueError(
                f"a sac of {self.sac_area:g} mm² is grade {grade_of(self.sac_area)} here, not {self.grade}; "
                "give one of the two"
            )
        least, most = measures.value("stenosis.area")
        if self.sac_area is not None and not least <= self.sac_area <= most:
            raise ValueError(
                f"a sac of {self.sac_area:g} mm²: a narrow one has {least:g} to {most:g} mm²; for health "
                "take the stenosis away"
            )
        if self.both and self.place == "central":
            raise ValueError("'both' tells of recesses and foramina; the canal has no sides")
        return self

    @property
    def present(self) -> bool:
        """Whether there is a stenosis at all."""
        return self.grade != "0"

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that are narrow."""
        return SIDES if self.both or self.place == "central" else (self.side,)


_NAMES: Mapping[Place, str] = {"central": "a canal", "recess": "a recess", "foraminal": "a foramen"}


def grade_of(area: float) -> Grade:
    """Return the grade after Schizas that a sac of some area, mm², usually has."""
    table = measures.table("stenosis.schizas")
    letters: tuple[Grade, ...] = ("A", "B", "C", "D")
    return next((name for name in letters if area >= table[name]["from"]), "D")


def narrowing(stenosis: Stenosis) -> Narrowing:
    """Return how a segment is narrowed. Raises ValueError at grade 0."""
    if not stenosis.present:
        raise ValueError("a stenosis of grade 0 narrows nothing")
    common: dict[str, Any] = {"place": stenosis.place, "sides": stenosis.sides, "causes": stenosis.causes}
    if stenosis.place != "central":
        return Narrowing(**common, grade=int(stenosis.grade))
    row = measures.table("stenosis.schizas")[stenosis.grade]
    kept = {name: row[name] for name in ("filled", "spread", "fat", "share")}
    return Narrowing(**common, **kept, area=stenosis.sac_area)


class WithNarrowings(Protocol):
    """An anatomy, as far as a stenosis needs to know it: a frozen dataclass."""

    @property
    def discs(self) -> Mapping[Disc, Any]:
        """Every disc's parameters."""
        ...

    @property
    def narrowings(self) -> Mapping[Disc, tuple[Narrowing, ...]]:
        """What is narrow at a disc."""
        ...


A = TypeVar("A", bound=WithNarrowings)


def apply(stenosis: Stenosis, anatomy: A) -> A:
    """Return the anatomy with the stenosis; grade 0 returns the anatomy itself.

    Raises ValueError when the disc is not part of the anatomy, or already narrow in that place and side.
    """
    if not stenosis.present:
        return anatomy
    if stenosis.disc not in anatomy.discs:
        raise ValueError(f"no disc {stenosis.disc}; there is: {', '.join(anatomy.discs)}")
    known = anatomy.narrowings.get(stenosis.disc, ())
    made = narrowing(stenosis)
    if any(item.place == made.place and set(item.sides) & set(made.sides) for item in known):
        raise ValueError(f"{stenosis.disc} already has a {stenosis.place} stenosis there")
    everything: Any = anatomy
    result: A = replace(everything, narrowings={**anatomy.narrowings, stenosis.disc: (*known, made)})
    return result
