"""Before the first cut a needle tells the level, and the line of the cut stands on the skin."""

from __future__ import annotations

import numpy as np
import pytest
from operated import KINDS, model, pane, prepared, span
from scipy.spatial import cKDTree

from spineviz.geometry import as_trimesh
from spineviz.measures import value


def seen(kind: str, name: str, second: float) -> float:
    look = pane(kind, second).looks[name]
    return look.opacity if look.visible else 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_the_line_is_as_long_as_the_cut_and_lies_on_the_skin(kind: str) -> None:
    story = prepared(kind)
    line = story.marking.line.surface
    length = float(np.ptp(story.story.site.frame.to_local(line.vertices)[:, 1]))
    assert length == pytest.approx(story.ledger.incision + value("instruments.marked_line.width"), abs=0.2)
    skin = model().structures["skin"].surface
    assert cKDTree(skin.vertices).query(line.vertices)[0].max() < 4.5, "a triangle of the skin is 4 mm wide"
    assert as_trimesh(line).is_watertight


@pytest.mark.parametrize("kind", KINDS)
def test_the_needle_comes_to_the_bone_and_enters_none(kind: str) -> None:
    needle = prepared(kind).marking.needle
    assert needle is not None
    name = needle.name
    start, end = span(kind, "orientation")[1] - 3.6, span(kind, "orientation")[1]
    nearest = []
    for second in np.linspace(start, end, 40):
        if seen(kind, name, float(second)) == 0.0:
            continue
        points = model().vertices(name, pane(kind, float(second)).looks[name])
        nearest.append(min(float(bone.distance(points).min()) for bone in model().bones.values()))
    assert 0.0 < min(nearest) < 2.0


@pytest.mark.parametrize("kind", KINDS)
def test_needle_and_line_are_gone_when_they_are_no_longer_needed(kind: str) -> None:
    found = prepared(kind).marking
    cut, opened = span(kind, "incision")
    assert found.needle is not None and seen(kind, found.needle.name, cut) == 0.0
    assert seen(kind, found.line.name, cut) == 1.0
    assert seen(kind, found.line.name, opened) == 0.0
