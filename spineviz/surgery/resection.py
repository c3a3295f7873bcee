"""Bone and ligament taken away: windows along a corridor, and the variants of structures that they leave.

A window is a flat outline, seen along the corridor, that is cut straight through: the interlaminar gap grown
into the lamina above and into the medial edge of the facet. Windows are nested: stage by stage the bone
recedes as a burr and a punch would take it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

from spineviz.geometry import volume
from spineviz.measures import table, value
from spineviz.sdf import Solid, mesh, smooth_difference
from spineviz.structure import Bone, Floats, Frame, Points, Surface
from spineviz.surgery.shapes import skin

if TYPE_CHECKING:
    import manifold3d

Mask = npt.NDArray[np.bool_]

CUT = 2.0
"""The tint of cut bone: beyond the tissue's second colour lies its inside."""


@dataclass(frozen=True, eq=False)
class Window:
    """An outline in a corridor's frame, cut through from ``deep`` to ``shallow`` (mm along its z axis).

    ``outline`` (nu, nv) holds the signed distance in mm (negative inside) on a grid of ``step`` mm from
    ``lower`` (2,), in the frame's x and y direction.
    """

    frame: Frame
    lower: Floats
    step: float
    outline: Floats
    deep: float
    shallow: float

    def across(self, points: Points) -> Floats:
        """Return the distance (n,) in mm of world points to the outline, seen along the corridor."""
        local = self.frame.to_local(points)
        index = (local[:, :2] - self.lower) / self.step
        limit = np.array(self.outline.shape) - 1.0
        inside = np.clip(index, 0, limit)
        beyond = np.linalg.norm((index - inside) * self.step, axis=1)
        return ndimage.map_coordinates(self.outline, inside.T, order=1, mode="nearest") + beyond

    def field(self, points: Points) -> Floats:
        """Return the signed distance (n,) in mm of world points to the block that is cut out."""
        along = self.frame.to_local(points)[:, 2]
        return np.maximum(self.across(points), np.maximum(self.deep - along, along - self.shallow))

    def narrowed(self, margin: float) -> Window:
        """Return the window whose outline lies ``margin`` mm further inside."""
        return Window(self.frame, self.lower, self.step, self.outline + margin, self.deep, self.shallow)

    def curve(self, spacing: float = 0.7) -> Floats:
        """Return the outline as a closed curve (n, 2) in the frame's x and y, mm, at even distances.

        Raises ValueError where the window is empty.
        """
        from skimage.measure import find_contours

        curves = find_contours(self.outline, 0.0)
        if not curves:
            raise ValueError("the window is empty: there is nothing to take at the docking point")
        return _evenly(max(curves, key=len)[:-1] * self.step + self.lower, spacing)

    def solid(self) -> Surface:
        """Return the block that is cut out as a watertight surface in the world, with finely divided walls.

        The walls flare a little towards the surgeon, as a burr leaves them.
        """
        curve = self.curve()
        heights = np.linspace(self.deep, self.shallow, int(np.ceil((self.shallow - self.deep) / 0.8)) + 1)
        place = (heights - self.deep) / (self.shallow - self.deep)
        flare = 1.0 + value("procedures.laminotomy.flare") * (place**2 - 0.25)
        rings = np.empty((len(heights), len(curve), 3))
        middle = curve.mean(0)
        rings[:, :, :2] = middle + flare[:, None, None] * (curve - middle)
        rings[:, :, 2] = heights[:, None]
        block = skin(rings)
        return block.placed(self.frame)


@dataclass(frozen=True, eq=False)
class Cut:
    """A bone after a cut: its surface, and how much was taken (mm³)."""

    surface: Surface
    removed: float


def laminotomy_windows(
    bone: Bone, frame: Frame, *, lamina: float, facet: float, reach: float, midline: float, stages: int
) -> tuple[Window, ...]:
    """Return nested windows that take the caudal edge of a lamina and the medial edge of its facet.

    ``frame`` is the corridor's: origin at the docking point, x towards the patient's right, y cranial,
    z out of the body. ``lamina`` and ``facet`` (mm) are how far the last window goes into bone in cranial and
    in lateral direction; ``reach`` (mm) is the radius around the axis within which instruments can work;
    ``midline`` (mm) is how far from the midline plane the spinous process stays untouched.
    Raises ValueError where the corridor shows no interlaminar gap.
    """
    size = table("procedures.laminotomy")
    step = size["grid"]
    axis = np.arange(-size["field"], size["field"] + step / 2, step)
    gap = _gap(bone, frame, axis, size["depth"], size["height"])
    allowed = _allowed(frame, axis, reach, midline)
    gap = _from_docking(gap & allowed, axis)
    depth = (size["deep"], size["height"])
    grown = [
        _grown(gap, lamina * k / stages, facet * k / stages, step) & allowed for k in range(1, stages + 1)
    ]
    return tuple(_window(frame, axis, mask, depth) for mask in grown)


