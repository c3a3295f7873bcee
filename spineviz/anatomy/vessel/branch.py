"""The lumbar arteries and veins: pairs around the waists of the bodies L1 to L4."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.space import landmark
from spineviz.anatomy.net import Net, pipe, rings_around
from spineviz.anatomy.relaxed_line import unit
from spineviz.anatomy.surroundings import Spine, Surroundings
from spineviz.anatomy.vessel.course import clear, through
from spineviz.structure import Floats, Points, Structure
from spineviz.terms import LEVELS, SIDES, SIGN, Level, Side, Tissue


def lumbar_vessels(spine: Spine, around: Surroundings, trunks: Sequence[Structure]) -> list[Structure]:
    """Return ``lumbar_artery.<level>.<side>`` and ``lumbar_vein.<level>.<side>`` where their levels are."""
    kinds: tuple[tuple[Tissue, str], ...] = (("artery", "aorta"), ("vein", "inferior_vena_cava"))
    result: list[Structure] = []
    for kind, trunk in kinds:
        for level in LEVELS[LEVELS.index("L1") : LEVELS.index("L5")]:
            for side in SIDES:
                if level in spine.bones:
                    before = [*trunks, *(item for item in result if f".{level}." in item.name)]
                    result += _vessel(kind, trunk, level, side, spine, around, before)
    return result


def _vessel(
    kind: Tissue,
    trunk: str,
    level: Level,
    side: Side,
    spine: Spine,
    around: Surroundings,
    trunks: Sequence[Structure],
) -> list[Structure]:
    """Return one vessel from its trunk backwards around a body; none where the trunk does not pass there."""
    shape = measures.table("lumbar_vessels")
    stem = next((item for item in trunks if item.name == trunk), None)
    if stem is None:
        return []
    bone = spine.bones[level]
    waist = (landmark(bone, "endplate.superior").origin + landmark(bone, "endplate.inferior").origin) / 2
    waist = waist - (shape["vein_below"] if kind == "vein" else 0.0) * bone.frame.superior
    slab = stem.surface.vertices.astype(np.float64)
    slab = slab[np.abs((slab - waist) @ bone.frame.superior) < 1.5]
    if len(slab) < 6:
        return []
    centre = slab.mean(axis=0)
    local = bone.frame.axes @ (centre - waist)
    start = float(np.degrees(np.arctan2(local[0], local[1])))
    radius = shape[kind] / 2
    others = [item.surface for item in trunks if item.name != trunk]
    everything = around.and_also(others)
    aside = float(np.degrees((radius + shape["gap"]) / np.hypot(local[0], local[1])))
    angles = np.linspace(start + SIGN[side] * aside, SIGN[side] * shape["end_angle"], 26)
    turn = np.radians(angles)[:, None]
    ways = np.cos(turn) * bone.frame.anterior + np.sin(turn) * bone.frame.right
    drop = shape["drop"] * np.clip((np.abs(angles) - 60.0) / (shape["end_angle"] - 60.0), 0.0, 1.0)
    middles = waist - drop[:, None] * bone.frame.superior
    points = middles + (_met(spine.of(level), middles, ways) + radius + shape["gap"])[:, None] * ways
    own = Surroundings(()).and_also([stem.surface])
    inside = own.reaching(8.0).distance(points) < radius + 0.3
    first = int(np.flatnonzero(inside)[-1]) + 1 if inside.any() else 0
    if first >= len(points) - 4:
        return []
    begin = (
        points[first]
        + (centre + SIGN[side] * (radius + shape["gap"]) * _lateral(centre - waist, bone) - points[first])
        * 0.5
    )
    line = through(np.vstack([begin, points[first:]]), shape["stride"])
    radii = np.full(len(line), radius)
    line = clear(line, radii, everything, shape["gap"], 1.0, 15)
    taken = everything.distance(line) < radius + 0.5 * shape["gap"]
    taken[: len(line) // 2] = False
    line = line[: int(np.argmax(taken)) if taken.any() else len(line)]
    made = _rings(line, radii[: len(line)], own, shape)
    return [Structure(f"lumbar_{kind}.{level}.{side}", kind, pipe(made), side)] if made is not None else []


def _lateral(way: Points, bone: LevelBone) -> Points:
    """Return the unit vector to the right across a way in a bone's transverse plane."""
    return unit(np.cross(way, bone.frame.superior))


def _met(bone: Surroundings, middles: Points, ways: Points) -> Floats:
    """Return how far (n,) from inside a body its wall lies in some directions."""
    inside = bone.ahead(middles, ways, 60.0)
    known = np.isfinite(inside)
    return np.asarray(np.where(known, inside, np.median(inside[known]) if known.any() else 20.0))


def _rings(line: Points, radii: Floats, own: Surroundings, shape: dict[str, float]) -> Net | None:
    """Return the rings of a vessel that begins on its trunk's wall: its first ring is fitted to the wall."""
    room = own.reaching(12.0).distance(line)
    outside = np.flatnonzero(room < radii + 0.1)
    begin = int(outside[-1]) + 1 if len(outside) else 0
    if begin >= len(line) - 4:
        return None
    rings = rings_around(line, radii, int(shape["sides"]))[begin:]
    if begin == 0:
        return rings
    back = unit(line[begin - 1] - line[begin]) if begin else -unit(line[1] - line[0])
    first = rings[0].copy()
    for _ in range(12):
        first = first + np.clip(own.distance(first) + shape["sunk"], 0.0, 1.0)[:, None] * back
    return np.concatenate([first[None], rings])
