"""Where an approach works: the corridor's frame, what stands at its end, and how tools reach it.

The frame of a site (world, mm): origin at the docking point on the lamina, x towards the patient's right,
y cranial, z out of the body along the corridor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from spineviz.anatomy.recipe import Body
from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.surgery.actions import Motion, appeared, carried, together, turned, vanished
from spineviz.surgery.instruments import Instrument
from spineviz.terms import SIGN, Disc, Level, Side, levels_of, traversing_root
from spineviz.timeline import Action, during

LEISURELY = 6.0
"""For so many degrees of turning a tool takes as much time again as for going from one place to the next."""

TURNING = 195.0
"""How fast (degrees per second) a tool may turn on its round: a hand rolls a punch by a right angle in half a
second."""

STEEPEST = 1.875
"""How much faster than on average what starts and ends at rest is halfway; see `spineviz.timeline.eased`."""

NERVE_WARP = "surgery"
"""The nerves' warp; its amounts are compression 0..1 and medial retraction in mm."""

Local = tuple[float, float, float]
"""A place in the site's frame, mm."""

Place = Sequence[float] | Floats
"""Three numbers: a place or a direction in the site's frame."""


@dataclass(frozen=True, eq=False)
class Site:
    """The place at which an approach takes bone, ligament and fragment.

    ``approach`` names its variants and warps. ``depth`` is the way in mm from the docking point to the
    skin and ``top`` (site's frame) the middle of the wound there, through which the shafts of tools
    pass; ``room`` is the radius in mm about the axis that is free for them.
    The surgeon looks at ``focus`` (site's frame), from lateral by a ``tilt`` in mm for each mm upward.
    ``structures`` are the names of what stands in the body, ``nerves`` those that give way to the fragment
    and to the retractor, ``tools`` the instruments by their short names. ``aside`` are tissues that the way
    in parts besides the layers and the muscles of the back.
    """

    approach: str
    disc: Disc
    side: Side
    frame: Frame
    depth: float
    top: Local
    room: float
    focus: Local
    tilt: float
    structures: frozenset[str]
    nerves: tuple[str, ...]
    tools: Mapping[str, Instrument]
    both: bool = False
    aside: tuple[str, ...] = ()

    @property
    def lateral(self) -> float:
        """The sign of the frame's x axis towards the operated side."""
        return SIGN[self.side]

    @property
    def lamina(self) -> Level:
        """The bone whose lamina is opened."""
        return levels_of(self.disc)[0]

    @property
    def flavum(self) -> str:
        """The name of the ligament that is opened."""
        return f"flavum.{self.disc}.{self.side}"

    @property
    def root(self) -> str:
        """The name of the root that is retracted."""
        return f"root.{traversing_root(self.disc)}.{self.side}"

    @property
    def fragment(self) -> str:
        """The name of the displaced disc material."""
        return f"herniation.{self.disc}"

    def present(self, *names: str) -> tuple[str, ...]:
        """Return those names that stand in the body."""
        return tuple(name for name in names if name in self.structures)

    def variant(self, stage: int) -> str:
        """Return the name of a stage's variant, counted from 1."""
        return f"{self.approach}.{stage}"

    def beside(self, medial: float, cranial: float) -> Local:
        """Return a direction across the corridor by its medial and its cranial part."""
        return (-self.lateral * medial, cranial, 0.0)

    def through(self, medial: float, cranial: float) -> Local:
        """Return a place in the wound at the skin, off its middle by shares of the room there."""
        x, y, z = self.top
        return (x - self.lateral * medial * self.room, y + cranial * self.room, z)

    def box(self, low: float, high: float, across: float) -> tuple[Points, Points]:
        """Return the corners (3,) of the box in the world around the corridor between two heights, mm."""
        middle = np.multiply(self.focus, (1.0, 1.0, 0.0))
        sides = ((x, y) for x in (-across, across) for y in (-across, across))
        ends = [middle + np.array([x, y, z]) for x, y in sides for z in (low, high)]
        world = self.frame.to_parent(np.array(ends))
        return world.min(axis=0), world.max(axis=0)

    def world(self, place: Place) -> Floats:
        """Return a place of the site's frame in the world, mm (3,)."""
        return self.frame.to_parent(np.asarray(place, dtype=np.float64))

    def pose(self, tip: Place, pivot: Place, facing: Place) -> Frame:
        """Return where a tool stands: its shaft through the pivot, its working end towards ``facing``.

        All three are given in the site's frame.
        """
        return Frame(self.world(tip), self.axes(tip, np.asarray(pivot, dtype=np.float64)[None], facing)[0])

    def axes(self, tip: Place, pivots: Points, facing: Place) -> Floats:
        """Return the axes (n, 3, 3) in the world of a tool whose shaft leads through each pivot (n, 3).

        All places and directions are given in the site's frame.
        """
        axis = pivots - np.asarray(tip, dtype=np.float64)
        axis = axis / np.linalg.norm(axis, axis=1, keepdims=True)
        front = np.asarray(facing, dtype=np.float64)
        front = front - (axis @ front)[:, None] * axis
        front = front / np.linalg.norm(front, axis=1, keepdims=True)
        return np.stack([np.cross(front, axis), front, axis], axis=1) @ self.frame.axes


