"""Planes that open a scene: as a file tells them, in words, where they lie in a body, and how they open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field, ValidationError, model_validator

from spineviz.layers import chosen_layers, layer_of
from spineviz.model import Cut, Model, Pane, Vector
from spineviz.nomenclature import kind_of
from spineviz.spec import Spec
from spineviz.structure import Floats, Frame
from spineviz.terms import DISCS, LEVELS, Disc, Level, Side, Tissue, levels_of
from spineviz.views import disc_frame, vector

PlaneName = Literal["axial", "sagittal", "coronal", "disc"]

Kept = Literal["below", "above", "left", "right", "front", "behind"]

KEEPS: Mapping[PlaneName, tuple[Kept, Kept]] = {
    "axial": ("below", "above"),
    "disc": ("below", "above"),
    "sagittal": ("left", "right"),
    "coronal": ("behind", "front"),
}
"""Which side of a plane can remain: first the one against the direction in which ``offset`` counts."""

AXES: Mapping[PlaneName, int] = {"sagittal": 0, "coronal": 1, "axial": 2, "disc": 2}

OVERLAP: tuple[Tissue, ...] = (
    "skin", "fat", "muscle", "fascia", "tendon", "ligament", "vein", "artery", "annulus", "nucleus",
    "cartilage", "bone", "dura", "cord", "nerve", "fragment", "instrument",
)  # fmt: skip
"""Where the faces of two tissues overlap in a plane, the one that comes later here is seen."""


def _said(words: str) -> str:
    """Return words for layers as they are; raise ValueError for those that are none."""
    if words:
        chosen_layers(words)
    return words


LayersSaid = Annotated[str, AfterValidator(_said)]
"""Words for layers."""


class CutPlane(Spec):
    """A plane that opens the scene: what lies on one side is taken away, and the cut faces are filled."""

    plane: PlaneName = Field(
        description="'axial', 'sagittal' and 'coronal' are those of the body; 'disc' lies in the tilted "
        "plane of the disc or vertebra at which it cuts, as the axial slices of an MRI do."
    )
    at: str = Field(
        "",
        description="What the plane goes through the middle of: a disc ('L4-L5'), a level ('L4'), or the "
        "name of any other structure; the disc that the scene is about where nothing is said.",
    )
    offset: Annotated[float, Field(ge=-400, le=400)] = Field(
        0.0, description="How far (mm) the plane is moved from there: superior, to the right, anterior."
    )
    turn: Annotated[float, Field(ge=-80, le=80)] = Field(
        0.0,
        description="Degrees by which the plane is turned about its upright axis (an axial one about the "
        "transverse axis), so that one sees how thick a layer is: the way in which ``offset`` counts turns "
        "towards the back, that of a coronal plane to the right.",
    )
    keep: Kept | None = Field(
        None,
        description="The side that remains. Without it: below; in front; and the side away from the disease.",
    )
    layers: LayersSaid = Field(
        "", description="The layers that are cut, in words; all where nothing is said."
    )
    structures: tuple[str, ...] = Field(
        (), description="The structures, or kinds of structures, that are cut, in place of layers."
    )

    @model_validator(mode="after")
    def _fitting(self) -> CutPlane:
        if self.keep is not None and self.keep not in KEEPS[self.plane]:
            sides = " or ".join(KEEPS[self.plane])
            raise ValueError(f"keep: of a {self.plane} cut remains what is {sides}, not '{self.keep}'")
        if self.layers and self.structures:
            raise ValueError("structures: name layers or structures, not both")
        return self

    @model_validator(mode="after")
    def _somewhere(self) -> CutPlane:
        if self.level is None and self.disc is None and self.at:
            if self.plane == "disc":
                raise ValueError(f"at: '{self.at}' has no plane of its own; name a disc or a level")
            try:
                kind_of(self.at)
            except ValueError:
                near = get_close_matches(self.at, [*DISCS, *LEVELS], 1)
                nearest = f"; nearest: {near[0]}" if near else ""
                raise ValueError(f"at: there is no disc, level or structure '{self.at}'{nearest}") from None
        return self

    @property
    def disc(self) -> Disc | None:
        """The disc at which the plane cuts, if it is one."""
        return next((disc for disc in DISCS if self.at in (disc, f"disc.{disc}")), None)

    @property
    def level(self) -> Level | None:
        """The level at which the plane cuts, if it is one."""
        return next((level for level in LEVELS if level == self.at), None)

    @property
    def levels(self) -> tuple[Level, ...]:
        """The bones that must be there for the plane to have its place."""
        if self.disc is not None:
            return levels_of(self.disc)
        return () if self.level is None else (self.level,)


_WORDS = re.compile(
    r"(?P<plane>[a-z]+)(?: (?:at )?(?!keep\b|of\b|[+-]?\d)(?P<at>\S+))?"
    r"(?: (?P<offset>[+-]?\d+(?:\.\d*)?)(?: ?mm)?)?"
    r"(?: keep (?P<keep>[a-z]+))?(?: of (?P<layers>.+))?"
)


def said_cut(words: str) -> CutPlane:
    """Return the cut that words tell: ``axial L4-L5``, ``sagittal 5 keep right``, ``coronal L3 of skin``.

    First the plane; then, each only where wanted, the place, the offset (mm), ``keep`` with a side, and
    ``of`` with the layers that are cut. Raises ValueError with what is wrong.
    """
    said = _WORDS.fullmatch(" ".join(words.split()))
    if said is None:
        raise ValueError(
            f"cut '{words}': write a plane, a place, an offset in mm and a side, as in "
            "'axial L4-L5 2 keep below'"
        )
    try:
        return CutPlane.model_validate({name: value for name, value in said.groupdict().items() if value})
    except ValidationError as error:
        first = error.errors()[0]
        problem = str(first.get("ctx", {}).get("error", first["msg"][0].lower() + first["msg"][1:]))
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"cut '{words}': {where}{': ' if where else ''}{problem}") from None


def resolved(wanted: CutPlane, model: Model, disc: Disc, side: Side) -> Cut:
    """Return a cut as it lies in a model whose scene is about a disc and a side.

    Raises ValueError where the model lacks the place or everything that is to be cut.
    """
    frame = _place(wanted, model, disc)
    axis = frame.axes[AXES[wanted.plane]]
    towards = frame.right if wanted.plane == "coronal" else -frame.anterior
    turn = np.radians(wanted.turn)
    axis = np.cos(turn) * axis + np.sin(turn) * towards
    keep = wanted.keep or _usual(wanted.plane, side)
    outward = axis if keep == KEEPS[wanted.plane][0] else -axis
    return Cut(vector(frame.origin + wanted.offset * axis), vector(outward), _chosen(wanted, model))


def _usual(plane: PlaneName, side: Side) -> Kept:
    if plane == "sagittal":
        return "left" if side == "right" else "right"
    return "front" if plane == "coronal" else "below"


def _place(wanted: CutPlane, model: Model, disc: Disc) -> Frame:
    bones = model.bones
    at = wanted.disc or (None if wanted.at else disc)
    for level in levels_of(at) if at is not None else wanted.levels:
        if level not in bones:
            raise ValueError(f"cut at {wanted.at or at}: {level} is not shown in this scene")
    if at is not None:
        frame = disc_frame(bones, at)
    elif wanted.level is not None:
        frame = bones[wanted.level].frame
    else:
        return Frame(_middle(wanted.at, model))
    return frame if wanted.plane == "disc" else Frame(frame.origin)


def _middle(name: str, model: Model) -> Floats:
    if name not in model.structures:
        near = get_close_matches(name, list(model.structures), 1)
        nearest = f"; nearest: {near[0]}" if near else ""
        raise ValueError(f"cut at {name}: there is no such structure in this scene{nearest}")
    vertices = model.structures[name].surface.vertices
    return (vertices.min(axis=0) + vertices.max(axis=0)) / 2


def _chosen(wanted: CutPlane, model: Model) -> frozenset[str] | None:
    """Return the structures that are cut, None for all."""
    if wanted.structures:
        for kind in wanted.structures:
            if not any(_is(name, kind) for name in model.structures):
                raise ValueError(f"cut of {kind}: there is no such structure in this scene")
        return frozenset(
            name for name in model.structures if any(_is(name, kind) for kind in wanted.structures)
        )
    if not wanted.layers:
        return None
    layers = chosen_layers(wanted.layers, apart=False)
    return frozenset(name for name in model.structures if layer_of(name) in layers)


def _is(name: str, kind: str) -> bool:
    """Tell whether a structure is the one named, or one of the kind; in any of several bodies."""
    stem = name.partition("#")[0]
    return stem == kind or stem.startswith(f"{kind}.")


def cut_open(pane: Pane, cuts: Iterable[Cut]) -> Pane:
    """Return a pane with more cuts, without the labels of what they take away.

    It has no inset: the way in is seen in the cut itself.
    """
    more = tuple(cuts)
    labels = tuple(label for label in pane.labels if not any(takes(cut, label.anchor) for cut in more))
    return replace(pane, cuts=(*pane.cuts, *more), labels=labels, inset=None)


def takes(cut: Cut, place: Vector) -> bool:
    """Tell whether a cut that goes through everything takes a place away; one on its face stays."""
    return cut.structures is None and bool(cut.beyond(np.array(place) - 1e-3 * np.array(cut.normal)))


def reach(cut: Cut, model: Model) -> float:
    """Return how far (mm) what a cut takes away reaches from its plane."""
    chosen = [item.surface for name, item in model.structures.items() if cut.cuts(name)]
    ways = [((item.vertices - cut.origin) @ np.array(cut.normal)).max() for item in chosen]
    return max(0.0, float(max(ways, default=0.0)))


def moved(cut: Cut, way: float) -> Cut:
    """Return a cut that takes less away, by ``way`` mm."""
    return replace(cut, origin=vector(np.array(cut.origin) + way * np.array(cut.normal)))


def opening(pane: Pane, share: float, cuts: tuple[Cut, ...], reaches: Mapping[Cut, float]) -> Pane:
    """Return a pane whose cuts go over into others, 0..1: planes come in from outside, and leave that way.

    ``reaches`` tells how far (mm) what each cut takes away reaches. A plane that stays parallel and cuts the
    same moves to its new place.
    """
    if share >= 1 or pane.cuts == cuts:
        return pane if pane.cuts == cuts else replace(pane, cuts=cuts)
    if share <= 0:
        return pane
    going = list(pane.cuts)
    result = []
    for cut in cuts:
        before = next((item for item in going if item == cut), None) or next(
            (item for item in going if (item.normal, item.structures) == (cut.normal, cut.structures)), None
        )
        if before is None:
            result.append(moved(cut, (1 - share) * reaches.get(cut, 0.0)))
            continue
        going.remove(before)
        place = np.array(before.origin) + share * np.subtract(cut.origin, before.origin)
        result.append(cut if before == cut else replace(cut, origin=vector(place)))
    result += [moved(cut, share * reaches.get(cut, 0.0)) for cut in going]
    return replace(pane, cuts=tuple(result))
