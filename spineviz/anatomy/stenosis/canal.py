"""Central stenosis: disc, yellow ligaments and facet joints grow into the canal until the sac is as asked.

Where pedicles are short, the arches stand nearer to the bodies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.space import endplate, middle
from spineviz.anatomy.stenosis.narrowing import Narrowing
from spineviz.anatomy.stenosis.room import STEP, TURN, Room, room
from spineviz.anatomy.stenosis.squeeze import Squeeze
from spineviz.section import section, turn
from spineviz.structure import Floats, Frame, Structure, Surface
from spineviz.terms import SIDES, Disc, Level, levels_of

CLEAR = 0.3
"""A sac keeps this much (mm) off its walls at least."""

HALF = 17.0
"""So far (mm) over the disc and under it the canal is felt."""

SPUR, SPUR_SAMPLES = 75.0, 9
"""Within so many degrees of straight behind no spur of the sac is narrower than so many directions."""

OPEN = (1.5, 3.5)
"""Where the wall is farther (mm) from the sac than the first it begins to stand open, as at a foramen; with
the second it does."""

BESIDE = 30.0
"""A sac draws in where its wall stands open as its parts do within about so many degrees (one sigma)."""

EXACT = 0.004
"""The area of a sac is what was asked to within this share of it."""

NEARLY = 0.02
"""So near (mm²) to what is wanted a growth is looked for."""

AMID = 7
"""Slices farther from the disc's own have no part in how its border is smoothed."""

BEHIND = np.abs((TURN + np.pi / 2 + np.pi) % (2 * np.pi) - np.pi)
"""How far each direction turns away from straight behind, radians."""


def canal_room(disc: Disc, bones: Mapping[Level, LevelBone], structures: Mapping[str, Structure]) -> Room:
    """Return the room of the sac at a disc: slices are parallel to the disc, 0 is its middle.

    Raises ValueError where there is no sac.
    """
    above, below = levels_of(disc)
    if "thecal_sac" not in structures:
        raise ValueError(f"{disc}: a canal without its sac cannot be narrowed; show soft tissue too")
    sac = structures["thecal_sac"].surface
    soft = [f"disc.{disc}", "posterior_longitudinal_ligament", *(f"flavum.{disc}.{side}" for side in SIDES)]
    walls = tuple(structures[name].surface for name in soft if name in structures)
    hard = tuple(structures[level].surface for level in (above, below))
    return _felt(bones[above], bones[below], sac, walls, hard)


@lru_cache(maxsize=16)
def _felt(
    upper: LevelBone, lower: LevelBone, sac: Surface, walls: tuple[Surface, ...], hard: tuple[Surface, ...]
) -> Room:
    """Return the room of a sac between two bones, remembered: whoever asks for another grade has it again."""
    frame = middle(endplate(upper, "inferior"), endplate(lower, "superior"))
    heights = np.arange(-HALF, HALF + STEP / 2, STEP)
    return room(frame, _middles(sac, frame, heights), heights, sac, walls, hard)


def _middles(sac: Surface, frame: Frame, heights: Floats) -> Floats:
    """Return the middle (n, 2) of the sac at some heights; where it has ended, of its last slice."""
    found: dict[int, Floats] = {}
    for row, height in enumerate(heights):
        level = Frame(frame.to_parent(np.array([0.0, 0.0, height])), frame.axes)
        outlines = section(sac, level).outlines
        if outlines:
            ring = max(outlines, key=turn)
            found[row] = (ring.min(axis=0) + ring.max(axis=0)) / 2
    if not found:
        raise ValueError("the sac does not reach this disc")
    rows = np.array(list(found))
    places = np.array([found[row] for row in rows])
    index = np.arange(len(heights))
    even = np.stack([np.interp(index, rows, places[:, axis]) for axis in (0, 1)], axis=1)
    return np.asarray(ndimage.gaussian_filter1d(even, 2.0, axis=0, mode="nearest"))


