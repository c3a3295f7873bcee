"""Where the tools go over the top: first on the tube's own side, then through the tilted tube across."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spineviz.anatomy.recipe import Body
from spineviz.measures import value
from spineviz.surgery import freeing
from spineviz.surgery.bone_left import BoneLeft, NearBone
from spineviz.surgery.reach import Reach
from spineviz.surgery.rounds import DEEPEST, bites, burr_round, kept_off, punched
from spineviz.surgery.site import Round, Site, place_of
from spineviz.surgery.surroundings import farther, nearest
from spineviz.surgery.tool_points import points_of
from spineviz.surgery.trough import Stages
from spineviz.surgery.undercut import Undercut, places_across
from spineviz.surgery.window import Windows
from spineviz.terms import Side, levels_of


@dataclass(frozen=True, eq=False)
class Crossing:
    """Where the tools go, in the world: first on the tube's own side, then through the tilted tube.

    ``stages`` counts the variants of bone on the tube's own side, and of ligament. ``probes`` feel
    the root of the other side and that of the tube's own, where they reach it.
    """

    burr: Round
    bites: Round
    stages: tuple[int, int]
    across: Round
    far_bites: Round
    ligament: Round
    probes: tuple[tuple[Round, ...], tuple[Round, ...]]


def crossing(
    site: Site, tilted: Site, body: Body, windows: Undercut, relieved: freeing.Warps, stages: Stages
) -> Crossing:
    """Return where the tools go, from the bones as they are shown and the windows."""
    spread = site.room - 1.5
    bone = NearBone(site, body)
    before, after = (Reach(BoneLeft(bone, window), spread, walled=True) for window in windows.near[-2:])
    narrow = farther(freeing.nerves_around(site, body, relieved, free=False), freeing.SPARED)
    spared = freeing.in_midline(body)
    across = farther(freeing.nerves_around(site, body, relieved, free=False, beside=spared), freeing.SPARED)
    ligaments = freeing.ligaments_left(site, body, stages)
    free = nearest(freeing.nerves_around(site, body, relieved, free=True), ligaments)
    burr_places = places_across(windows, tilted.frame, value("instruments.burr.head_diameter") / 2)
    middle = np.mean(burr_places, axis=0)[:2]
    both = Windows((windows.near[-1], windows.across[-1]), middle)
    below = levels_of(site.disc)[1]
    opened = freeing.with_bone(body, below, stages[below][site.variant(1)])
    leaning, wide = (
        Reach(BoneLeft(NearBone(tilted, whole), both), spread, walled=True) for whole in (body, opened)
    )
    last = Reach(BoneLeft(NearBone(site, opened), windows.near[-1]), spread, walled=True)
    shield = freeing.ligaments_around(site, body)
    punch_places = [place_of(place) for place in places_across(windows, tilted.frame, 2.4)[3:]]
    lateral = site.beside(-1.0, 0.0)
    far: Side = "right" if site.side == "left" else "left"
    return Crossing(
        burr=burr_round(after, windows.near[:-1]),
        bites=bites(before.keeping_off(narrow), windows.near[-2], deepest=DEEPEST),
        stages=(len(windows.near), len(windows.flava)),
        across=_across(leaning.keeping_off(shield), burr_places),
        far_bites=punched(leaning.keeping_off(across), both, punch_places, DEEPEST),
        ligament=punched(wide.keeping_off(across), both, punch_places[::-1], DEEPEST),
        probes=(
            freeing.felt(wide.keeping_off(free), relieved, far, tilted.top, lateral),
            freeing.felt(last.keeping_off(free), relieved, site.side, site.top, lateral),
        ),
    )


def _across(reach: Reach, places: tuple[np.ndarray, ...]) -> Round:
    """Return the burr's round along the outer wall of the cut across the midline."""
    site, tool = reach.site, points_of(reach.site.tools["burr"])
    frames = [reach.pose(place_of(place), tool, site.beside(0.9, 0.2), site.top) for place in places]
    return reach.round(kept_off(reach, frames, tool, DEEPEST) or frames[:1], tool)
