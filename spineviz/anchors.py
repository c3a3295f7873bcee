"""Where labels touch what they name: amid what a camera sees of it, on its cut face where there is one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter

from spineviz.cuts import OVERLAP
from spineviz.geometry import surface_points
from spineviz.layers import Layer, layer_of, number_of
from spineviz.model import Camera, Cut, Look, Model, Vector
from spineviz.section import Section, union
from spineviz.structure import Floats, Points, Structure
from spineviz.views import along_spine, camera_axes, vector

LABEL_CLEAR = 1.5
"""What stands less than this (mm) beside or in front of a place does not hide it from its label."""

LABEL_FIELD = (0.24, 0.42)
"""Labels touch their structures within this part of the picture's height, across and up, of its middle."""

LABEL_FIELD_OF_CUTS, LABEL_FIELD_OF_SLICES = (0.32, 0.42), (0.52, 0.42)
"""The same for a scene that is cut open, and for one seen along the spine, whose labels stand farther out."""

FACING = 0.7
"""The cosine of the slant at which a cut face is seen at most, to bear the label of its structure."""

Mask = npt.NDArray[np.bool_]

Faces = Mapping[Cut, Mapping[str, Section]]
"""The faces of some cuts, by structure; only where there is one."""


def visible_places(
    names: Sequence[str], model: Model, camera: Camera, through: Collection[Layer], cuts: tuple[Cut, ...] = ()
) -> dict[str, Vector]:
    """Return a place on each structure named that no other structure hides from a camera.

    Layers of ``through`` hide nothing. A structure that ``cuts`` open is touched on its cut face, as far
    from the border of what is seen of it as can be.
    """
    bodies = {number_of(name) for name in names}
    solid = {
        name: item
        for name, item in model.structures.items()
        if layer_of(name) not in through and number_of(name) in bodies
    }
    faces = _faces(solid, model, cuts)
    cloud = {
        name: _shown(np.vstack([*_points(name, item, cuts, faces)]), camera) for name, item in solid.items()
    }
    nearest, first = _nearest(np.vstack([*cloud.values()])), _first(cloud) if cuts else None
    places: dict[str, Vector] = {}
    for name in names:
        if name not in model.structures:
            continue
        on_face = _on_face(name, model, camera, faces, nearest)
        places[name] = _on_surface(name, model, camera, cuts, nearest, first) if on_face is None else on_face
    return places


def _points(name: str, item: Structure, cuts: tuple[Cut, ...], faces: Faces) -> Iterator[Points]:
    """Give points (n, 3) that stand for what cuts leave of a structure: its surface, and its cut faces."""
    yield _kept(surface_points(item.light or item.surface, LABEL_CLEAR), name, cuts)
    for cut, items in faces.items():
        if name in items:
            yield _kept(items[name].places(LABEL_CLEAR)[0], name, cuts, cut)


def _faces(solid: Mapping[str, Structure], model: Model, cuts: tuple[Cut, ...]) -> Faces:
    made = {cut: {name: model.face(name, Look(), cut) for name in solid if cut.cuts(name)} for cut in cuts}
    return {cut: {name: face for name, face in items.items() if face} for cut, items in made.items()}


def _kept(points: Points, name: str, cuts: tuple[Cut, ...], own: Cut | None = None) -> Points:
    """Return the points (n, 3) of a structure that no cut takes away, but the one they lie on."""
    for cut in cuts:
        if cut != own and cut.cuts(name):
            points = points[~cut.beyond(points)]
    return points


def _on_face(
    name: str, model: Model, camera: Camera, faces: Faces, nearest: Callable[[Points], Floats]
) -> Vector | None:
    """Return a place on a structure's cut face, or None where no face of it is seen."""
    rank = {other: OVERLAP.index(item.tissue) for other, item in model.structures.items()}
    best: tuple[float, Vector | None] = (0.0, None)
    for cut, items in faces.items():
        if name not in items or np.dot(cut.normal, camera.direction) < FACING:
            continue
        over = [face for other, face in items.items() if rank[other] > rank[name]]
        seen = items[name].without(union(over, items[name].frame))
        places, room = seen.places(min(1.0, float(np.sqrt(max(seen.area, 0.01))) / 12))
        places_kept = np.ones(len(places), dtype=bool)
        for other in faces:
            if other != cut and other.cuts(name):
                places_kept &= ~other.beyond(places)
        flat = _shown(places, camera)
        framed = (np.abs(flat[:, :2]) / camera.height < _field(camera, cuts=True)).all(axis=1)
        clear = np.flatnonzero(places_kept & framed & (nearest(flat) < flat[:, 2] + LABEL_CLEAR))
        if len(clear):
            chosen = clear[room[clear].argmax()]
            best = max(best, (float(room[chosen]), vector(places[chosen])), key=lambda item: item[0])
    return best[1]


