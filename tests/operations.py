"""Whole operations to be looked at over their length: the shipped ones, and those at other levels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import pytest
from posed import Posed

from spineviz import assembly, directing, scene
from spineviz.assembly import Assembly
from spineviz.geometry import surface_points
from spineviz.model import Look, Pane
from spineviz.scene import Scene
from spineviz.structure import Points
from spineviz.surgery.procedures import Prepared
from spineviz.surgery.tool_points import thinned
from spineviz.timeline import Timeline

PAIRS = {
    "stenosis": ("unilateral_laminotomy", "open_laminectomy"),
    "herniation": ("tubular_microdiscectomy", "open_midline_discectomy"),
    "endoscopic": ("interlaminar_endoscopic_discectomy", "open_midline_discectomy"),
    "transforaminal": ("transforaminal_endoscopic_discectomy", "open_midline_discectomy"),
}
"""The small incision and the open one beside it, for each disease."""

SHIPPED = {
    "stenosis": "stenosis_l4l5",
    "herniation": "herniation_l4l5",
    "endoscopic": "herniation_endoscopic",
    "transforaminal": "herniation_transforaminal",
}
"""The scene of each pair."""

AROUND = {"L1-L2": {"first": "T12", "last": "L4"}, "L2-L3": {"first": "L1", "last": "L5"}}
"""The levels that are shown around the upper lumbar discs; around all others L3 to the sacrum."""

PACE = 0.5
"""How far apart (s) the moments are at which tools are looked at on their way."""


@dataclass(frozen=True)
class Case:
    """A pair of approaches to one disease; the shipped scene where nothing is told."""

    disease: str
    disc: str = "L4-L5"
    side: str = "left"
    tube: float = 18.0

    def scene(self) -> Scene:
        if self == Case(self.disease):
            return scene.load(SHIPPED[self.disease])
        place = {"disc": self.disc, "side": self.side}
        small, wide = PAIRS[self.disease]
        kind, width = self.disease, {"tube_diameter": self.tube}
        if kind == "endoscopic":
            kind, width = "herniation", {"sleeve_diameter": self.tube}
        shown = AROUND.get(self.disc, {})
        if kind == "transforaminal":
            kind, width, shown = "herniation", {}, {"first": "T12"}
        beside = self.disc in AROUND or (self.disease == "endoscopic" and self.disc == "L3-L4")
        zone = {"zone": "paracentral"} if kind == "herniation" and beside else {}
        return Scene.model_validate({
            "title": "x",
            "anatomy": shown,
            "pathologies": [{"kind": kind, **place, **zone}],
            "approaches": [{"kind": small, **place, **width}, {"kind": wide, **place}],
        })  # fmt: skip

    def __str__(self) -> str:
        return f"{self.disease} {self.disc} {self.side} {self.tube:g}"


@dataclass(frozen=True, eq=False)
class Track:
    """One of the approaches of a case."""

    case: Case
    assembly: Assembly
    timeline: Timeline
    posed: Posed
    number: int

    @property
    def prepared(self) -> Prepared:
        return self.assembly.prepared[self.number]

    @property
    def small(self) -> bool:
        return self.number == 0

    def pane(self, second: float) -> Pane:
        return self.timeline.at(float(second)).panes[self.number]

    def span(self, phase: str) -> tuple[float, float]:
        found = [moment for moment in self.timeline.tracks[self.number] if moment.step.phase == phase]
        return found[0].start, found[-1].end

    @cached_property
    def operating(self) -> list[tuple[float, Pane]]:
        """Panes from the first touch of the depth until the wound is closed."""
        seconds = np.arange(self.span("access")[0], self.span("closure")[1], PACE)
        return [(float(second), self.pane(second)) for second in seconds]

    def tools(self, pane: Pane) -> Iterator[tuple[str, Look]]:
        """The instruments that are seen in a pane."""
        for name, look in pane.looks.items():
            if name.startswith("instrument") and look.visible and look.opacity > 0.0:
                yield name, look

    def points(self, name: str, look: Look) -> Points:
        """Points on a tool where it stands now, one for each cell of 1.2 mm."""
        points = self.outline(name)
        if look.matrix is None:
            return points
        matrix = np.reshape(look.matrix, (4, 4))
        return points @ matrix[:3, :3].T + matrix[:3, 3]

    @cached_property
    def outline(self) -> Callable[[str], Points]:
        return cache(
            lambda name: thinned(surface_points(self.assembly.model.structures[name].surface, 1.5), 1.2)
        )

    def deepest(self, points: Points, name: str, pane: Pane) -> float:
        """How deep (mm) the deepest of some points stands in a structure now, 0 where none does."""
        look = pane.looks[name]
        around = self.posed.surface(name, look).vertices
        near = points[((points > around.min(axis=0)) & (points < around.max(axis=0))).all(axis=1)]
        return max(-float(self.posed.distance(name, look)(near).min()), 0.0) if len(near) else 0.0


def tracks(case: Case, kept: bool = True) -> tuple[Track, Track]:
    """Both approaches of a case; what is not ``kept`` is built anew and leaves nothing in the cache."""
    spoken = case.scene()
    assembled = assembly.assemble(spoken) if kept else assembly.built(spoken)
    timeline, posed = directing.direct(spoken, assembled), Posed(assembled.model)
    return Track(case, assembled, timeline, posed, 0), Track(case, assembled, timeline, posed, 1)


ENDOSCOPIC = (("L3-L4", "right"), ("L4-L5", "right"), ("L5-S1", "left"), ("L5-S1", "right"))
"""Where a sleeve is led between the laminae, besides the shipped scene; at L3-L4 to paracentral material."""

SAMPLE = (
    Case("herniation"),
    Case("endoscopic"),
    Case("transforaminal"),
    Case("transforaminal", "L4-L5", "right"),
    Case("transforaminal", "L3-L4", "left"),
    *(Case("stenosis", "L3-L4", side, tube) for side, tube in (("right", 16.0), ("left", 22.0))),
    *(Case("stenosis", "L5-S1", side, tube) for side, tube in (("left", 16.0), ("right", 22.0))),
    *(Case("herniation", "L3-L4", side, tube) for side, tube in (("right", 14.0), ("left", 18.0))),
    *(Case("herniation", "L5-S1", side, tube) for side, tube in (("left", 14.0), ("right", 18.0))),
    *(Case(disease, "L4-L5", "right", 16.0) for disease in ("stenosis", "herniation")),
    *(Case("endoscopic", disc, side, 6.9) for disc, side in ENDOSCOPIC),
    *(Case(disease, "L2-L3", "left") for disease in ("herniation", "stenosis")),
    Case("stenosis", "L1-L2", "right"),
)
"""Every level and both sides with the smallest and the largest tubes."""

CASES = (Case("stenosis"), *(pytest.param(case, marks=pytest.mark.many) for case in SAMPLE))
