"""Bone and ligament taken away: the variants of structures that the windows of an approach leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from spineviz.anatomy.recipe import Body
from spineviz.geometry import vertex_normals, volume
from spineviz.measures import table
from spineviz.sdf import Solid, mesh, smooth_difference
from spineviz.structure import Floats, Points, Surface
from spineviz.surgery.shapes import joined
from spineviz.surgery.site import Site
from spineviz.surgery.window import Window, laminotomy_windows

if TYPE_CHECKING:
    import manifold3d

Mask = npt.NDArray[np.bool_]
Triangles = npt.NDArray[np.integer]

CUT = 2.0
"""The tint of cut bone: beyond the tissue's second colour lies its inside."""

CRUMB = 4.0
"""Pieces of soft tissue smaller than this (mm³) are taken away with the rest."""

LIT = 0.85
"""The least light that a wall of the cut gets: the microscope's lamp shines on it."""


@dataclass(frozen=True, eq=False)
class Cut:
    """A bone after a cut: its surface, and how much was taken (mm³)."""

    surface: Surface
    removed: float


def cut_bone(surface: Surface, *windows: Window) -> Cut:
    """Return a bone's surface less the blocks of windows; the cut is painted as the bone's inside.

    The walls of the cut do not share the vertices of its edge with the bone around, so that light and paint
    change there at once; the surface stays closed. What comes loose is taken away. Raises ValueError where
    the bone's surface is not closed or where nothing is left.
    """
    pieces, blocks = _carved(surface, windows)
    if not pieces:
        raise ValueError("the cut leaves no bone; check the docking point")
    left = max(pieces, key=lambda piece: piece.volume()).to_mesh()
    faces = np.array(left.tri_verts)
    origins = np.repeat(np.array(left.run_original_id), np.diff(np.array(left.run_index)) // 3)
    wall = np.isin(origins, blocks)
    source, faces = _creased(faces, wall)
    vertices = np.array(left.vert_properties)[:, :3][source]
    bare = np.zeros(len(vertices), dtype=bool)
    bare[faces[: len(wall)][wall]] = True
    result = _repainted(Surface(vertices, faces), surface, bare)
    return Cut(result, volume(surface) - volume(result))


def cut_ligament(surface: Surface, *windows: Window) -> Surface | None:
    """Return what the blocks of windows leave of soft tissue, in all its pieces; None where that is nothing.

    Raises ValueError where the surface is not closed.
    """
    pieces, _ = _carved(surface, windows)
    kept = [piece.to_mesh() for piece in pieces if piece.volume() > CRUMB]
    if not kept:
        return None
    parts = [Surface(np.array(item.vert_properties)[:, :3], np.array(item.tri_verts)) for item in kept]
    whole = joined(*parts)
    return _repainted(whole, surface, np.zeros(len(whole.vertices), dtype=bool))


def _carved(surface: Surface, windows: Sequence[Window]) -> tuple[list[manifold3d.Manifold], list[int]]:
    """Return the pieces that the blocks of windows leave of a surface, and the number of each block."""
    import manifold3d

    left = _manifold(surface)
    if left.status() != manifold3d.Error.NoError:
        raise ValueError(
            f"bone cannot be cut: its surface is not closed ({left.status().name}); repair the mesh"
        )
    blocks = [_manifold(window.solid()).as_original() for window in windows]
    for block in blocks:
        left = left - block
    return list(left.decompose()), [block.original_id() for block in blocks]


def open_ligament(solid: Solid, step: float, window: Window) -> Surface:
    """Return the surface of a ligament's solid less a window, meshed with ``step`` mm."""
    smooth = 0.6

    def field(points: Points) -> Floats:
        return smooth_difference(solid.field(points), window.field(points), smooth)

    return mesh(Solid(field, solid.lower, solid.upper), step)


def windows(site: Site, body: Body, lamina: float, facet: float) -> tuple[Window, ...]:
    """Return the stages of the laminotomy: bone taken from lamina and facet, mm."""
    size = table("procedures.laminotomy")
    return laminotomy_windows(
        body.bones[site.lamina],
        site.frame,
        lamina=lamina,
        facet=facet,
        reach=site.room,
        midline=size["midline_kept"],
        stages=size["stages"],
    )


def ligament_windows(window: Window) -> tuple[Window, ...]:
    """Return the nested windows in the ligament: inside the laminotomy, and widened to its outline."""
    size = table("procedures.flavectomy")
    deeper = replace(window, deep=window.deep - size["deeper"])
    return tuple(deeper.narrowed(margin) for margin in size["margins"])


def resected(site: Site, body: Body, windows: Sequence[Window]) -> dict[str, dict[str, Surface]]:
    """Return the stages of bone and ligament that the windows leave, by structure and name."""
    whole = body.structures[site.lamina].surface
    result: dict[str, dict[str, Surface]] = {
        site.lamina: {site.variant(k): cut_bone(whole, window).surface for k, window in enumerate(windows, 1)}
    }
    opened = ligament_stages(site, body, ligament_windows(windows[-1]))
    return result | ({site.flavum: opened} if opened else {})


def ligament_stages(site: Site, body: Body, windows: Sequence[Window]) -> dict[str, Surface]:
    """Return what nested windows leave of the yellow ligament one after the other, by the variant's name.

    That of L3 and below is a solid, which is meshed anew; any other is cut as it stands. There is nothing
    where the ligament is missing.
    """
    if site.flavum in body.recipes:
        recipe = body.recipes[site.flavum]
        left = [recipe.painted(open_ligament(recipe.solid, recipe.step, window)) for window in windows]
    else:
        surfaces = [body.structures[name].surface for name in site.present(site.flavum)]
        cuts = [cut_ligament(surface, window) for surface in surfaces for window in windows]
        left = [item for item in cuts if item is not None]
    return {site.variant(k): item for k, item in enumerate(left, 1)}


def _manifold(surface: Surface) -> manifold3d.Manifold:
    import manifold3d

    return manifold3d.Manifold(
        manifold3d.Mesh(
            vert_properties=np.array(surface.vertices, dtype=np.float32),
            tri_verts=np.array(surface.faces, dtype=np.uint32),
        )
    )


def _creased(faces: Triangles, wall: Mask) -> tuple[Triangles, Triangles]:
    """Return faces (m + k, 3) whose ``wall`` has vertices of its own, and the old vertex behind each new one.

    Where the walls meet the other faces, triangles without area stand between the two vertices at one place,
    so that every edge still joins two faces. Vertices at which walls touch more than once stay as they are.
    """
    count = int(faces.max()) + 1
    edges = np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).astype(np.int64)
    own, others = edges[wall].reshape(-1, 2), edges[~wall].reshape(-1, 2)
    rim = own[np.isin(own[:, 1] * count + own[:, 0], others[:, 0] * count + others[:, 1])]
    if len(rim) == 0:
        return np.arange(count), faces
    split = np.flatnonzero(np.bincount(rim.ravel(), minlength=count) == 2)
    twin = np.arange(count)
    twin[split] = count + np.arange(len(split))
    seam = [(a, b, twin[a]) for a, b in rim if twin[a] != a]
    seam += [(b, twin[b], twin[a]) for a, b in rim if twin[b] != b]
    moved = np.where(wall[:, None], twin[faces], faces)
    return np.concatenate([np.arange(count), split]), np.vstack([moved, seam])


def _repainted(result: Surface, original: Surface, bare: Mask) -> Surface:
    """Carry paint over from the nearest old vertex; what is ``bare`` (n,) gets that of the bone's inside."""
    _, nearest = cKDTree(original.vertices).query(result.vertices)
    tint = np.zeros(len(bare)) if original.tint is None else np.array(original.tint[nearest])
    tint[bare] = CUT
    occlusion = None if original.occlusion is None else np.array(original.occlusion[nearest])
    if occlusion is not None:
        occlusion[bare] = np.maximum(occlusion[bare], LIT)
    coordinates = None if original.coordinates is None else original.coordinates[nearest]
    normals = None
    if original.normals is not None:
        own = vertex_normals(result.vertices, result.faces)
        normals = np.where(bare[:, None], own, original.normals[nearest])
    return Surface(result.vertices, result.faces, occlusion, tint, coordinates, normals)
