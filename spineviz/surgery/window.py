"""Where bone and ligament are taken away: windows along a corridor.

A window is a flat outline, seen along the corridor, that is cut straight through, from above the bone to
below it: the interlaminar gap grown into the lamina above and into the medial edge of the facet. Windows are
nested: stage by stage the bone recedes as a burr and a punch would take it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from spineviz.anatomy.bone import LevelBone
from spineviz.geometry import interpolated
from spineviz.measures import table, value
from spineviz.sdf.mesher import STEEPNESS
from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.surgery.retraction.docking import AIM_SHARE, lamina_edge
from spineviz.surgery.shapes import skin
from spineviz.terms import Side

Mask = npt.NDArray[np.bool_]

UNSURE = 1.4
"""What the bone's grid tells to be farther than this (mm) from its surface is on that side of it."""

BLOCK = 4
"""Nodes along the edge of the blocks of a corridor's grid that are looked at first."""

THIN_EDGE = 0.5
"""The last of a lamina's edge (mm) is thin, and counts as open."""

TOLD = 0.1
"""How far (mm) outside bone a place is told at most: only the side that it is on is asked."""


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
        return self._across(self.frame.to_local(points))

    def _across(self, local: Points) -> Floats:
        """Return the distance (n,) in mm of points in the window's frame to the outline."""
        index = np.ascontiguousarray(((local[:, :2] - self.lower) / self.step).T)
        return interpolated(self.outline, index, np.array(self.outline.shape) - 1.0, self.step)

    def field(self, points: Points) -> Floats:
        """Return the signed distance (n,) in mm of world points to the block that is cut out."""
        local = self.frame.to_local(points)
        along = local[:, 2]
        return np.maximum(self._across(local), np.maximum(self.deep - along, along - self.shallow))

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
        flare = 1.0 + value("procedures.laminotomy.flare") * place**2
        rings = np.empty((len(heights), len(curve), 3))
        middle = curve.mean(0)
        rings[:, :, :2] = middle + flare[:, None, None] * (curve - middle)
        rings[:, :, 2] = heights[:, None]
        block = skin(rings)
        return block.placed(self.frame)


@dataclass(frozen=True, eq=False)
class Windows:
    """Several windows; ``middle`` (2,) is that of the opening in the site's frame, mm."""

    several: tuple[Window, ...]
    middle: Floats

    def field(self, points: Points) -> Floats:
        """Return the signed distance (n,) in mm of world points to the nearest block that is cut out."""
        return np.asarray(np.min([window.field(points) for window in self.several], axis=0))

    def curve(self) -> Floats:
        """Return the middle of the opening (1, 2), mm."""
        return np.asarray(self.middle)[None]


def rounded(mask: Mask, radius: float) -> Mask:
    """Return a mask with round corners, as a burr leaves them; the radius in nodes."""
    inner = ndimage.distance_transform_edt(mask) > radius
    outer = ndimage.distance_transform_edt(~inner) < radius
    shrunk = ndimage.distance_transform_edt(~outer) > radius
    return np.asarray(outer | (ndimage.distance_transform_edt(~shrunk) >= radius))


