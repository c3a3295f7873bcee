"""The posterior ligaments: ligamentum flavum, interspinous and supraspinous."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.space import landmark, precise
from spineviz.anatomy.interlaminar import Roof, flavum_front, roof
from spineviz.anatomy.nerve import nerve_parameters, nerve_recipes
from spineviz.anatomy.recipe import Paint, Recipe
from spineviz.anatomy.relaxed_line import tube, unit
from spineviz.sdf.solid import Field, Solid, smooth_intersection
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import LOWER_LUMBAR_DISCS, SIDES, SIGN, Disc, Level, Side, levels_of

SEAM = 0.03
"""Ligaments end this far (mm) from bone, so that the two surfaces do not flicker."""


def ligament_recipes(
    bones: Mapping[Level, LevelBone], nerves: Mapping[str, Recipe] | None = None
) -> dict[str, Recipe]:
    """Return ``flavum.<disc>.<side>``, ``interspinous.<disc>`` and ``supraspinous_ligament``.

    Solids are in the world frame, mm. The flavum keeps clear of ``nerves``, by default healthy ones
    in these bones; hand them in where they are built already. Raises ValueError when a landmark is missing.
    """
    dura = _around(nerve_recipes(nerve_parameters(), bones) if nerves is None else nerves)
    steps = measures.table("ligament_mesh")
    recipes = []
    for disc in LOWER_LUMBAR_DISCS:
        above, below = (bones[level] for level in levels_of(disc))
        vault = roof(above, below)
        for side in SIDES:
            solid = _flavum(disc, side, vault, (above, below), dura)
            name = f"flavum.{disc}.{side}"
            recipes.append(Recipe(name, "ligament", solid, steps["flavum"], side, paint=_along))
        solid, name = _interspinous(vault, above, below), f"interspinous.{disc}"
        recipes.append(Recipe(name, "ligament", solid, steps["interspinous"], paint=_slanting))
    solid, name = _supraspinous(bones), "supraspinous_ligament"
    recipes.append(Recipe(name, "ligament", solid, steps["supraspinous"], paint=_along))
    return {recipe.name: recipe for recipe in recipes}


def _around(nerves: Mapping[str, Recipe]) -> Field:
    """Return the distance to the nearest nerve; far from a nerve's bounds a lower bound of it."""
    solids = [recipe.solid for recipe in nerves.values()]

    def field(points: Points) -> Floats:
        result = np.full(len(points), 3.0)
        for solid in solids:
            near = np.flatnonzero(((points > solid.lower) & (points < solid.upper)).all(axis=1))
            if len(near):
                result[near] = np.minimum(result[near], solid.field(points[near]))
        return result

    return field


def _nearest(bones: tuple[LevelBone, ...]) -> Field:
    fields = [precise(bone) for bone in bones]
    return lambda points: np.min([field(points) for field in fields], axis=0)


def _flavum(disc: Disc, side: Side, vault: Roof, bones: tuple[LevelBone, ...], dura: Field) -> Solid:
    """Return one half of a ligamentum flavum, from the front of one lamina to the edge of the next."""
    shape, thickness = measures.table("flavum.shape"), measures.value(f"flavum.thickness.{disc}")
    bone, sign = _nearest(bones), SIGN[side]
    facet = vault.lateral[1] if side == "right" else -vault.lateral[0]

    def field(points: Points) -> Floats:
        local = vault.frame.to_local(points)
        back, slant, gap, top, bottom = vault.at(local)
        y, z, x = local[:, 1], local[:, 2], sign * local[:, 0]
        front = flavum_front(vault, local, thickness)[0]
        foot = np.clip((bottom + shape["foot_height"] - z) / shape["foot_height"], 0.0, 1.0)
        foot *= shape["foot"] * np.clip((shape["foot_share"] * facet - x) / 2.0, 0.0, 1.0)
        notch = np.clip((shape["notch_half_width"] - x) / 2.0, 0.0, 1.0) * np.clip(z - bottom - 3.0, 0.0, 1.0)
        notch *= shape["notch"] * np.clip(1.0 - 9.0 * gap, 0.0, 1.0)
        sheet = np.maximum(y - front, back - shape["overlap"] - np.maximum(foot, notch) - y) * slant
        ends = np.maximum(z - top, bottom - shape["overlap"] - z)
        sides = np.maximum(shape["cleft"] / 2 - x, x - facet)
        body = smooth_intersection(sheet, np.maximum(ends, sides), shape["rounding"])
        body = smooth_intersection(body, shape["sac_gap"] - dura(points), 1.0)
        return np.maximum(body, SEAM - bone(points))

    local = np.array([[sign * x, y, z] for x in (0.0, facet) for y in (-30.0, 6.0) for z in (-26.0, 26.0)])
    corners = vault.frame.to_parent(local)
    return Solid(field, corners.min(0) - 1.0, corners.max(0) + 1.0)


