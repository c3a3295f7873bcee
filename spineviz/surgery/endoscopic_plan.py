"""What is done through a working sleeve between the laminae: where sleeve, endoscope and tools go.

All places and heights are in the site's frame, mm: its origin is where the sleeve docks, z the way out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np

from spineviz.anatomy.recipe import Body
from spineviz.geometry import surface_points
from spineviz.sdf import Field
from spineviz.structure import Floats, Frame, Points
from spineviz.surgery.endoscopes import bevel_length, channel_off_axis
from spineviz.surgery.places import edge_of_bone
from spineviz.surgery.removal import CLEAR, LONGEST, Removal, Way
from spineviz.surgery.retraction.bone_grid import bone_grid
from spineviz.surgery.site import Local, Site
from spineviz.surgery.sleeve_entry import HOME, OFF_NERVES, Entering, inside
from spineviz.surgery.sleeve_way import circle_window
from spineviz.surgery.steering import Stance, Steering, forceps_jaw, towards
from spineviz.surgery.surroundings import nearest, nerves
from spineviz.surgery.window import Window
from spineviz.terms import Level, levels_of

LIFTED, BACK = 1.2, 6.5
"""How far (mm) the sleeve is lifted while bone is worked on, and the endoscope's end stands above it."""

TIP, MOST_RAISED = 8.0, 8.0
"""How much of the punch (mm) is kept off nerves, and by how much it is raised for that at most."""

GRIP = 3.0
"""How deep (mm) the jaws reach into the fragment."""

SHARES = (0.75, 0.62, 0.55, 0.5, 0.45, 0.4, 0.36)
"""The widths to which the fragment may be narrowed, as shares of its width at rest."""

CELL = 0.6
"""Spacing (mm) of the grid that tells the fragment what is around it."""


@dataclass(frozen=True, eq=False)
class EndoscopicPlan:
    """Where sleeve, endoscope and tools go, stance by stance.

    ``burr``, ``punch`` and ``ligament`` begin and end at ``home``. On the way into the canal, ``entering``,
    the root is drawn by ``drawn`` (k,) mm at even steps. At ``grasp`` the forceps take the fragment, which
    comes out by ``removal``. ``stages`` counts the variants of bone and of ligament.
    """

    home: Stance
    burr: tuple[Stance, ...]
    punch: tuple[Stance, ...]
    ligament: tuple[tuple[Stance, ...], tuple[Stance, ...]]
    entering: tuple[Stance, ...]
    drawn: Floats
    grasp: Stance
    removal: Removal
    stages: tuple[int, int]

    @property
    def retraction(self) -> float:
        """How far (mm) the root is drawn in the end."""
        return float(self.drawn[-1])


class Holding(Protocol):
    """How forceps hold the fragment, and how it comes out."""

    @property
    def grasp(self) -> Stance:
        """Where all stands when the forceps take it."""

    @property
    def removal(self) -> Removal:
        """How it comes out."""


@dataclass(frozen=True, eq=False)
class Openings:
    """What is cut out: stages of windows by bone, the last of each whole, and the stages in the ligament."""

    bone: Mapping[Level, tuple[Window, ...]]
    ligament: tuple[Window, ...]

    def left(self, body: Body, level: Level) -> Field:
        """Return the distance in the world from what is left of a bone."""
        bone, windows = body.bones[level], self.bone.get(level, ())
        if not windows:
            return bone.grid
        return lambda points: np.maximum(bone.grid(points), -windows[-1].field(points))


def planned(
    steering: Steering, body: Body, openings: Openings, diameter: float, entered: Entering
) -> EndoscopicPlan:
    """Return where all goes; the sleeve has an outer ``diameter`` and is led into the canal as found."""
    site = steering.site
    home = entered.stances[0]
    working = home._replace(sleeve=LIFTED, scope=LIFTED + BACK)
    windows = openings.bone.get(site.lamina, ())
    pressed = nerves(site, body, [(1.0, 0.0)])[1.0, 0.0]
    drawn, deep = entered.drawn, entered.stances[-1]
    small, wide = _ligament_rounds(steering, body, working, openings.ligament)
    removal, grasp = removal_through(steering, body, openings, deep, diameter, float(drawn[-1]))
    return EndoscopicPlan(
        home=home,
        burr=_bone_round(steering, body, working, windows[-2:-1], "burr", below=False),
        punch=raised_off(
            steering, _bone_round(steering, body, working, windows[-1:], "punch", below=True), pressed
        ),
        ligament=(raised_off(steering, small, pressed), raised_off(steering, wide, pressed)),
        entering=entered.stances,
        drawn=drawn,
        grasp=grasp,
        removal=removal,
        stages=(len(windows), len(openings.ligament)),
    )