def laminotomy_windows(
    bone: LevelBone, frame: Frame, *, lamina: float, facet: float, reach: float, midline: float, stages: int
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
    columns = columns_of(bone, frame, axis, (size["deep"], size["height"]))
    outward = 1 if frame.origin[0] > 0 else -1
    process = bone.landmarks[f"facet.inferior.{'right' if outward > 0 else 'left'}"].origin
    gap = columns.free(-max(size["depth"], _edge_depth(bone, frame)))
    allowed = _allowed(frame, axis, reach, midline)
    beside = allowed & (outward * axis < outward * frame.to_local(process)[0])[:, None]
    medial = _interlaminar(gap, _from_docking(gap & beside, axis), outward, round(size["tip_kept"] / step))
    whole = _grown(medial, lamina, facet, step) & allowed
    allowed &= ~columns.risen(whole, size["process_height"])
    grown = [
        _grown(medial, lamina * k / stages, facet * k / stages, step) & allowed for k in range(1, stages + 1)
    ]
    depth = columns.through(grown[-1], size["beyond"])
    return tuple(window_of(frame, axis, mask, depth) for mask in grown)


@dataclass(frozen=True, eq=False)
class Columns:
    """Bone seen along the corridor: for each place (nu, nv) the heights (mm) between which it stands.

    ``top`` is where a column first meets bone from outside and ``bottom`` where it first leaves it; both are
    minus infinity where it meets none.
    """

    top: Floats
    bottom: Floats

    def free(self, depth: float) -> Mask:
        """Tell where a column meets no bone down to a height."""
        return self.top < depth

    def risen(self, mask: Mask, above: float) -> Mask:
        """Tell where bone rises ``above`` mm over its typical height in a mask, as a process does."""
        met = self.top[mask & np.isfinite(self.top)]
        return self.top > (np.median(met) if len(met) else np.inf) + above

    def through(self, mask: Mask, beyond: float) -> tuple[float, float]:
        """Return the heights (mm) between which a mask's bone stands, ``beyond`` mm farther each way.

        Raises ValueError where there is none.
        """
        cut = mask & np.isfinite(self.top)
        if not cut.any():
            raise ValueError("the window meets no bone: check the docking point")
        return float(self.bottom[cut].min()) - beyond, float(self.top[cut].max()) + beyond


def columns_of(bone: LevelBone, frame: Frame, axis: Floats, depth: tuple[float, float]) -> Columns:
    """Return where bone stands in the columns of a corridor, from ``depth[1]`` mm outside inwards."""
    along = np.arange(depth[1], -depth[0], -0.5)
    inside = _within(bone, frame, (axis, axis, along))
    top = inside.argmax(axis=2)
    left = ~inside & (np.arange(len(along)) > top[:, :, None])
    bottom = np.where(left.any(axis=2), left.argmax(axis=2), len(along) - 1)
    met = inside.any(axis=2)
    return Columns(np.where(met, along[top], -np.inf), np.where(met, along[bottom], -np.inf))


def _within(bone: LevelBone, frame: Frame, axes: tuple[Floats, Floats, Floats]) -> Mask:
    """Tell which nodes (nu, nv, ns) of a grid in a frame lie in bone.

    Its middle tells for a whole block of nodes that the surface cannot cross.
    """
    counts = np.array([len(axis) for axis in axes])
    steps = np.array([abs(float(axis[1] - axis[0])) for axis in axes])
    starts = [np.arange(0, count, BLOCK) for count in counts]
    middles = [
        (axis[start] + axis[np.minimum(start + BLOCK, len(axis)) - 1]) / 2
        for axis, start in zip(axes, starts, strict=True)
    ]
    distance = bone.grid(frame.to_parent(_nodes(*middles)))
    unsure = np.abs(distance) < STEEPNESS * (BLOCK - 1) / 2 * float(np.linalg.norm(steps)) + UNSURE
    result = (distance < 0.0).reshape([len(start) for start in starts])
    for direction in range(3):
        result = np.repeat(result, BLOCK, axis=direction)
    first = _nodes(*starts)[unsure]
    nodes = (first[:, None] + _nodes(*[np.arange(BLOCK)] * 3)).reshape(-1, 3)
    nodes = nodes[(nodes < counts).all(axis=1)]
    places = frame.to_parent(np.stack([axis[row] for axis, row in zip(axes, nodes.T, strict=True)], axis=-1))
    distance = bone.grid(places)
    close = np.flatnonzero(np.abs(distance) < UNSURE)
    distance[close] = bone.within(places[close], TOLD)
    result[tuple(nodes.T)] = distance < 0.0
    nu, nv, ns = counts
    return result[:nu, :nv, :ns]


def _nodes(*axes: npt.NDArray) -> npt.NDArray:
    """Return the nodes (n, 3) of a grid from their places along its axes, the last running fastest."""
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def _allowed(frame: Frame, axis: Floats, reach: float, midline: float) -> Mask:
    """Tell where instruments may cut: within reach of the axis and off the spinous process."""
    u, v = np.meshgrid(axis, axis, indexing="ij")
    x = frame.to_parent(np.stack([u, v, 0 * u], axis=-1))[..., 0]
    side = np.sign(frame.origin[0])
    return (np.hypot(u, v) < reach) & (x * side > midline)


def _edge_depth(bone: LevelBone, frame: Frame) -> float:
    """Return how far (mm) below a docking point the edge of the lamina lies, its thin end left out."""
    side: Side = "right" if frame.origin[0] > 0 else "left"
    lateral = abs(float(bone.landmarks[f"lamina.{side}"].origin[0]))
    return -float(frame.to_local(lamina_edge(bone, side, AIM_SHARE * lateral))[2]) - THIN_EDGE


def _from_docking(gap: Mask, axis: Floats) -> Mask:
    """Keep the part of the gap that lies caudal of the docking point, and nearest to it."""
    labels, count = ndimage.label(gap)
    if count == 0:
        raise ValueError("the corridor shows no gap between the laminae: dock further medial or caudal")
    v = np.broadcast_to(axis, gap.shape)
    sizes = ndimage.sum_labels(gap & (v < 2), labels, np.arange(1, count + 1))
    return labels == int(np.argmax(sizes)) + 1


def _interlaminar(gap: Mask, docked: Mask, outward: int, tip: int) -> Mask:
    """Keep the part of a gap that lies medial of the inferior articular process.

    ``docked`` is the part of the gap to work in and ``outward`` the sign of lateral in the first axis. Row by
    row the gap is followed from the midline until it meets bone. Below the process and in the lowest ``tip``
    rows beside it, where it is round, the gap ends where it does beside those above.
    """
    free, bone = docked[::outward], ~gap[::outward]
    begun = np.cumsum(free, axis=0) > 0
    blocked = np.cumsum(begun & bone, axis=0) > 0
    run = free & ~blocked
    bordered = np.flatnonzero(run.any(axis=0) & blocked.any(axis=0))
    if len(bordered):
        border = blocked.argmax(axis=0)
        lowest = bordered[min(tip, len(bordered) - 1)]
        run[border[lowest] :, :lowest] = False
    labels, _ = ndimage.label(run[::outward])
    sizes = np.bincount(labels.ravel())[1:]
    return labels == int(np.argmax(sizes)) + 1


def _grown(gap: Mask, cranial: float, lateral: float, step: float) -> Mask:
    """Grow the gap by an ellipse with a cranial and a lateral half-axis (mm)."""
    distance = ndimage.distance_transform_edt(~gap, sampling=(step / lateral, step / cranial))
    return distance < 1.0


def window_of(frame: Frame, axis: Floats, mask: Mask, depth: tuple[float, float]) -> Window:
    """Return the window of a mask, cut from the first to the second height of ``depth`` (mm)."""
    step = float(axis[1] - axis[0])
    signed = ndimage.distance_transform_edt(~mask) - ndimage.distance_transform_edt(mask)
    smooth = ndimage.gaussian_filter(signed * step, 0.7 / step)
    smooth = np.maximum(smooth, -20.0)
    return Window(frame, axis[[0, 0]], step, smooth, *depth)


def _evenly(curve: Floats, spacing: float) -> Floats:
    """Return a closed curve (n, 2) sampled at even distances."""
    closed = np.vstack([curve, curve[:1]])
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    places = np.linspace(0, lengths[-1], max(int(lengths[-1] / spacing), 12), endpoint=False)
    return np.stack([np.interp(places, lengths, closed[:, axis]) for axis in range(2)], axis=1)
