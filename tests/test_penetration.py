"""While the fragment is taken out it stands in no bone, nerve or tube: on our bones and on given ones."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from contacts import depth_in

from spineviz import assembly, scene
from spineviz.assembly import Assembly
from spineviz.geometry import surface_points
from spineviz.model import Look, Model, Pane
from spineviz.scene import Scene
from spineviz.structure import Points, Surface

DEEPEST = 0.3
"""How deep (mm) a structure may press into another one."""

FRAGMENT = "herniation.L4-L5"
BONES = ("L3", "L4", "L5", "S1")
NERVES = ("thecal_sac", "root.L4.left", "root.L5.left", "root.S1.left")
GIVEN = ("L3", "L5")

SHARES = np.linspace(0.0, 0.92, 15)
"""When the fragment's step is looked at."""


@pytest.fixture(scope="module")
def shipped(assembled: Assembly) -> tuple[Scene, Assembly]:
    return scene.load("herniation_l4l5"), assembled


@pytest.fixture(scope="module")
def given(shared: Path) -> tuple[Scene, Assembly]:
    """The shipped scene with the real bones of the reference data in place of ours."""
    whole = scene.load("herniation_l4l5").model_dump()
    whole["anatomy"]["bones"] = {
        level: {"file": str(shared / "reference" / f"clouthier_{level}.ply")} for level in GIVEN
    }
    found = Scene.model_validate(whole)
    return found, assembly.assemble(found)


class Posed:
    """Structures of one model as they stand now; what has been posed once is remembered."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.surface = cache(self._surface)
        self.points = cache(self._points)

    def _surface(self, name: str, look: Look) -> Surface:
        return self.model.posed(name, look)

    def _points(self, name: str, look: Look) -> Points:
        return surface_points(self.surface(name, look), 0.8)

    def pressed(self, pane: Pane, first: str, second: str) -> float:
        """How deep (mm) two structures stand in each other now."""
        looks = pane.looks[first], pane.looks[second]
        return max(
            depth_in(self.surface(second, looks[1]), self.points(first, looks[0])),
            depth_in(self.surface(first, looks[0]), self.points(second, looks[1])),
        )


def shown(pane: Pane, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if name in pane.looks and pane.looks[name].visible]


@pytest.mark.parametrize("track", [0, 1], ids=["tubular", "open"])
@pytest.mark.parametrize("bones", ["shipped", "given"])
def test_the_fragment_and_the_retractor_enter_no_nerve_and_the_fragment_no_bone(
    bones: str, track: int, request: pytest.FixtureRequest
) -> None:
    spoken, assembled = request.getfixturevalue(bones)
    timeline, posed = assembly.direct(spoken, assembled), Posed(assembled.model)
    step = next(m for m in timeline.tracks[track] if m.step.phase == "fragment")
    approach = assembled.prepared[track].story.site.approach
    retractor = f"instrument.{approach}.nerve_root_retractor"
    for second in step.start + SHARES * (step.end - step.start):
        pane = timeline.at(float(second)).panes[track]
        for name in shown(pane, (*BONES, *NERVES, f"instrument.{approach}.tube")):
            if pane.looks[FRAGMENT].visible:
                assert posed.pressed(pane, FRAGMENT, name) <= DEEPEST, (name, float(second))
        for name in shown(pane, NERVES):
            assert posed.pressed(pane, retractor, name) <= DEEPEST, (name, float(second))
