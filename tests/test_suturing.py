"""At the end the skin is sewn along the cut, and the scar is as long as that."""

from __future__ import annotations

import numpy as np
import pytest
from operated import CAMERAS, KINDS, film, model, pane, prepared, span
from scipy.spatial import cKDTree

from spineviz.geometry import as_trimesh
from spineviz.measures import value
from spineviz.structure import Points


def stitches(kind: str) -> list[Points]:
    """The vertices of every stitch in the frame of the site, mm."""
    story = prepared(kind)
    return [story.story.site.frame.to_local(item.surface.vertices) for item in story.sewing.stitches]


@pytest.mark.parametrize("kind", KINDS)
def test_the_stitches_stand_evenly_along_the_whole_cut(kind: str) -> None:
    incision = prepared(kind).ledger.incision
    middles = np.array([points[:, 1].mean() for points in stitches(kind)])
    steps = -np.diff(middles)
    assert len(middles) == round(incision / value("instruments.stitch.apart"))
    assert np.allclose(steps, incision / len(middles), atol=0.3)
    assert abs(middles.mean()) < 0.5 and np.ptp(middles) < incision


@pytest.mark.parametrize("kind", KINDS)
def test_a_stitch_crosses_the_cut_and_lies_on_the_skin(kind: str) -> None:
    """Its ends go into the skin; its knot stands less than 2 mm over it."""
    site, skin = prepared(kind).story.site, model().structures["skin"].surface
    line = site.frame.to_local(np.array([end.origin for end in prepared(kind).story.access.skin_line]))
    surface = cKDTree(site.frame.to_local(skin.vertices)[:, :2])
    heights = site.frame.to_local(skin.vertices)[:, 2]
    for points in stitches(kind):
        across = points[:, 0] - line[:, 0].mean()
        assert across.min() < -2.5 and across.max() > 2.5
        around = heights[surface.query_ball_point(points[:, :2].mean(axis=0), 8.0)]
        assert around.min() - 1.5 < points[:, 2].min() and points[:, 2].max() < around.max() + 2.5


@pytest.mark.parametrize("kind", KINDS)
def test_a_stitch_is_closed_thread(kind: str) -> None:
    for item in prepared(kind).sewing.stitches:
        assert as_trimesh(item.surface).is_watertight


@pytest.mark.parametrize("kind", KINDS)
def test_one_stitch_follows_the_other_and_all_fade_at_the_end(kind: str) -> None:
    names = [item.name for item in prepared(kind).sewing.stitches]

    def seen(second: float) -> int:
        looks = pane(kind, second).looks
        return sum(looks[name].visible and looks[name].opacity > 0.5 for name in names)

    start, end = span(kind, "closure")
    counts = [seen(float(second)) for second in np.linspace(start, end, 60)]
    assert counts[0] == 0 and counts == sorted(counts) and set(counts) == set(range(len(names) + 1))
    assert seen(film().seconds) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_caption_tells_the_length_of_the_scar(kind: str) -> None:
    (step,) = (step for step in prepared(kind).steps(CAMERAS) if step.title.key.endswith("suture"))
    assert dict(step.title.parameters) == {"length": f"{prepared(kind).ledger.incision:g}"}
