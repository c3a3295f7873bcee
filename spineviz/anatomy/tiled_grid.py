"""A distance on a grid that is sampled tile by tile, where it is asked for: most of a bone never is."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from threading import Lock

import numpy as np
import numpy.typing as npt

from spineviz.geometry import CHUNK, DistanceGrid, crucial, halved, interpolated
from spineviz.sdf.mesher import CORES
from spineviz.structure import Floats, Points, frozen

TILE = 16
"""Steps along the edge of a tile."""

Distance = Callable[[Points], Floats]
Nodes = npt.NDArray[np.integer]


class TiledGrid(DistanceGrid):
    """The grid that `sample_distance` returns, with the same values; a tile is sampled when it is asked.

    ``instead`` tells the distance after the grid was kept in a file, where no tile had been asked before:
    fields of solids cannot be kept.
    """

    def __init__(
        self, distance: Distance, lower: Floats, upper: Floats, step: float, mirror: bool, instead: Distance
    ) -> None:
        """Take a distance, the box (mm) and the step as `sample_distance` does; nothing is asked yet."""
        lower, upper = np.array(lower, dtype=np.float64), np.array(upper, dtype=np.float64)
        if mirror:
            lower[0], upper[0] = -4.0 * step, max(-lower[0], upper[0])
        count = np.ceil((upper - lower) / step).astype(int) + 1
        first = lower - mirror * np.array([step * (count[0] - 5) - 4.0 * step, 0.0, 0.0])
        own = {"distance": distance, "start": lower, "size": count, "mirror": mirror, "instead": instead}
        for name, value in {**own, "lower": frozen(first, np.float64), "step": step, "lock": Lock()}.items():
            object.__setattr__(self, f"_{name}" if name in own or name == "lock" else name, value)

    def __call__(self, points: Points) -> Floats:
        """Return the distance (n,) in mm at points (n, 3), by trilinear interpolation."""
        places = np.array(np.asarray(points, dtype=np.float64).T, order="C")
        if self._mirror:
            np.abs(places[0], out=places[0])
        index = (places - self._start[:, None]) / self.step
        limit = self._size - 1.0
        inside = np.minimum(np.maximum(index, 0.0), limit[:, None])
        tiles = self._tiles
        tiles.require((inside / TILE).astype(np.intp), self._lock)
        return interpolated(tiles.values, index, limit, self.step)

    def within(self, points: Points, most: float) -> Floats:
        """Return the same distance, but ``most`` (mm) where it is more."""
        return np.minimum(self(points), most)

    @property
    def count(self) -> tuple[int, int, int]:
        """How many nodes there are along each axis."""
        nx, ny, nz = (int(number) for number in self._size)
        return (2 * (nx - 4) - 1 if self._mirror else nx), ny, nz

    @property
    def values(self) -> Floats:
        """All values (nx, ny, nz) float32, mm; every tile is sampled for them."""
        everywhere = np.indices(self._tiles.known.shape).reshape(3, -1)
        self._tiles.require(everywhere, self._lock)
        nx, ny, nz = self._size
        values = self._tiles.values[:nx, :ny, :nz]
        return np.concatenate([values[:4:-1], values[4:]]) if self._mirror else values

    @cached_property
    def _tiles(self) -> Tiles:
        with self._lock:
            return self.__dict__.get("_tiles") or coarse(self._distance, self._start, self._size, self.step)

    def __getstate__(self) -> dict[str, object]:
        """Keep what has been sampled, and what tells the distance elsewhere."""
        state = {name: value for name, value in self.__dict__.items() if name not in ("_lock", "_distance")}
        if "_tiles" in state:
            state["_tiles"] = self._tiles.told_by(self._instead)
        return state

    def __setstate__(self, state: dict[str, object]) -> None:
        """Take up what was kept."""
        self.__dict__.update(state, _lock=Lock(), _distance=state["_instead"])

    _distance: Distance
    _instead: Distance
    _start: Floats
    _size: npt.NDArray[np.integer]
    _mirror: bool
    _lock: Lock


@dataclass(eq=False)
class Tiles:
    """The nodes of a grid: ``middle`` at every second step, ``values`` at every step; mm.

    ``open`` marks the middle nodes that are to be asked once their tile is, ``known`` the sampled tiles and
    ``done`` the nodes that have their values.
    """

    distance: Distance
    start: Floats
    step: float
    middle: Floats
    open: npt.NDArray[np.bool_]
    values: Floats
    done: npt.NDArray[np.bool_]
    known: npt.NDArray[np.bool_]

    def require(self, tiles: Nodes, lock: Lock) -> None:
        """Sample those of some tiles (3, n), given by their places in the row, that are not known."""
        x, y, z = (np.minimum(row, count - 1) for row, count in zip(tiles, self.known.shape, strict=True))
        flat = (x * self.known.shape[1] + y) * self.known.shape[2] + z
        if self.known.ravel()[flat].all():
            return
        with lock:
            missing = np.unique(flat[~self.known.ravel()[flat]])
            if len(missing):
                self._sample(np.stack(np.unravel_index(missing, self.known.shape), axis=1))

    def told_by(self, distance: Distance) -> Tiles:
        """Return the same nodes, of which those not sampled yet will be told by another distance."""
        return Tiles(**{**self.__dict__, "distance": distance})

    def _sample(self, tiles: Nodes) -> None:
        """Sample some tiles: every second node of them and just around them, then every node of them."""
        half = TILE // 2
        low = np.maximum(tiles.min(axis=0) * half - 2, 0)
        high = np.minimum((tiles.max(axis=0) + 1) * half + 3, self.middle.shape)
        window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        near, own = np.zeros(high - low, dtype=bool), np.zeros(2 * (high - low) - 1, dtype=bool)
        for tile in tiles:
            near[_block(half * tile - 2 - low, half + 5)] = True
            own[_block(TILE * tile - 2 * low, TILE + 1)] = True
        self._ask(self.middle, window, near & self.open[window], 2)
        self.open[window] &= ~near
        middle = self.middle[window]
        wanted = halved(crucial(middle, 2 * self.step).astype(np.float32)) > 0.0
        wanted[::2, ::2, ::2] = False
        fine = tuple(slice(2 * a, 2 * b - 1) for a, b in zip(low, high, strict=True))
        fresh = own & ~self.done[fine]
        self.values[fine][fresh] = halved(middle)[fresh]
        self._ask(self.values, fine, fresh & wanted, 1)
        self.done[fine] |= own
        self.known[tuple(tiles.T)] = True

    def _ask(
        self, values: Floats, window: tuple[slice, ...], wanted: npt.NDArray[np.bool_], stride: int
    ) -> None:
        """Write the distance at the nodes of a window that are wanted."""
        nodes = np.argwhere(wanted) + [part.start for part in window]
        values[tuple(nodes.T)] = told(self.distance, self.start + stride * self.step * nodes)


def coarse(distance: Distance, start: Floats, count: Nodes, step: float) -> Tiles:
    """Return the nodes of a grid of which every fourth is sampled."""
    cells = -(-(count - 1) // 4)
    nodes = np.indices(tuple((cells + 1).tolist())).reshape(3, -1).T
    first = told(distance, start + 4 * step * nodes).reshape(cells + 1)
    wanted = halved(crucial(first, 4 * step).astype(np.float32)) > 0.0
    wanted[::2, ::2, ::2] = False
    middle = halved(first)
    tiles = np.maximum(-(-4 * cells // TILE), 1)
    done = np.zeros(4 * cells + 1, dtype=bool)
    return Tiles(distance, start, step, middle, wanted, halved(middle), done, np.zeros(tiles, dtype=bool))


def told(distance: Distance, points: Points) -> Floats:
    """Return a distance (n,) at points (n, 3), a chunk at a time and on every core."""
    if len(points) <= CHUNK:
        parts = [distance(points)] if len(points) else []
    else:
        chunks = [points[i : i + CHUNK] for i in range(0, len(points), CHUNK)]
        with ThreadPoolExecutor(CORES) as pool:
            parts = list(pool.map(distance, chunks))
    return np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, dtype=np.float32)


def _block(low: Nodes, size: int) -> tuple[slice, ...]:
    """Return the slices of a block of a window that may begin before it."""
    return tuple(slice(max(int(a), 0), max(int(a) + size, 0)) for a in low)