def place_of(values: Floats) -> Local:
    """Return three numbers (3,) as a place."""
    x, y, z = (float(number) for number in values)
    return x, y, z


def turned_about(facing: Local, count: int) -> list[Local]:
    """Return a direction across the corridor, turned about it evenly in so many ways, itself first."""
    angles = np.linspace(0.0, 2 * np.pi, count, endpoint=False)
    x, y, _ = facing
    return [
        (float(x * c - y * s), float(x * s + y * c), 0.0)
        for c, s in zip(np.cos(angles), np.sin(angles), strict=True)
    ]


def nerves_of(body: Body) -> tuple[str, ...]:
    """Return the names of the nerves that have the surgical warp."""
    return tuple(name for name, warp in body.warps if warp == NERVE_WARP)


def raised(pose: Frame, way: float) -> Frame:
    """Return a tool drawn back along its own axis by some mm."""
    return Frame(pose.origin + way * pose.superior, pose.axes)


def used(tool: Instrument, motion: Motion, start: float, end: float) -> Action:
    """Return an action that brings a tool in, moves it and takes it away, between two parts of a step."""
    span = end - start
    return together(
        during(carried((tool.name,), motion), start, end),
        during(appeared(tool.name), start + 0.03 * span, start + 0.15 * span),
        during(vanished(tool.name), end - 0.18 * span, end - 0.06 * span),
    )


@dataclass(frozen=True, eq=False)
class Round:
    """Where a tool goes one place after the other, in the world, and how it swings aside in between.

    ``bows`` (3,) mm are as many as the ways between two frames; see `Motion`.
    """

    frames: tuple[Frame, ...]
    bows: tuple[Floats, ...]


def visit(places: Round, way: float, arrive: float, leave: float) -> Motion:
    """Return the motion of a tool that comes from ``way`` mm above, goes its round and leaves upwards.

    From one place to the next it takes as long as to any other, and longer where it turns.
    """
    first, last = places.frames[0], places.frames[-1]
    spans = _spans(places)
    shares = np.concatenate([[0.0], np.cumsum(spans)]) / max(sum(spans), 1.0)
    times = (float(time) for time in arrive + shares * (leave - arrive))
    frames = (raised(first, way), *places.frames, raised(last, way))
    return Motion((0.0, *times, 1.0), frames, (np.zeros(3), *places.bows, np.zeros(3)))


@dataclass(frozen=True)
class Spell:
    """When in its step a tool works: from ``start`` to ``end``, shares of the step.

    Of that time it comes in until ``arrive``, and goes out from ``leave`` on.
    """

    start: float
    end: float
    arrive: float
    leave: float

    def action(self, site: Site, tool: str, places: Round, way: float) -> Action:
        """Return the action of a site's tool: it comes from ``way`` mm above, goes its round, and leaves."""
        return used(site.tools[tool], visit(places, way, self.arrive, self.leave), self.start, self.end)

    def seconds(self, places: Round) -> float:
        """Return how long the step lasts at least, so that the tool nowhere turns hastily on its round."""
        spans = _spans(places)
        turns = [turned(*pair) for pair in pairwise(places.frames)]
        rates = [turn / span for turn, span in zip(turns, spans, strict=True)]
        needed = STEEPEST / TURNING * sum(spans) * max(rates, default=0.0)
        return needed / ((self.leave - self.arrive) * (self.end - self.start))


def _spans(places: Round) -> list[float]:
    """Return how long a tool takes from each place of its round to the next, as shares."""
    return [1.0 + turned(*pair) / LEISURELY for pair in pairwise(places.frames)]


def surface_height(frame: Frame, surface: Surface, place: Sequence[float], radius: float = 3.5) -> float:
    """Return how high (mm along the frame's z axis) a surface stands over a place (x, y) of the frame.

    Raises ValueError where the surface does not pass within ``radius`` mm of the place.
    """
    local = frame.to_local(surface.vertices)
    near = np.hypot(*(local[:, :2] - np.asarray(place)[:2]).T) < radius
    if not near.any():
        raise ValueError(f"the surface does not cover the place {tuple(np.round(place, 1))} of the corridor")
    return float(local[near, 2].max())
