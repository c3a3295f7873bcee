"""Bone and ligament are taken in nested stages, as much as a small window needs."""

from __future__ import annotations

import numpy as np
import pytest
from operated import KINDS, body, prepared

from spineviz.geometry import as_trimesh, volume
from spineviz.structure import Floats, Surface
from spineviz.surgery.decompression import windows
from spineviz.surgery.resection import CUT, cut_bone


def stages(kind: str, name: str) -> list[Surface]:
    variants = prepared(kind).variants[name]
    return [variants[f"{kind}.{number}"] for number in range(1, len(variants) + 1)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_stage_is_one_closed_bone_and_less_than_the_one_before(kind: str) -> None:
    last = volume(body().structures["L4"].surface)
    for surface in stages(kind, "L4"):
        mesh = as_trimesh(surface)
        assert mesh.is_watertight and mesh.body_count == 1
        assert mesh.volume < last
        last = mesh.volume


@pytest.mark.parametrize("kind", KINDS)
def test_a_laminotomy_takes_half_a_cubic_centimetre_to_one_and_a_half(kind: str) -> None:
    taken = volume(body().structures["L4"].surface) - volume(stages(kind, "L4")[-1])
    assert 400 < taken < 1500


def cut_points(kind: str) -> Floats:
    """Cut vertices in the site's frame."""
    surface = stages(kind, "L4")[-1]
    assert surface.tint is not None
    return prepared(kind).story.site.frame.to_local(surface.vertices[surface.tint == CUT])


@pytest.mark.parametrize(("kind", "least", "most"), [("tubular", 5.0, 10.0), ("open", 5.0, 12.0)])
def test_the_lamina_loses_five_to_ten_millimetres_of_its_edge(kind: str, least: float, most: float) -> None:
    site = prepared(kind).story.site
    whole = body().structures["L4"].surface.vertices
    gone = windows(
        site, body(), prepared(kind).approach.lamina_removed, prepared(kind).approach.facet_removed
    )[-1]
    inside = site.frame.to_local(whole[gone.field(whole) < 0.0])
    columns = [inside[np.abs(inside[:, 0] - x) < 1.0, 1] for x in np.arange(-6.0, 8.0, 1.0)]
    heights = [float(np.ptp(column)) for column in columns if len(column) > 3]
    assert least - 1.0 < max(heights) < most + 2.5
    assert np.abs(cut_points(kind)[:, 0]).max() < site.room + 2.0


@pytest.mark.parametrize("kind", KINDS)
def test_the_spinous_process_and_the_other_side_stay_whole(kind: str) -> None:
    site = prepared(kind).story.site
    x = site.frame.to_parent(cut_points(kind))[:, 0]
    assert x.max() < -2.0


@pytest.mark.parametrize("kind", KINDS)
def test_the_ligament_is_opened_in_the_window_only(kind: str) -> None:
    recipe = body().structures["flavum.L4-L5.left"].surface
    opened = stages(kind, "flavum.L4-L5.left")
    volumes = [volume(recipe), *(volume(surface) for surface in opened)]
    assert volumes == sorted(volumes, reverse=True)
    assert 0.2 * volumes[0] < volumes[-1] < 0.95 * volumes[0]
    assert all(as_trimesh(surface).is_watertight for surface in opened)
    assert "flavum.L4-L5.right" not in prepared(kind).variants


def test_a_bone_that_is_not_closed_is_refused() -> None:
    site = prepared("tubular").story.site
    window = windows(site, body(), 8.0, 3.0)[0]
    whole = body().structures["L4"].surface
    with pytest.raises(ValueError, match="not closed"):
        cut_bone(Surface(whole.vertices, whole.faces[:-5]), window)
