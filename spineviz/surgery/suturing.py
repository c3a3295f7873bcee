"""The last step of every approach: the skin is sewn, stitch by stitch, along the cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from spineviz.anatomy.recipe import Body
from spineviz.measures import table, value
from spineviz.model import Camera
from spineviz.structure import Floats, Frame, Structure, Surface
from spineviz.surgery import wound
from spineviz.surgery.access import Access
from spineviz.surgery.actions import Motion, appeared, together, vanished
from spineviz.surgery.instruments import Instrument, needle_holder, tissue_forceps
from spineviz.surgery.shapes import joined, sweep
from spineviz.surgery.site import Place, Site, raised, surface_height, used
from spineviz.timeline import Action, Step, during

BEFORE, EACH = 1.2, 1.1
"""The seconds before the first stitch and after the last, and for each of them."""

ROLLED = (-15.0, 27.0)
"""From where to where (degrees) the needle is turned through the skin about the axis of its circle."""

STAYS = 0.55
"""The share of its time for which a tool stays at a stitch."""

LIFTED = 9.0
"""How far (mm) both tools are lifted from one stitch to the next."""

LEAN = 38.0
"""By how many degrees the needle holder is raised from the line of the cut."""

AWAY = 60.0
"""From how far (mm) both tools come, and whither they go."""

FAR, WIDER = 40.0, 1.4
"""A cut that lies so far (mm) from the middle of the picture is brought there, and so much more is seen."""

OVER = 0.3
"""How high over the skin the middle of the needle's circle stands, as a share of its radius."""


@dataclass(frozen=True, eq=False)
class Sewing:
    """What sews the skin after an approach: two tools, and stitches that stand in the world.

    ``incision`` is the length of the cut, mm. ``passes`` are the frames of the needle holder before and after
    each stitch, ``holds`` those of the forceps.
    """

    site: Site
    incision: float
    holder: Instrument
    forceps: Instrument
    stitches: tuple[Structure, ...]
    passes: tuple[tuple[Frame, Frame], ...]
    holds: tuple[Frame, ...]

    @property
    def structures(self) -> Mapping[str, Structure]:
        """The tools and the stitches by name."""
        tools = (self.holder.structure(), self.forceps.structure())
        return {item.name: item for item in (*tools, *self.stitches)}

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return BEFORE + EACH * len(self.stitches)


def sewing_of(access: Access, body: Body) -> Sewing:
    """Return what sews the cut of an approach in the skin of a body: as many stitches as its length needs."""
    site, surface = access.site, body.structures[wound.SKIN].surface
    name, size = f"instrument.{site.approach}", table("instruments.stitch")
    ends = np.array([site.frame.to_local(frame.origin[None])[0] for frame in access.skin_line])
    count = max(round(access.incision / size["apart"]), 1)
    shares = (np.arange(count) + 0.5) / count
    places = [ends[0, :2] + share * (ends[1, :2] - ends[0, :2]) for share in shares]
    return Sewing(
        site,
        access.incision,
        needle_holder(f"{name}.needle_holder"),
        tissue_forceps(f"{name}.tissue_forceps"),
        tuple(
            Structure(f"{name}.stitch.{number}", "instrument", stitch(site, surface, place))
            for number, place in enumerate(places, start=1)
        ),
        tuple(_pass(site, surface, place) for place in places),
        tuple(_hold(site, surface, place) for place in places),
    )


def stitch(site: Site, skin: Surface, place: Place) -> Surface:
    """Return a stitch and its knot in the world, mm, across the cut at a place (x, y) of the site's frame."""
    size, along_cut = table("instruments.stitch"), (0.0, 1.0, 0.0)
    high, low, thin = size["above"], -size["below"], size["thread"] / 2
    across = size["bite"] * np.array([-1.0, -0.92, -0.5, 0.0, 0.5, 0.92, 1.0])
    over = np.array([low, 0.6 * high, high, high, high, 0.6 * high, low])
    x, y = float(place[0]), float(place[1])
    path = np.stack([x + across, np.full(7, y), _level(site, skin, x + across, y) + over], axis=1)
    knot = path[4] + np.array([0.0, 0.0, 0.4 * size["knot"]])
    thick = size["knot"] * np.array([0.4, 1.0, 0.4])
    tied = sweep(knot + size["knot"] * np.outer([-1.0, 0.0, 1.0], [1.0, 0.0, 0.0]), thick, thick, along_cut)
    ends = [
        knot + size["end"] * np.array([[0.0, 0.0, 0.0], [0.1, 0.4 * way, 0.35], [0.3, way, 0.3]])
        for way in (1.0, -0.8)
    ]
    whole = joined(
        sweep(path, thin, thin, along_cut), tied, *(sweep(end, thin, thin, (0.0, 0.0, 1.0)) for end in ends)
    )
    dark = np.ones(len(whole.vertices))
    return Surface(site.frame.to_parent(whole.vertices), whole.faces, tint=dark)


