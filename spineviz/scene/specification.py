"""What a scene file may tell: parameter classes that refuse what cannot be shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from spineviz.anatomy.column.posture import Posture
from spineviz.anatomy.morphometry.person import Person
from spineviz.cuts import CutPlane, LayersSaid
from spineviz.layers import LAYERS, Layer, chosen_layers, enclosed
from spineviz.pathology import Deforming, Herniation, Pathology, Stenosis
from spineviz.patient import GivenBone
from spineviz.spec import Entries, Spec
from spineviz.surgery.procedures import Approach, Decompressing
from spineviz.terms import LEVELS, Disc, Level, Side, SkinTone, Together, levels_of
from spineviz.views import View

REMOVED, REACHED = ("protrusion", "extrusion"), ("central", "paracentral", "subarticular")
"""The morphologies and the zones of the herniations that approaches remove."""

PlaneName = Literal["axial", "sagittal"]
"""A slice beside a scene."""

PLANES: tuple[PlaneName, ...] = get_args(PlaneName)

LayerWords = Annotated[
    LayersSaid,
    Field(
        description="The layers that are shown, in words, and no others: 'down to the fascia', "
        "'everything but skin', 'bones and nerves', 'only muscles'. 'hide' takes more away."
    ),
]
"""Which layers are seen, in words; empty for all."""


Severity = Annotated[float, Field(ge=0, le=1)]

Cuts = Annotated[tuple[CutPlane, ...], Field(max_length=12)]


class Body(Spec):
    """Whose body is shown, and how it stands."""

    person: Person = Person()
    posture: Posture = Posture()
    variant: Literal["usual", "six_lumbar", "sacralised_L5"] = Field(
        "usual", description="Six lumbar vertebrae, or an L5 that joins the sacrum."
    )
    vertebrae: Entries[Level, Entries[str, float]] = Field(
        {}, description="Measures (mm, degrees) of single vertebrae that differ from the usual ones."
    )
    bones: Entries[Level, GivenBone] = Field(
        {}, description="Bones of a patient that stand in for the generated ones, by level."
    )
    skin: SkinTone = Field("light", description="The tone of the skin.")
    fat: Entries[Disc, float] = Field(
        {},
        description="Thickness of the fat under the skin behind some discs, mm, where it is not the usual.",
    )


class AnatomyRange(Body):
    """Which part of the spine is shown, and whose body it is."""

    first: Level = Field("L3", description="The uppermost level shown.")
    last: Level = Field("S1", description="The lowermost level shown.")
    beside: tuple[Literal["ribs", "ilium"], ...] = Field(
        (), description="Bones beside the spine that are shown too."
    )

    @model_validator(mode="after")
    def _downwards(self) -> AnatomyRange:
        if LEVELS.index(self.first) > LEVELS.index(self.last):
            raise ValueError(f"first ({self.first}) lies below last ({self.last}); exchange them")
        if "L6" in (self.first, self.last) and self.variant != "six_lumbar":
            raise ValueError(
                'there is no L6 in this column; set variant = "six_lumbar", or choose another bone'
            )
        return self

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels shown, from above."""
        return LEVELS[LEVELS.index(self.first) : LEVELS.index(self.last) + 1]


class Compared(Body):
    """A body that stands beside the others of a scene."""

    title: str = Field(description="A key of the text catalog, or the title itself.")
    pathologies: tuple[Pathology, ...] = Field(
        (), description="What this body has; discs, nerves and ligaments are then shown of all bodies."
    )


class SceneStep(Spec):
    """A step of the scene itself, before any approach begins."""

    title: str = Field(description="A key of the text catalog.")
    seconds: Annotated[float, Field(ge=0.5, le=120)] = 4.0
    camera: View = "posterior"
    show: LayerWords = ""
    hide: tuple[Layer, ...] = Field((), description="Layers that are out of sight at the end of the step.")
    fade: tuple[Layer, ...] = Field((), description="Layers that one looks through at the end of the step.")
    highlight: tuple[Layer, ...] = ()
    labels: tuple[str, ...] = Field((), description="Structures named in the picture.")
    cuts: Cuts = Field((), description="Planes that open the scene in this step, besides those of the scene.")
    severity: Severity | None = Field(
        None,
        description="How much of the disease there is at the end of the step, 0 a healthy body to 1 all of "
        "it; as much as before where nothing is said.",
    )

    @property
    def hidden(self) -> tuple[Layer, ...]:
        """The layers that are out of sight at the end of the step."""
        return _hidden(self.show, self.hide)