def _interspinous(vault: Roof, above: LevelBone, below: LevelBone) -> Solid:
    """Return the sheet between two spinous processes, behind the flavum and in front of the tips."""
    shape = measures.table("interspinous")
    bone = _nearest((above, below))
    upper = vault.frame.to_local(landmark(above, "spinous.tip").origin)
    lower, base = (vault.frame.to_local(mark.origin) for mark in _lower_spine(below))
    line = np.polyfit([upper[2], lower[2]], [upper[1], lower[1]], 1)
    ceiling = float(vault.top[0]) - 5.0

    def field(points: Points) -> Floats:
        local = vault.frame.to_local(points)
        y, z = local[:, 1], local[:, 2]
        back, _, gap, _, _ = vault.at(local * [0.0, 1.0, 1.0])
        front = (y - back + shape["behind_flavum"] + shape["behind_notch"] * (1.0 - gap)) * 0.7
        behind = (np.polyval(line, z) + shape["before_tips"] - y) * 0.7
        floor = np.interp(-y, [-base[1], -lower[1] + 0.1], [base[2], lower[2]]) - 3.0 - z
        ends = np.maximum(np.maximum(z - upper[2] - 2.0, z - ceiling), 0.7 * floor)
        sheet = np.maximum(np.abs(local[:, 0]) - shape["half_thickness"], np.maximum(front, behind))
        return np.maximum(smooth_intersection(sheet, ends, 1.0), SEAM - bone(points))

    corners = vault.frame.to_parent(
        np.array([[x, y, z] for x in (-5, 5) for y in (-60, 8) for z in (-40, 30)])
    )
    return Solid(field, corners.min(0), corners.max(0))


def _lower_spine(bone: LevelBone) -> tuple[Frame, Frame]:
    """Return the tip and the base of the spinous process that an interspinous ligament comes down to."""
    if bone.level == "S1":
        crest = landmark(bone, "crest.S1")
        return crest, crest
    return landmark(bone, "spinous.tip"), landmark(bone, "spinous.base")


def _supraspinous(bones: Mapping[Level, LevelBone]) -> Solid:
    """Return the flat cord over the tips of the spinous processes, from L3 to L5.

    It is broadest and thickest on the tips, slimmer between them, and runs out on the first and the last in a
    rounded tongue, whose middle comes down to the bone as it grows thin.
    """
    shape = measures.table("supraspinous")
    levels: tuple[Level, ...] = ("L3", "L4", "L5")
    marks = [landmark(bones[level], "spinous.tip") for level in levels]
    tips = np.array([mark.origin + 0.5 * shape["half_depth"] * mark.anterior for mark in marks])
    line, share = _cord(tips, shape["beyond"])
    waist = 1.0 - shape["waist"] * np.sin(np.pi * np.clip(share, 0.0, 2.0)) ** 2
    ending = (
        np.linalg.norm(line - np.where(share[:, None] < 1.0, tips[0], tips[-1]), axis=1) / shape["beyond"]
    )
    ending = np.where((share < 0.0) | (share > 2.0), np.clip(ending, 0.0, 1.0), 0.0)
    runs_out = np.sqrt(np.maximum(1.0 - ending * ending, 0.02))
    bone = _nearest(tuple(bones[level] for level in levels))
    backward = unit(np.sum([mark.anterior for mark in marks], axis=0))
    height = np.clip(bone(line), -shape["half_depth"], shape["half_depth"])
    line = line - ((1.0 - runs_out) * height)[:, None] * backward
    free = np.clip(1.0 + bone(line + shape["half_depth"] * backward) / shape["half_depth"], 0.05, 1.0)
    scale = np.array([shape["half_depth"] / shape["half_width"], 1.0, 1.0])
    cord = tube(line * scale, shape["half_depth"] * waist * runs_out * free)

    def field(points: Points) -> Floats:
        return np.maximum(cord(points * scale), SEAM - bone(points))

    return Solid(field, line.min(0) - 6.0, line.max(0) + 6.0)


def _cord(tips: Points, beyond: float) -> tuple[Points, Floats]:
    """Return a smooth line (n, 3) over three tips, from ``beyond`` mm above to as much below them.

    Beside it stands where on it each point lies: 0, 1 and 2 on the tips, -1 and 3 at its ends.
    """
    from scipy.interpolate import PchipInterpolator

    upper = tips[0] + beyond * unit(tips[0] - tips[1])
    lower = tips[2] + beyond * unit(tips[2] - tips[1])
    share = np.linspace(-1.0, 3.0, 300)
    return PchipInterpolator(np.arange(-1.0, 4.0), np.vstack([upper, tips, lower]))(share), share


def _along(points: Points) -> Paint:
    """Paint the fibres of a ligament that run from cranial to caudal."""
    return Paint(None, np.stack([points[:, 2], points[:, 0] + 0.6 * points[:, 1]], axis=1))


def _slanting(points: Points) -> Paint:
    """Paint the fibres of the interspinous ligament, which rise backwards from one process to the next."""
    y, z = points[:, 1], points[:, 2]
    return Paint(None, np.stack([0.8 * z - 0.6 * y, 0.8 * y + 0.6 * z + points[:, 0]], axis=1))
