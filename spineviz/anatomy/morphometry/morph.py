"""Moves a vertebra's shape parameters until its measures are the wanted ones.

Each measure has a handle (`morphometry.handles`): a few moves of parameters that change it, with what is
attached. A few damped Newton steps on the measured values find how far each handle goes, so that the wanted
measures become true and the others stay. `prepare` finds, once for a vertebra, how its measures follow its
handles; each change then takes a few measurements.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np

from spineviz.anatomy import vertebra
from spineviz.anatomy.morphometry.calipers import MEASURES, Taken, taken, taken_where_possible, unit
from spineviz.anatomy.morphometry.handles import VERTEBRA
from spineviz.anatomy.morphometry.moves import Move, Shape, both_sides, flat, rebuilt
from spineviz.anatomy.morphometry.population import allowed, unmeasured
from spineviz.sdf.solid import Field
from spineviz.spec import Spec
from spineviz.structure import Floats, Frame

P = TypeVar("P", bound=Spec)

TOLERANCE = {"mm": 0.5, "degrees": 2.0}
"""A wanted measure counts as reached this close to it."""

CLOSE = 0.4
"""Steps go on until every wanted measure is within this part of what counts as reached, and the others, which
count less by `HELD`, within its double."""

STEPS = 6
"""The most Newton steps."""

STAGES = (0.4, 0.7, 1.0)
"""A far way, where steps along the first slopes did not arrive, is gone in stages with fresh slopes."""

LONGEST = 20.0
"""The farthest that a handle goes in one step (mm or degrees)."""

DAMPING = 0.1
"""How dearly a handle's way is paid for beside a measure's error, so that no handle runs away."""

HELD = 0.5
"""How much a measure that stays counts beside a wanted one."""

WIDTHS = ("across", "along", "half_width", "half_depth", "half_thickness", "half_height", "bulb_thickness")
THINNEST = 0.8
"""Names of half-widths; none is made smaller than this (mm)."""

HEIGHTS = ("body_height_anterior", "body_height_posterior")


@dataclass(frozen=True)
class Kind(Generic[P]):
    """How one kind of vertebra is morphed: its field, its landmarks and the handles of its measures."""

    field: Callable[[P], Field]
    landmarks: Callable[[P], Mapping[str, Frame]]
    handles: Mapping[str, tuple[Move, ...]]


VERTEBRAE = Kind(vertebra.field, vertebra.landmarks, VERTEBRA)
"""Thoracic and lumbar vertebrae."""


@dataclass(frozen=True, eq=False)
class Near(Generic[P]):
    """What a morph arrived at: ``parameters``, their ``measures``, and the ``landmarks`` in the bone's frame.

    The landmarks were carried along with the parts; they lie within a few mm of where they would be found.
    """

    parameters: P
    landmarks: Mapping[str, Frame]
    measures: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Morph(Generic[P]):
    """A vertebra ready to be morphed.

    ``names`` are the measures with a handle, ``now`` what is measured, ``slopes`` (n, n) how each measure
    (row) changes with a unit of each handle (column), ``midline`` the landmarks that have no other side.
    """

    level: str
    kind: Kind[P]
    parameters: P
    shape: Shape
    now: Taken
    names: tuple[str, ...]
    midline: Collection[str]
    slopes: Floats

    def to_measures(self, wanted: Mapping[str, float]) -> P:
        """Return the parameters with the wanted measures, the others staying; see `to_measures`."""
        near = self.near(wanted)
        for name, value in wanted.items():
            found = near.measures[name]
            if abs(found - value) > TOLERANCE[unit(name)]:
                low, high = allowed(self.level, name)
                raise ValueError(
                    f"{self.level}: {name} of {value:g} {unit(name)} cannot be had together with the other "
                    f"measures, only {found:.1f}; alone the allowed range is {low:g} to {high:g} {unit(name)}"
                )
        return near.parameters

    def near(self, wanted: Mapping[str, float]) -> Near[P]:
        """Return the parameters whose measures come nearest to the wanted ones, the others staying.

        Raises ValueError for a measure without a handle and for a value that no human vertebra has.
        """
        for name, value in wanted.items():
            self._check(name, value)
        aimed = _aim(self.now.values, wanted, self.level)
        aim = {**self.now.values, **aimed}
        target = np.array([aim[name] for name in self.names])
        weights = np.array([self._weight(name, aimed) for name in self.names])
        factor = self._size(target)
        others = [unit(name) == "mm" and name not in aimed for name in self.names]
        target = np.where(others, factor * target, target)
        base = self.shape.scaled(factor) if factor != 1.0 else self.shape
        ways: Floats = np.zeros(len(target))
        now = self.now if base is self.shape else self._taken(base, self.now)
        found = self._solved(base, ways, now, self.slopes, target, weights)
        if not self._has_arrived(found[2], aimed):
            start = self._vector(now)
            for share in STAGES:
                slopes = self._slopes(base, ways, now)
                near = start + share * (target - start)
                ways, shape, now = self._solved(base, ways, now, slopes, near, weights)
            found = min(found, (ways, shape, now), key=lambda one: self._error(one[2], target, weights))
        _, shape, now = found
        return Near(rebuilt(self.parameters, shape.values), both_sides(shape.marks, self.midline), now.values)

    def _solved(
        self, base: Shape, ways: Floats, now: Taken, slopes: Floats, target: Floats, weights: Floats
    ) -> tuple[Floats, Shape, Taken]:
        """Go on from some ways of the handles by Newton steps, each no worse than the last."""
        shape, price = self._pulled(base, ways), DAMPING
        for _ in range(STEPS):
            if self._is_close(now, target, weights):
                break
            missing = target - self._vector(now)
            step = _damped(slopes, missing, weights, price)
            tried = self._pulled(base, ways + step)
            try:
                found = self._taken(tried, now)
            except ValueError:  # a step too far, where no caliper finds its bone
                price *= 4.0
                continue
            change = self._vector(found) - self._vector(now)
            slopes = slopes + np.outer(change - slopes @ step, step) / (step @ step)
            if self._error(found, target, weights) < self._error(now, target, weights):
                ways, shape, now, price = ways + step, tried, found, max(price / 2.0, DAMPING / 2.0)
            else:
                price *= 4.0
        return ways, shape, now

    def _size(self, target: Floats) -> float:
        """Return by how much most lengths are to change, where most are to change alike, otherwise 1."""
        lengths = np.array([unit(name) == "mm" for name in self.names])
        factor = float(np.median(target[lengths] / self._vector(self.now)[lengths]))
        return factor if abs(factor - 1.0) > 0.005 else 1.0

    def _slopes(self, base: Shape, ways: Floats, now: Taken) -> Floats:
        """Return how each measure (row) changes with a unit of each handle (column)."""
        here = self._taken(self._pulled(base, ways), now)
        around = [self._taken(self._pulled(base, ways + one), here) for one in np.eye(len(ways))]
        return np.stack([self._vector(moved) - self._vector(here) for moved in around], axis=1)

    def _pulled(self, shape: Shape, ways: Floats) -> Shape:
        """Return a shape with its handles moved by some ways, one after the other."""
        for name, way in zip(self.names, ways, strict=True):
            for move in self.kind.handles[name] if way else ():
                shape = move(shape, float(way))
        return shape

    def _weight(self, name: str, aimed: Collection[str]) -> float:
        """Return how much a measure's error counts; those that stay count less."""
        return (1.0 if name in aimed else HELD) / TOLERANCE[unit(name)]

    def _has_arrived(self, now: Taken, aimed: Mapping[str, float]) -> bool:
        """Tell whether all wanted measures count as reached."""
        return all(abs(now.values[name] - value) < TOLERANCE[unit(name)] for name, value in aimed.items())

    def _error(self, now: Taken, target: Floats, weights: Floats) -> float:
        return float(np.linalg.norm((target - self._vector(now)) * weights))

    def _is_close(self, now: Taken, target: Floats, weights: Floats) -> bool:
        return bool((np.abs(target - self._vector(now)) * weights < CLOSE).all())

    def _vector(self, measures: Taken) -> Floats:
        return np.array([measures.values[name] for name in self.names])

    def _taken(self, shape: Shape, before: Taken) -> Taken:
        """Measure a moved shape."""
        thin = [
            path
            for path, value in shape.values.items()
            if path.rpartition(".")[2] in WIDTHS
            and value.min() < min(THINNEST, self.shape.values[path].min())
        ]
        if thin:
            raise ValueError(f"{self.level}: the wanted measures leave nothing of {', '.join(thin)}")
        try:
            bone = self.kind.field(rebuilt(self.parameters, shape.values))
            marks = both_sides(shape.marks, self.midline)
            return taken(bone, marks, self.now.values, sides=("right",), before=before)
        except ValueError as error:
            raise ValueError(f"{self.level}: the wanted measures make no vertebra: {error}") from error

    def _check(self, name: str, value: float) -> None:
        """Raise ValueError for a measure without a handle, and for a value that no human vertebra has."""
        if name not in self.names and name != "wedge":
            raise ValueError(f"{self.level}: '{name}' cannot be changed; choose of: {', '.join(self.names)}")
        low, high = allowed(self.level, name)
        if not low <= value <= high:
            raise ValueError(
                f"{self.level}: {name} of {value:g} {unit(name)} is not human; "
                f"the allowed range is {low:g} to {high:g} {unit(name)}"
            )


