"""Surface files of a patient's bones: read, checked, and thinned out for the scene."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spineviz.geometry import as_trimesh
from spineviz.structure import Surface

if TYPE_CHECKING:
    import trimesh

SUFFIXES = (".ply", ".stl", ".obj")

SMALLEST, LARGEST = 50.0, 190.0
"""The longest side (mm) of the box around a lumbar vertebra or a sacrum lies between these."""

THINNEST = 20.0
"""No side (mm) of that box is shorter."""

STRAY = 0.01
"""Stray bodies smaller than this part of the bone's volume are left out."""

FACES = 24_000
"""So many triangles of a bone are enough for the scene."""


def read_mesh(path: Path) -> Surface:
    """Read one bone from a PLY, STL or OBJ file (mm, RAS) as a closed surface with outward faces.

    Duplicate vertices are merged and stray bodies below 1 % of the volume left out. Raises ValueError
    with the file's name and what to do when the file is missing or unreadable, when the surface is empty,
    not of a bone's size in millimetres, not closed, or of several bodies.
    """
    mesh = _loaded(path)
    _check_size(path, mesh)
    mesh = _largest_body(path, mesh)
    if not mesh.is_watertight:
        _, counts = np.unique(np.sort(mesh.edges, axis=1), axis=0, return_counts=True)
        raise ValueError(
            f"{path.name}: the surface is not closed ({np.count_nonzero(counts != 2)} edges do not join two "
            "triangles); fill its holes in the program that made it, then export it again"
        )
    if not mesh.is_winding_consistent:
        mesh.fix_normals()
    if mesh.volume < 0.0:
        mesh.invert()
    return Surface(mesh.vertices, mesh.faces)


def _loaded(path: Path) -> trimesh.Trimesh:
    """Load a file as one mesh with merged vertices and without collapsed triangles."""
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path.name}: a bone is read from {', '.join(SUFFIXES)}; export it as one of these")
    if not path.is_file():
        raise ValueError(
            f"{path.name}: there is no such file in {path.parent}; check the name and the folder"
        )
    import trimesh

    try:
        mesh = trimesh.load_mesh(path, process=False)
    except Exception as error:
        raise ValueError(f"{path.name}: the file cannot be read ({error}); export it again") from error
    if not isinstance(mesh, trimesh.Trimesh) or len(mesh.faces) == 0:
        raise ValueError(
            f"{path.name}: the file holds no triangles; export the bone's surface, not its points"
        )
    if not np.isfinite(mesh.vertices).all():
        raise ValueError(f"{path.name}: some vertices are not numbers; export the surface again")
    plain = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    plain.merge_vertices()
    plain.update_faces(plain.unique_faces() & plain.nondegenerate_faces(height=0.0))
    plain.remove_unreferenced_vertices()
    return plain


def _check_size(path: Path, mesh: trimesh.Trimesh) -> None:
    """Refuse a box that no vertebra and no sacrum has."""
    sides = mesh.extents
    longest, shown = float(sides.max()), " × ".join(f"{side:.3g}" for side in sides)
    if longest < 1.0:
        advice = "the file seems to be in metres; scale it by 1000"
    elif longest < SMALLEST / 2:
        advice = "the file seems to be in centimetres; scale it by 10"
    elif longest > 1000.0 * SMALLEST:
        advice = "the file seems to be in micrometres; scale it by 0.001"
    elif longest > LARGEST:
        advice = "the file seems to hold more than one bone; export each bone alone"
    elif longest < SMALLEST or sides.min() < THINNEST:
        advice = "the file seems to hold only a part of a vertebra; export the whole bone"
    else:
        return
    raise ValueError(f"{path.name}: {shown} is not the size of a vertebra in mm; {advice}")


def _largest_body(path: Path, mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """Return the bone without stray bodies; refuse where it is not clear which body is the bone."""
    bodies = sorted(mesh.split(only_watertight=False), key=lambda body: -abs(body.volume))
    if len(bodies) < 2:
        return mesh
    share = abs(bodies[1].volume) / max(abs(bodies[0].volume), 1e-9)
    if share >= STRAY:
        raise ValueError(
            f"{path.name}: the surface consists of {len(bodies)} bodies, the second with {share:.0%} of the "
            "first's volume; join them or delete what is not this bone (inner surfaces, too)"
        )
    return bodies[0]


def thinned(surface: Surface, faces: int = FACES) -> Surface:
    """Return the closed surface with about so many triangles (quadric edge collapse).

    A lumbar vertebra's surface moves by no more than some 0.2 mm. One with fewer triangles is returned as
    it is. Raises ValueError where thinning would open the surface.
    """
    if len(surface.faces) <= faces:
        return surface
    from fast_simplification import simplify

    vertices, corners = simplify(np.array(surface.vertices), np.array(surface.faces), target_count=faces)
    result = Surface(vertices, corners)
    if not as_trimesh(result).is_watertight:
        raise ValueError(
            f"the surface opens when its {len(surface.faces)} triangles are thinned to {faces}; "
            "remesh it evenly in the program that made it, then export it again"
        )
    return result
