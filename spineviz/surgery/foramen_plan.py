"""What is done through a working sleeve in the foramen: where sleeve, endoscope and tools go.

All places and heights are in the site's frame, mm: its origin is where the sleeve's way ends, z the way out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from spineviz.anatomy.recipe import Body
from spineviz.geometry import surface_points
from spineviz.measures import table
from spineviz.sdf import Field
from spineviz.structure import Floats
from spineviz.surgery.endoscopes import bevel_length
from spineviz.surgery.endoscopic_plan import BACK, LIFTED, Openings, raised_off, removal_through, visited
from spineviz.surgery.foramen_way import ForamenWay
from spineviz.surgery.places import edge_of_bone
from spineviz.surgery.removal import Removal
from spineviz.surgery.site import NERVE_WARP, Local, Site
from spineviz.surgery.sleeve_entry import HOME, INSIDE, OFF_NERVES, filled, inside
from spineviz.surgery.sleeve_way import FIELD, circle_window
from spineviz.surgery.steering import Stance, Steering
from spineviz.surgery.surroundings import fragment_at_rest, nearest, nerves
from spineviz.surgery.window import Window, columns_of, window_of
from spineviz.terms import Level, exiting_root, levels_of

STEP, DEEPEST = 0.25, 30.0
"""In which steps the sleeve's last place is looked for, and how far out of the end of its way at most, mm."""

OFF_FRAGMENT = 0.15
"""How far (mm) the sleeve stays off the fragment and the disc."""

PAST, HIGHEST = 0.5, 40.0
"""How far (mm) beyond the end of the sleeve's way, and up to which height, bone may stand in its way."""

TONGUE = 10.0
"""Up to twice this height (mm) above the end of the sleeve's way the exiting root is looked for beside it."""

MET = 0.5
"""How far (mm) beside the sleeve the yellow ligament still counts as in its way."""


@dataclass(frozen=True, eq=False)
class ForamenPlan:
    """Where sleeve, endoscope and tools go, stance by stance.

    The sleeve first stands on the articular process, at ``home``. ``burr``, ``punch`` and ``ligament`` begin
    and end there; rounds in which nothing is taken are empty. Then it goes to ``deep``. At ``grasp`` the
    forceps take the fragment, which comes out by ``removal``. ``stages`` counts the variants of bone and of
    ligament.
    """

    home: Stance
    working: Stance
    burr: tuple[Stance, ...]
    punch: tuple[Stance, ...]
    ligament: tuple[Stance, ...]
    deep: Stance
    grasp: Stance
    removal: Removal
    stages: tuple[int, int]

    @property
    def retraction(self) -> float:
        """How far (mm) a root is drawn: not at all."""
        return 0.0


def tongue_turn(site: Site, body: Body) -> float:
    """Return the angle (degrees) in the site's frame at which the tongue lies towards the exiting root."""
    name = f"root.{exiting_root(site.disc)}.{site.side}"
    local = site.frame.to_local(body.structures[name].surface.vertices)
    near = np.abs(local[:, 2] - TONGUE) < TONGUE
    local = local[near] if near.any() else local
    x, y = local[np.hypot(local[:, 0], local[:, 1]).argmin(), :2]
    return float(np.degrees(np.arctan2(y, x)))


def resting_height(body: Body, way: ForamenWay, radius: float) -> float:
    """Return how high (mm) above the end of its way a sleeve comes to rest on bone; 0 where it meets none."""
    turns = np.linspace(0.0, 2 * np.pi, 24, endpoint=False)
    ring = np.stack([radius * np.cos(turns), radius * np.sin(turns), 0.0 * turns], axis=1)
    heights = np.arange(0.0, DEEPEST, STEP)
    places = way.frame.to_parent((ring[None] + heights[:, None, None] * [0.0, 0.0, 1.0]).reshape(-1, 3))
    off = np.min([bone.grid(places) for bone in body.bones.values()], axis=0).reshape(len(heights), -1)
    touching = (off < table("procedures.transforaminal.docking")["resting"]).any(axis=1)
    return float(heights[np.flatnonzero(touching)[-1]]) + STEP if touching.any() else 0.0


def foramen_windows(
    body: Body, level: Level, way: ForamenWay, radius: float, stages: int
) -> tuple[tuple[Window, ...], float]:
    """Return the nested windows in the articular process that let a sleeve through, and how deep they go.

    There are none where no bone stands in its way. Raises ValueError where the process closes it altogether.
    """
    size = table("procedures.laminotomy")
    axis = np.arange(-FIELD, FIELD + size["grid"] / 2, size["grid"])
    columns = columns_of(body.bones[level], way.frame, axis, (PAST, HIGHEST))
    u, v = np.meshgrid(axis, axis, indexing="ij")
    circle = np.hypot(u, v) < radius + table("procedures.transforaminal.docking")["cut"]
    gap = columns.free(-PAST)
    met = circle & ~gap
    if not met.any():
        return (), 0.0
    labels, count = ndimage.label(gap)
    if not (circle & gap).any():
        raise ValueError(f"{level}: the articular process closes the foramen; go between the laminae")
    largest = int(np.argmax(ndimage.sum_labels(circle & gap, labels, np.arange(1, count + 1)))) + 1
    depth = ndimage.distance_transform_edt(labels != largest) * size["grid"]
    taken = float(depth[met].max())
    masks = [circle & (depth <= taken * k / stages) for k in range(1, stages + 1)]
    through = columns.through(masks[-1], size["beyond"])
    return tuple(window_of(way.frame, axis, mask, through) for mask in masks), taken


