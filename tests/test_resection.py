"""Bone and ligament are taken in nested stages, as much as a small window needs."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from operated import KINDS, body, prepared
from scipy.spatial.transform import Rotation

from spineviz.anatomy.bone import LevelBone, SurfaceDistance
from spineviz.geometry import as_trimesh, volume
from spineviz.structure import Floats, Frame, Surface
from spineviz.surgery.resection import CUT, _repainted, cut_bone, windows
from spineviz.surgery.window import columns_of


def stages(kind: str, name: str) -> list[Surface]:
    variants = prepared(kind).variants[name]
    return [variants[f"{kind}.{number}"] for number in range(1, len(variants) + 1)]


@pytest.mark.parametrize("turn", [0.0, 25.0])
def test_the_columns_of_a_corridor_are_those_of_every_node(turn: float) -> None:
    """Blocks that the surface cannot cross are told by their middle, the others node by node."""
    surface = trimesh.creation.box([9.0, 1.2, 14.0]).subdivide().subdivide().subdivide()
    plate = Surface(surface.vertices + np.array([3.0, 0.0, 4.0]), surface.faces)
    bone = LevelBone("L4", Frame(), {}, plate, SurfaceDistance(plate))
    axes = Rotation.from_euler("xz", [turn, turn], degrees=True).as_matrix()
    frame, axis, depth = Frame(np.array([1.0, 0.5, 2.0]), axes), np.arange(-8.0, 8.1, 0.5), (11.0, 12.0)
    columns = columns_of(bone, frame, axis, depth)
    along = np.arange(depth[1], -depth[0], -0.5)
    nodes = np.stack(np.meshgrid(axis, axis, along, indexing="ij"), axis=-1)
    inside = bone.distance(frame.to_parent(nodes.reshape(-1, 3))).reshape(nodes.shape[:3]) < 0.0
    met = inside.any(axis=2)
    assert met.any() and not met.all()
    assert np.array_equal(np.isfinite(columns.top), met)
    assert np.array_equal(columns.top[met], along[inside.argmax(axis=2)][met])


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


@pytest.mark.parametrize("kind", KINDS)
def test_the_window_goes_through_the_whole_lamina(kind: str) -> None:
    """Nothing of the bone in the window is left, above the cut or below it."""
    site, prepared_ = prepared(kind).story.site, prepared(kind).approach
    window = windows(site, body(), prepared_.lamina_removed, prepared_.facet_removed)[-1].narrowed(0.8)
    left = stages(kind, "L4")[-1].vertices
    inside = left[window.across(left) < 0.0]
    heights = site.frame.to_local(inside)[:, 2]
    canal = site.frame.to_local(body().bones["L4"].landmarks["canal"].origin)[2]
    assert not np.any(heights > canal)


@pytest.mark.parametrize("kind", KINDS)
def test_the_inferior_articular_process_keeps_its_tip_and_most_of_its_width(kind: str) -> None:
    site = prepared(kind).story.site
    whole, left = body().structures["L4"].surface, stages(kind, "L4")[-1]
    facet = site.frame.to_local(body().bones["L4"].landmarks["facet.inferior.left"].origin)

    def process(surface: Surface) -> Floats:
        local = site.frame.to_local(surface.vertices)
        return local[(local[:, 0] < facet[0] + 8.0) & (np.abs(local[:, 1] - facet[1]) < 4.0)]

    assert process(left)[:, 0].min() == pytest.approx(process(whole)[:, 0].min(), abs=0.01)
    assert site.frame.to_local(left.vertices)[:, 1].min() == pytest.approx(
        site.frame.to_local(whole.vertices)[:, 1].min(), abs=0.01
    )
    gone = windows(
        site, body(), prepared(kind).approach.lamina_removed, prepared(kind).approach.facet_removed
    )[-1]
    taken = gone.field(site.frame.to_parent(process(whole))) < 0.0
    assert taken.mean() < 0.35


@pytest.mark.parametrize("kind", KINDS)
def test_paint_changes_at_the_edge_of_the_cut_at_once(kind: str) -> None:
    for surface in stages(kind, "L4"):
        assert surface.tint is not None
        corners = surface.vertices[surface.faces].astype(np.float64)
        area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        cut = (surface.tint[surface.faces] == CUT).sum(axis=1)
        assert area[(cut > 0) & (cut < 3)].sum() < 0.02 * area[cut == 3].sum()
        assert as_trimesh(surface).is_winding_consistent


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
    assert 0.15 * volumes[0] < volumes[-1] < 0.95 * volumes[0]
    assert all(as_trimesh(surface).is_watertight for surface in opened)
    assert "flavum.L4-L5.right" not in prepared(kind).variants


def test_a_bone_that_is_not_closed_is_refused() -> None:
    site = prepared("tubular").story.site
    window = windows(site, body(), 8.0, 3.0)[0]
    whole = body().structures["L4"].surface
    with pytest.raises(ValueError, match="not closed"):
        cut_bone(Surface(whole.vertices, whole.faces[:-5]), window)


def test_what_is_not_cut_is_lit_as_before_and_what_is_cut_by_its_own_faces() -> None:
    ball = trimesh.creation.icosphere(2, 10.0)
    smooth = np.tile([0.0, 0.0, 1.0], (len(ball.vertices), 1))
    original = Surface(ball.vertices, ball.faces, normals=smooth)
    bare = ball.vertices[:, 2] > 5.0
    painted = _repainted(Surface(ball.vertices, ball.faces), original, bare)
    assert painted.normals is not None
    assert np.allclose(painted.normals[~bare], [0.0, 0.0, 1.0])
    assert np.allclose(painted.normals[bare], ball.vertices[bare] / 10.0, atol=0.05)
