"""The posterior ligaments: ligamentum flavum, interspinous and supraspinous."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.space import landmark, precise
from spineviz.anatomy.interlaminar import Roof, flavum_front, roof
from spineviz.anatomy.nerve import nerve_parameters, nerve_recipes
from spineviz.anatomy.recipe import Recipe
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
            recipes.append(Recipe(f"flavum.{disc}.{side}", "ligament", solid, steps["flavum"], side))
        solid = _interspinous(vault, above, below)
        recipes.append(Recipe(f"interspinous.{disc}", "ligament", solid, steps["interspinous"]))
    recipes.append(Recipe("supraspinous_ligament", "ligament", _supraspinous(bones), steps["supraspinous"]))
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
    """Return the cord over the tips of the spinous processes, from L3 to L5."""
    shape = measures.table("supraspinous")
    tips = np.array([landmark(bones[level], "spinous.tip").origin for level in ("L3", "L4", "L5")])
    out = np.array([landmark(bones[level], "spinous.tip").anterior for level in ("L3", "L4", "L5")])
    ends = [
        tips[0] + shape["beyond"] * unit(tips[0] - tips[1]),
        tips[2] + shape["beyond"] * unit(tips[2] - tips[1]),
    ]
    knots = np.array([ends[0], *(tips + 0.5 * shape["half_depth"] * out), ends[1]])
    fine = np.linspace(0, len(knots) - 1, 240)
    line = np.stack([np.interp(fine, np.arange(len(knots)), knots[:, k]) for k in range(3)], axis=1)
    squeeze = shape["half_depth"] / shape["half_width"]
    scale = np.array([squeeze, 1.0, 1.0])
    cord = tube(line * scale, np.full(len(line), shape["half_depth"]))
    bone = _nearest(tuple(bones[level] for level in ("L3", "L4", "L5")))

    def field(points: Points) -> Floats:
        return np.maximum(cord(points * scale), SEAM - bone(points))

    return Solid(field, line.min(0) - 6.0, line.max(0) + 6.0)