def prepare(
    parameters: P, level: str, kind: Kind[Any] = VERTEBRAE, known: Mapping[str, Frame] | None = None
) -> Morph[P]:
    """Return a vertebra ready to be morphed.

    ``known`` are the bone's landmarks in its own frame, where the caller has them: they take long to find.
    Measures that no caliper takes on this bone follow as they may, and cannot be asked for.
    """
    marks = kind.landmarks(parameters) if known is None else known
    one_side = {
        name.removesuffix(".right"): mark for name, mark in marks.items() if not name.endswith(".left")
    }
    shape = Shape(flat(parameters.model_dump()), one_side)
    asked = set(MEASURES) - unmeasured(level)
    cold = taken_where_possible(kind.field(parameters), marks, asked, sides=("right",))
    names = tuple(name for name in kind.handles if name in cold.values)
    midline = [name for name in one_side if name in marks]
    blank: Morph[P] = Morph(level, kind, parameters, shape, cold, names, midline, np.eye(len(names)))
    return replace(blank, slopes=blank._slopes(shape, np.zeros(len(names)), cold))


def to_measures(
    parameters: P,
    wanted: Mapping[str, float],
    level: str,
    kind: Kind[Any] = VERTEBRAE,
    known: Mapping[str, Frame] | None = None,
) -> P:
    """Return the parameters moved so that the bone has the wanted measures, the others staying.

    ``wanted`` names measures of `morphometry.calipers.MEASURES`, mm and degrees; they are met within
    0.5 mm and 2 degrees. A wedge moves the two heights of the body. To change a vertebra again and again,
    keep what `prepare` returns.

    Raises ValueError, naming level, measure, value, unit and the allowed range, for a value that no human
    vertebra has, and where the wanted measures cannot be had together.
    """
    return prepare(parameters, level, kind, known).to_measures(wanted)


