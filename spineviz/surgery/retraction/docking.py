"""Where the tube goes: from landmarks and distance fields of the bones to a corridor."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spineviz import measures
from spineviz.anatomy.back.height_map import HeightMap
from spineviz.anatomy.bone import LevelBone
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Frame
from spineviz.surgery.retraction.terrain import Terrain, terrain
from spineviz.surgery.retraction.tube import TubeCorridor
from spineviz.terms import SIGN, Disc, Level, Side, levels_of


def dock(
    bones: Mapping[Level, LevelBone],
    disc: Disc,
    side: Side,
    skin: Field,
    *,
    diameter: float = 18.0,
    incision: float = 18.0,
    offset: float | None = None,
    ground: Terrain | None = None,
    dermis: HeightMap | None = None,
) -> TubeCorridor:
    """Return the corridor of a tube onto the inferior edge of the upper lamina beside a disc.

    ``diameter`` is the tube's inner diameter, ``incision`` the length of the skin incision and
    ``offset`` its distance from the midline, mm (the usual one where None). ``skin`` is the signed
    distance to the body's outline or to the skin alone, negative in it; ``dermis`` is the skin's anterior
    surface, over which it grows thicker where it is crowded.

    The axis lies parallel to the disc and leans medially. It starts as medial as it may, a thin tube nearer
    to the midline than a wide one, and is moved laterally until the tube clears the spinous process and comes
    to stand on the lamina. Where articular processes stand out beside a narrow window, as at the upper lumbar
    levels, it is moved cranially, at most until it looks straight at the disc.
    Raises ValueError where no such place is found.
    """
    ground = ground or terrain(bones)
    size, angles = measures.table("retraction.tube.docking"), measures.value("retraction.tube.medial_angle")
    outer = diameter / 2.0 + size["wall"]
    wanted = measures.value("retraction.tube.incision_offset") if offset is None else offset
    level = disc_direction(bones, disc)
    best: tuple[float, TubeCorridor] | None = None
    nearest = min(size["target_offset"], size["off_midline"] + outer)
    for aim in _aims(bones, disc, side, nearest):
        frame, length = _towards(level, SIGN[side], aim, skin, (wanted, *angles))
        end = _docked(frame, outer, ground)
        gap = float(ground.height(end[None])[0])
        deep = length + float((end - aim) @ frame.anterior)
        corridor = TubeCorridor(Frame(end, frame.axes), deep, 2.0 * outer, incision, side, ground, dermis)
        if gap <= size["near_floor"]:
            return corridor
        if best is None or gap < best[0]:
            best = gap, corridor
    assert best is not None
    raise ValueError(
        f"{disc} {side}: wherever it is aimed, a tube of {diameter:g} mm stops "
        f"{best[0]:.1f} mm above the lamina; use a thinner tube"
    )


def disc_direction(bones: Mapping[Level, LevelBone], disc: Disc) -> Floats:
    """Return the unit vector (3,) that points anteriorly in the plane of a disc, in the sagittal plane."""
    above, below = levels_of(disc)
    upper, lower = bones[above].landmarks["endplate.inferior"], bones[below].landmarks["endplate.superior"]
    direction = (upper.anterior + lower.anterior) * [0.0, 1.0, 1.0]
    return direction / np.linalg.norm(direction)


def lamina_edge(bone: LevelBone, side: Side, lateral: float, *, superior: bool = False) -> Floats:
    """Return the inferior or superior edge (3,) of a lamina ``lateral`` mm from the midline, world mm.

    The inferior edge is not looked for on the spinous process behind the lamina, which hangs lower.
    """
    vertices = bone.surface.vertices
    behind = vertices[:, 1] < bone.landmarks["canal"].origin[1]
    if not superior:
        behind &= vertices[:, 1] > bone.landmarks[f"lamina.{side}"].origin[1] - PROCESS_BEHIND
    strip = vertices[behind & (np.abs(SIGN[side] * vertices[:, 0] - lateral) < EDGE_HALF_WIDTH)]
    if not len(strip):
        raise ValueError(f"{bone.level}: no lamina {lateral:g} mm {side} of the midline; check its landmarks")
    edge = strip[strip[:, 2].argmax() if superior else strip[:, 2].argmin()].astype(np.float64)
    edge[0] = SIGN[side] * lateral
    return edge


def entry_depth(skin: Field, start: Floats, direction: Floats) -> float:
    """Return how far (mm) behind ``start`` a line against ``direction`` leaves the skin."""
    reach = measures.value("retraction.tube.docking.skin_reach")
    steps = np.arange(0.0, reach, 0.25)
    inside = skin(start - steps[:, None] * direction) < 0.0
    if not inside.any():
        place = np.round(start, 1).tolist()
        raise ValueError(
            f"the line back from {place} meets no tissue within {reach:g} mm; give its own field"
        )
    return float(steps[np.flatnonzero(inside)[-1]]) + 0.125


def _aims(bones: Mapping[Level, LevelBone], disc: Disc, side: Side, nearest: float) -> list[Floats]:
    """Return the points (3,) to aim at, from just below the inferior edge of the upper lamina on.

    They lie ``nearest`` (mm) to the midline, or farther lateral or cranial, up to the plane of the disc; a
    way to lateral counts more.
    """
    above, below = levels_of(disc)
    size = measures.table("retraction.tube.docking")
    medial = SIGN[side] * bones[above].landmarks[f"lamina.{side}"].origin[0]
    edge = lamina_edge(bones[above], side, AIM_SHARE * float(medial))
    direction = disc_direction(bones, disc)
    cranial = np.array([0.0, -direction[2], direction[1]])
    plates = bones[above].landmarks["endplate.inferior"], bones[below].landmarks["endplate.superior"]
    highest = float((np.mean([plate.origin for plate in plates], axis=0) - edge) @ cranial)
    ways = [
        (float(lateral), float(lift))
        for lift in np.arange(0.0, max(highest, 0.0) + 1e-6, size["cranial_step"])
        for lateral in np.arange(0.0, size["target_reach"] + 1e-6, size["target_step"])
    ]
    result = []
    for lateral, lift in sorted(ways, key=lambda way: way[0] + size["cranial_cost"] * way[1]):
        place = edge - [0.0, 0.0, size["below_edge"]] + lift * cranial
        place[0] = SIGN[side] * (nearest + lateral)
        result.append(place)
    return result


def _towards(
    level: Floats, side: float, aim: Floats, skin: Field, limits: tuple[float, float, float]
) -> tuple[Frame, float]:
    """Return the frame at ``aim`` and its distance from the skin.

    Its axis lies in the disc's plane and starts the first of ``limits`` (mm) off the midline, where the
    lean that this takes is between the other two (degrees).
    """
    wanted, low, high = limits
    length = entry_depth(skin, aim, level)
    lean = np.radians(np.clip(np.degrees(np.arctan2(wanted - side * aim[0], length)), low, high))
    direction = np.cos(lean) * level - np.sin(lean) * side * np.array([1.0, 0.0, 0.0])
    superior = np.array([0.0, 0.0, 1.0]) - direction[2] * direction
    superior /= np.linalg.norm(superior)
    frame = Frame(aim, np.array([np.cross(direction, superior), direction, superior]))
    return frame, entry_depth(skin, aim, direction)


def _docked(frame: Frame, radius: float, ground: Terrain) -> Floats:
    """Return how far (3,) the end of a tube comes along its axis before its rim rests on bone."""
    size = measures.table("retraction.tube.docking")
    angles = np.radians(np.arange(0.0, 360.0, 10.0))
    around = radius * (np.cos(angles)[:, None] * frame.right + np.sin(angles)[:, None] * frame.superior)
    clear = np.where(_medial(around, frame), size["clearance"], size["resting"])
    steps = np.arange(-size["start_height"], 2.0 * size["near_floor"], 0.25)
    ends = frame.origin + steps[:, None] * frame.anterior
    rim = (ends[:, None, :] + around).reshape(-1, 3)
    height = ground.height(ends)
    wall = ground.bone(rim).reshape(len(steps), -1)
    bound = np.where(height[:, None] > size["near_floor"], clear, size["resting"])
    touching = (wall < bound).any(axis=1) | (height <= 0.0)
    if not touching.any():
        raise ValueError("the tube meets no bone; check its aim")
    return ends[max(int(np.argmax(touching)) - 1, 0)]


def _medial(around: Floats, frame: Frame) -> Floats:
    """Tell which rim points face the midline."""
    return around[:, 0] * frame.origin[0] < 0.0


AIM_SHARE = 0.85
"""Where along the lamina its inferior edge is taken, as a share of its centre's distance from the midline."""

PROCESS_BEHIND = 4.0
"""So far (mm) behind the middle of the lamina the spinous process begins, where its lower edge is sought."""

EDGE_HALF_WIDTH = 1.5
"""Half the width (mm) of the strip of bone in which an edge is looked for."""
