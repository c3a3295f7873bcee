"""How strands share a narrow sac among them: in every slice each has a cell, and its cell its area.

A slice is divided by the power diagram of the strands' places, whose weights are found so that each cell has
the area that its strand needs; places move to the middles of their cells. Cells do not overlap, and leave
nothing over where the strands fill the sac. The narrowest slice is shared out first, the others after its
example: so a strand runs on from slice to slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from spineviz import measures
from spineviz.structure import Floats

Mask = npt.NDArray[np.bool_]

ROUGH = 24
"""In so many directions cells are felt while they are sought."""

HALVINGS = 9

SETTLING = 6
"""So often the areas of cells are set right when the places stand."""

TAKING, GREATEST = 3, 3.0
"""What others have no room for strands take so many times, up to so many times their areas."""

MOST = 0.3
"""A weight changes by no more than this share of a cell's area at a time."""

GRAINS, FULL = 0.65, 0.9
"""Strands that take less of the narrowest slice than the first lie in fluid; from the second on, in none."""

EVEN, FAR = 0.6, 2.0
"""So much places are evened out over so many slices (one sigma) each time."""

FLAT = 0.4
"""A border that is met more flatly than this (the cosine) is taken to be met so."""


@dataclass(frozen=True, eq=False)
class Slices:
    """Strands (m) in slices (n) of a sac, all places from its middle, mm.

    ``places`` (m, n, 2) and ``radii`` (m, n) of round strands, 0 where there is none; ``wanted`` (m, n) the
    area, mm², that each shall have. ``free`` (m, n) is 0 where a strand stays in its place and 1 where it
    may move. ``borders`` (m, n, k) is how far each may reach in k even directions from the sac's middle.
    ``images`` (m,) is the row of each strand's mirror image, its own where there is none.
    """

    places: Floats
    radii: Floats
    wanted: Floats
    free: Floats
    borders: Floats
    images: npt.NDArray[np.intp] | None

    @property
    def here(self) -> Mask:
        """Where a strand is, (m, n)."""
        return np.asarray(self.radii > 0.0)

    def only(self, row: int) -> Slices:
        """Return one of the slices alone."""
        return replace(
            self,
            **{
                name: getattr(self, name)[:, [row]]
                for name in ("places", "radii", "wanted", "free", "borders")
            },
        )


def packed(slices: Slices, pull: Floats, count: int) -> tuple[Floats, Floats]:
    """Return where strands come to lie (m, n, 2), and how far (m, n, count) each reaches around it, mm.

    ``pull`` (m, n) is how much a strand moves to the middle of its cell: 1 where strands lie evenly.
    """
    shape = measures.table("stenosis.rootlets")
    weight: Floats = np.where(
        slices.here, np.minimum(slices.radii, np.maximum(np.sqrt(slices.wanted / np.pi), 0.3)) ** 2, 0.0
    )
    amid = int(pull.sum(axis=0).argmax())
    one = slices.only(amid)
    taken = float((one.wanted * one.here * one.free).sum()) / float(_areas(one.borders).min())
    full = float(np.clip((taken - GRAINS) / (FULL - GRAINS), 0.0, 1.0))
    first = _relaxed(one, pull[:, [amid]], one.places, weight[:, [amid]], int(shape["rounds"]), 0.0, full)
    share = pull / max(float(pull[:, amid].max()), 1e-6)
    places: Floats = slices.places + share[..., None] * (first[0] - one.places)
    weight = weight + share * (first[1] - weight[:, [amid]])
    places, weight = _relaxed(slices, pull, places, weight, int(shape["after"]), EVEN, full)
    ahead = _to_border(places, slices.borders, ways(ROUGH))
    for _ in range(SETTLING):
        _, weight = _balanced(slices, places, weight, ahead, full)
    ahead = _to_border(places, slices.borders, ways(count))
    for _ in range(2):
        ahead = _nearer(ahead, places, slices.borders, ways(count))
    reach = _shared(slices, places, weight, ahead)[0]
    return places, _filling(reach, slices, shape["gap"])


def _relaxed(
    slices: Slices, pull: Floats, places: Floats, weight: Floats, rounds: int, even: float, full: float
) -> tuple[Floats, Floats]:
    """Return places (m, n, 2) that have moved to the middles of their cells, and the weights (m, n) of these.

    ``even`` is how much (0..1) they are evened out from slice to slice each time, ``full`` whether the
    narrowest of all slices is (0..1).
    """
    shape = measures.table("stenosis.rootlets")
    radii = np.minimum(slices.radii, np.sqrt(slices.wanted / np.pi))
    ahead = _to_border(places, slices.borders, ways(ROUGH))
    for _ in range(rounds):
        reach, weight = _balanced(slices, places, weight, ahead, full)
        goal = places + _off_middle(reach)
        moved: Floats = places + (0.6 * pull * slices.free)[..., None] * (goal - places)
        moved = _apart(moved, slices, radii * (1.0 - 0.5 * pull), shape["gap"])
        moved = _inside(moved, slices, 0.6 * radii, shape["wall"])
        places = _mirrored(_even(moved, slices.free, even), slices.images)
        ahead = _nearer(ahead, places, slices.borders, ways(ROUGH))
    return places, weight


