"""The surgeon's eye: where it looks from while a way in stands open, and what it sees of the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from spineviz.measures import table, value
from spineviz.model import HIDDEN, Camera, Inset, Look, Message, Pane
from spineviz.structure import Frame
from spineviz.surgery import wound
from spineviz.surgery.endoscopes import lens_place
from spineviz.surgery.instruments import Instrument
from spineviz.surgery.site import Site
from spineviz.terms import Phase
from spineviz.timeline import Step, eased
from spineviz.views import vector

OPENED: Phase = "retractor"
"""At the end of this phase the way in stands open."""

WORKING: tuple[Phase, ...] = ("laminotomy", "flavum", "root", "fragment")
"""The phases in which the surgeon works at its end."""

LEAVING: Phase = "closure"
"""At the beginning of this phase the last tools leave; then the way in is closed."""

COMES, GOES = (0.82, 0.915), (0.12, 0.26)
"""Between which parts of their phases the eye opens and closes: as the way gets free, before it is left."""

WITHDRAWN = (0.6, 0.7)
"""Between which parts of its phase an endoscope's eye closes that leaves together with the fragment."""

RIM, LIP = 1.07, 0.94
"""What is seen at the upper end of the way in, as a share of a tube's outer width and of a cut's length."""

LIPS = (wound.SKIN, wound.FAT, wound.FASCIA)
"""The layers whose lips frame an open wound."""


@dataclass(frozen=True, eq=False)
class Sight:
    """How a surgeon looks into the depth of a site.

    Through the ``tube`` they look along its axis, wherever it is tilted; without one through the middle of
    the wound. ``field`` (mm) is the width of what is seen at the focus, ``distance`` (mm) the way to the eye.
    ``optic`` (degrees) turns the line of sight cranially from the axis, as an angled endoscope does.
    """

    site: Site
    tube: Instrument | None
    field: float
    distance: float
    optic: float = 0.0

    def camera(self, pane: Pane) -> Camera:
        """Return where the eye stands in a pane, world, mm; what is cranial lies upwards."""
        axis = self._axis(pane)
        along, aside = np.cos(np.radians(self.optic)), np.sin(np.radians(self.optic))
        direction = along * axis.superior - aside * axis.anterior
        up = along * axis.anterior + aside * axis.superior
        angle = 2 * np.degrees(np.arctan(self.field / 2 / self.distance))
        return Camera(vector(axis.origin), vector(direction), vector(up), self.field, float(angle))

    def _axis(self, pane: Pane) -> Frame:
        """Return the frame of the way in: origin at its end, z along it to the eye, y cranial."""
        site = self.site
        matrix = None if self.tube is None else pane.looks[self.tube.name].matrix
        if matrix is None:
            return site.pose(site.focus, site.top, (0.0, 1.0, 0.0))
        placed = np.reshape(matrix, (4, 4))
        end, axis = placed[:3, 3], placed[:3, 2]
        up = site.frame.anterior - (site.frame.anterior @ axis) * axis
        up = up / np.linalg.norm(up)
        return Frame(end, np.array([np.cross(up, axis), up, axis]))

    def looks(self, pane: Pane) -> dict[str, Look]:
        """Return how structures look to the eye where they look otherwise in the pane.

        Nothing is glass, and nothing glows. Beyond the rim of a tube no skin is seen; into an open wound the
        eye looks past its lips.
        """
        site = self.site
        solid = [site.lamina, *wound.muscles(site)]
        if self.tube is None:
            solid += site.present(*LIPS)
        else:
            solid.append(self.tube.name)
        changed = {name: look for name in solid if (look := pane.looks[name]) != HIDDEN}
        result = {name: replace(look, visible=True, opacity=1.0) for name, look in changed.items()}
        if self.tube is not None:
            result |= {name: replace(pane.looks[name], visible=False) for name in site.present(*LIPS)}
        glowing = {name: result.get(name, look) for name, look in pane.looks.items() if look.highlight > 0.0}
        return result | {name: replace(look, highlight=0.0) for name, look in glowing.items()}


class Seeing(Protocol):
    """How a surgeon looks into a site, whatever they look through."""

    @property
    def site(self) -> Site:
        """The site that is looked into."""

    @property
    def optic(self) -> float:
        """The angle (degrees) between the axis that is looked along and the line of sight."""

    def camera(self, pane: Pane) -> Camera:
        """Return where the eye stands in a pane, world, mm."""

    def looks(self, pane: Pane) -> dict[str, Look]:
        """Return how structures look to the eye where they look otherwise in the pane."""


