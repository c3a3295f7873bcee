"""The rounds of burr and punch at the end of a corridor: from one place of a window's edge to the next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spineviz.measures import value
from spineviz.structure import Floats, Frame, Points
from spineviz.surgery.bone_left import Cutout
from spineviz.surgery.places import edge_of_bone, ligament_depth, ring_of
from spineviz.surgery.reach import Reach
from spineviz.surgery.resection import ligament_windows
from spineviz.surgery.site import Local, Round, Site
from spineviz.surgery.tool_points import points_of, withdrawn
from spineviz.surgery.window import Window

OFF = (2.4, 1.6, 0.9)
"""How far (mm) from the bone's edge the punch stands, as far as the window is wide enough."""

DEEPEST = 0.3
"""Where a tool would press deeper (mm) than this into what it keeps off, it does not go."""

INSIDE = (1.2, 0.6)
"""How far (mm) inside a window in the ligament the punch bites, as far as the window is wide enough."""

NEARER_AXIS = (0.75, 0.5, 0.25, 0.0)
"""At which shares of its way from the corridor's axis the punch comes in where its middle is barred."""

ASKEW = 60.0
"""By how many degrees the punch may bite askew of the way outwards, so as not to turn from bite to bite."""

REACHED = 2.5
"""A bite whose place the punch does not come nearer to than this (mm) is left out."""

NEGLIGIBLE = 0.1
"""What is nearer to a place than this (mm) has come to it."""


def burr_round(reach: Reach, windows: Sequence[Window], sides: Sequence[float] = (0.0,)) -> Round:
    """Return the burr's round along the edges that the windows leave, to and fro.

    With ``sides``, the signs of x, it goes along the edges on each of them in turn. It does not enter windows
    that are narrower than its head. Raises ValueError where all are.
    """
    site, bone, tool = reach.site, reach.body.bones[reach.site.lamina], points_of(reach.site.tools["burr"])
    radius = value("instruments.burr.head_diameter") / 2
    entered = [window for window in windows if window.narrowed(radius).outline.min() < 0.0]
    if not entered:
        raise ValueError(f"{site.lamina}: no window in the lamina is as wide as the burr; take more bone")
    lines = [edge_of_bone(site, bone, window, radius, side=side) for window in entered for side in sides]
    path = [place for k, line in enumerate(lines) for place in (line if k % 2 == 0 else line[::-1])]
    frames = [reach.pose(place, tool, site.beside(0.9, 0.4), site.top) for place in path]
    return reach.round(frames, tool)


def bites(reach: Reach, window: Window, sides: Sequence[float] = (0.0,), deepest: float = np.inf) -> Round:
    """Return the round of the punch under the edge that the burr has left, on each of some ``sides``.

    Of ``deepest`` see `punched`. Raises ValueError where the window is too narrow for the punch.
    """
    bone, off = reach.body.bones[reach.site.lamina], _off_the_edge(window, reach.site)
    places = [
        place
        for side in sides
        for place in edge_of_bone(reach.site, bone, window, off, below=True, side=side)[::-1]
    ]
    return punched(reach, window, places, deepest)


def _off_the_edge(window: Window, site: Site) -> float:
    """Return how far (mm) from the edge of a window the punch stands: nearer in a narrow one."""
    found = next((off for off in OFF if window.narrowed(off).outline.min() < 0.0), None)
    if found is None:
        raise ValueError(f"{site.lamina}: the window is too narrow for the punch; take more bone")
    return found


def ligament_bites(reach: Reach, window: Window, count: int = 5, deepest: float = np.inf) -> Round:
    """Return the round of the punch through the ligament in a window: so many bites, see `punched`.

    Raises ValueError where the window is too narrow for the punch.
    """
    depth = ligament_depth(reach.site, reach.body, window)
    within = (item.narrowed(off) for item in (ligament_windows(window)[0], window) for off in INSIDE)
    inner = next((item for item in within if item.outline.min() < 0.0), None)
    if inner is None:
        raise ValueError(f"{reach.site.lamina}: the window is too narrow for the punch; take more bone")
    return punched(reach, window, [(x, y, depth) for x, y, _ in ring_of(inner, count)], deepest)


def kept_off(reach: Reach, frames: Sequence[Frame], tool: Points, deepest: float) -> list[Frame]:
    """Return those frames in which a tool presses no deeper than ``deepest`` mm into what it keeps off."""
    if not len(frames):
        return []
    free = reach.measured(frames, tool)
    return [frame for frame, room in zip(frames, free, strict=True) if room > -deepest]


def punched(reach: Reach, window: Cutout, places: Sequence[Local], deepest: float = np.inf) -> Round:
    """Return the round of the punch: in through the window's middle, from bite to bite outwards, and out.

    Bites for which it would press deeper than ``deepest`` mm into what it keeps off are left out; where it
    would do so in the window's middle, it comes in by a bite that has a free way out, or nearer to the axis.
    """
    site, tool = reach.site, points_of(reach.site.tools["kerrison"])
    middle = window.curve().mean(axis=0)
    facings = _facings(np.array(places)[:, :2] - middle)
    taken = [reach.pose(place, tool, facing, site.top) for place, facing in zip(places, facings, strict=True)]
    bitten = [
        k for k, pose in enumerate(taken) if _bites(site.frame.to_local(pose.origin), places[k], middle)
    ]
    reached, ends = [taken[k] for k in bitten], bitten or [0]
    inside = (float(middle[0]), float(middle[1]), float(np.mean([place[2] for place in places])))
    enters, leaves = (reach.pose(inside, withdrawn(tool), facings[ends[k]], site.top) for k in (0, -1))
    if np.isfinite(deepest):
        reached = kept_off(reach, reached, tool, deepest)
        enters = _free_way(reach, [enters, *reached], withdrawn(tool), deepest)
        leaves = _free_way(reach, [leaves, *reversed(reached)], withdrawn(tool), deepest)
    return reach.round([enters, *reached, leaves], tool, enters)


def _bites(tip: Floats, place: Local, middle: Floats) -> bool:
    """Tell whether a tip (3,) has come to a place, nearer than to the window's middle (2,)."""
    away = float(np.linalg.norm(tip - place))
    return away < REACHED and (away < NEGLIGIBLE or away < float(np.hypot(*(tip[:2] - middle))))


def _free_way(reach: Reach, ways: Sequence[Frame], tool: Points, deepest: float) -> Frame:
    """Return the first of some ways in on which a ``tool`` is free as it is drawn out.

    Where none is, it comes in the nearer to the corridor's axis.
    """
    free = kept_off(reach, ways, tool, deepest)
    if free:
        return free[0]
    site, place = reach.site, reach.site.frame.to_local(ways[0].origin)
    for share in NEARER_AXIS:
        nearer = (share * float(place[0]), share * float(place[1]), float(place[2]))
        way = reach.pose(nearer, tool, site.beside(-0.3, 1.0), site.top)
        if kept_off(reach, [way], tool, deepest):
            return way
    return ways[0]


def _facings(outward: Floats) -> list[Local]:
    """Return where the punch faces at bites outwards (n, 2) from a window's middle: it turns little.

    It first faces halfway between all bites, and then turns only as far as a bite asks for.
    """
    angles = np.unwrap(np.arctan2(outward[:, 1], outward[:, 0]))
    now, result = float(angles.min() + angles.max()) / 2, []
    askew = np.radians(ASKEW)
    for angle in angles.tolist():
        now = min(max(now, angle - askew), angle + askew)
        result.append((float(np.cos(now)), float(np.sin(now)), 0.0))
    return result
