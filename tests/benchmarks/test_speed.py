"""How dear a frame is, told as ratios of what cannot be saved. Run: pytest tests/benchmarks"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import pytest
import trimesh

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stand_ins import POSTERIOR, words

from spineviz.geometry import bake_occlusion
from spineviz.model import Cut, Figure, Label, Look, Model, Pane, State
from spineviz.render.overlay import Clock
from spineviz.render.picture import annotate, picture
from spineviz.render.stage import Stage
from spineviz.structure import Message, Points, Structure, Surface

SIZE = (1280, 720)
ROUNDS = 9


@dataclass(frozen=True, eq=False)
class Wave:
    """Moves every vertex by a wave along x, as high as its one amount in mm."""

    rest: Points

    def __call__(self, amounts: tuple[float, ...]) -> Points:
        moved = np.array(self.rest)
        moved[:, 1] += amounts[0] * np.sin(moved[:, 0] / 10)
        return moved


@pytest.fixture(scope="module")
def body() -> Model:
    """Nine balls of 20 480 triangles each, 184 320 together; five of them move."""
    ball = trimesh.creation.icosphere(5, 22)
    structures, warps = {}, {}
    for index in range(9):
        place = (index % 3 * 40 - 40, 0, index // 3 * 40 - 40)
        surface = Surface(ball.vertices + place, ball.faces, None, None, ball.vertices[:, [2, 0]])
        name = f"piece.{index}"
        structures[name] = Structure(name, "muscle" if index < 5 else "bone", surface)
        if index < 5:
            warps[name, "wave"] = Wave(surface.vertices)
    return Model(structures, {}, {}, warps)


def shown(body: Model, amount: float) -> State:
    looks = {
        name: Look(warp=("wave", (amount,)) if (name, "wave") in body.warps else None)
        for name in body.structures
    }
    labels = tuple(
        Label(Message(f"Label {index}"), (index * 9.0 - 40, 0.0, index * 7.0 - 30)) for index in range(10)
    )
    strip = tuple(Figure(Message(f"Figure {index}"), amount + index, "cm²") for index in range(4))
    pane = Pane(
        looks, POSTERIOR, caption=Message("Caption"), heading=Message("Heading"), labels=labels, strip=strip
    )
    return State((replace(pane, camera=replace(POSTERIOR, height=150.0)),), title=Message("Title"))


def seconds(work: Callable[[], object]) -> float:
    """Return the median seconds of some rounds of a piece of work, after one that is not counted."""
    work()
    rounds = []
    for _ in range(ROUNDS):
        start = perf_counter()
        work()
        rounds.append(perf_counter() - start)
    return median(rounds)


def test_a_film_frame_costs_at_most_a_third_more_than_drawing_the_same_triangles(body: Model) -> None:
    amounts = count(1)
    with Stage(SIZE) as stage:

        def frame() -> None:
            amount = next(amounts) / 20
            state = shown(body, amount)
            stage.show(body, state)
            picture(stage, state, words, Clock(amount, 10.0, (0.0, 5.0)))

        def again() -> None:
            stage._draw([stage._views[0].renderer])

        frame()
        assert seconds(frame) / seconds(again) < 1.33


def test_words_cost_little_beside_the_picture(body: Model) -> None:
    state, canvas = shown(body, 1.0), np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    with Stage(SIZE) as stage:
        stage.show(body, state)
        stage.image()
        drawing = seconds(lambda: stage._draw([stage._views[0].renderer]))
    assert seconds(lambda: annotate(canvas, state, words, Clock(1.0, 10.0))) < 0.15 * drawing


def test_a_still_moment_costs_almost_nothing(body: Model) -> None:
    state = shown(body, 1.0)
    with Stage(SIZE) as stage:

        def still() -> None:
            stage.show(body, state)
            stage.image()

        still()
        assert seconds(still) < 0.05 * seconds(lambda: stage._draw([stage._views[0].renderer]))


def test_a_cut_that_moves_is_filled_within_the_time_of_a_frame(body: Model) -> None:
    places = count(1)
    still = shown(body, 1.0).panes[0]
    looks = {name: Look() for name in body.structures}
    with Stage(SIZE) as stage:

        def moved() -> None:
            cut = Cut((0.0, 0.0, next(places) / 10), (0.0, 0.0, 1.0))
            stage.show(body, State((replace(still, looks=looks, cuts=(cut,)),)))

        moved()
        stage.image()
        drawing = seconds(lambda: stage._draw([stage._views[0].renderer]))
        assert seconds(moved) < drawing


def test_occlusion_of_a_bone_is_baked_within_the_time_of_ten_frames(body: Model) -> None:
    bone = body.structures["piece.8"].surface
    with Stage(SIZE) as stage:
        stage.show(body, shown(body, 1.0))
        stage.image()
        drawing = seconds(lambda: stage._draw([stage._views[0].renderer]))
    start = perf_counter()
    bake_occlusion(bone)
    assert perf_counter() - start < 10 * drawing