@dataclass(frozen=True, eq=False)
class ThroughEndoscope:
    """How a surgeon looks through an endoscope: from its lens, past the channel, at what lies before it."""

    site: Site

    @property
    def optic(self) -> float:
        """The angle (degrees) between the endoscope's axis and the line of sight."""
        return float(value("instruments.endoscope.optic"))

    def camera(self, pane: Pane) -> Camera:
        """Return where the eye stands: in the lens; the line of sight leans towards the channel."""
        matrix = pane.looks[self.site.tools["scope"].name].matrix
        placed = np.eye(4) if matrix is None else np.reshape(matrix, (4, 4))
        channel, axis = placed[:3, 1], placed[:3, 2]
        lens = placed[:3, :3] @ np.array(lens_place()) + placed[:3, 3]
        angle = np.radians(self.optic)
        direction = np.cos(angle) * axis - np.sin(angle) * channel
        cranial = self.site.frame.anterior
        up = cranial - (cranial @ direction) * direction
        size = table("instruments.endoscope")
        field = 2 * size["distance"] * float(np.tan(np.radians(size["view"] / 2)))
        focus = lens - size["distance"] * direction
        return Camera(vector(focus), vector(direction), vector(up / np.linalg.norm(up)), field, size["view"])

    def looks(self, pane: Pane) -> dict[str, Look]:
        """Return how structures look to the eye: the endoscope is out of its own sight, nothing is glass."""
        site = self.site
        own = [site.tools[name].name for name in ("scope", "body")]
        unseen = [*own, *site.present(*LIPS)]
        solid = [site.lamina, site.tools["tube"].name, *wound.muscles(site)]
        result = {name: replace(pane.looks[name], visible=False) for name in unseen}
        shown = {name: look for name in solid if (look := pane.looks[name]) != HIDDEN}
        result |= {name: replace(look, visible=True, opacity=1.0) for name, look in shown.items()}
        glowing = {name: result.get(name, look) for name, look in pane.looks.items() if look.highlight > 0.0}
        return result | {name: replace(look, highlight=0.0) for name, look in glowing.items()}


def sight(site: Site, incision: float) -> Seeing:
    """Return how the surgeon looks into a site: down its tube, or into the wound of an ``incision``, mm.

    Where there is an endoscope they look through that.
    """
    if "scope" in site.tools:
        return ThroughEndoscope(site)
    distance, tube = float(value("procedures.microscope.distance")), site.tools.get("tube")
    if tube is None:
        above = float(np.linalg.norm(np.subtract(site.top, site.focus)))
        return Sight(site, None, LIP * incision * distance / (distance - above), distance)
    length = float(tube.surface.vertices[:, 2].max())
    return Sight(site, tube, 2 * RIM * tube.radius * distance / (distance - length), distance)


def watched(steps: Sequence[Step], site: Site, incision: float) -> tuple[Step, ...]:
    """Return an approach's steps with what the surgeon sees, while the way into its site stands open.

    ``incision`` is the length of the cut in the skin, mm.
    """
    seen = sight(site, incision)
    if isinstance(seen, Sight):
        caption = Message("inset.wound" if seen.tube is None else "inset.tube")
    else:
        caption = Message("inset.endoscope")
    last = max(index for index, step in enumerate(steps) if step.phase == OPENED)
    left = min(index for index, step in enumerate(steps) if step.phase == LEAVING)
    return tuple(
        replace(step, actions=(*step.actions, _Watching(seen, caption, step.phase)))
        if last <= index <= left
        else step
        for index, step in enumerate(steps)
    )


@dataclass(frozen=True, eq=False)
class _Watching:
    """The action that opens the eye, keeps it open or closes it: a pure function of pane and progress."""

    sight: Seeing
    caption: Message
    phase: Phase

    def __call__(self, pane: Pane, progress: float) -> Pane:
        strength = self._strength(progress)
        if strength <= 0.0:
            return replace(pane, inset=None)
        inset = Inset(
            self.sight.camera(pane),
            self.caption,
            self.sight.looks(pane),
            corner="right" if self.sight.site.side == "left" else "left",
            optic=self.sight.optic,
            strength=strength,
        )
        return replace(pane, inset=inset)

    def _strength(self, progress: float) -> float:
        through = isinstance(self.sight, ThroughEndoscope)
        if through and self.phase == "fragment":
            return 1.0 - eased((progress - WITHDRAWN[0]) / (WITHDRAWN[1] - WITHDRAWN[0]))
        if self.phase in WORKING:
            return 1.0
        leaving = (0.0, 0.0) if through else GOES
        start, end = {OPENED: COMES, LEAVING: leaving}.get(self.phase, (0.0, 0.0))
        if start == end:
            return 0.0
        share = eased((progress - start) / (end - start))
        return share if self.phase == OPENED else 1.0 - share