def _on_surface(
    name: str,
    model: Model,
    camera: Camera,
    cuts: tuple[Cut, ...],
    nearest: Callable[[Points], Floats],
    first: Callable[[Points, str], Mask] | None,
) -> Vector:
    """Return a place on what is seen of a structure's surface, or in its middle where nothing is."""
    vertices = model.structures[name].surface.vertices
    kept = _kept(vertices, name, cuts)
    vertices = kept if len(kept) else vertices
    flat = _shown(vertices, camera)
    framed = (np.abs(flat[:, :2]) / camera.height < _field(camera, bool(cuts))).all(axis=1)
    clear = nearest(flat) < flat[:, 2] + LABEL_CLEAR
    if first is not None and (clear & first(flat, name)).any():
        clear &= first(flat, name)
    seen = np.flatnonzero(framed & clear if (framed & clear).any() else clear)
    chosen = flat[seen] if len(seen) else flat
    middle = ((chosen[:, :2] - np.median(chosen[:, :2], axis=0)) ** 2).sum(axis=1).argmin()
    return vector(vertices[seen[middle] if len(seen) else middle])


def _field(camera: Camera, cuts: bool) -> tuple[float, float]:
    """Return the part of the picture in which labels touch their structures."""
    if not cuts:
        return LABEL_FIELD
    return LABEL_FIELD_OF_SLICES if along_spine(camera) else LABEL_FIELD_OF_CUTS


def _shown(points: Points, camera: Camera) -> Points:
    """Return world points (n, 3) as a camera shows them: mm right, up (at its focus) and towards the eye."""
    local = (points - np.asarray(camera.focus)) @ camera_axes(camera).T
    away = camera.height / 2 / np.tan(np.radians(camera.angle) / 2)
    local[:, :2] *= away / np.maximum(away - local[:, 2:], 1.0)
    return local


def _first(cloud: Mapping[str, Points]) -> Callable[[Points, str], Mask]:
    """Return a function that tells where nothing stands before a structure, to the millimetre.

    Clouds and points are as a camera shows them. Under a thin sheet a structure is not seen, however near.
    """
    points = np.vstack([*cloud.values()])
    owner = np.repeat(np.arange(len(cloud)), [len(part) for part in cloud.values()])
    low = points[:, :2].min(axis=0)
    cells = np.floor((points[:, :2] - low) / 2).astype(int)
    owners = np.full(cells.max(axis=0) + 1, -1)
    order = np.argsort(points[:, 2], kind="stable")
    owners[tuple(cells[order].T)] = owner[order]
    numbers = {name: number for number, name in enumerate(cloud)}

    def first(flat: Points, name: str) -> Mask:
        places = np.clip(np.floor((flat[:, :2] - low) / 2).astype(int), 0, np.array(owners.shape) - 1)
        return np.asarray(owners[tuple(places.T)] == numbers.get(name, -2))

    return first


def _nearest(cloud: Points) -> Callable[[Points], Floats]:
    """Return a function that tells how near to the eye (mm) the nearest of a cloud is, about some points.

    Cloud and points are as a camera shows them; a millimetre more or less aside does not count.
    """
    low = cloud[:, :2].min(axis=0)
    cells = (cloud[:, :2] - low).astype(int)
    tops = np.full(cells.max(axis=0) + 1, -np.inf)
    np.maximum.at(tops, tuple(cells.T), cloud[:, 2])
    tops = maximum_filter(tops, size=3)

    def nearest(points: Points) -> Floats:
        places = np.clip((points[:, :2] - low).astype(int), 0, np.array(tops.shape) - 1)
        return tops[tuple(places.T)]

    return nearest
