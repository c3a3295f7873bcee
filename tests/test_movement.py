"""Nothing is hasty: no tool turns or flies, and no tissue leaps, from one picture of the film to the next."""

from __future__ import annotations

import numpy as np
import pytest
from operated import KINDS, film, model
from paces import FLYING, PICTURE, TURNING, fastest, visible

from spineviz import directing, scene
from spineviz.assembly import Assembly
from spineviz.model import Model
from spineviz.timeline import Timeline

LEAP = 5.0
"""How far (mm) no part of visible tissue may get from one picture to the next, at 25 a second."""


def leaps(model: Model, timeline: Timeline, track: int, every: float) -> dict[str, tuple[float, float]]:
    """How far (mm) tissue that is seen gets at most from one picture to the next, and when, by name."""
    found: dict[str, tuple[float, float]] = {}
    for second in np.arange(0.0, timeline.seconds, every):
        first, last = (timeline.at(float(second + late)).panes[track].looks for late in (0.0, PICTURE))
        for name, look in last.items():
            before = first[name]
            moved = (before.warp, before.matrix) != (look.warp, look.matrix)
            if name.startswith("instrument") or before.variant != look.variant:
                continue
            if moved and visible(look) and visible(before):
                way = model.vertices(name, look) - model.vertices(name, before)
                most = float(np.linalg.norm(way, axis=1).max())
                found[name] = max(found.get(name, (0.0, 0.0)), (most, float(second)))
    return found


@pytest.fixture(scope="module")
def shipped(assembled: Assembly) -> tuple[Model, Timeline]:
    return assembled.model, directing.direct(scene.load("herniation_l4l5"), assembled)


@pytest.mark.parametrize("track", [0, 1], ids=KINDS)
@pytest.mark.parametrize("bones", ["coarse", "shipped"])
def test_no_tool_turns_or_flies_hastily(bones: str, track: int, request: pytest.FixtureRequest) -> None:
    timeline = film() if bones == "coarse" else request.getfixturevalue("shipped")[1]
    turning, flying = fastest(timeline, track)
    assert len(turning) >= 8
    assert max(turning.values())[0] > 20.0, "tools do turn"
    assert {name: fast for name, fast in turning.items() if fast[0] > TURNING} == {}
    assert {name: fast for name, fast in flying.items() if fast[0] > FLYING} == {}


@pytest.mark.parametrize("track", [0, 1], ids=KINDS)
def test_no_tissue_leaps(track: int) -> None:
    found = leaps(model(), film(), track, 1.0)
    assert len(found) >= 6
    assert {name: leap for name, leap in found.items() if leap[0] > LEAP} == {}


@pytest.mark.many
@pytest.mark.parametrize("track", [0, 1], ids=KINDS)
def test_no_tissue_of_the_shipped_scene_leaps(shipped: tuple[Model, Timeline], track: int) -> None:
    found = leaps(*shipped, track, 5 * PICTURE)
    assert len(found) >= 6
    assert {name: leap for name, leap in found.items() if leap[0] > LEAP} == {}
