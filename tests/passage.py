"""Whether something passes through the spine: the thecal sac through the canal, a ball through a foramen."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy import ndimage
from scipy.interpolate import CubicSpline

from spineviz import measures
from spineviz.anatomy.column.foramen import Foramen
from spineviz.structure import Bone, Floats
from spineviz.terms import Level

FLUID = 1.5
"""What the sac holds around the cord on every side, mm; the facts tell the cord above L1."""

SAC = {
    **{"L1": "L3", "L1-L2": "L3-above", "L2": "L3", "L2-L3": "L3-above", "L3": "L3", "L3-L4": "L3-L4"},
    **{"L4": "L4", "L4-L5": "L4-L5", "L5": "L5", "L5-S1": "L5-S1", "S1": "S1", "S2": "S2"},
}
"""Which section of the sac in the measures counts at a bone or a disc: it gives way between the pedicles. The
recommended depth at L1-L2, 15.5 mm, is no less than the canal's own behind L2."""

NEAR = 20.0
"""Only bones that come this close (mm) to the middle of the canal can meet the sac there."""

STATION, ASIDE, BEND = 4.0, np.arange(-4.0, 4.01, 0.5), 3
"""Where the sac is looked at along the canal and how far it may lie from the middle (mm); by how many of
these steps it may give way from one station to the next."""


def sac_sizes(facts: Path) -> dict[str, tuple[float, float]]:
    """Depth and width of the sac (mm) at vertebrae and discs, from C1 to the first two sacral segments."""
    rows = list(csv.DictReader((facts / "neural.csv").read_text("utf-8").splitlines()))
    known = {(row["level"].removesuffix(" vertebra"), row["parameter"]): row["value"] for row in rows}
    result = {
        level: (float(value) + 2 * FLUID, float(known[level, "REC_cord_transverse"]) + 2 * FLUID)
        for (level, parameter), value in known.items()
        if parameter == "REC_cord_ap" and not level.startswith("L1")
    }
    for level, like in SAC.items():
        size = measures.table(f"thecal_sac.{like}")
        result[level] = float(size["ap"]), float(size["transverse"])
    return result


def canal_line(bones: Mapping[Level, Bone]) -> tuple[Floats, list[str]]:
    """Points (n, 3) in the middle of the canal from above, and where they are: bones, and S2."""
    places = [(level, bone.landmarks["canal"].origin) for level, bone in bones.items() if level != "Co1"]
    sacrum = bones.get("S1")
    if sacrum is None:
        return np.array([point for _, point in places]), [name for name, _ in places]
    front, back = (
        np.mean([sacrum.landmarks[f"foramen.{way}.S2.{side}"].origin for side in ("left", "right")], axis=0)
        for way in ("anterior", "posterior")
    )
    across = front + np.linspace(0.0, 1.0, 60)[:, None] * (back - front)
    places.append(("S2", across[np.argmax(sacrum.distance(across))]))
    return np.array([point for _, point in places]), [name for name, _ in places]


def sac_passes(bones: Mapping[Level, Bone], sizes: Mapping[str, tuple[float, float]]) -> float:
    """Return how far (mm) down the canal the sac gets before bone stops it; inf for all the way.

    The sac is an ellipse across the canal's middle line; it may lie aside from it, giving way smoothly.
    """
    points, names = canal_line(bones)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    line = CubicSpline(along, points)
    known = [(place, sizes[name]) for place, name in zip(along, names, strict=True) if name in sizes]
    known += [
        ((along[i] + along[i + 1]) / 2, sizes[f"{one}-{other}"])
        for i, (one, other) in enumerate(pairwise(names))
        if f"{one}-{other}" in sizes
    ]
    known.sort()
    stations = np.arange(0.0, along[-1], STATION)
    halves = np.array([
        np.interp(stations, [at for at, _ in known], [size[i] / 2 for _, size in known]) for i in (0, 1)
    ])  # fmt: skip
    reach = None
    for k, station in enumerate(stations):
        free = _free(list(bones.values()), line(station), line(station, 1), halves[:, k])
        reach = free if reach is None else free & ndimage.binary_dilation(reach, np.ones((2 * BEND + 1,) * 2))
        if not reach.any():
            return float(station)
    return np.inf


def _free(bones: Sequence[Bone], middle: Floats, along: Floats, halves: Floats) -> np.ndarray:
    """Tell for offsets to the side and to the front, (m, n), whether the sac meets no bone there."""
    z = along / np.linalg.norm(along)
    x = np.array([1.0, 0.0, 0.0]) - z[0] * z
    x = x / np.linalg.norm(x)
    y = np.cross(z, x)
    turn = np.radians(np.arange(0.0, 360.0, 20.0))
    ring = np.vstack([
        share * (halves[1] * np.cos(turn)[:, None] * x + halves[0] * np.sin(turn)[:, None] * y)
        for share in (0.5, 1.0)
    ])  # fmt: skip
    sideways = ASIDE[np.abs(ASIDE) < 1.1]
    offsets = sideways[:, None, None] * x + ASIDE[None, :, None] * y
    places = (middle + offsets[:, :, None] + ring).reshape(-1, 3)
    near = [bone for bone in bones if bone.distance(middle[None])[0] < NEAR]
    free = np.min([bone.distance(places) for bone in near], axis=0) > 0.0
    result: np.ndarray = free.reshape(*offsets.shape[:2], -1).all(axis=2)
    return result


def ball_passes(bones: Sequence[Bone], foramen: Foramen, radius: float, out: float = 12.0) -> bool:
    """Tell whether a ball gets through a foramen along its axis, from the canal to ``out`` mm beside it.

    It may give way within the window, but not go around the bones.
    """
    plane = foramen.plane
    low, high = plane.min(axis=0) - 2.0, plane.max(axis=0) + 2.0
    axes = [np.arange(low[0], high[0], 0.75), np.arange(-8.0, out, 0.75), np.arange(low[1], high[1], 0.75)]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    places = foramen.frame.to_parent(nodes.reshape(-1, 3))
    free = (np.min([bone.distance(places) for bone in bones], axis=0) > radius).reshape(nodes.shape[:3])
    parts, _ = ndimage.label(free)
    inside, outside = set(np.unique(parts[:, 0])) - {0}, set(np.unique(parts[:, -1])) - {0}
    return bool(inside & outside)