def _bone_round(
    steering: Steering, body: Body, working: Stance, windows: Sequence[Window], tool: str, *, below: bool
) -> tuple[Stance, ...]:
    """Return the round of burr or punch along the edge of bone in a window; none where nothing is taken."""
    if not windows:
        return ()
    site = steering.site
    radius = float(site.tools[tool].radius) + 0.1
    places = edge_of_bone(site, body.bones[site.lamina], windows[0], radius, below=below)
    return visited(steering, working, places)


def raised_off(steering: Steering, stances: tuple[Stance, ...], soft: Field) -> tuple[Stance, ...]:
    """Return the stances of the punch, raised where it would press into what is ``soft``."""
    tool = steering.site.tools["punch"].surface.vertices
    tip = tool[tool[:, 2] < TIP]

    def raised(stance: Stance) -> Stance:
        for rise in np.arange(0.0, MOST_RAISED, 0.5):
            higher = stance._replace(tool=stance.tool + float(rise))
            if float(soft(steering.tool(higher).to_parent(tip)).min()) >= OFF_NERVES:
                return higher
        return stance._replace(tool=stance.tool + MOST_RAISED)

    return tuple(raised(stance) for stance in stances)


def visited(steering: Steering, working: Stance, places: Sequence[Local]) -> tuple[Stance, ...]:
    """Return the stances in which a tool comes to places, raised over the first and over the last."""
    stances = []
    before = working
    for place in places:
        before = steering.aimed(before, place)
        stances.append(before)
    high = max(place[2] for place in places) + 5.0
    return (
        stances[0]._replace(tool=HOME),
        stances[0]._replace(tool=high),
        *stances,
        stances[-1]._replace(tool=high),
        working._replace(channel=stances[-1].channel, turn=stances[-1].turn, tool=HOME),
    )


def _ligament_rounds(
    steering: Steering, body: Body, working: Stance, windows: Sequence[Window]
) -> tuple[tuple[Stance, ...], tuple[Stance, ...]]:
    """Return the rounds of the punch through the ligament: the first opening, and along its wider edge."""
    site = steering.site
    reach = float(site.tools["punch"].radius)
    points = body.structures[site.flavum].surface.vertices if site.present(site.flavum) else np.empty((0, 3))
    rounds = []
    for window in windows:
        radius = max(-float(window.outline.min()) - reach, 0.3)
        inside = site.frame.to_local(points[window.across(points) < 0.0])
        depth = float(np.median(inside[:, 2])) if len(inside) else 0.0
        turns = np.radians(np.arange(0.0, 360.0, 72.0) + working.channel)
        places = [(radius * float(np.cos(t)), radius * float(np.sin(t)), depth) for t in turns]
        rounds.append(visited(steering, working, places))
    return rounds[0], rounds[1]


def removal_through(
    steering: Steering,
    body: Body,
    openings: Openings,
    deep: Stance,
    diameter: float,
    drawn: float,
    centred: bool = False,
) -> tuple[Removal, Stance]:
    """Return how the fragment comes out through the sleeve, and the stance in which it is grasped.

    Where it is ``centred`` its middle comes into the sleeve's axis, wherever the jaws hold it.
    """
    site = steering.site
    surface = body.structures[site.fragment].surface
    rest = np.asarray(surface.vertices, dtype=np.float64)
    local = site.frame.to_local(rest)
    stance, grasp = _grasp(deep, local)
    spared = _spared(site, body, openings, drawn)
    stance = _opening(steering, stance, spared)
    free = _around(steering.sleeve(deep), spared, diameter)
    short = deep.sleeve + bevel_length(diameter)
    way = _freest(site, local, grasp, short, free, centred)
    deepest = float(local[:, 2].min())
    narrow = float(way.risen(np.array([grasp[2]]), deepest, way.high)[0])
    top = float(site.tools["tube"].surface.vertices[:, 2].max()) + deep.sleeve
    around = bone_grid(free, np.vstack([rest, site.world((0.0, 0.0, top))]), margin=8.0, step=CELL)
    gap = np.minimum(around(rest)[0], CLEAR)
    return Removal(site.frame, way, rest, surface.faces, grasp, narrow, around, gap), stance


def _grasp(deep: Stance, local: Points) -> tuple[Stance, Local]:
    """Return the stance and the place at which the forceps, in the channel, take the fragment (n, 3)."""
    best = (-np.inf, 0.0)
    for degrees in np.arange(0.0, 360.0, 15.0):
        place = channel_off_axis() * towards(float(degrees))
        near = np.hypot(*(local[:, :2] - place[:2]).T) < 1.3
        if near.any():
            best = max(best, (float(local[near, 2].max()), float(degrees)))
    if not np.isfinite(best[0]):
        raise ValueError("the sleeve does not lead to the fragment; move the incision")
    top, degrees = best
    place = channel_off_axis() * towards(degrees)
    turned = deep.channel + (degrees - deep.channel + 180.0) % 360.0 - 180.0
    stance = deep._replace(channel=turned, turn=turned + 90.0, tool=top - GRIP)
    return stance, (float(place[0]), float(place[1]), top - GRIP)


