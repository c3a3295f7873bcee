"""No tool, fragment or parted muscle enters what it does not work on: on our bones and on given ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from posed import Posed, moments, shown

from spineviz import assembly, directing, scene
from spineviz.assembly import Assembly
from spineviz.scene import Scene

DEEPEST = 0.3
"""How deep (mm) a structure may press into another one."""

SQUEEZED = {"shipped": 0.3, "given": 0.5}
"""How deep (mm) the fragment may press into what it passes: between the root and L5 of the given bones there
is less room than it needs, and it stands 0.40 mm in the root for a tenth of a second."""

FRAGMENT = "herniation.L4-L5"
BONES = ("L3", "L4", "L5", "S1")
NERVES = ("thecal_sac", "root.L4.left", "root.L5.left", "root.S1.left")
REAL = ("L3", "L5")
MUSCLE = "multifidus.left"
IN_DEPTH = (".burr", ".kerrison", ".nerve_root_retractor", ".rongeur", ".rongeur_jaw")

TOUCHED = {"shipped": 0.3, "given": 0.5}
"""How deep (mm) parted muscle may enter bone and ligament; on the given bones it stands 0.47 mm deep in
an interspinous ligament at rest."""

WORKED = {"kerrison": ("flavum", "L4"), "burr": ("L4",), "rongeur": (FRAGMENT,), "rongeur_jaw": (FRAGMENT,)}
"""What a tool works in: it bites, grinds or holds there."""

GRAZED = 0.6
"""How deep (mm) a tool may press into what it does not work on. While the fragment is taken out, tools stay
within 0.25 mm, on our bones and on given ones."""

SHARES = np.linspace(0.0, 0.92, 15)
"""When the fragment's step is looked at."""


GIVEN = pytest.param("given", marks=pytest.mark.many)
"""Bones of the patient: built and planned for minutes."""


@pytest.fixture(scope="module")
def shipped(assembled: Assembly) -> tuple[Scene, Assembly]:
    return scene.load("herniation_l4l5"), assembled


@pytest.fixture(scope="module")
def given(shared: Path) -> tuple[Scene, Assembly]:
    """The shipped scene with the real bones of the reference data in place of ours."""
    whole = scene.load("herniation_l4l5").model_dump()
    whole["anatomy"]["bones"] = {
        level: {"file": str(shared / "reference" / f"clouthier_{level}.ply")} for level in REAL
    }
    found = Scene.model_validate(whole)
    return found, assembly.assemble(found)


@pytest.mark.parametrize("track", [0, 1], ids=["tubular", "open"])
@pytest.mark.parametrize("bones", ["shipped", GIVEN])
def test_the_fragment_and_the_retractor_enter_no_nerve_and_the_fragment_no_bone(
    bones: str, track: int, request: pytest.FixtureRequest
) -> None:
    spoken, assembled = request.getfixturevalue(bones)
    timeline, posed = directing.direct(spoken, assembled), Posed(assembled.model)
    step = next(m for m in timeline.tracks[track] if m.step.phase == "fragment")
    approach = assembled.prepared[track].story.site.approach
    retractor = f"instrument.{approach}.nerve_root_retractor"
    for second in step.start + SHARES * (step.end - step.start):
        pane = timeline.at(float(second)).panes[track]
        for name in shown(pane, (*BONES, *NERVES, f"instrument.{approach}.tube", retractor)):
            if pane.looks[FRAGMENT].visible:
                assert posed.pressed(pane, FRAGMENT, name) <= SQUEEZED[bones], (name, float(second))
        for name in shown(pane, NERVES):
            assert posed.pressed(pane, retractor, name) <= DEEPEST, (name, float(second))


@pytest.mark.many
@pytest.mark.parametrize("track", [0, 1], ids=["tubular", "open"])
@pytest.mark.parametrize("bones", ["shipped", GIVEN])
def test_tools_enter_nothing_that_they_do_not_work_on(
    bones: str, track: int, request: pytest.FixtureRequest
) -> None:
    spoken, assembled = request.getfixturevalue(bones)
    timeline, posed = directing.direct(spoken, assembled), Posed(assembled.model)
    deepest = {}
    for second, pane in moments(timeline, track, ("laminotomy", "flavum", "root", "fragment"), 8):
        tools = [name for name, look in pane.looks.items() if look.visible and name.endswith(IN_DEPTH)]
        for tool in tools:
            worked = WORKED.get(tool.rpartition(".")[2], ())
            for name in shown(pane, (*BONES, *NERVES, FRAGMENT, "supraspinous_ligament")):
                if not name.startswith(worked):
                    deepest[tool, name, round(second, 1)] = posed.pressed(pane, tool, name)
        for tool in tools:
            if tool.endswith(("rongeur", "rongeur_jaw")):
                for other in (name for name in tools if name.endswith("retractor")):
                    assert posed.pressed(pane, tool, other) <= GRAZED, (tool, other, second)
    found = [item for item in deepest.items() if item[1] > GRAZED]
    assert not found, found


@pytest.mark.many
@pytest.mark.parametrize("track", [0, 1], ids=["tubular", "open"])
@pytest.mark.parametrize("bones", ["shipped", GIVEN])
def test_parted_muscle_enters_no_bone_and_no_midline_ligament(
    bones: str, track: int, request: pytest.FixtureRequest
) -> None:
    spoken, assembled = request.getfixturevalue(bones)
    timeline, posed = directing.direct(spoken, assembled), Posed(assembled.model)
    around = (*BONES, "interspinous.L3-L4", "interspinous.L4-L5", "supraspinous_ligament")
    deepest = {}
    for second, pane in moments(timeline, track, ("access", "retractor", "closure"), 4):
        if pane.looks[MUSCLE].warp is not None:
            for name in shown(pane, around):
                deepest[name, round(second, 1)] = posed.pressed(pane, MUSCLE, name)
    assert deepest
    assert max(deepest.values()) <= TOUCHED[bones], max(deepest.items(), key=lambda item: item[1])
