"""Before the first cut: a needle and an X-ray tell the level, and the cut is drawn on the skin as a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spineviz.anatomy.recipe import Body
from spineviz.measures import table
from spineviz.structure import Floats, Frame, Structure, Surface
from spineviz.surgery import wound
from spineviz.surgery.access import Access
from spineviz.surgery.actions import Motion, appeared, vanished
from spineviz.surgery.instruments import Instrument
from spineviz.surgery.needles import spinal_needle
from spineviz.surgery.shapes import joined, sweep
from spineviz.surgery.site import Site, raised, surface_height, used
from spineviz.timeline import Action, Step, during

STANDS = (0.36, 0.72)
"""Between which parts of the first step the needle stands at the bone, while X-rays are taken."""

DRAWN, CUT = (0.74, 0.9), (0.4, 0.7)
"""When in the first step the line is drawn, and when in that of the cut it goes."""

OFF_BONE, HIGH, LOW = 0.8, 8.0, -10.0
"""How far (mm) off bone the needle's point stops, and between which heights over the end of the way in."""

FROM = 30.0
"""From how far (mm) above the skin the needle comes."""


@dataclass(frozen=True, eq=False)
class Marking:
    """The needle that tells the level, its way, and the line on the skin, which stands in the world.

    There is no ``needle`` where the approach itself begins with one.
    """

    needle: Instrument | None
    way: Motion
    line: Structure

    @property
    def structures(self) -> Mapping[str, Structure]:
        """The needle and the line by name."""
        tools = () if self.needle is None else (self.needle.structure(),)
        return {item.name: item for item in (*tools, self.line)}


def marking_of(access: Access, body: Body, needle: bool = True) -> Marking:
    """Return what marks the cut of an approach in a body, and with a ``needle`` the level."""
    site, name = access.site, f"instrument.{access.site.approach}"
    deep = _at_bone(site, body)
    at_bone = site.pose((0.0, 0.0, deep), (0.0, 0.0, deep + 1.0), site.beside(1.0, 0.0))
    above = raised(at_bone, site.depth + FROM)
    ends = site.frame.to_local(np.array([frame.origin for frame in access.skin_line]))
    return Marking(
        spinal_needle(f"{name}.spinal_needle") if needle else None,
        Motion((0.0, *STANDS, 1.0), (above, at_bone, at_bone, above)),
        Structure(
            f"{name}.marked_line",
            "instrument",
            line_on_skin(site.frame, body.structures[wound.SKIN].surface, ends[:, :2]),
        ),
    )


def _at_bone(site: Site, body: Body) -> float:
    """Return how high (mm) over the end of the way in a point that comes down it is stopped by bone."""
    heights = np.arange(HIGH, LOW, -0.25)
    places = site.frame.to_parent(heights[:, None] * [0.0, 0.0, 1.0])
    free = np.min([bone.distance(places) for bone in body.bones.values()], axis=0)
    met = np.flatnonzero(free < OFF_BONE)
    return float(heights[max(int(met[0]) - 1, 0)]) if len(met) else 0.0


def line_on_skin(frame: Frame, skin: Surface, ends: Floats) -> Surface:
    """Return the line between two places (2, 2) of a frame's x and y as drawn on the skin, in the world, mm.

    A short stroke crosses it at either end.
    """
    size = table("instruments.marked_line")
    shares = np.linspace(0.0, 1.0, 13)[:, None]
    flat = ends[0] + shares * (ends[1] - ends[0])
    across = np.array([ends[1, 1] - ends[0, 1], ends[0, 0] - ends[1, 0]])
    across = size["stroke"] * across / np.linalg.norm(across)
    strokes = [end + np.linspace(-1.0, 1.0, 5)[:, None] * across for end in ends]
    lines = [_drawn(frame, skin, places) for places in (flat, *strokes)]
    half, high = size["width"] / 2, size["thickness"] / 2
    along, over = _unit(across), _unit(ends[1] - ends[0])
    drawn = [sweep(lines[0], half, high, (*along, 0.0), exponent=4.0)]
    drawn += [sweep(line, half, high, (*over, 0.0), exponent=4.0) for line in lines[1:]]
    whole = joined(*drawn)
    return Surface(frame.to_parent(whole.vertices), whole.faces, tint=np.ones(len(whole.vertices)))


def _drawn(frame: Frame, skin: Surface, places: Floats) -> Floats:
    """Return places (n, 3) of the frame on the skin over places (n, 2), evened along them."""
    heights = [surface_height(frame, skin, place) for place in places]
    shares = np.linspace(-1.0, 1.0, len(places))
    return np.column_stack([places, np.polyval(np.polyfit(shares, heights, 2), shares)])


def _unit(vector: Floats) -> Floats:
    return vector / np.linalg.norm(vector)


def marked(steps: Sequence[Step], found: Marking) -> tuple[Step, ...]:
    """Return an approach's steps, in the first of which the level is checked and the line is drawn."""
    checked = () if found.needle is None else (used(found.needle, found.way, 0.0, 1.0),)
    cut = next(index for index, step in enumerate(steps) if step.phase == "incision")
    added: dict[int, tuple[Action, ...]] = {
        cut - 1: (during(appeared(found.line.name), *DRAWN),),
        cut: (during(vanished(found.line.name), *CUT),),
    }
    added[0] = (*checked, *added.get(0, ()))
    return tuple(
        replace(step, actions=(*step.actions, *added.get(index, ()))) for index, step in enumerate(steps)
    )
