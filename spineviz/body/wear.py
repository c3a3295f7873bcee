"""What is seen of a worn disc beside its lost height: darkness, gas, and changed marrow beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import trimesh

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.column.changed_bone import corners, half_width
from spineviz.anatomy.column.deformation import Wear
from spineviz.structure import Structure, Surface
from spineviz.terms import Disc, Level, Tissue, levels_of

GAS = (0.8, 0.8, 0.4)
"""The size of the gas in a disc beside that of its nucleus: across, along, and in height."""

MARROW: Mapping[int, tuple[Tissue, float]] = {1: ("fragment", 0.0), 2: ("fat", 0.0), 3: ("bone", 0.6)}
"""The tissue that stands for each change of the marrow after Modic, and how dark it is."""

SPREAD, THICK, INSIDE = 0.85, 9.0, 0.35
"""A change takes this share of the endplate, reaches so deep (mm), and stays so far inside the bone (mm)."""


def darkened(structure: Structure, worn: Mapping[Disc, Wear]) -> Structure:
    """Return a part of a disc as dark as the disc is worn."""
    stem, *rest = structure.name.split(".")
    wear = worn.get(rest[0]) if rest else None  # type: ignore[call-overload]
    if wear is None or stem not in ("nucleus", "disc"):
        return structure
    return replace(structure, shade=(1.0 - wear.signal) * (0.9 if stem == "nucleus" else 0.45))


def signs(
    worn: Mapping[Disc, Wear], bones: Mapping[Level, LevelBone], structures: Mapping[str, Structure]
) -> Iterator[Structure]:
    """Give the gas in worn discs, and the changed marrow beside them."""
    for disc, wear in worn.items():
        nucleus = structures.get(f"nucleus.{disc}")
        if wear.vacuum and nucleus is not None:
            yield _gas(disc, nucleus.surface, bones[levels_of(disc)[1]])
        if wear.modic:
            upper, lower = levels_of(disc)
            yield _marrow(disc, wear.modic, bones[upper], upper=True)
            yield _marrow(disc, wear.modic, bones[lower], upper=False)


def _gas(disc: Disc, nucleus: Surface, below: LevelBone) -> Structure:
    """Return the cleft of gas in a disc, in the middle of its nucleus."""
    axes = below.landmarks["endplate.superior"].axes
    centre = nucleus.vertices.mean(axis=0)
    local = (nucleus.vertices - centre) @ axes.T * np.array(GAS)
    surface = Surface(centre + local @ axes, nucleus.faces, occlusion=nucleus.occlusion)
    return Structure(f"vacuum.{disc}", "nucleus", surface, shade=1.0)


def _marrow(disc: Disc, modic: int, bone: LevelBone, upper: bool) -> Structure:
    """Return the changed marrow beside one of the endplates of a disc: a flat dome inside the bone."""
    name, side = ("inferior", -1.0) if upper else ("superior", 1.0)
    plate = bone.landmarks[f"endplate.{name}"]
    front, back = corners(bone, plate, side)
    depth, width = float(np.linalg.norm(front - back)) / 2.0, half_width(bone, plate)
    ball = trimesh.creation.icosphere(subdivisions=4)
    local = ball.vertices * np.array([SPREAD * width, SPREAD * depth, THICK])
    inwards = -side
    local[:, 2] = inwards * np.maximum(inwards * local[:, 2], 0.0)
    points = (front + back) / 2.0 + local @ plate.axes
    for _ in range(6):
        away = bone.distance(points) + INSIDE
        points = points + np.maximum(away, 0.0)[:, None] * inwards * plate.superior
    tissue, shade = MARROW[modic]
    end = "upper" if upper else "lower"
    return Structure(f"marrow_change.{disc}.{end}", tissue, Surface(points, ball.faces), shade=shade)
