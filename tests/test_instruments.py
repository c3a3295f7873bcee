"""Instruments are closed steel of real size, and stand with their tip at the origin."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from spineviz import measures
from spineviz.geometry import as_trimesh, volume
from spineviz.surgery.instruments import (
    Instrument,
    cobb_elevator,
    dilators,
    needle_holder,
    scalpel,
    tissue_forceps,
    tube_length,
    tubular_retractor,
)
from spineviz.surgery.needles import guide_wire, spinal_needle
from spineviz.surgery.plan import decompression_tools
from spineviz.surgery.punches import rongeur_hinge
from spineviz.surgery.self_retaining import lateral_arm, medial_arm

ALL = [
    scalpel("scalpel"),
    cobb_elevator("cobb"),
    tubular_retractor("tube", 18.0, 19.0, 60.0),
    lateral_arm("lateral", -1.0),
    medial_arm("medial", 1.0, 22.0),
    *dilators("tubular"),
    *decompression_tools("tubular", walled=True).values(),
    needle_holder("needle_holder"),
    tissue_forceps("tissue_forceps"),
    spinal_needle("spinal_needle"),
    guide_wire("guide_wire"),
]


@pytest.mark.parametrize("tool", ALL, ids=lambda tool: tool.name)
def test_an_instrument_is_closed_and_light_to_draw(tool: Instrument) -> None:
    mesh = as_trimesh(tool.surface)
    assert mesh.is_watertight and mesh.is_winding_consistent
    assert all(part.volume > 0 for part in mesh.split())
    assert len(mesh.faces) < 4000


@pytest.mark.parametrize("tool", [*ALL[:3], *ALL[5:]], ids=lambda tool: tool.name)
def test_the_tip_is_at_the_origin_and_the_handle_above_it(tool: Instrument) -> None:
    heights = tool.surface.vertices[:, 2]
    assert abs(float(heights.min())) < 0.6
    assert heights.max() >= tool.reach


def test_a_thinner_dilator_is_longer_and_slides_into_the_next() -> None:
    series = dilators("tubular")
    lengths = [float(tool.surface.vertices[:, 2].max()) for tool in series]
    radii = [tool.radius for tool in series]
    assert lengths == sorted(lengths, reverse=True)
    assert np.allclose(np.array(radii) * 2, measures.value("instruments.dilators.diameters"), atol=0.05)
    for inner, outer in pairwise(series):
        bore = np.linalg.norm(outer.surface.vertices[:, :2], axis=1).min()
        assert bore > inner.radius


def test_the_tube_is_hollow_and_lets_the_last_dilator_through() -> None:
    tube = tubular_retractor("tube", 18.0, 19.0, 60.0)
    wall = tube.surface.vertices[tube.surface.vertices[:, 2] < 50]
    assert np.linalg.norm(wall[:, :2], axis=1).min() >= 9.0
    assert volume(tube.surface) < 0.4 * np.pi * 9.5**2 * 60
    assert dilators("tubular")[-1].radius < 9.0


def test_the_shortest_tube_that_stands_proud_of_the_skin_is_taken() -> None:
    assert tube_length(42.0) == 50.0
    assert tube_length(45.0) == 60.0
    with pytest.raises(ValueError, match="no tube reaches"):
        tube_length(95.0)


def test_tools_of_the_decompression_fit_into_the_tube() -> None:
    for tool in decompression_tools("tubular", walled=True).values():
        assert tool.radius < 8.0


def test_the_rongeurs_hinge_lies_at_the_root_of_its_jaws() -> None:
    jaw = decompression_tools("tubular", walled=True)["jaw"]
    assert np.allclose(rongeur_hinge(), [0, 0, float(jaw.surface.vertices[:, 2].max())], atol=0.5)
