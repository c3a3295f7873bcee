"""Anatomy: every parameter of a body, resolved; pathologies map one anatomy to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from spineviz import measures
from spineviz.anatomy.column.deformation import Deformation
from spineviz.anatomy.column.posture import Posture
from spineviz.anatomy.disc import DiscParameters, disc_parameters
from spineviz.anatomy.morphometry.person import Person
from spineviz.anatomy.stenosis import Narrowing
from spineviz.body.person import measured_as, sacralised, size_of
from spineviz.body.variation import shapes_of, wedges_of
from spineviz.patient import GivenBone
from spineviz.spec import Spec
from spineviz.terms import Disc, Level, SkinTone, column, discs_of

Vertebra = Spec | Mapping[str, float]
"""A bone's shape parameters; or some of its measures (mm, degrees), the others being usual."""


@dataclass(frozen=True)
class Anatomy:
    """One entry a level and structure; what is left out is the healthy body of the measures.

    ``levels`` are the bones of the column, from above. ``vertebrae`` holds the shape of each bone by level:
    a few measures may be given (``{"L4": {"canal_depth": 12}}``), and shape parameters stand there
    afterwards. Where there are six lumbar vertebrae, the last has the shape of a fifth and the one above it
    that of a fourth. ``sacralised`` says that the last lumbar vertebra joins the sacrum by its transverse
    processes (Castellvi type IIb). ``given`` bones replace generated ones. ``sacral_slope`` is in degrees.
    ``skin`` is its tone, and ``fat`` the thickness (mm) of the fat under it behind some discs, where it is
    not the usual one. ``narrowings`` tell what is narrow at some discs, ``deformation`` what a disease
    changed of the body that all the rest makes.

    Raises ValueError for a level or a disc that the column does not have, and for a measure that is unknown
    or not human, a disc, a sacral slope or fat that nobody has, with the allowed range.
    """

    levels: tuple[Level, ...] = field(default_factory=column)
    vertebrae: Mapping[Level, Vertebra] = field(default_factory=dict)
    discs: Mapping[Disc, DiscParameters] = field(default_factory=dict)
    sacral_slope: float = field(default_factory=lambda: float(measures.value("alignment.sacral_slope")))
    posture: Posture = field(default_factory=Posture)
    person: Person = field(default_factory=Person)
    sacralised: bool = False
    given: Mapping[Level, GivenBone] = field(default_factory=dict)
    skin: SkinTone = "light"
    fat: Mapping[Disc, float] = field(default_factory=dict)
    narrowings: Mapping[Disc, tuple[Narrowing, ...]] = field(default_factory=dict)
    deformation: Deformation = field(default_factory=Deformation)

    def __post_init__(self) -> None:
        """Fill in what was left out."""
        own = discs_of(self.levels)
        _require("bone", self.vertebrae, self.levels)
        _require("disc", self.discs, own)
        six: Mapping[Level, Level] = {"L6": "L5", "L5": "L4"} if "L6" in self.levels else {}
        like = {level: six.get(level, level) for level in self.levels}
        shapes = shapes_of(self.person, like)
        made = {level: self._shape(level, like[level], shape) for level, shape in shapes.items()}
        object.__setattr__(self, "vertebrae", made)
        wedges = wedges_of(self.person, like)
        object.__setattr__(self, "discs", {disc: self._disc(disc, wedges[disc]) for disc in own})
        _possible(
            "a sacral slope", self.sacral_slope, "degrees", measures.value("alignment.sacral_slope_range")
        )
        for disc, shape in self.discs.items():
            self._possible_disc(disc, shape)
        _require("disc", self.fat, own)
        _require("disc", self.narrowings, own)
        for disc, thickness in self.fat.items():
            _possible(f"{disc}: fat", thickness, "mm", measures.value("skin.fat_range"))

    def shape(self, level: Level) -> Spec:
        """Return the shape parameters of a bone."""
        found = self.vertebrae[level]
        assert isinstance(found, Spec)
        return found

    @property
    def size(self) -> float:
        """How much larger than its parameters every bone is."""
        return size_of(self.person)

    def _shape(self, level: Level, like: Level, shape: Spec) -> Spec:
        asked = self.vertebrae.get(level, {})
        if isinstance(asked, Spec):
            return asked
        made = measured_as(shape, like, self.person, asked)
        last = level == self.levels[self.levels.index("S1") - 1]
        return sacralised(made) if self.sacralised and last else made

    def _disc(self, disc: Disc, wedge: float) -> DiscParameters:
        if disc in self.discs:
            return self.discs[disc]
        usual = disc_parameters(disc)
        height = usual.height_middle * size_of(self.person)
        if self.sacralised and disc.endswith("S1"):
            height *= float(measures.value("sacralisation.disc_height"))
        return usual.model_copy(update={"height_middle": height, "wedge": wedge})

    def _possible_disc(self, disc: Disc, shape: DiscParameters) -> None:
        """Raise ValueError for a disc that is higher, or more wedged, than that of anybody at its place."""
        usual, most = disc_parameters(disc), measures.value("alignment.disc_height_most")
        reach = measures.value("alignment.disc_wedge_reach")
        highest = round(most * usual.height_middle * self.size, 1)
        _possible(f"{disc}: height_middle", shape.height_middle, "mm", (1.0, highest))
        _possible(f"{disc}: wedge", shape.wedge, "degrees", (usual.wedge - reach, usual.wedge + reach))


def _possible(what: str, value: float, unit: str, allowed: Sequence[float]) -> None:
    low, high = allowed
    if not low <= value <= high:
        raise ValueError(
            f"{what} of {value:g} {unit} is not human; the allowed range is {low:g} to {high:g} {unit}"
        )


def _require(what: str, named: Iterable[str], known: tuple[str, ...]) -> None:
    unknown = [name for name in named if name not in known]
    if unknown:
        raise ValueError(f"there is no {what} {unknown[0]!r} in this column; there is: {', '.join(known)}")
