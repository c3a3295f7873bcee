"""How a working sleeve goes into the canal, and how far the root has to give way to it.

All places and heights are in the site's frame, mm: its origin is where the sleeve docks, z the way out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from spineviz.anatomy.recipe import Body
from spineviz.measures import table, value
from spineviz.structure import Floats, Frame, Points
from spineviz.surgery.endoscopes import bevel_length, sleeve_bore
from spineviz.surgery.site import NERVE_WARP, Site
from spineviz.surgery.steering import Stance, Steering, between

HOME = 40.0
"""How far (mm) above the docking point tools wait in the endoscope."""

INSIDE = 0.95
"""Where in the bevel the endoscope's end stands when the sleeve is in the canal, as a share from its tip."""

NEAR = 34.0
"""How far (mm) around the fragment nerves are looked at."""

OFF_NERVES = 0.1
"""How far (mm) the sleeve keeps off nerves."""

STEPS = 17
"""At how many moments of the sleeve's way into the canal it is asked how far the root has to be drawn."""


def docked_stance(site: Site, diameter: float) -> Stance:
    """Return the stance of the docked sleeve, its tongue lateral, with the endoscope in it."""
    lateral = 0.0 if site.lateral > 0.0 else 180.0
    scope = bevel_length(diameter) + 1.0
    return Stance(tongue=lateral, scope=scope, channel=lateral, tool=HOME, turn=lateral)


@dataclass(frozen=True, eq=False)
class Entering:
    """How the sleeve goes into the canal: its ``stances``, and how far (k,) mm the root is drawn meanwhile.

    The tongue comes down beside the root and turns medially, over that side on which it disturbs it less.
    """

    stances: tuple[Stance, ...]
    drawn: Floats


def entering(
    steering: Steering, nerves_near: NervesNear, home: Stance, diameter: float, apex: float
) -> Entering | None:
    """Return how the sleeve goes into the canal; None where the root cannot give way so far.

    It goes to where the fragment begins, at the height ``apex``, or a little less deep.
    """
    bevel = bevel_length(diameter)
    found = []
    for tongue in table("procedures.interlaminar.docking")["tongue"]:
        tip = apex - tongue
        down = home._replace(sleeve=tip, scope=tip + INSIDE * bevel)
        for turn in (180.0, -180.0):
            stances = (home, down, down._replace(tongue=home.tongue + turn))
            drawn = _drawn(steering, nerves_near, stances, diameter)
            if np.isfinite(drawn).all():
                found.append(Entering(stances, drawn))
        if found:
            return min(found, key=lambda item: float(item.drawn[-1]))
    return None


def _drawn(
    steering: Steering, nerves_near: NervesNear, stances: tuple[Stance, ...], diameter: float
) -> Floats:
    """Return how far (k,) mm the root is drawn while the sleeve goes through three stances, never back."""
    last = nerves_near.needed(steering.sleeve(stances[-1]), diameter)
    if not np.isfinite(last):
        return np.array([last])
    needed = [
        nerves_near.needed(steering.sleeve(between((0.0, 0.45, 1.0), stances, float(share))), diameter)
        for share in np.linspace(0.0, 1.0, STEPS)
    ]
    return np.maximum.accumulate(np.maximum(needed, [*needed[1:], needed[-1]]))


@dataclass(frozen=True, eq=False)
class NervesNear:
    """The sac and the root near a way: ``places`` holds their points for each way (mm) they are drawn."""

    places: tuple[tuple[float, Points], ...]

    def needed(self, sleeve: Frame, diameter: float) -> float:
        """Return how far (mm) the root is to be drawn for a sleeve to stand off it; inf where too far."""
        for retraction, points in self.places:
            if float(filled(sleeve.to_local(points), diameter).min()) >= OFF_NERVES:
                return retraction
        return np.inf


def nerves_near(body: Body, root: str, moving: Sequence[str], around: Floats) -> NervesNear:
    """Return where sac and root stand around a place (3,) while they are drawn, pressed to free."""
    most = float(value("procedures.interlaminar.docking.most_retraction"))
    names = [name for name in ("thecal_sac", root) if name in body.structures]
    result = []
    for retraction in np.arange(0.0, most + 0.1, 0.5):
        parts = []
        for name, pressed in product(names, (1.0, 0.5, 0.0)):
            points = body.structures[name].surface.vertices
            if name in moving:
                points = body.warps[name, NERVE_WARP]((pressed, float(retraction)))
            parts.append(points[np.linalg.norm(points - around, axis=1) < NEAR])
        result.append((float(retraction), np.vstack(parts)))
    return NervesNear(tuple(result))


def filled(local: Points, diameter: float) -> Floats:
    """Return the distance (n,) in mm of points in a sleeve's frame from it, as if it were a rod."""
    slope = np.tan(np.radians(value("instruments.working_sleeve.bevel")))
    radius = diameter / 2
    under = ((radius - local[:, 1]) * slope - local[:, 2]) / np.hypot(1.0, slope)
    return np.maximum(np.hypot(local[:, 0], local[:, 1]) - radius, under)


def inside(local: Points, diameter: float) -> Floats:
    """Return how far (n,) mm points in a sleeve's frame stay off its wall; what is not in its bore is out.

    Only before its slanting end there is room outside.
    """
    slope = np.tan(np.radians(value("instruments.working_sleeve.bevel")))
    radius, bore = diameter / 2, sleeve_bore(diameter)
    under = ((radius - local[:, 1]) * slope - local[:, 2]) / np.hypot(1.0, slope)
    across = np.hypot(local[:, 0], local[:, 1])
    away = np.abs(across - (radius + bore) / 2) - (radius - bore) / 2
    return np.where(under < 0.0, bore - across, np.maximum(away, under))
