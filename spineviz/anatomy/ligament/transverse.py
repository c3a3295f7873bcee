"""Ligaments of the transverse processes, and the transverse ligament of the atlas behind the dens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spineviz import measures
from spineviz.anatomy.disc.space import landmark
from spineviz.anatomy.net import Net, pushed, slab, smoothed
from spineviz.anatomy.relaxed_line import unit
from spineviz.anatomy.surroundings import Spine, Surroundings, freed
from spineviz.structure import Floats, Structure, Surface
from spineviz.terms import SIGN, Level, Side, region_of


def intertransverse_ligament(
    above: Level, below: Level, side: Side, spine: Spine, others: Sequence[Surface] = ()
) -> Structure | None:
    """Return ``intertransverse.<above>-<below>.<side>``: the sheet between two transverse processes.

    In the world, mm.

    There is none where something stands between them. Raises ValueError where a landmark is missing.
    """
    shape = measures.table("intertransverse")
    size = measures.table(f"intertransverse_size.{region_of(below)}")
    around = spine.of(above, below).and_also(others)
    share = np.linspace(size["first"], size["last"], int(shape["columns"]))[:, None]
    lines = []
    for level in (above, below):
        tip = landmark(spine.bones[level], f"transverse.{side}").origin
        root = landmark(spine.bones[level], f"pedicle.{side}").origin
        lines.append(tip + share * (root - tip) + 1.5 * unit(root - tip))
    way = unit((lines[0] - lines[1]).mean(axis=0))
    deep = unit(np.cross(way, (lines[0][-1] - lines[0][0])))
    middle = (lines[0] + lines[1]) / 2
    offsets = np.array([-1.0, 0.0, 1.0])[:, None] * size["half_thickness"] * deep
    if (np.min([around.distance(middle + offset) for offset in offsets], axis=0) < 0.3).any():
        return None
    ends = []
    for sign in (-1.0, 1.0):
        reach = np.min([around.ahead(middle + offset, sign * way, 40.0) for offset in offsets], axis=0)
        if not np.isfinite(reach).all():
            return None
        ends.append(middle + sign * (reach - shape["seam"])[:, None] * way)
    down = np.linspace(0.0, 1.0, int(shape["rows"]))[:, None, None]
    net = ends[1][None] + down * (ends[0] - ends[1])[None]
    return _sheet(f"intertransverse.{above}-{below}.{side}", net, deep, size["half_thickness"], around, side)


def iliolumbar_ligament(side: Side, spine: Spine, ilium: Surface) -> Structure | None:
    """Return ``iliolumbar_ligament.<side>``: from the last transverse process to the iliac crest, world mm.

    There is none where the two are farther apart than the measures allow. Raises ValueError where a landmark
    is missing.
    """
    shape = measures.table("iliolumbar")
    last = next(level for level in ("L6", "L5") if level in spine.bones)
    bone = spine.bones[last]  # type: ignore[index]
    tip = landmark(bone, f"transverse.{side}").origin
    root = landmark(bone, f"pedicle.{side}").origin
    inward = unit(root - tip)
    crest = ilium.vertices.astype(np.float64)
    crest = crest[np.abs(crest[:, 2] - tip[2] - shape["rise"]) < shape["window"]]
    if not len(crest):
        return None
    aim = crest[np.argmin(np.linalg.norm(crest - tip, axis=1))]
    way = aim - tip
    if np.linalg.norm(way) > shape["farthest"]:
        return None
    around = spine.of(last).and_also([ilium])
    across = unit(np.cross(np.cross(way, bone.frame.superior), way))
    offsets = np.linspace(-1.0, 1.0, int(shape["columns"]))[:, None]
    first = tip + 2.5 * inward + offsets * shape["half_width_process"] * across
    second = aim + unit(way) * 2.0 + offsets * shape["half_width_crest"] * across
    share = np.linspace(0.0, 1.0, int(shape["rows"]))[:, None, None]
    net = first[None] + share * (second - first)[None]
    inside = around.distance(net.reshape(-1, 3)).reshape(net.shape[:2]) < 0.2
    net = _between(net, inside)
    deep = unit(np.cross(across, way))
    return _sheet(f"iliolumbar_ligament.{side}", net, deep, shape["half_thickness"], around, side)


def transverse_ligament_of_atlas(spine: Spine) -> Structure:
    """Return ``transverse_ligament_of_atlas``: the band behind the dens from one tubercle to the other.

    In the world, mm. Raises ValueError where a landmark is missing.
    """
    shape = measures.table("transverse_ligament_of_atlas")
    atlas, axis = spine.bones["C1"], spine.bones["C2"]
    around = spine.of("C1", "C2")
    left, right = (landmark(atlas, f"tubercle.ligament.{side}").origin for side in ("left", "right"))
    behind = -atlas.frame.anterior
    dens = landmark(axis, "facet.dens").origin
    middle = (left + right) / 2
    back = dens + behind * (shape["deepest"] + 0.0)
    depth = float(around.ahead(back[None], -behind, 40.0)[0])
    apex = back - behind * (depth - shape["seam"])
    apex = apex + (middle - apex) @ atlas.frame.superior * atlas.frame.superior * 0.5
    share = np.linspace(-1.0, 1.0, int(shape["rows"]))
    line = middle + share[:, None] * (right - left) / 2
    sag = (1.0 - share**2)[:, None] * (apex - middle)
    height = np.linspace(-1.0, 1.0, int(shape["columns"]))
    half = shape["half_height_end"] + (shape["half_height"] - shape["half_height_end"]) * (1.0 - share**2)
    net = (line + sag)[:, None] + (half[:, None] * height)[..., None] * atlas.frame.superior
    inside = around.distance(net.reshape(-1, 3)).reshape(net.shape[:2]) < 0.1
    inside[len(net) // 3 : -len(net) // 3] = False
    net = _between(net, inside)
    inner = pushed(net, around.distance, shape["seam"])
    inner = pushed(
        _against(inner, around, -behind, shape["seam"], shape["rest"]), around.distance, shape["seam"]
    )
    ends = np.clip((1.0 - np.abs(share)) * 5.0, 0.3, 1.0)[:, None]
    edge = np.sqrt(np.clip(1.0 - height**6, 0.12, 1.0))[None]
    outer = pushed(
        smoothed(inner, 1.0, 0.5) + (shape["thickness"] * ends * edge)[..., None] * behind,
        around.distance,
        0.2,
    )
    inner, outer = freed(inner, outer, around, 0.4)
    return Structure("transverse_ligament_of_atlas", "ligament", slab(inner, outer))


def _against(net: Net, around: Surroundings, forward: Floats, seam: float, most: float) -> Net:
    """Return a net laid on what stands before it within ``most`` mm."""
    flat = net.reshape(-1, 3)
    ahead = around.ahead(flat, forward, most + 1.0).reshape(net.shape[:2])
    step = smoothed(np.where(ahead < most, ahead - seam, 0.0), 1.5, 1.0)
    return np.asarray(net + np.maximum(step, 0.0)[..., None] * forward)


def _between(net: Net, inside: np.ndarray) -> Net:
    """Return a net whose rows run only where they are free: between what they start and end in."""
    result = np.empty_like(net)
    rows = np.arange(len(net))
    half = len(net) // 2
    for column in range(net.shape[1]):
        taken = np.flatnonzero(inside[:, column])
        begin = max([int(i) for i in taken if i < half], default=-1) + 1
        end = min([int(i) for i in taken if i >= half], default=len(net)) - 1
        places = np.linspace(begin, max(end, begin + 1), len(net))
        for k in range(3):
            result[:, column, k] = np.interp(places, rows, net[:, column, k])
    return result


def _sheet(name: str, net: Net, deep: Floats, half: float, around: Surroundings, side: Side) -> Structure:
    """Return a flat sheet around a net, thinner at its free borders; it gives way to what is around it."""
    across = np.linspace(-1.0, 1.0, net.shape[1])
    profile = half * np.sqrt(np.clip(1.0 - across**4, 0.15, 1.0))[None, :, None]
    sides = [pushed(net + sign * profile * deep, around.distance, 0.08) for sign in (-1.0, 1.0)]
    first, second = sides if SIGN[side] > 0 else sides[::-1]
    return Structure(name, "ligament", slab(first, second), side)
