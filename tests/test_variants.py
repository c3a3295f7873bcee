"""Six lumbar vertebrae, and an L5 that joins the sacrum: they stand, are clear, and are named rightly."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import trimesh
from quick import SampledBone, overlap, sampled_bones

from spineviz import scene
from spineviz.anatomy.column.foramen import foramina
from spineviz.assembly import assemble
from spineviz.body import Anatomy, skeleton
from spineviz.cli import main
from spineviz.directing import direct
from spineviz.geometry import as_trimesh
from spineviz.locale import text
from spineviz.terms import Level, column

SIX = """
title = "Six lumbar vertebrae"
hide = ["skin"]
[anatomy]
first = "L5"
last = "S1"
variant = "six_lumbar"
[[steps]]
title = "Look"
seconds = 1.0
labels = ["L5", "L6", "S1"]
"""

LOWER: tuple[Level, ...] = ("L4", "L5", "L6", "S1")


@pytest.fixture(scope="module")
def six() -> dict[Level, SampledBone]:
    return sampled_bones(Anatomy(levels=column(6)), LOWER)


@pytest.fixture(scope="module")
def joined() -> dict[Level, SampledBone]:
    return sampled_bones(Anatomy(sacralised=True), ["L4", "L5", "S1"])


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Bones meshed coarsely, and a cache where nothing of this stays."""
    steps: Mapping[str, float] = dict.fromkeys(("cervical", "thoracic", "lumbar"), 1.6)
    monkeypatch.setattr(skeleton, "STEP", steps)
    monkeypatch.setenv("SPINEVIZ_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("which", ["six", "joined"])
def test_a_variants_bones_are_sound_and_clear_of_each_other(
    which: str, request: pytest.FixtureRequest
) -> None:
    bones: dict[Level, SampledBone] = request.getfixturevalue(which)
    for level, bone in bones.items():
        made = as_trimesh(bone.surface)
        assert made.is_watertight and made.body_count == 1 and made.volume > 0, level
    for upper, lower in pairwise(bones.values()):
        assert overlap(upper, lower) == 0.0
        low, high = lower.surface.vertices.min(axis=0) - 4.0, lower.surface.vertices.max(axis=0) + 4.0
        near = ((upper.surface.vertices > low) & (upper.surface.vertices < high)).all(axis=1)
        assert lower.distance(upper.surface.vertices[near]).min() > 0.9


def test_the_foramina_of_six_lumbar_vertebrae_are_open_and_named_after_their_bones(
    six: dict[Level, SampledBone],
) -> None:
    found = foramina(six)
    assert {"foramen.L4-L5.left", "foramen.L5-L6.right", "foramen.L6-S1.left"} <= set(found)
    assert all(window.room > 2.0 for name, window in found.items() if "-" in name)


def test_the_foramen_above_a_sacralised_l5_is_lower(joined: dict[Level, SampledBone]) -> None:
    usual = foramina(sampled_bones(Anatomy(), ["L5", "S1"]))["foramen.L5-S1.right"]
    narrow = foramina({level: joined[level] for level in ("L5", "S1")})["foramen.L5-S1.right"]
    assert 0 < narrow.height < usual.height - 2.0


def test_a_scene_with_six_lumbar_vertebrae_names_the_sixth(coarse: None, tmp_path: Path) -> None:
    path = tmp_path / "six.toml"
    path.write_text(SIX, "utf-8")
    chosen = scene.load(path)
    assembled = assemble(chosen)
    structures = assembled.model.structures
    assert {name for name, item in structures.items() if item.tissue == "bone"} == {"L5", "L6", "S1"}
    assert {"disc.L5-L6", "disc.L6-S1"} <= set(structures)
    state = direct(chosen, assembled).at(1.0)
    labels = [text(label.text) for pane in state.panes for label in pane.labels]
    assert sorted(labels) == ["L5 vertebra", "L6 vertebra", "Sacrum"]


def test_the_sixth_lumbar_vertebra_is_written_as_a_mesh(coarse: None, tmp_path: Path) -> None:
    assert main(["mesh", "L6", "-o", str(tmp_path / "L6.stl")]) == 0
    made = trimesh.load(tmp_path / "L6.stl", force="mesh")
    assert made.is_watertight and made.volume > 25_000
    assert np.ptp(made.vertices[:, 0]) > 70


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            ('"L5"\nlast = "S1"\nvariant = "six_lumbar"', '"L6"\nlast = "S1"'),
            "there is no L6 in this column; set variant",
        ),
        (("[anatomy]", '[[pathologies]]\nkind = "herniation"\ndisc = "L5-S1"\n[anatomy]'), "for five lumbar"),
    ],
)
def test_a_scene_that_a_variant_cannot_show_is_refused(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(SIX.replace(*change), "utf-8")
    with pytest.raises(scene.SceneError, match=words):
        scene.load(path)
