"""From a solid to a watertight triangle mesh, evaluating the field only near its surface."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from spineviz.sdf.solid import Field, Solid
from spineviz.structure import Floats, Surface

STEEPNESS = 1.5
"""The most a field may change per millimetre; true distances change by 1."""

SIZES = (16, 8, 4)
"""Nodes along the edge of the blocks that are tested at their centres one after the other."""

COARSE, FINE = SIZES[0], 2
"""The edge of the coarsest blocks; of every second node, in the last of them, the field is asked first."""

FEW = 64
"""Coarse blocks fewer than this are not tested: asking a field costs something, however few the points."""

NEAR = 1.25
"""Between those nodes it is asked where it is expected to be no farther from zero than so many steps."""

CHUNK = 16_384
"""Points handed to a field at once; keeps its temporaries in the processor's cache."""

CORES = os.cpu_count() or 1
"""Chunks evaluated at a time; numpy works on arrays of this size without holding up other threads."""

NUDGE = 0.01
"""Values closer to zero than this part of a step are moved away, so that no triangle collapses."""

Blocks = npt.NDArray[np.integer]
"""Corner nodes of blocks, shape (n, 3), in grid indices."""


@dataclass(frozen=True)
class Grid:
    """Nodes at whole multiples of ``step`` (mm): ``first`` is the lowest, ``count`` how many, by axis."""

    step: float
    first: tuple[int, int, int]
    count: tuple[int, int, int]

    def points(self, nodes: npt.ArrayLike) -> Floats:
        """Return the positions (mm) of grid indices, shape (..., 3)."""
        result: Floats = (np.asarray(nodes) + np.asarray(self.first)) * self.step
        return result


def mesh(solid: Solid, step: float, mirror: bool = False) -> Surface:
    """Mesh the zero surface of a solid on a grid of ``step`` mm.

    The field is tested at the centres of coarse blocks; in those that the surface may cross it is evaluated
    at every second node, and between them where they tell that it is near zero. All goes into one volume,
    which is meshed once: the result is watertight and its faces point outward. Every edge joins two faces,
    for each face of a cell is crossed in the same way from both of its sides, and no value is zero. The
    field may change by at most 1.5 per millimetre (a true distance by 1).
    With ``mirror`` only x >= 0 is evaluated and reflected: the result is exactly symmetric in x.

    Raises ValueError when the step is not positive, when there is no surface inside the bounds, and
    when the surface touches the bounds.
    """
    if not step > 0.0:
        raise ValueError(f"a mesh needs a positive step in mm, not {step}")
    grid = _grid(solid, step, mirror)
    volume = _volume(solid.field, grid)
    _check(volume, solid, mirror)
    small = np.abs(volume) < NUDGE * step
    volume[small] = np.where(volume[small] < 0.0, -NUDGE * step, NUDGE * step)
    np.clip(volume, -2.0 * step, 2.0 * step, out=volume)
    vertices, faces = _crossed(volume)
    if mirror:
        vertices, faces = _reflected(vertices, faces)
    return Surface(grid.points(vertices.astype(np.float64)), faces)


def _grid(solid: Solid, step: float, mirror: bool) -> Grid:
    """Return the grid that covers the bounds of a solid, from x = 0 on where it is to be mirrored."""
    first = np.floor(solid.lower / step).astype(int)
    last = np.ceil(solid.upper / step).astype(int)
    if mirror:
        if last[0] <= 0:
            raise ValueError(f"a mirrored solid needs an upper bound above x = 0, not {solid.upper[0]}")
        first[0] = 0
    a, b, c = (int(index) for index in first)
    i, j, k = (int(number) for number in last - first + 1)
    return Grid(step, (a, b, c), (i, j, k))


