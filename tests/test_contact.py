"""What holds muscle aside in the shipped operation touches it, everywhere and at any time."""

from __future__ import annotations

import numpy as np
import pytest
from contacts import cylinder, gaps

from spineviz import directing, scene
from spineviz.assembly import Assembly
from spineviz.geometry import vertex_normals
from spineviz.model import Pane
from spineviz.structure import Points, Surface
from spineviz.terms import Phase
from spineviz.timeline import Timeline

MUSCLES = ("multifidus.left", "longissimus.left", "iliocostalis.left")
LAYERS = ("thoracolumbar_fascia", "subcutaneous_fat", "skin")
HELD: tuple[Phase, ...] = ("laminotomy", "flavum", "root", "fragment")
"""The phases in which the retractor stands still."""


@pytest.fixture(scope="module")
def timeline(assembled: Assembly) -> Timeline:
    return directing.direct(scene.load("herniation_l4l5"), assembled)


def moments(timeline: Timeline, track: int) -> list[float]:
    """Times (s) at which the retractor is spread and let go, and one in each phase while it stands."""
    spans = {m.step.phase: (m.start, m.end) for m in reversed(timeline.tracks[track])}
    start, end = spans["retractor"]
    spread = [start + share * (end - start) for share in (0.45, 0.55, 0.6, 0.66, 0.7, 0.75, 0.85, 1.0)]
    start, end = spans["closure"]
    let_go = [start + share * (end - start) for share in (0.25, 0.3, 0.34, 0.37, 0.4, 0.43)]
    return spread + [float(np.mean(spans[phase])) for phase in HELD] + let_go


def tissue(assembled: Assembly, pane: Pane) -> tuple[list[Surface], list[Surface]]:
    posed = {name: assembled.model.posed(name, pane.looks[name]) for name in (*MUSCLES, *LAYERS)}
    return [posed[name] for name in MUSCLES], [posed[name] for name in LAYERS]


def outer_face(assembled: Assembly, pane: Pane, name: str) -> tuple[Points, Points]:
    """Places on a blade's face towards the patient's left, where it is wide, and the way out of it."""
    surface = assembled.model.posed(name, pane.looks[name])
    corners = surface.vertices[surface.faces].astype(float)
    shares = np.array([[1, 1, 1], [4, 1, 1], [1, 4, 1], [1, 1, 4]]) / [[3], [6], [6], [6]]
    normals = vertex_normals(surface.vertices, surface.faces)[surface.faces].mean(axis=1)
    outside = normals[:, 0] < -0.7
    points = np.einsum("sk,nkc->nsc", shares, corners[outside]).reshape(-1, 3)
    return points, np.tile([-1.0, 0.0, 0.0], (len(points), 1))


def test_the_blade_touches_muscle_wherever_it_lies_against_it(
    assembled: Assembly, timeline: Timeline
) -> None:
    for second in moments(timeline, 1):
        pane = timeline.at(second).panes[1]
        found = gaps(*outer_face(assembled, pane, "instrument.open.blade"), *tissue(assembled, pane))
        assert len(found) > 500
        assert found.max() <= 1.0, second


def test_the_tube_touches_muscle_wherever_it_lies_against_it(assembled: Assembly, timeline: Timeline) -> None:
    site = assembled.prepared[0].story.site
    for second in moments(timeline, 0)[4:-5]:
        pane = timeline.at(second).panes[0]
        tube = assembled.model.posed("instrument.tubular.tube", pane.looks["instrument.tubular.tube"])
        local = site.frame.to_local(tube.vertices)
        muscles, others = tissue(assembled, pane)
        reach = max(site.frame.to_local(item.vertices)[:, 2].max() for item in muscles)
        radius = np.hypot(local[:, 0], local[:, 1])[local[:, 2] < reach].max()
        points, outward = cylinder(radius, float(local[:, 2].min()) + 0.25, reach)
        found = gaps(site.frame.to_parent(points), outward @ site.frame.axes, muscles, others)
        assert len(found) > 3000
        assert found.max() <= 1.0, second