def _filling(reach: Floats, slices: Slices, gap: float) -> Floats:
    """Return reaches (m, n, k) of strands that have their wanted areas together, in every slice.

    Where a strand's cell is too small for it, those that have room in theirs take it, as they need it.
    """
    whole = (slices.wanted * slices.here).sum(axis=0)
    more = np.where(whole < (_areas(reach) * slices.here).sum(axis=0), 1.0, GREATEST)
    result = _capped(reach, slices.wanted, gap)
    for _ in range(TAKING):
        found = (_areas(result) * slices.here).sum(axis=0)
        more = np.minimum(more * np.clip(whole / np.maximum(found, 1e-6), 1.0, 2.0), GREATEST)
        factor = 1.0 + (more - 1.0) * slices.free
        result = _capped(reach, slices.wanted * factor, gap)
    return result


def _balanced(
    slices: Slices, places: Floats, weight: Floats, borders: Floats, full: float
) -> tuple[Floats, Floats]:
    """Return the cells' reaches (m, n, count), and weights (m, n) with which their areas are nearer to the
    wanted ones: a step of Newton's method.

    A border between two cells moves outwards by half of what the weight gains, through the way between their
    places. What fluid there is each strand has as much of about it as any other; where the narrowest slice is
    ``full`` (1), in proportion to its own area.
    """
    reach, by = _shared(slices, places, weight, borders)
    own = slices.here * slices.free
    area = _areas(reach)
    room, needed = (area * own).sum(axis=0), (slices.wanted * own).sum(axis=0)
    fluid = np.maximum(room - needed, 0.0) / np.maximum(own.sum(axis=0), 1e-6)
    alike = slices.wanted * np.minimum(room / np.maximum(needed, 1e-6), 1.0) + fluid
    target = alike + full * (slices.wanted * (room / np.maximum(needed, 1e-6)) - alike)
    count, size = borders.shape[-1], len(places)
    offset = places[None] - places[:, None]
    beside = np.zeros((places.shape[1], size, size))
    for other in range(size):
        ahead = np.maximum(offset[:, other] @ ways(count).T, 0.05)
        share = np.where(by == other, reach / (2.0 * ahead), 0.0).sum(axis=-1) * (2 * np.pi / count)
        beside[:, :, other] = share.T
    beside = (beside + beside.transpose(0, 2, 1)) / 2.0
    rates = -beside
    rates[:, np.arange(size), np.arange(size)] = beside.sum(axis=2) + 0.1
    most = MOST * (slices.wanted + 0.2)
    lack = np.where(own > 0.0, target - area, 0.0).T[..., None]
    step = np.linalg.solve(rates, lack)[..., 0].T
    weight = weight + own * np.clip(step, -most, most)
    return reach, weight if slices.images is None else (weight + weight[slices.images]) / 2.0


def _capped(reach: Floats, wanted: Floats, gap: float) -> Floats:
    """Return reaches (m, n, k) of strands of the areas wanted, as round as their cells let them be."""
    cells = np.maximum(reach - gap / 2.0, 0.05)
    low, high = np.zeros(wanted.shape), np.full(wanted.shape, 12.0)
    for _ in range(14):
        middle = (low + high) / 2.0
        less = _areas(np.minimum(middle[..., None], cells)) < wanted
        low, high = np.where(less, middle, low), np.where(less, high, middle)
    return np.minimum(high[..., None], cells)


def ways(count: int) -> Floats:
    """Return unit vectors (count, 2) in even directions, from x on."""
    turn = np.arange(count) * 2 * np.pi / count
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)