def _evaluate(field: Field, points: Floats) -> Floats:
    """Evaluate a field on points of any shape (..., 3), a chunk at a time, on every core."""
    flat = points.reshape(-1, 3)
    if len(flat) <= CHUNK:
        return np.asarray(field(flat)).reshape(points.shape[:-1])
    chunks = [flat[i : i + CHUNK] for i in range(0, len(flat), CHUNK)]
    with ThreadPoolExecutor(CORES) as pool:
        return np.concatenate(list(pool.map(field, chunks))).reshape(points.shape[:-1])


def _block_corners(lower: Blocks, size: int, parent: int) -> Blocks:
    """Divide blocks of ``parent`` nodes into blocks of ``size`` nodes."""
    return (lower[:, None, :] + _offsets(size, parent)).reshape(-1, 3)


def _offsets(step: int, size: int) -> Blocks:
    """Return every ``step``-th node (n, 3) of a block of ``size`` nodes."""
    steps = np.arange(0, size, step)
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)


def _volume(field: Field, grid: Grid) -> npt.NDArray[np.float32]:
    """Evaluate the field near its surface; elsewhere hold about what it is there."""
    shape = np.ceil(np.asarray(grid.count) / COARSE).astype(int) * COARSE
    volume, known = np.empty(shape, dtype=np.float32), np.zeros(shape, dtype=bool)
    inner = tuple(slice(number) for number in grid.count)
    first, *finer = [size for size in SIZES if np.prod(shape // size) >= FEW] or SIZES[-1:]
    axes = [np.arange(0, n, first) for n in shape]
    corners = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    # Along the longest way what is asked together lies together, and fields leave out what is far from it.
    corners = corners[np.argsort(corners[:, int(np.argmax(shape))], kind="stable")]
    corners = corners[_tested(field, grid, volume, corners, first)]
    for parent, size in pairwise([first, *finer]):
        corners = _block_corners(corners, size, parent)
        corners = corners[_tested(field, grid, volume, corners, size)]
    nodes = _block_corners(corners, FINE, SIZES[-1])
    _ask(field, grid, volume, known, nodes)
    nodes = _between(volume, nodes, NEAR * grid.step)
    while len(nodes):
        _ask(field, grid, volume, known, nodes)
        nodes = _leaks(volume[inner], known[inner])
    return np.ascontiguousarray(volume[inner])


def _tested(
    field: Field, grid: Grid, volume: npt.NDArray[np.float32], corners: Blocks, size: int
) -> npt.NDArray[np.bool_]:
    """Write each block's value at its centre into the volume; tell which blocks may hold surface."""
    half = (size - 1) / 2.0
    values = _evaluate(field, grid.points(corners + half)).astype(np.float32)
    _blocked(volume, size)[tuple((corners // size).T)] = values[:, None, None, None]
    near: npt.NDArray[np.bool_] = np.abs(values) <= STEEPNESS * half * np.sqrt(3.0) * grid.step
    return near


def _ask(
    field: Field, grid: Grid, volume: npt.NDArray[np.float32], known: npt.NDArray[np.bool_], nodes: Blocks
) -> None:
    """Evaluate those of some nodes that belong to the grid into the volume, and mark them as known."""
    nodes = nodes[(nodes < grid.count).all(axis=1)]
    index = tuple(nodes.T)
    volume[index] = _evaluate(field, grid.points(nodes))
    known[index] = True


def _between(volume: npt.NDArray[np.float32], nodes: Blocks, near: float) -> Blocks:
    """Write into the volume what is expected between every second node; tell where that is near zero.

    ``nodes`` (n, 3) are those of every second one behind which, on each axis, it is interpolated linearly.
    """
    second = volume[::FINE, ::FINE, ::FINE]
    beside = np.minimum(nodes[:, None] // FINE + _offsets(1, 2), np.array(second.shape) - 1)
    share = _offsets(1, FINE) / FINE
    weights = np.where(_offsets(1, 2)[:, None] == 1, share, 1.0 - share).prod(axis=2, dtype=np.float32)
    expected = second[tuple(np.moveaxis(beside, 2, 0))] @ weights
    blocks = _blocked(volume, FINE)
    blocks[tuple((nodes // FINE).T)] = expected.reshape(-1, FINE, FINE, FINE)
    wanted = np.abs(expected) <= near
    wanted[:, 0] = False  # the node itself
    row, place = np.nonzero(wanted)
    return np.asarray(nodes[row] + _offsets(1, FINE)[place])


def _blocked(volume: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """View a volume as blocks: shape (blocks x, y, z, size, size, size)."""
    a, b, c = (n // size for n in volume.shape)
    return volume.reshape(a, size, b, size, c, size).transpose(0, 2, 4, 1, 3, 5)


def _leaks(volume: npt.NDArray[np.float32], known: npt.NDArray[np.bool_]) -> Blocks:
    """Find nodes not yet evaluated whose sign differs from a neighbour's."""
    inside = volume < 0.0
    box = tuple(_span(inside, axis) for axis in range(3))  # beyond it no sign differs
    part = inside[box]
    wanted = np.zeros_like(part)
    for axis in range(3):
        here, target = np.moveaxis(part, axis, 0), np.moveaxis(wanted, axis, 0)
        crossed = here[:-1] != here[1:]
        target[:-1] |= crossed
        target[1:] |= crossed
    return np.argwhere(wanted & ~known[box]) + [span.start for span in box]


def _span(inside: npt.NDArray[np.bool_], axis: int) -> slice:
    """Return the nodes along an axis from before the first with any inside to after the last."""
    others = tuple(other for other in range(3) if other != axis)
    rows = np.flatnonzero(inside.any(axis=others))
    if not len(rows):
        return slice(0, 0)
    return slice(max(int(rows[0]) - 1, 0), min(int(rows[-1]) + 2, inside.shape[axis]))


def _check(volume: npt.NDArray[np.float32], solid: Solid, mirror: bool) -> None:
    """Refuse a volume without inside or whose inside reaches its faces."""
    inside = volume < 0.0
    bounds = f"between {solid.lower.tolist()} and {solid.upper.tolist()} mm"
    if not inside.any():
        raise ValueError(f"the solid is empty {bounds}: move the bounds or use a smaller step")
    for axis, name in enumerate("xyz"):
        slices = np.moveaxis(inside, axis, 0)
        if slices[-1].any():
            raise ValueError(f"the surface touches the upper {name} bound {bounds}: widen the bounds")
        if slices[0].any() and not (mirror and axis == 0):
            raise ValueError(f"the surface touches the lower {name} bound {bounds}: widen the bounds")


def _crossed(volume: npt.NDArray[np.float32]) -> tuple[Floats, npt.NDArray[np.int32]]:
    """Return the zero surface of a volume: vertices (n, 3) in grid indices, and faces (m, 3)."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

    image = vtkImageData()  # its first axis runs fastest, ours slowest: it sees x and z exchanged
    image.SetDimensions(*volume.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(volume.ravel()))
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, 0.0)
    edges.ComputeNormalsOff()
    edges.ComputeScalarsOff()
    edges.Update()
    found = edges.GetOutput()
    vertices = vtk_to_numpy(found.GetPoints().GetData())[:, ::-1]
    faces = vtk_to_numpy(found.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    return vertices, faces.astype(np.int32)


def _reflected(vertices: Floats, faces: npt.NDArray[np.int32]) -> tuple[Floats, npt.NDArray[np.int32]]:
    """Complete the half mesh at x >= 0 by its mirror image; vertices at x = 0 are shared."""
    moved = vertices[:, 0] > 0.0
    twin = np.arange(len(vertices), dtype=np.int32)
    twin[moved] = len(vertices) + np.arange(np.count_nonzero(moved), dtype=np.int32)
    image = vertices[moved] * np.array([-1.0, 1.0, 1.0], dtype=vertices.dtype)
    return np.vstack([vertices, image]), np.vstack([faces, twin[faces][:, ::-1]])