def _spared(site: Site, body: Body, openings: Openings, drawn: float) -> Field:
    """Return the distance in the world from the bone that is left and from the nerves, drawn aside."""
    bones = [openings.left(body, level) for level in levels_of(site.disc) if level in body.bones]
    return nearest(*bones, *nerves(site, body, [(1.0, drawn), (0.0, drawn)]).values())


def _opening(steering: Steering, stance: Stance, spared: Field) -> Stance:
    """Return the stance turned so that the open jaw stays freest of what is to be spared."""
    jaw = steering.site.tools["jaw"].surface.vertices
    turns = [stance._replace(turn=stance.turn + degrees) for degrees in np.arange(-180.0, 180.0, 30.0)]

    def free(item: Stance) -> float:
        poses = (item, item._replace(tool=item.tool + 3.0))
        places = [forceps_jaw(steering.tool(pose), 1.0).to_parent(jaw) for pose in poses]
        return min(float(spared(np.vstack(places)).min()), CLEAR)

    return max(turns, key=lambda item: (free(item), -abs(item.turn - stance.turn)))


def _around(sleeve: Frame, spared: Field, diameter: float) -> Field:
    """Return the distance in the world from all that the fragment may meet on its way out."""

    def distance(points: Points) -> Floats:
        return np.minimum(spared(points), inside(sleeve.to_local(points), diameter))

    return distance


def _freest(site: Site, local: Points, grasp: Local, short: float, free: Field, centred: bool = False) -> Way:
    """Return the way on which the fragment has most room: up the sleeve's axis, narrowed to its bore."""
    shifts = (1.0,) if centred else (0.0, 0.5, 1.0)
    bed = local[:, :2].mean(axis=0)
    sample = local[:: max(len(local) // 150, 1)]
    deepest = float(local[:, 2].min())
    best, found = -np.inf, None
    for high, wide, tall, shift in product((short - 2.0, short + 2.0, short + 6.0), SHARES, SHARES, shifts):
        shares = np.array([wide, tall])
        if shares.prod() * LONGEST < 1.0:
            continue
        held = np.asarray(grasp[:2]) - (np.asarray(grasp[:2]) - bed) * shares
        entry = (float((1 - shift) * held[0]), float((1 - shift) * held[1]), high)
        way = Way(bed, entry, np.zeros(2), deepest + 2.0, high, shares)
        heights = sample[:, 2:] + np.linspace(0.0, 1.0, 14) * (high + 14.0 - sample[:, 2:])
        places = way.streamlines(sample, heights).reshape(-1, 3)
        room = np.minimum(free(site.frame.to_parent(places)), 0.3)
        moved = float(np.hypot(*(np.asarray(entry[:2]) + (np.asarray(grasp[:2]) - bed) * shares - grasp[:2])))
        narrowest = np.partition(room, 30)[:30]
        score = float(narrowest.mean()) - 0.6 * max(moved - 0.5, 0.0) + 0.05 * float(np.log(shares).sum())
        if score > best:
            best, found = score, way
    assert found is not None
    return found


def circle_openings(
    site: Site, body: Body, bone: Mapping[Level, tuple[Window, ...]], diameter: float, opened: float
) -> Openings:
    """Return what is cut out besides ``bone``: the ligament, ``opened`` mm wide, then for the sleeve."""
    heights = np.array([0.0])
    radius = diameter / 2 + 0.3
    if site.present(site.flavum):
        local = site.frame.to_local(surface_points(body.structures[site.flavum].surface, 1.0))
        near = np.hypot(local[:, 0], local[:, 1]) < radius + 0.5
        heights = local[near, 2] if near.any() else heights
    deep, shallow = float(heights.min()) - 1.0, float(heights.max()) + 1.0
    ligament = tuple(circle_window(site.frame, wide, deep, shallow) for wide in (opened / 2, radius))
    return Openings(bone, ligament)


def held_stance(plan: Holding, rise: float, follow: float, play: float = np.inf) -> Stance:
    """Return the stance when the closed forceps have risen by some mm with the fragment.

    The endoscope rises with them, ``follow`` mm farther. Both stand aside in the sleeve no farther than its
    ``play`` (mm): beyond that the fragment gives way between the jaws.
    """
    x, y, z = plan.removal.held(rise)
    off = channel_off_axis() * towards(plan.grasp.channel)
    aside = np.array([x - off[0], y - off[1]])
    aside *= min(play / max(float(np.hypot(*aside)), 1e-9), 1.0)
    return plan.grasp._replace(
        tool=float(z),
        scope=plan.grasp.scope + float(z) - plan.grasp.tool + follow,
        aside_right=float(aside[0]),
        aside_cranial=float(aside[1]),
    )