def _shared(
    slices: Slices, places: Floats, weight: Floats, borders: Floats
) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Return how far (m, n, count) each strand's cell reaches in every direction from its place, mm, and
    which strand stands there: -1 where the border does.

    ``borders`` (m, n, count) is how far it is to the borders.
    """
    along, result = ways(borders.shape[-1]), borders.copy()
    by = np.full(borders.shape, -1, dtype=np.intp)
    offset = places[None] - places[:, None]
    square = (offset**2).sum(axis=-1)
    power = np.clip((square + weight[:, None] - weight[None]) / 2.0, 0.1 * square, 0.9 * square)
    near = slices.here[None] & slices.here[:, None] & (square > 1e-6)
    for other in range(len(places)):
        ahead = offset[:, other] @ along.T
        free = near[:, other, :, None] & (ahead > 1e-6)
        bound = np.where(free, power[:, other, :, None] / np.maximum(ahead, 1e-6), np.inf)
        nearer = bound < result
        np.copyto(result, bound, where=nearer)
        np.copyto(by, other, where=nearer)
    return np.asarray(np.where(slices.here[..., None], result, 0.0)), by


def _to_border(places: Floats, borders: Floats, along: Floats) -> Floats:
    """Return how far (m, n, k) it is from places to the borders in every direction: by halving."""
    low = np.zeros((*places.shape[:2], len(along)))
    high = np.full_like(low, 2.0 * float(borders.max()))
    for _ in range(HALVINGS):
        amount = (low + high) / 2
        there = places[:, :, None] + amount[..., None] * along
        inside = np.hypot(there[..., 0], there[..., 1]) < toward(borders, there)
        low, high = np.where(inside, amount, low), np.where(inside, high, amount)
    return low


def _nearer(amount: Floats, places: Floats, borders: Floats, along: Floats) -> Floats:
    """Return how far (m, n, k) it is to the borders, from about so far (mm) as places have moved little."""
    there = places[:, :, None] + amount[..., None] * along
    far = np.hypot(there[..., 0], there[..., 1])
    slope = (there * along).sum(axis=-1) / np.maximum(far, 1e-6)
    better = amount + (toward(borders, there) - far) / np.maximum(slope, FLAT)
    return np.asarray(np.clip(better, 0.0, 2.0 * float(borders.max())))


def toward(table: Floats, places: Floats) -> Floats:
    """Return the values (m, n, ...) of tables (m, n, k) in the directions of places (m, n, ..., 2)."""
    count = table.shape[-1]
    turn = (np.arctan2(places[..., 1], places[..., 0]) / (2 * np.pi) * count) % count
    first = turn.astype(np.intp) % count
    share = turn - np.floor(turn)
    flat = table.reshape(-1, count)
    rows = np.arange(len(flat)).reshape(table.shape[:-1] + (1,) * (turn.ndim - table.ndim + 1))
    return np.asarray((1 - share) * flat[rows, first] + share * flat[rows, (first + 1) % count])


def _areas(reach: Floats) -> Floats:
    """Return the areas (m, n) of cells, mm²."""
    turn = 2 * np.pi / reach.shape[-1]
    return np.asarray(0.5 * np.sin(turn) * (reach * np.roll(reach, -1, axis=-1)).sum(axis=-1))


def _off_middle(reach: Floats) -> Floats:
    """Return how far (m, n, 2) the middles of cells lie from their places."""
    area = np.maximum((reach**2).sum(axis=-1), 1e-6)
    shift = (reach**3) @ ways(reach.shape[-1]) * (2.0 / 3.0)
    return np.asarray(shift / area[..., None])


def _apart(places: Floats, slices: Slices, radii: Floats, gap: float) -> Floats:
    """Push strands that overlap apart: the freer of two gives way more."""
    offset = places[:, None] - places[None]
    length = np.maximum(np.hypot(offset[..., 0], offset[..., 1]), 1e-6)
    both = slices.here[:, None] & slices.here[None] & ~np.eye(len(radii), dtype=bool)[..., None]
    lack = np.where(both, np.maximum(radii[:, None] + radii[None] + gap - length, 0.0), 0.0)
    own = slices.free[:, None] / np.maximum(slices.free[:, None] + slices.free[None], 1e-6)
    return np.asarray(places + 0.8 * ((own * lack / length)[..., None] * offset).sum(axis=1))


def _inside(places: Floats, slices: Slices, radii: Floats, wall: float) -> Floats:
    """Push strands within their borders."""
    length = np.maximum(np.hypot(places[..., 0], places[..., 1]), 1e-6)
    most = np.maximum(toward(slices.borders, places) - radii - wall, 0.1)
    share = 1.0 + slices.free * (np.minimum(1.0, most / length) - 1.0)
    return places * share[..., None]


def _even(places: Floats, free: Floats, share: float) -> Floats:
    """Return places evened out from slice to slice where strands are free."""
    smooth = ndimage.gaussian_filter1d(places, FAR, axis=1, mode="nearest")
    return np.asarray(places + share * free[..., None] * (smooth - places))


def _mirrored(places: Floats, images: npt.NDArray[np.intp] | None) -> Floats:
    """Return places of which those of the left are the mirror images of those of the right."""
    if images is None:
        return places
    other = places[images] * np.array([-1.0, 1.0])
    return np.asarray((places + other) / 2.0)


def images_of(names: Sequence[str], places: Floats, near: float) -> npt.NDArray[np.intp] | None:
    """Return the row of each strand's mirror image; None where places (m, n, 2) are none, to ``near``."""
    swap = {"left": "right", "right": "left"}
    rows = {name: row for row, name in enumerate(names)}
    stems = (name.rpartition(".") for name in names)
    other = [f"{stem}.{swap[side]}" if side in swap else f"{stem}{dot}{side}" for stem, dot, side in stems]
    if not all(name in rows for name in other):
        return None
    images = np.array([rows[name] for name in other], dtype=np.intp)
    off = np.abs(places - places[images] * np.array([-1.0, 1.0]))
    return images if float(off.max(initial=0.0)) < near else None