def foramen_openings(
    site: Site, body: Body, bone: Mapping[Level, tuple[Window, ...]], radius: float
) -> Openings:
    """Return what is cut out besides ``bone``: the lateral edge of the yellow ligament where it is met."""
    if not site.present(site.flavum):
        return Openings(bone, ())
    local = site.frame.to_local(surface_points(body.structures[site.flavum].surface, 1.0))
    near = (np.hypot(local[:, 0], local[:, 1]) < radius + MET) & (np.abs(local[:, 2]) < DEEPEST)
    if not near.any():
        return Openings(bone, ())
    deep, shallow = float(local[near, 2].min()) - 1.0, float(local[near, 2].max()) + 1.0
    return Openings(bone, (circle_window(site.frame, radius + MET, deep, shallow),))


def foramen_plan(
    steering: Steering, body: Body, openings: Openings, diameter: float, rest: float
) -> ForamenPlan:
    """Return where all goes; the sleeve, ``diameter`` mm wide, rests ``rest`` mm above the end of its way."""
    site = steering.site
    turn, bevel = tongue_turn(site, body), bevel_length(diameter)
    home = Stance(
        sleeve=rest,
        tongue=turn,
        scope=rest + bevel + 1.0,
        channel=turn + 180.0,
        tool=rest + HOME,
        turn=turn,
    )
    working = home._replace(sleeve=rest + LIFTED, scope=rest + LIFTED + BACK)
    level = levels_of(site.disc)[1]
    windows = openings.bone.get(level, ())
    pressed = nearest(*nerves(site, body, [(1.0, 0.0), (0.0, 0.0)]).values())
    soft = nearest(pressed, fragment_at_rest(site, body))
    last = _deepest(steering, body, home, diameter, pressed)
    deep = home._replace(sleeve=last, scope=last + INSIDE * bevel)
    removal, grasp = removal_through(steering, body, openings, deep, diameter, 0.0, centred=True)
    return ForamenPlan(
        home=home,
        working=working,
        burr=_round(steering, body, working, windows[-2:-1], "burr", below=False),
        punch=raised_off(steering, _round(steering, body, working, windows[-1:], "punch", below=True), soft),
        ligament=raised_off(steering, _ligament_round(steering, body, working, openings.ligament), soft),
        deep=deep,
        grasp=grasp,
        removal=removal,
        stages=(len(windows), len(openings.ligament)),
    )


def _round(
    steering: Steering, body: Body, working: Stance, windows: Sequence[Window], tool: str, *, below: bool
) -> tuple[Stance, ...]:
    """Return the round of burr or punch along the edge of the process in a window; none without one."""
    if not windows:
        return ()
    site = steering.site
    radius = float(site.tools[tool].radius) + 0.1
    bone = body.bones[levels_of(site.disc)[1]]
    places = edge_of_bone(site, bone, windows[0], radius, below=below)
    return _homeward(visited(steering, working, places), working)


def _ligament_round(
    steering: Steering, body: Body, working: Stance, windows: Sequence[Window]
) -> tuple[Stance, ...]:
    """Return the round of the punch along the lateral edge of the yellow ligament."""
    if not windows:
        return ()
    site = steering.site
    points = body.structures[site.flavum].surface.vertices
    window = windows[-1]
    within = site.frame.to_local(points[window.field(points) < MET])
    if not len(within):
        return ()
    reach = -float(window.outline.min()) - float(site.tools["punch"].radius)
    middle = np.arctan2(*within[:, 1::-1].mean(axis=0))
    depth = float(np.median(within[:, 2]))
    places: list[Local] = [
        (reach * float(np.cos(middle + turn)), reach * float(np.sin(middle + turn)), depth)
        for turn in (-0.5, 0.0, 0.5)
    ]
    return _homeward(visited(steering, working, places), working)


def _homeward(stances: tuple[Stance, ...], working: Stance) -> tuple[Stance, ...]:
    """Return a round whose tool waits as high in the endoscope as it does at work in the foramen."""
    first, last = stances[0], stances[-1]
    return (first._replace(tool=working.tool), *stances[1:-1], last._replace(tool=working.tool))


def _deepest(steering: Steering, body: Body, home: Stance, diameter: float, pressed: Field) -> float:
    """Return how deep (mm) the sleeve's tongue goes until it comes to the fragment, the disc or a nerve.

    All of the fragment stays before its slanting end, or in its bore: it comes out from there.
    """
    site = steering.site
    names = site.present(site.fragment, f"disc.{site.disc}")
    around: list[Floats] = [surface_points(body.structures[name].surface, 0.8) for name in names]
    for name in site.nerves:
        for amounts in ((1.0, 0.0), (0.0, 0.0)):
            around.append(body.warps[name, NERVE_WARP](amounts))
    points = np.vstack(around)
    points = points[np.linalg.norm(points - site.frame.origin, axis=1) < DEEPEST]
    fragment = surface_points(body.structures[site.fragment].surface, 0.8)
    for height in np.arange(0.0, home.sleeve + STEP, STEP):
        sleeve = steering.sleeve(home._replace(sleeve=float(height)))
        wall = float(filled(sleeve.to_local(points), diameter).min())
        if wall >= min(OFF_FRAGMENT, OFF_NERVES) and inside(sleeve.to_local(fragment), diameter).min() > 0.0:
            return float(height)
    return home.sleeve
