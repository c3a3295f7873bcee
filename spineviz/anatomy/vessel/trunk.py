"""The aorta and the inferior vena cava with the common iliac vessels, before the bodies from T5 on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.disc.space import landmark
from spineviz.anatomy.net import pipe, rings_around
from spineviz.anatomy.relaxed_line import tube, unit
from spineviz.anatomy.surroundings import Spine, Surroundings
from spineviz.anatomy.vessel.course import Axis, axis_of, beside, by_level, clear, place_of, through
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Solid, smooth_union
from spineviz.structure import Floats, Points, Structure, Surface
from spineviz.terms import LEVELS, SIDES, SIGN, Level, Side, Tissue

SIDES_OF_A_TUBE = 20
"""A tube of this size has so many sides."""

PASSED: Mapping[str, tuple[Level, ...]] = {
    "aorta": LEVELS[LEVELS.index("T5") : LEVELS.index("L4") + 1],
    "inferior_vena_cava": LEVELS[LEVELS.index("L1") : LEVELS.index("L5") + 1],
}
"""The bodies before which a trunk passes, to the one where it parts."""


def great_veins(spine: Spine, around: Surroundings) -> list[Structure]:
    """Return the inferior vena cava and the two common iliac veins of which it is formed."""
    return _tree("inferior_vena_cava", "common_iliac_vein", "vein", spine, around)


def great_arteries(spine: Spine, around: Surroundings, veins: Sequence[Surface]) -> list[Structure]:
    """Return the aorta and the two common iliac arteries into which it parts; they pass before the veins."""
    return _tree("aorta", "common_iliac_artery", "artery", spine, around.and_also(veins))


def _tree(trunk: str, branch: str, tissue: Tissue, spine: Spine, around: Surroundings) -> list[Structure]:
    """Return a trunk and, where the sacrum is there, its two branches."""
    shape = measures.table(trunk)
    levels = [level for level in PASSED[trunk] if level in spine.bones]
    if not levels:
        return []
    whole = levels[-1] == PASSED[trunk][-1]
    line, radii = _trunk(axis_of(spine.bones), around, levels, whole, shape)
    if "S1" not in spine.bones or "L5" not in spine.bones:
        return [Structure(trunk, tissue, pipe(rings_around(line, radii, SIDES_OF_A_TUBE)))]
    width = measures.table(branch)
    ways = {side: _branch(side, line, spine, around, width) for side in SIDES}
    result = [Structure(trunk, tissue, _parted(line, radii, ways, width))]
    for side, way in ways.items():
        rest = way[int(width["shared"]) :]
        made = pipe(rings_around(rest, np.full(len(rest), width["diameter"] / 2), SIDES_OF_A_TUBE))
        result.append(Structure(f"{branch}.{side}", tissue, made, side))
    return result


def _trunk(
    axis: Axis, around: Surroundings, levels: Sequence[Level], whole: bool, shape: dict[str, Any]
) -> tuple[Points, Floats]:
    """Return a trunk's line from above and its radii."""
    start = place_of(levels[0]) - 0.45
    end = place_of(levels[-1]) + (shape["end"] if whole else 0.45)
    place = np.linspace(start, end, max(4, round(3 * (end - start))))
    angle, radius, gap = (by_level(shape[name])(place) for name in ("angle", "radius", "clear"))
    points = beside(axis, around, place, angle, radius + gap)
    line = through(points)
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    lengths = np.linspace(0.0, way[-1], len(line))
    radii = np.interp(lengths, way, radius)
    if whole:
        radii = radii * np.interp(
            np.arange(len(radii)), [len(radii) - 9, len(radii) - 1], [1.0, shape["taper"]]
        )
    return clear(line, radii, around, shape["gap"], shape["even"]), radii


def _branch(side: Side, trunk: Points, spine: Spine, around: Surroundings, width: dict[str, Any]) -> Points:
    """Return the line of an iliac vessel from its trunk's end to before the ala of the sacrum."""
    sacrum = spine.bones["S1"]
    anterior = unit(sacrum.frame.anterior + np.array([0.0, 1.0, 0.0]))
    down = np.cross(anterior, sacrum.frame.right)
    ala = landmark(sacrum, f"ala.{side}").origin
    end = ala + width["lateral"] * SIGN[side] * sacrum.frame.right - width["down"] * -down
    start = trunk[-1] - 2.0 * unit(trunk[-1] - trunk[-4])
    line = start + np.linspace(0.0, 1.0, 40)[:, None] * (end - start)
    radius = width["diameter"] / 2
    rest = _before(line, anterior, radius, around, width["gap"] + width["rest"])
    lift = np.maximum(rest, np.linspace(0.0, width["before_ala"], len(line)))
    share = np.clip(np.linspace(0.0, 1.0, len(line)) / width["joined"], 0.0, 1.0)
    line = line + (share * lift)[:, None] * anterior
    line = through(ndimage.gaussian_filter1d(line, 3.0, axis=0, mode="nearest"), 1.6)
    return clear(line, np.full(len(line), radius), around, width["gap"], 1.5, 24)


def _before(line: Points, anterior: Floats, radius: float, around: Surroundings, gap: float) -> Floats:
    """Return how far (n,) to the front a tube must lie to pass before everything that is there."""
    right = np.array([1.0, 0.0, 0.0])
    far = 120.0
    result = np.full(len(line), -np.inf)
    for aside in np.linspace(-1.0, 1.0, 5) * (radius + gap):
        ahead = around.ahead(line + far * anterior + aside * right, -anterior, far + 40.0)
        need = np.sqrt((radius + gap + 0.01) ** 2 - aside**2)
        result = np.maximum(result, np.where(np.isfinite(ahead), far - ahead + need, -np.inf))
    return np.maximum(result, 0.0)


def _parted(trunk: Points, radii: Floats, ways: dict[Side, Points], width: dict[str, Any]) -> Surface:
    """Return the surface of a trunk with the beginnings of its two branches."""
    stem = tube(trunk, radii)
    shared = int(width["shared"])
    limbs = []
    for way in ways.values():
        beginning = tube(way[: shared + 3], np.full(shared + 3, width["diameter"] / 2))
        end, along = way[shared], unit(way[shared + 1] - way[shared - 1])
        limbs.append((beginning, end, along))
    top, upwards = trunk[0], unit(trunk[0] - trunk[1])

    def field(points: Points) -> Floats:
        result = np.maximum(stem(points), (points - top) @ upwards)
        for limb, end, along in limbs:
            near = np.maximum(limb(points), (points - end) @ along + 0.02)
            result = smooth_union(result, near, width["fillet"])
        for limb, end, along in limbs:
            beyond = (points - end) @ along + 0.02
            result = np.where(
                limb(points) < 4.0, np.maximum(result, np.where(beyond > -3.0, beyond, -9.0)), result
            )
        return np.asarray(result)

    reach = float(radii.max()) + 6.0
    every = np.vstack([trunk, *(way[: shared + 3] for way in ways.values())])
    return mesh(Solid(field, every.min(axis=0) - reach, every.max(axis=0) + reach), width["step"])