def cut_bone(surface: Surface, window: Window) -> Cut:
    """Return a bone's surface less a window's block; the cut is painted as the bone's inside.

    Raises ValueError where the surface is not closed or where nothing is left.
    """
    import manifold3d

    block = _manifold(window.solid())
    whole = _manifold(surface)
    if whole.status() != manifold3d.Error.NoError:
        raise ValueError(
            f"bone cannot be cut: its surface is not closed ({whole.status().name}); repair the mesh"
        )
    pieces = (whole - block).decompose()
    if not pieces:
        raise ValueError("the cut leaves no bone; check the docking point")
    left = max(pieces, key=lambda piece: piece.volume()).to_mesh()
    vertices = np.array(left.vert_properties)[:, :3].copy()
    faces = np.array(left.tri_verts)
    bare = _on_block(vertices, surface)
    result = _repainted(Surface(vertices, faces), surface, bare)
    return Cut(result, volume(surface) - volume(result))


def open_ligament(solid: Solid, step: float, window: Window) -> Surface:
    """Return the surface of a ligament's solid less a window, meshed with ``step`` mm."""
    smooth = 0.6

    def field(points: Points) -> Floats:
        return smooth_difference(solid.field(points), window.field(points), smooth)

    return mesh(Solid(field, solid.lower, solid.upper), step)


def removed_volumes(whole: Surface, variants: Mapping[str, Surface]) -> dict[str, float]:
    """Return the volume (mm³) that each variant lacks against the whole surface."""
    full = volume(whole)
    return {name: full - volume(variant) for name, variant in variants.items()}


def _gap(bone: Bone, frame: Frame, axis: Floats, depth: float, height: float) -> Mask:
    """Tell where, seen along the corridor, the bone leaves the way free between two depths."""
    along = np.arange(-depth, height, 1.0)
    u, v, s = np.meshgrid(axis, axis, along, indexing="ij")
    places = frame.to_parent(np.stack([u, v, s], axis=-1).reshape(-1, 3))
    distance = bone.distance(places).reshape(u.shape)
    return distance.min(axis=2) > 0


def _allowed(frame: Frame, axis: Floats, reach: float, midline: float) -> Mask:
    """Tell where instruments may cut: within reach of the axis and off the spinous process."""
    u, v = np.meshgrid(axis, axis, indexing="ij")
    x = frame.to_parent(np.stack([u, v, 0 * u], axis=-1))[..., 0]
    side = np.sign(frame.origin[0])
    return (np.hypot(u, v) < reach) & (x * side > midline)


def _from_docking(gap: Mask, axis: Floats) -> Mask:
    """Keep the part of the gap that lies caudal of the docking point, and nearest to it."""
    labels, count = ndimage.label(gap)
    if count == 0:
        raise ValueError("the corridor shows no gap between the laminae: dock further medial or caudal")
    v = np.broadcast_to(axis, gap.shape)
    sizes = ndimage.sum_labels(gap & (v < 2), labels, np.arange(1, count + 1))
    return labels == int(np.argmax(sizes)) + 1


def _grown(gap: Mask, cranial: float, lateral: float, step: float) -> Mask:
    """Grow the gap by an ellipse with a cranial and a lateral half-axis (mm)."""
    distance = ndimage.distance_transform_edt(~gap, sampling=(step / lateral, step / cranial))
    return distance < 1.0


def _window(frame: Frame, axis: Floats, mask: Mask, depth: tuple[float, float]) -> Window:
    step = float(axis[1] - axis[0])
    signed = ndimage.distance_transform_edt(~mask) - ndimage.distance_transform_edt(mask)
    smooth = ndimage.gaussian_filter(signed * step, 0.7 / step)
    smooth = np.maximum(smooth, -20.0)
    return Window(frame, axis[[0, 0]], step, smooth, -depth[0], depth[1])


def _evenly(curve: Floats, spacing: float) -> Floats:
    """Return a closed curve (n, 2) sampled at even distances."""
    closed = np.vstack([curve, curve[:1]])
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    places = np.linspace(0, lengths[-1], max(int(lengths[-1] / spacing), 12), endpoint=False)
    return np.stack([np.interp(places, lengths, closed[:, axis]) for axis in range(2)], axis=1)


def _manifold(surface: Surface) -> manifold3d.Manifold:
    import manifold3d

    return manifold3d.Manifold(
        manifold3d.Mesh(
            vert_properties=np.array(surface.vertices, dtype=np.float32),
            tri_verts=np.array(surface.faces, dtype=np.uint32),
        )
    )


def _on_block(vertices: Points, original: Surface) -> Mask:
    """Tell which vertices are new, that is, lie on the cut."""
    lengths, _ = cKDTree(original.vertices).query(vertices)
    return lengths > 1e-3


def _repainted(result: Surface, original: Surface, bare: Mask) -> Surface:
    """Carry paint over from the nearest old vertex; the cut gets its own."""
    _, nearest = cKDTree(original.vertices).query(result.vertices)
    tint = np.zeros(len(bare)) if original.tint is None else np.array(original.tint[nearest])
    tint[bare] = CUT
    occlusion = None if original.occlusion is None else original.occlusion[nearest]
    coordinates = None if original.coordinates is None else original.coordinates[nearest]
    return Surface(result.vertices, result.faces, occlusion, tint, coordinates)