def fitted(canal: Room, narrowing: Narrowing, sac: Surface) -> Squeeze:
    """Return the map that leaves the sac, as it is meshed, the area asked for in the disc's slice.

    Raises ValueError for an area that the sac does not have, or that no growth leaves.
    """
    healthy = _area(sac, canal.frame)
    wanted = narrowing.share * healthy if narrowing.area is None else narrowing.area
    if wanted >= healthy:
        raise ValueError(f"a sac of {wanted:.0f} mm²: it has {healthy:.0f} mm² in health; choose less")
    goal = wanted * _enclosed(canal.core) / healthy
    parts = _parts(canal, narrowing)
    for _ in range(3):
        result = _solved(canal, narrowing, parts, goal)
        off = wanted / _area(sac.moved(result(sac.vertices)), canal.frame)
        goal = goal * off
        if abs(off - 1.0) < EXACT:
            break
    return result


def _area(sac: Surface, frame: Frame) -> float:
    """Return the area (mm²) of the largest face that a plane cuts in a sac."""
    return max((turn(outline) for outline in section(sac, frame).outlines), default=0.0)


def _solved(canal: Room, narrowing: Narrowing, parts: Mapping[str, Floats], wanted: float) -> Squeeze:
    """Return the map that leaves the sac as it is felt an area (mm²) in the disc's slice."""
    half = len(canal.heights) // 2
    amid = slice(half - AMID, half + AMID + 1)
    short = replace(
        canal,
        **{name: getattr(canal, name)[amid] for name in ("heights", "centre", "core", "wall", "hard")},
    )
    own = {name: part[amid] for name, part in parts.items()}

    def lack(amount: float) -> float:
        return wanted - _enclosed(_grown(short, narrowing, own, amount).core)

    low, high = 0.0, float(measures.value("stenosis.canal.most"))
    less, more = lack(low), lack(high)
    if more < 0.0:
        raise ValueError(f"a sac of {wanted:.0f} mm² is less than these causes leave; choose more")
    for _ in range(60):  # false position: an end that stays counts half as much each time (Illinois)
        if less > -NEARLY or high - low < NEARLY / 100.0:
            break
        amount = (low * more - high * less) / (more - less)
        found = lack(amount)
        if abs(found) < NEARLY:
            low = amount
            break
        if found < 0.0:
            low, less, more = amount, found, more / 2.0
        else:
            high, more, less = amount, found, less / 2.0
    return _grown(canal, narrowing, parts, low)


