"""A vertebra's parameters as a shape that can be moved part by part, and the moves that handles are made of.

Moves act on the right side of a bone in its own frame (x right, y anterior, z superior, mm) and carry the
landmarks that lie on the moved parts, so that a caliper can follow. A part that a bone does not have is
passed over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from spineviz.anatomy.vertebra.parts import ENDPLATE_UNIT
from spineviz.spec import Spec
from spineviz.structure import Floats, Frame

P = TypeVar("P", bound=Spec)

Vector = tuple[float, float, float]
Values = Mapping[str, Floats]
Marks = Mapping[str, Frame]

POINTS = ("start", "end", "bulb_superior", "bulb_inferior", "centre", "superior", "inferior")
"""Names of parameters that are places: three numbers are x, y, z; two are y, z in the midline."""

TURNED = (
    *("roll", "tilt", "turn", "medial", "caudal", "to_sagittal", "to_transverse"),
    *("posterior", "superior", "inferior"),
)
SHARES = ("notch", "exponent", "exponents", "waist_exponent", "dish_extent", "taper")
BENT = ("curl", "curvature", "sagittal_curvature", "lateral_curvature")
"""Names of parameters that are no lengths: angles and slopes (where no places), shares, curvatures."""

X = np.array([1.0, 0.0, 0.0])
MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Shape:
    """A bone's parameters by dotted path, as arrays, and its landmarks of the right side and the midline."""

    values: Values
    marks: Marks

    def placed(self, paths: Sequence[str], marks: Sequence[str], move: Frame) -> Shape:
        """Return the shape with the places under some paths and some landmarks carried by a frame."""
        values, frames = dict(self.values), dict(self.marks)
        for path in self.under(paths):
            point = values[path]
            if is_place(path, point) and path != "body.centre":
                moved = move.to_parent(np.array([*np.zeros(3 - len(point)), *point]))
                values[path] = moved[3 - len(point) :]
        for name in marks:
            if name in frames:
                frames[name] = frames[name].then(move)
        return Shape(values, frames)

    def grown(self, path: str, by: Floats) -> Shape:
        """Return the shape with the numbers at a path, where it has that path, changed by ``by``."""
        return (
            Shape({**self.values, path: self.values[path] + by}, self.marks) if path in self.values else self
        )

    def scaled(self, factor: float) -> Shape:
        """Return the shape scaled uniformly about the origin of the bone's frame."""
        frames = {name: Frame(factor * mark.origin, mark.axes) for name, mark in self.marks.items()}
        return Shape(
            {path: value * factor ** _power(path, value) for path, value in self.values.items()}, frames
        )

    def under(self, paths: Sequence[str]) -> Iterator[str]:
        """Iterate over the paths of the parameters that lie under some paths."""
        heads = tuple(f"{path}." for path in paths)
        return (known for known in self.values if f"{known}.".startswith(heads))


def _power(path: str, value: Floats) -> float:
    """Return the power of a uniform scale that a parameter follows: 1 for a length, 0 for an angle."""
    name = path.rpartition(".")[2]
    if name in BENT:
        return -1.0
    return 1.0 if is_place(path, value) or name not in (*TURNED, *SHARES) else 0.0


def is_place(path: str, value: Floats) -> bool:
    """Tell whether a parameter is a place."""
    return path.rpartition(".")[2] in POINTS and value.ndim == 1


class Move(Protocol):
    """A change of a shape by an amount in the unit of a measure."""

    def __call__(self, shape: Shape, amount: float) -> Shape:
        """Return the shape, moved."""
        ...


@dataclass(frozen=True)
class Shift:
    """Parts and landmarks move along ``by`` (mm a unit)."""

    parts: tuple[str, ...]
    by: Vector
    marks: tuple[str, ...] = ()

    def __call__(self, shape: Shape, amount: float) -> Shape:
        """Return the shape, moved."""
        return shape.placed(self.parts, self.marks, Frame(amount * np.asarray(self.by)))


@dataclass(frozen=True)
class Turn:
    """Parts and landmarks turn about an axis through a landmark or a place (degrees a unit, right-handed)."""

    parts: tuple[str, ...]
    axis: Vector
    about: str
    marks: tuple[str, ...] = ()

    def __call__(self, shape: Shape, amount: float) -> Shape:
        """Return the shape, moved."""
        if self.about in shape.marks:
            pivot = shape.marks[self.about].origin
        elif self.about in shape.values:
            point = shape.values[self.about]
            pivot = np.array([*np.zeros(3 - len(point)), *point])
        else:
            return shape
        turned = rotation(np.asarray(self.axis), amount)
        return shape.placed(self.parts, self.marks, Frame(pivot - pivot @ turned, turned))