def _aim(now: Mapping[str, float], wanted: Mapping[str, float], level: str) -> dict[str, float]:
    """Return the wanted measures with heights of the body for a wanted wedge."""
    aim = {name: value for name, value in wanted.items() if name != "wedge"}
    if "wedge" not in wanted:
        return aim
    known = {**now, **aim}
    depth = (known["endplate_depth_superior"] + known["endplate_depth_inferior"]) / 2.0
    rise = 2.0 * depth * float(np.tan(np.radians(wanted["wedge"] / 2.0)))
    front, back = (known[name] for name in HEIGHTS)
    if HEIGHTS[0] in aim and HEIGHTS[1] in aim:
        own = float(np.degrees(2.0 * np.arctan((back - front) / depth / 2.0)))
        if abs(own - wanted["wedge"]) > TOLERANCE["degrees"]:
            raise ValueError(
                f"{level}: a wedge of {wanted['wedge']:g} degrees does not go with body heights of {front:g} "
                f"and {back:g} mm in front and behind, which make {own:.1f}; leave one of the three open"
            )
        return aim
    if HEIGHTS[0] in aim:
        return {**aim, HEIGHTS[1]: front + rise}
    if HEIGHTS[1] in aim:
        return {**aim, HEIGHTS[0]: back - rise}
    middle = (front + back) / 2.0
    return {**aim, HEIGHTS[0]: middle - rise / 2.0, HEIGHTS[1]: middle + rise / 2.0}


def _damped(slopes: Floats, missing: Floats, weights: Floats, price: float) -> Floats:
    """Return how far each handle goes to bring in what is missing: least squares with a price for the way."""
    a = slopes * weights[:, None]
    step: Floats = np.linalg.solve(a.T @ a + price**2 * np.eye(len(missing)), a.T @ (missing * weights))
    return step * min(1.0, LONGEST / float(np.abs(step).max()))