def _enclosed(core: Floats) -> float:
    """Return the area (mm²) within a border in the slice along the disc."""
    ring = core[len(core) // 2]
    return float(0.5 * np.sin(TURN[1]) * (ring * np.roll(ring, -1)).sum())


def _grown(canal: Room, narrowing: Narrowing, fields: Mapping[str, Floats], amount: float) -> Squeeze:
    """Return the map for causes that grow by an amount (mm), and a sac that keeps clear of them.

    ``fields`` tell where each cause grows, as `_parts` does.
    """
    shape = measures.table("stenosis.canal")
    parts = {name: _most(amount * part, shape[f"{name}_most"]) for name, part in fields.items()}
    least = shape["least"]
    bony = shape["bone"] * _most(amount * fields["facets"], shape["bone_most"]) + parts["pedicles"]
    hard = np.maximum(canal.hard - bony, np.minimum(2 * least, canal.hard))
    wall: Floats = canal.wall - sum(parts.values())
    wall = np.minimum(np.maximum(wall, np.minimum(least, canal.wall)), hard)
    wall = _closed_cleft(wall, (1.0 - min(narrowing.fat, 1.0)) * min(amount / shape["fat_from"], 1.0))
    pad = narrowing.fat * np.exp(-((np.degrees(BEHIND) / shape["fat_half"]) ** 2))
    pad = (
        pad
        * np.clip(amount / shape["fat_from"], 0.0, 1.0)
        * _span(canal.heights, shape["flavum_span"])[:, None]
    )
    clear = np.minimum(shape["clearance"], canal.wall - canal.core) + pad
    core = _drawn_in(canal, np.minimum(canal.core, wall - clear))
    even = ndimage.gaussian_filter1d(ndimage.gaussian_filter1d(core, 1.5, axis=0), 2.0, axis=1, mode="wrap")
    core = _closed_cleft(
        np.minimum(np.minimum(even, wall - CLEAR), canal.core), min(amount / shape["fat_from"], 1.0)
    )
    deep = shape["deep"] + shape["arch"] * float(parts["pedicles"].max())
    return Squeeze(canal, np.maximum(core, 0.6 * least), wall, hard, deep)


def _drawn_in(canal: Room, core: Floats) -> Floats:
    """Return a border (n, k) of the sac drawn in, where no wall is near, as far as beside there.

    Dura is one skin: what is pressed in front and behind does not keep its width at an open foramen.
    """
    off = canal.wall - canal.core
    shut = np.clip((OPEN[1] - off) / (OPEN[1] - OPEN[0]), 0.0, 1.0) + 1e-3
    wide = BESIDE / 360.0 * len(TURN)
    share = core / canal.core
    near = ndimage.gaussian_filter1d(share * shut, wide, axis=1, mode="wrap")
    near = near / ndimage.gaussian_filter1d(shut, wide, axis=1, mode="wrap")
    return np.asarray(np.minimum(core, canal.core * (shut * share + (1.0 - shut) * np.minimum(near, share))))


def _closed_cleft(table: Floats, share: float) -> Floats:
    """Return a border (n, k) without its narrow spur straight behind, between the two yellow ligaments."""
    behind = np.degrees(BEHIND)
    weight = share * np.clip((SPUR - behind) / (SPUR / 3), 0.0, 1.0)
    opened = ndimage.grey_opening(table, size=(1, SPUR_SAMPLES), mode="wrap")
    even = ndimage.gaussian_filter1d(opened, 1.0, axis=1, mode="wrap")
    return np.asarray(table + weight * (np.minimum(even, table) - table))


def _most(grown: Floats, most: float) -> Floats:
    """Return a growth (mm) that comes near to ``most`` and never beyond."""
    return most * np.tanh(grown / most)


def _parts(canal: Room, narrowing: Narrowing) -> dict[str, Floats]:
    """Return where and how much (n, k; 1 at most) each cause grows, in its proportion."""
    shape = measures.table("stenosis.canal")
    causes = narrowing.causes
    weight = np.array([causes.disc, causes.flavum, causes.facets, causes.pedicles])
    weight = weight / weight.max()
    thick = np.clip((canal.hard - canal.wall) / shape["soft"], 0.0, 1.0)
    cleft = (
        shape["cleft"] * min(narrowing.fat, 1.0) * np.exp(-((np.degrees(BEHIND) / shape["cleft_half"]) ** 2))
    )
    fields = (
        _arc(np.pi - BEHIND, 0.0, shape["disc_half"]) * thick,
        _arc(BEHIND, shape["flavum_at"], shape["flavum_half"]) * (1.0 - cleft) * thick,
        _arc(BEHIND, shape["facets_at"], shape["facets_half"]),
        np.clip(np.cos(BEHIND), 0.0, 1.0),
    )
    names = ("disc", "flavum", "facets", "pedicles")
    return {
        name: share * _span(canal.heights, shape[f"{name}_span"])[:, None] * field
        for name, share, field in zip(names, weight, fields, strict=True)
    }


def _arc(turn: Floats, middle: float, half: float) -> Floats:
    """Return a bump over directions (radians): 1 at ``middle``, 0 from ``half`` away on (degrees)."""
    away = np.abs(np.degrees(turn) - middle) / half
    return np.asarray(np.cos(np.pi / 2 * np.clip(away, 0.0, 1.0)) ** 2)


def _span(heights: Floats, half: float) -> Floats:
    """Return a bump over heights: 1 amid, 0 from ``half`` (mm) on."""
    return np.asarray(np.cos(np.pi / 2 * np.clip(np.abs(heights) / half, 0.0, 1.0)) ** 2)