@dataclass(frozen=True)
class Extend:
    """The far places of a part, and by ``share`` landmarks, move along its axis by ``rate`` (mm a unit).

    ``across`` measures the way in x only, for processes that reach sideways.
    """

    part: str
    ends: tuple[str, ...]
    rate: float = 1.0
    across: bool = False
    marks: tuple[str, ...] = ()
    share: float = 1.0

    def __call__(self, shape: Shape, amount: float) -> Shape:
        """Return the shape, moved."""
        if f"{self.part}.start" not in shape.values:
            return shape
        start, end = shape.values[f"{self.part}.start"], shape.values[f"{self.part}.end"]
        way = np.array([*np.zeros(3 - len(start)), *(end - start)])
        way = way / (way[0] if self.across else np.linalg.norm(way)) * self.rate * amount
        ends = tuple(end if "." in end else f"{self.part}.{end}" for end in self.ends)
        return shape.placed(ends, (), Frame(way)).placed((), self.marks, Frame(self.share * way))


@dataclass(frozen=True)
class Grow:
    """Numbers at a path change, by ``first`` a unit at the first of them to ``last`` at the last, evenly."""

    path: str
    first: float
    last: float | None = None

    def __call__(self, shape: Shape, amount: float) -> Shape:
        """Return the shape, moved."""
        if self.path not in shape.values:
            return shape
        before = shape.values[self.path]
        last = self.first if self.last is None else self.last
        rates = np.linspace(self.first, last, before.size).reshape(before.shape)
        return shape.grown(self.path, amount * rates)


@dataclass(frozen=True)
class Widen:
    """The numbers at a path change in proportion, the greatest by ``rate`` a unit."""

    path: str
    rate: float

    def __call__(self, shape: Shape, amount: float) -> Shape:
        """Return the shape, moved."""
        if self.path not in shape.values:
            return shape
        before = shape.values[self.path]
        return shape.grown(self.path, before * np.expm1(self.rate * amount / np.abs(before).max()))


@dataclass(frozen=True)
class Flatten:
    """A sheet ``part`` that grows wider by a unit bends less, so that its borders stand as high as before."""

    part: str

    def __call__(self, shape: Shape, amount: float) -> Shape:
        """Return the shape, moved."""
        if f"{self.part}.curl" not in shape.values:
            return shape
        width = float(shape.values[f"{self.part}.along"].max())
        curl = shape.values[f"{self.part}.curl"]
        return shape.grown(f"{self.part}.curl", curl * np.expm1(-amount / width))


@dataclass(frozen=True)
class Raise:
    """Both endplates part, together by a unit, at one border of the body and not at the other."""

    anterior: bool

    def __call__(self, shape: Shape, amount: float) -> Shape:
        """Return the shape, moved."""
        values = shape.values
        for row, name, side in ((0, "superior", 1.0), (2, "inferior", -1.0)):
            front = values["body.centre"][row] + values["body.anterior_depth"][row]
            back = values["body.centre"][row] - values["body.posterior_depth"][row]
            lever, hinge = (front - back, back) if self.anterior else (back - front, front)
            slope = amount / 2.0 / lever
            plate = f"body.{name}_endplate"
            shape = shape.grown(f"{plate}.tilt", np.asarray(slope * ENDPLATE_UNIT))
            shape = shape.grown(f"{plate}.height", np.asarray(-slope * hinge))
            pivot = np.array([0.0, hinge, side * float(values[f"{plate}.height"])])
            turned = rotation(X, side * float(np.degrees(np.arctan(slope))))
            move = Frame(pivot - pivot @ turned, turned)
            shape = shape.placed((), (f"endplate.{name}",), move)
        return shape


def rotation(axis: Floats, angle: float) -> Floats:
    """Return the axes of a frame turned about ``axis`` by ``angle`` degrees."""
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    a = np.radians(angle)
    result: Floats = (np.eye(3) + np.sin(a) * cross + (1.0 - np.cos(a)) * cross @ cross).T
    return result


def flat(tree: Mapping[str, Any], above: str = "") -> dict[str, Floats]:
    """Return the numbers of nested parameters by dotted path; parts that are not there are left out."""
    result: dict[str, Floats] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            result |= flat(value, f"{above}{name}.")
        elif value is not None and not isinstance(value, str | bool):
            result[above + name] = np.asarray(value, dtype=np.float64)
    return result


def rebuilt(parameters: P, values: Mapping[str, Floats]) -> P:
    """Return parameters with other numbers, by dotted path."""
    tree = parameters.model_dump()
    for path, value in values.items():
        *way, last = path.split(".")
        node = tree
        for name in way:
            node = node[name]
        node[last] = value.tolist() if value.ndim == 0 else tuple(value.tolist())
    return type(parameters).model_validate(tree)


def both_sides(marks: Mapping[str, Frame], midline: Collection[str]) -> dict[str, Frame]:
    """Return landmarks with those of the right side mirrored to the left."""
    result: dict[str, Frame] = {}
    for name, mark in marks.items():
        result |= (
            {name: mark} if name in midline else {f"{name}.right": mark, f"{name}.left": _mirrored(mark)}
        )
    return result


def _mirrored(mark: Frame) -> Frame:
    """Return a frame on the other side of the body; it stays right-handed."""
    y, z = mark.anterior * MIRROR, mark.superior * MIRROR
    return Frame(mark.origin * MIRROR, np.stack([np.cross(y, z), y, z]))