class Scene(Spec):
    """A scene as its file tells it: frozen, validated, hashable."""

    title: str = Field(description="A key of the text catalog, or the title itself.")
    anatomy: AnatomyRange = AnatomyRange()
    compare: Annotated[tuple[Compared, ...], Field(max_length=5)] = Field(
        (), description="Bodies that are shown beside each other, in place of the one of ``anatomy``."
    )
    rows: Literal[1, 2] = Field(1, description="In how many rows the bodies of ``compare`` stand.")
    pathologies: tuple[Pathology, ...] = ()
    approaches: Annotated[tuple[Approach, ...], Field(max_length=2)] = ()
    camera: View = "posterior"
    show: LayerWords = ""
    views: Annotated[tuple[View, ...], Field(max_length=4)] = Field(
        (), description="Views that stand beside each other, in place of ``camera`` and those of the steps."
    )
    planes: Annotated[tuple[PlaneName, ...], Field(max_length=2)] = Field(
        (),
        description="Slices beside the scene, as a T2-weighted MRI shows them, with the dural sac measured "
        "on the axial one.",
    )
    hide: tuple[Layer, ...] = Field((), description="Layers that are not shown.")
    cuts: Cuts = Field((), description="Planes that open the scene, from beginning to end.")
    severity: Severity = Field(
        1.0, description="How much of the disease there is before the first step, 0 a healthy body to 1."
    )
    steps: tuple[SceneStep, ...] = ()
    poster: Annotated[float, Field(ge=0)] = Field(0.0, description="The second that a still picture shows.")
    inset: bool = Field(
        True,
        description="A round picture beside each operation, of what the surgeon sees while the way in stands "
        "open.",
    )
    together: Together = Field(
        "beside",
        description="How two operations are shown: beside each other, the second as glass over the first, or "
        "one after the other.",
    )
    ledger: bool = Field(
        False, description="The figures of each operation over time, plotted under the pictures."
    )

    @model_validator(mode="after")
    def _within_range(self) -> Scene:
        for place, entry in self._entries():
            if not set(levels_of(entry.disc)) <= set(self.anatomy.levels):
                raise ValueError(
                    f"{place}: the disc {entry.disc} is not shown; the anatomy runs from "
                    f"{self.anatomy.first} to {self.anatomy.last}: widen it, or choose another disc"
                )
        for place, cut in self._cut_planes():
            if missing := [level for level in cut.levels if level not in self.anatomy.levels]:
                raise ValueError(
                    f"{place}.at: {' and '.join(missing)} is not shown; the anatomy runs from "
                    f"{self.anatomy.first} to {self.anatomy.last}: widen it, or cut elsewhere"
                )
        return self

    @model_validator(mode="after")
    def _disease_has_its_tissue(self) -> Scene:
        six = [self.anatomy, *self.compare] if self.diseased else [self.anatomy]
        if any(body.variant == "six_lumbar" for body in six) and (self.diseased or self.approaches):
            raise ValueError(
                "anatomy.variant: soft tissue is drawn for five lumbar vertebrae; take six_lumbar away, or "
                "pathologies and approaches"
            )
        return self

    @model_validator(mode="after")
    def _compared_bodies_have_their_own(self) -> Scene:
        if self.rows > 1 and len(self.compare) < 3:
            raise ValueError("rows: two rows are for three to five bodies of compare; take rows away")
        if self.compare and (self.pathologies or self.approaches):
            raise ValueError(
                "compare: a pathology belongs to one of the bodies (compare.pathologies), and none is "
                "operated on; take the scene's own pathologies and approaches away"
            )
        return self

    @model_validator(mode="after")
    def _views_are_of_one_body(self) -> Scene:
        if len(self.views) == 1:
            raise ValueError("views: name two or more, or one as ``camera``")
        if self.views and (self.compare or self.approaches):
            raise ValueError("views: they show one body; take compare and approaches away")
        return self

    @model_validator(mode="after")
    def _planes_are_of_one_disease(self) -> Scene:
        if not self.planes:
            return self
        if len(set(self.planes)) < len(self.planes):
            raise ValueError("planes: name each slice once")
        if self.compare or self.views or self.approaches:
            raise ValueError(
                "planes: they are slices through one body and its disease; take compare, views and "
                "approaches away"
            )
        if not self.pathologies:
            raise ValueError("planes: they pass through a disease, and the scene has none; add a pathology")
        return self

    @model_validator(mode="after")
    def _severity_is_of_one_disease(self) -> Scene:
        if self.morphs and (self.compare or self.views or self.approaches or not self.pathologies):
            raise ValueError(
                "severity: it is that of one body's disease; add a pathology, and take compare, views and "
                "approaches away"
            )
        return self

    @model_validator(mode="after")
    def _ledger_is_of_an_operation(self) -> Scene:
        if self.ledger and not self.approaches:
            raise ValueError(
                "ledger: it is what operations cost in tissue, and the scene has none; add an approach"
            )
        return self

    @model_validator(mode="after")
    def _two_operations_are_shown_together(self) -> Scene:
        if self.together != "beside" and len(self.approaches) < 2:
            raise ValueError(
                f"together: '{self.together}' is a way to show two operations; add another approach, or take "
                "it away"
            )
        return self

    @model_validator(mode="after")
    def _approaches_need_a_straight_column(self) -> Scene:
        if self.approaches and self.deformed:
            raise ValueError(
                "approaches: they are not made for a column that is deformed; take the other pathologies away"
            )
        return self

    @model_validator(mode="after")
    def _approaches_aim_at_their_disease(self) -> Scene:
        for index, entry in enumerate(self.approaches):
            if isinstance(entry, Decompressing):
                self._is_narrow(index, entry)
            else:
                self._is_herniated(index, entry)
        if len({(entry.disc, entry.side) for entry in self.approaches}) > 1:
            raise ValueError(
                "approaches: two are compared at the same disc and on the same side; give both the same"
            )
        return self

    def _is_herniated(self, index: int, approach: Approach) -> None:
        """Raise ValueError where an approach does not find the herniation that it removes."""
        herniated = [(entry.disc, entry.side) for entry in self._herniations]
        self._can_be_reached(index, approach)
        if not herniated:
            raise ValueError(
                f"approaches[{index}]: it removes a herniation, and the scene has none; add one at "
                f"{_aim(approach.disc, approach.side)}"
            )
        if (approach.disc, approach.side) not in herniated:
            raise ValueError(
                f"approaches[{index}]: it aims at {_aim(approach.disc, approach.side)}, but the herniation "
                f"is at {' and '.join(_aim(disc, side) for disc, side in herniated)}"
            )

    def _is_narrow(self, index: int, approach: Approach) -> None:
        """Raise ValueError where an approach does not find the narrow canal that it widens."""
        narrow = [
            entry.disc
            for entry in self.pathologies
            if isinstance(entry, Stenosis) and entry.present and entry.place == "central"
        ]
        if approach.disc not in narrow:
            there = f"; there is one at {', '.join(narrow)}" if narrow else ""
            raise ValueError(
                f"approaches[{index}]: it widens a narrow canal; add a central stenosis of the disc "
                f"{approach.disc}{there}"
            )
        if self._herniations:
            raise ValueError(f"approaches[{index}]: it removes no herniation; take that away")

    def _can_be_reached(self, index: int, approach: Approach) -> None:
        """Raise ValueError where an approach meets a herniation that it is not made for."""
        for entry in self._herniations:
            here = (entry.disc, entry.side) == (approach.disc, approach.side)
            if here and not (entry.morphology in REMOVED and entry.zone in REACHED):
                raise ValueError(
                    f"approaches[{index}]: it reaches {_either(REMOVED)}, {_either(REACHED)}; that of "
                    f"{_aim(entry.disc, entry.side)}, is: {entry.zone}, {entry.morphology}"
                )

    @property
    def _herniations(self) -> list[Herniation]:
        """The scene's herniations, those of depth 0 left out."""
        return [entry for entry in self.pathologies if isinstance(entry, Herniation) and entry.present]

    @property
    def diseased(self) -> bool:
        """Whether the scene, or one of the bodies it compares, has a pathology."""
        return bool(self.pathologies) or any(body.pathologies for body in self.compare)

    @property
    def morphs(self) -> bool:
        """Whether the scene ever shows less than all of its disease."""
        return self.severity < 1.0 or any(step.severity is not None for step in self.steps)

    @property
    def deformed(self) -> bool:
        """Whether a pathology deforms the column of the scene, or of one of the bodies it compares."""
        return any(isinstance(entry, Deforming) for _, entry in self._entries())

    @property
    def hidden(self) -> tuple[Layer, ...]:
        """The layers that are not shown."""
        return _hidden(self.show, self.hide)

    def _cut_planes(self) -> Iterator[tuple[str, CutPlane]]:
        """Give every cut with its place in the file."""
        for index, cut in enumerate(self.cuts):
            yield f"cuts[{index}]", cut
        for number, step in enumerate(self.steps):
            for index, cut in enumerate(step.cuts):
                yield f"steps[{number}].cuts[{index}]", cut

    def _entries(self) -> Iterator[tuple[str, Pathology | Approach]]:
        """Give every pathology and approach with its place in the file."""
        for index, pathology in enumerate(self.pathologies):
            yield f"pathologies[{index}]", pathology
        for number, body in enumerate(self.compare):
            for index, pathology in enumerate(body.pathologies):
                yield f"compare[{number}].pathologies[{index}]", pathology
        for index, approach in enumerate(self.approaches):
            yield f"approaches[{index}]", approach


def _hidden(show: str, hide: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Return the layers that are out of sight, in the order of a dissection."""
    shown = chosen_layers(show) if show else LAYERS
    return tuple(layer for layer in LAYERS if layer in enclosed(hide) or layer not in shown)


def _either(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _aim(disc: Disc, side: Side) -> str:
    return f"the disc {disc}, {side}"
