"""The layers over the spine: how they fade so that the depth is seen, and how a knife cuts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spineviz.measures import table, value
from spineviz.model import HIDDEN, Camera, Message, Pane, Vector
from spineviz.structure import Floats, Frame, Surface
from spineviz.surgery.actions import Motion, faded, together
from spineviz.surgery.instruments import Instrument
from spineviz.surgery.retraction.parting import MUSCLES
from spineviz.surgery.site import Site, raised, surface_height, used
from spineviz.terms import SIDES, Phase, Side
from spineviz.timeline import Action, Step, during

SKIN, FAT, FASCIA = "skin", "subcutaneous_fat", "thoracolumbar_fascia"


LOINS = (
    *("psoas_major", "quadratus_lumborum", "thoracolumbar_fascia_middle"),
    *("interspinalis", "intertransversarius_lateral", "intertransversarius_medial"),
)
"""How the names of the muscles begin that lie before and beside the spine, and between its processes."""

LOIN = 0.14
"""How opaque these are in an operation: they hide roots and foramina from behind and from the side."""

GLASS = 0.4
"""The opacity of what one looks through while it stays where it is: a blade, an arm, bone over a cut."""


@dataclass(frozen=True)
class Exposure:
    """How opaque the layers are: 1 hides what lies below, 0 shows it."""

    skin: float
    fat: float
    fascia: float
    muscle: float


WHOLE = Exposure(1.0, 1.0, 1.0, 1.0)
ORIENTATION = Exposure(0.14, 0.0, 0.0, 0.16)
FASCIA_SHOWN = Exposure(0.15, 0.0, 1.0, 1.0)
MUSCLE_SHOWN = Exposure(0.1, 0.0, 0.0, 1.0)
DEEP = Exposure(0.0, 0.0, 0.0, 1.0)
COMPARED = Exposure(0.12, 0.0, 0.0, 0.16)


def muscles(site: Site) -> tuple[str, ...]:
    """Return the muscles of both sides that stand in the body."""
    return site.present(*(f"{name}.{side}" for name in MUSCLES for side in SIDES))


def muscles_of(site: Site, side: Side) -> tuple[str, ...]:
    """Return the muscles of one side that stand in the body and that an approach meets."""
    return site.present(*(f"{name}.{side}" for name in MUSCLES))


def operated(site: Site) -> tuple[str, ...]:
    """Return the tissue that is cut or parted, from the skin inwards."""
    sides = SIDES if site.both else (site.side,)
    muscle = (name for side in sides for name in muscles_of(site, side))
    return site.present(SKIN, FAT, FASCIA, *muscle, *site.aside)


def set_out(site: Site) -> Action:
    """Return the action of the first step: what lies deep stands clear, layers and loins turn to glass.

    What a scene has hidden for good stays hidden.
    """
    over = set(site.present(SKIN, FAT, FASCIA)) | set(muscles(site))
    below = [name for name in sorted(site.structures) if name not in over]
    loins = [name for name in below if name.startswith(LOINS)]
    deep = [name for name in below if not name.startswith(LOINS)]

    def cleared(pane: Pane, progress: float) -> Pane:
        for names, opacity in ((deep, 1.0), (loins, LOIN)):
            seen = [name for name in names if pane.looks[name] != HIDDEN]
            pane = faded(seen, opacity)(pane, progress)
        return pane

    return together(during(cleared, 0.0, 0.4), during(exposed(site, ORIENTATION), 0.1, 0.5))


def exposed(site: Site, exposure: Exposure) -> Action:
    """Return an action that fades all layers to an exposure."""
    groups = ((SKIN,), (FAT,), (FASCIA,), muscles(site))
    opacities = (exposure.skin, exposure.fat, exposure.fascia, exposure.muscle)
    return together(
        *(faded(site.present(*names), opacity) for names, opacity in zip(groups, opacities, strict=True))
    )


def closed_up(site: Site, start: float, end: float) -> Action:
    """Return an action that brings the layers back one after the other, from the muscle to the skin."""
    quarter = (end - start) / 4
    groups = (muscles(site), (FASCIA,), (FAT,), (SKIN,))
    return together(
        *(
            during(faded(site.present(*names), 1.0), start + quarter * k, start + quarter * (k + 1.6))
            for k, names in enumerate(groups)
        )
    )


def knife_line(
    site: Site, surface: Surface, *, across: float, half: float, depth: float, lean: float
) -> tuple[Frame, Frame]:
    """Return the knife's frames at the cranial and the caudal end of a longitudinal cut on a surface.

    ``across`` (mm) is where the cut lies on the site's x axis, ``half`` half its length, ``depth`` how far
    the tip sinks in; ``lean`` is how far the handle leans towards the cut's end, mm for each mm upward.
    """
    frames = []
    for y in (half, -half):
        tip = (across, y, surface_height(site.frame, surface, (across, y)) - depth)
        frames.append(site.pose(tip, (tip[0], tip[1] - 40.0 * lean, tip[2] + 40.0), (0.0, -1.0, 0.0)))
    return frames[0], frames[1]


def cut(knife: Instrument, line: tuple[Frame, Frame], start: float, end: float) -> Action:
    """Return an action that draws the knife along a line, between two parts of a step."""
    above = raised(line[0], 45.0), raised(line[1], 45.0)
    motion = Motion((0.0, 0.28, 0.76, 1.0), (above[0], line[0], line[1], above[1]))
    return used(knife, motion, start, end)


def down_the_wound(site: Site, camera: Camera) -> Camera:
    """Return a camera turned so that it looks down the wound as the surgeon does."""
    return _down(site, camera.height, camera.angle)


def microscope(site: Site, wide: bool = False) -> Camera:
    """Return the operating microscope's view down the wound into the depth, or a ``wide`` one."""
    size = table("procedures.microscope")
    field = float(size["wide_field" if wide else "field"])
    angle = 2 * np.degrees(np.arctan(field / 2 / size["distance"]))
    return _down(site, field, float(angle))


def _down(site: Site, height: float, angle: float) -> Camera:
    view = site.pose(site.focus, np.add(site.focus, (site.lateral * site.tilt, 0.0, 1.0)), (0.0, 1.0, 0.0))
    return Camera(_vector(view.origin), _vector(view.superior), _vector(view.anterior), height, angle)


def _vector(values: Floats) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z


def step(
    site: Site,
    phase: Phase,
    camera: Camera,
    *actions: Action,
    part: str = "",
    share: float = 1.0,
    least: float = 0.0,
    parameters: Mapping[str, float] | None = None,
) -> Step:
    """Return a step of a phase.

    ``part`` names it where a phase has several steps and ``share`` is its part of the phase's time; it lasts
    ``least`` seconds at least.
    """
    key = f"step.{site.approach}.{part or phase}"
    said = tuple((name, f"{number:g}") for name, number in (parameters or {}).items())
    seconds = max(share * value(f"procedures.seconds.{phase}"), least)
    return Step(phase, Message(key, said), seconds, actions, camera)
