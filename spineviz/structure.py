"""Structures, landmarks and frames: the nouns that every floor above speaks in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from spineviz.terms import Level, Side, Tissue

Floats = npt.NDArray[np.floating]
Points = npt.NDArray[np.floating]
"""Points or vectors, shape (n, 3), mm."""


def frozen(array: npt.ArrayLike, dtype: npt.DTypeLike) -> npt.NDArray:
    """Return a contiguous, read-only array that nobody can change: a copy where the given one is writable."""
    result = np.ascontiguousarray(array, dtype=dtype)
    if (result is array or result.base is not None) and _writable(result):
        result = result.copy()
    result.flags.writeable = False
    return result


def _writable(array: npt.NDArray) -> bool:
    """Tell whether an array, or one that it is a view of, can be written."""
    owner: object = array
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return True
        owner = owner.base
    return False


@dataclass(frozen=True, eq=False)
class Frame:
    """A right-handed coordinate frame.

    ``origin`` has shape (3,), mm. ``axes`` has shape (3, 3); its ROWS are the unit vectors of the
    frame's x (right), y (anterior) and z (superior) direction in the parent frame.
    """

    origin: Floats = field(default_factory=lambda: np.zeros(3))
    axes: Floats = field(default_factory=lambda: np.eye(3))

    def __post_init__(self) -> None:
        """Freeze both arrays."""
        object.__setattr__(self, "origin", frozen(self.origin, np.float64))
        object.__setattr__(self, "axes", frozen(self.axes, np.float64))

    @property
    def right(self) -> Floats:
        """The frame's x direction in the parent frame."""
        return self.axes[0]

    @property
    def anterior(self) -> Floats:
        """The frame's y direction in the parent frame."""
        return self.axes[1]

    @property
    def superior(self) -> Floats:
        """The frame's z direction in the parent frame."""
        return self.axes[2]

    def to_parent(self, points: Points) -> Points:
        """Carry points, shape (..., 3), from this frame to its parent."""
        return np.asarray(points) @ self.axes + self.origin

    def to_local(self, points: Points) -> Points:
        """Carry points, shape (..., 3), from the parent frame to this one."""
        return (np.asarray(points) - self.origin) @ self.axes.T

    def then(self, parent: Frame) -> Frame:
        """Express this frame, given in ``parent``, in the parent's own parent."""
        return Frame(parent.to_parent(self.origin), self.axes @ parent.axes)

    @property
    def matrix(self) -> Floats:
        """The 4 x 4 homogeneous matrix from this frame to its parent."""
        result = np.eye(4)
        result[:3, :3] = self.axes.T
        result[:3, 3] = self.origin
        return result


@dataclass(frozen=True, eq=False)
class Surface:
    """A triangle mesh and what is painted on it; every array is read-only.

    ``vertices`` (n, 3) float32 mm; ``faces`` (m, 3) int32, outward by the right hand.
    ``occlusion`` (n,) float32, 1 where the sky is open and 0 in the deepest corner.
    ``tint`` (n,) float32, 0 for the tissue's first colour and 1 for its second (cartilage on bone,
    tendon on muscle, torn fibres on annulus).
    ``coordinates`` (n, 2) float32, mm along and across the fibres, taken from the rest shape.
    ``normals`` (n, 3) float32, unit vectors of a finer shape than the triangles are; without them, the
    triangles around a vertex tell.
    """

    vertices: Floats
    faces: npt.NDArray[np.integer]
    occlusion: Floats | None = None
    tint: Floats | None = None
    coordinates: Floats | None = None
    normals: Floats | None = None

    def __post_init__(self) -> None:
        """Freeze every array."""
        object.__setattr__(self, "vertices", frozen(self.vertices, np.float32))
        object.__setattr__(self, "faces", frozen(self.faces, np.int32))
        for name in ("occlusion", "tint", "coordinates", "normals"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, frozen(value, np.float32))

    def moved(self, vertices: Points) -> Surface:
        """Return the same mesh with other vertices, shape (n, 3), and without normals of its own."""
        return Surface(vertices, self.faces, self.occlusion, self.tint, self.coordinates)

    def placed(self, frame: Frame) -> Surface:
        """Return the mesh carried from ``frame`` to its parent."""
        turned = None if self.normals is None else self.normals @ frame.axes
        return replace(self.moved(frame.to_parent(self.vertices)), normals=turned)


@dataclass(frozen=True, eq=False)
class Landmark:
    """A named frame on a structure, where pathologies, instruments and measures attach.

    ``name`` reads ``structure/feature``, with a side where there are two: ``L4/pedicle.left``.
    ``frame`` is in the world.
    """

    name: str
    frame: Frame


@dataclass(frozen=True, eq=False)
class Structure:
    """A named piece of the body, or an instrument.

    ``name`` is unique in a model: ``L4``, ``disc.L4-L5``, ``root.L5.left``, ``multifidus.left``.
    ``surface`` is the rest shape in the world frame; ``variants`` are the other shapes that an
    approach or a pathology asked for, by their name. ``light`` is the rest shape in fewer triangles, for
    pictures in which the structure is small.
    """

    name: str
    tissue: Tissue
    surface: Surface
    side: Side | None = None
    variants: Mapping[str, Surface] = field(default_factory=dict)
    light: Surface | None = None
    shade: float = 0.0
    """How much darker than healthy tissue it is, 0 to 1."""


class Bone(Protocol):
    """A level's bone: the one thing that generated and given bones have in common.

    ``frame`` is the level's frame in the world: origin at the centre of the vertebral body, z normal
    to the mid-plane of its endplates. ``landmarks`` are frames in the WORLD by feature name
    (``endplate.superior``, ``pedicle.left``, ...). ``surface`` is in the world.
    """

    @property
    def level(self) -> Level:
        """The vertebral level."""
        ...

    @property
    def frame(self) -> Frame:
        """The level's frame in the world."""
        ...

    @property
    def landmarks(self) -> Mapping[str, Frame]:
        """Frames in the world by feature name."""
        ...

    @property
    def surface(self) -> Surface:
        """The surface in the world."""
        ...

    def distance(self, points: Points) -> Floats:
        """Signed distance (mm, negative inside) of world points, shape (n, 3) -> (n,)."""
        ...


class Warp(Protocol):
    """A closed-form movement of one surface, prepared at build time.

    It maps amounts (floats whose meaning the warp tells) to the vertices (n, 3) in mm of the surface
    it was prepared for; amounts of zero give the rest shape.
    """

    def __call__(self, amounts: tuple[float, ...]) -> Points:
        """Return the vertices (n, 3), mm, for some amounts."""
        ...


@dataclass(frozen=True)
class Message:
    """A text a user reads: a key of the catalog and what to fill in."""

    key: str
    parameters: tuple[tuple[str, str | float], ...] = ()