def _level(site: Site, skin: Surface, x: Floats, y: float) -> Floats:
    """Return how high (n,) the skin stands at places (x, y) of the site's frame, evened across the cut."""
    heights = [surface_height(site.frame, skin, (float(at), y)) for at in x]
    return np.asarray(np.polyval(np.polyfit(x, heights, 2), x))


def _pass(site: Site, skin: Surface, place: Place) -> tuple[Frame, Frame]:
    """Return where the needle holder stands before and after it has led the needle through the skin."""
    x, y = float(place[0]), float(place[1])
    over = OVER * value("instruments.needle_holder.needle_radius")
    centre = np.array([x, y, surface_height(site.frame, skin, (x, y)) + over])
    lean = np.radians(LEAN)
    pivot = centre + np.array([0.0, -np.cos(lean), np.sin(lean)])
    first, last = (
        site.pose(centre, pivot, (-np.sin(angle), 0.0, np.cos(angle))) for angle in np.radians(ROLLED)
    )
    return first, last


def _hold(site: Site, skin: Surface, place: Place) -> Frame:
    """Return where the forceps hold the edge of the skin, on the left, from where the needle comes."""
    x = float(place[0]) - 0.8 * value("instruments.stitch.bite")
    y = float(place[1]) + 2.5
    tip = np.array([x, y, surface_height(site.frame, skin, (x, y)) + 0.3])
    return site.pose(tip, tip + np.array([-0.75, 0.55, 0.8]), (0.0, 1.0, 0.0))


def over_the_cut(found: Sewing, camera: Camera) -> Camera:
    """Return a camera that is moved sideways, and sees more, where the cut lies far from its middle."""
    stitches = np.vstack([item.surface.vertices for item in found.stitches])
    right = np.cross(camera.up, camera.direction)
    away = float((stitches.mean(axis=0) - camera.focus) @ right)
    if abs(away) < FAR:
        return camera
    x, y, z = (float(value) for value in camera.focus + away * right)
    return replace(camera, focus=(x, y, z), height=WIDER * camera.height)


def sewn(found: Sewing, camera: Camera) -> Step:
    """Return the step in which the skin is sewn, seen by a camera."""
    total, count = found.seconds, len(found.stitches)
    lead = 0.5 * BEFORE / total
    each = (1.0 - 2.0 * lead) / count
    starts = [lead + each * number for number in range(count)]
    return wound.step(
        found.site,
        "closure",
        camera,
        used(found.holder, _round(found.passes, starts, each), 0.0, 1.0),
        used(found.forceps, _round([(hold, hold) for hold in found.holds], starts, each), 0.0, 1.0),
        together(
            *(
                _tied(item.name, start + 0.9 * STAYS * each)
                for item, start in zip(found.stitches, starts, strict=True)
            )
        ),
        part="suture",
        share=total / value("procedures.seconds.closure"),
        parameters={"length": round(found.incision, 1)},
    )


def with_stitches_gone(step: Step, found: Sewing) -> Step:
    """Return a step in which the stitches fade, together with the skin that they are in."""
    names = tuple(item.name for item in found.stitches)
    return replace(step, actions=(*step.actions, during(vanished(*names), 0.0, 0.3)))


def _tied(name: str, start: float) -> Action:
    """Return the action by which a stitch is there from a part of the step on."""
    return during(appeared(name), start, start + 0.08)


def _round(
    passes: list[tuple[Frame, Frame]] | tuple[tuple[Frame, Frame], ...], starts: list[float], each: float
) -> Motion:
    """Return the motion of a tool that stays at each stitch for a part of its time."""
    frames = list(chain.from_iterable(passes))
    times = list(chain.from_iterable((start, start + STAYS * each) for start in starts))
    lift = LIFTED * passes[0][0].superior
    bows = [lift * (number % 2) for number in range(len(frames) - 1)]
    zero = np.zeros(3)
    return Motion(
        (0.0, *times, 1.0),
        (raised(frames[0], AWAY), *frames, raised(frames[-1], AWAY)),
        (zero, *bows, zero),
    )
