"""Nothing is hasty: no tool turns or flies, and no tissue leaps, from one picture of the film to the next."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from operated import KINDS, film, model
from scipy.spatial.transform import Rotation

from spineviz import directing, scene
from spineviz.assembly import Assembly
from spineviz.model import Look, Model
from spineviz.structure import Floats
from spineviz.timeline import Timeline

TURNING = 200.0
"""How fast (degrees per second) a tool may turn: a hand rolls a punch by a right angle in half a second."""

FLYING = 350.0
"""How fast (mm/s) the tip of a tool may move: it comes and goes over a wound 50 mm deep."""

LEAP = 5.0
"""How far (mm) no part of visible tissue may get from one picture to the next, at 25 a second."""

SEEN = 0.3
"""What is less opaque than this fades in or out and may move as it likes."""

PICTURE = 0.04
"""From one picture to the next, s."""


def visible(look: Look) -> bool:
    return look.visible and look.opacity > SEEN


def tools(timeline: Timeline, track: int, every: float) -> Iterator[tuple[float, str, Floats, Floats]]:
    """When, which and how (4, 4) before and after each tool moves that is seen."""
    seconds = np.arange(0.0, timeline.seconds, every)
    panes = (timeline.at(float(second)).panes[track].looks for second in seconds)
    for second, (before, after) in zip(seconds, pairwise(panes), strict=False):
        for name, look in after.items():
            first, last = before[name].matrix, look.matrix
            if visible(look) and visible(before[name]) and first != last and first and last:
                yield float(second), name, np.reshape(first, (4, 4)), np.reshape(last, (4, 4))


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
    turning: dict[str, tuple[float, float]] = {}
    flying: dict[str, tuple[float, float]] = {}
    for second, name, before, after in tools(timeline, track, PICTURE):
        turn = Rotation.from_matrix(after[:3, :3] @ before[:3, :3].T).magnitude()
        way = float(np.linalg.norm(after[:3, 3] - before[:3, 3]))
        turning[name] = max(turning.get(name, (0.0, 0.0)), (float(np.degrees(turn)) / PICTURE, second))
        flying[name] = max(flying.get(name, (0.0, 0.0)), (way / PICTURE, second))
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
