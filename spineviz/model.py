"""The Model that never changes after it is built, and the State that holds everything that does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from spineviz.section import Section, plane, section
from spineviz.structure import Bone, Floats, Frame, Landmark, Points, Structure, Surface, Warp
from spineviz.structure import Message as Message
from spineviz.terms import Level

Vector = tuple[float, float, float]
Layout = Literal["one", "twin", "rows", "overlay", "views", "planes"]
"""One pane; several beside each other, or over each other, under one camera; one body from several sides; one
body beside slices through it."""


@dataclass(frozen=True)
class Look:
    """How one structure looks now.

    ``variant`` names one of the structure's surfaces ("" is the rest surface). ``warp`` names a warp
    of the model and gives its amounts. ``matrix`` is a 4 x 4 rigid placement, row by row, or None.
    ``highlight`` 0..1 strengthens colour and outline; ``alarm`` 0..1 colours it as diseased.
    """

    visible: bool = True
    opacity: float = 1.0
    highlight: float = 0.0
    variant: str = ""
    warp: tuple[str, tuple[float, ...]] | None = None
    matrix: tuple[float, ...] | None = None
    alarm: float = 0.0


@dataclass(frozen=True)
class Camera:
    """Where the picture is seen from: world mm; ``height`` is the mm of world seen at the focus.

    ``angle`` is the full vertical opening in degrees; the distance follows from both.
    """

    focus: Vector
    direction: Vector
    """Unit vector from the focus towards the eye."""
    up: Vector
    height: float
    angle: float = 20.0


_plane = lru_cache(maxsize=64)(plane)


@dataclass(frozen=True)
class Cut:
    """A plane that hides what lies on the side its normal points to, and shows the face where it cuts.

    ``structures`` names those that it cuts; None stands for all.
    """

    origin: Vector
    normal: Vector
    structures: frozenset[str] | None = None

    def cuts(self, structure: str) -> bool:
        """Tell whether the plane cuts a structure, given by name."""
        return self.structures is None or structure in self.structures

    def beyond(self, points: Points) -> npt.NDArray[np.bool_]:
        """Tell which points (..., 3), mm, lie on the side that is hidden."""
        ways: Floats = (np.asarray(points, dtype=np.float64) - self.origin) @ np.array(self.normal)
        return ways > 0

    @property
    def plane(self) -> Frame:
        """The frame of the plane in the world; z is its normal."""
        return _plane(self.origin, self.normal)


@dataclass(frozen=True)
class Label:
    """A name with a leader line to a place on a structure (world mm)."""

    text: Message
    anchor: Vector
    strong: bool = False


@dataclass(frozen=True)
class Figure:
    """One measured number of the strip: a catalog key for its name, value and unit."""

    name: Message
    value: float
    unit: str
    decimals: int = 1


@dataclass(frozen=True)
class Trace:
    """A line on a slice through world points (mm): around a measured face, or where another slice passes."""

    points: tuple[Vector, ...]
    measured: bool = True


@dataclass(frozen=True)
class Callout:
    """Words at a ``place`` (world mm) on a slice, with a line to what they say where that is elsewhere."""

    text: Message
    place: Vector
    anchor: Vector | None = None
    kind: Literal["name", "measure", "disease"] = "name"


@dataclass(frozen=True)
class Scan:
    """What makes a pane a slice as a T2-weighted MRI shows it: through the camera's focus, across its way.

    ``width`` (mm) is what it shows across; its height is the camera's. ``notes`` are the lines beneath it.
    """

    width: float
    traces: tuple[Trace, ...] = ()
    callouts: tuple[Callout, ...] = ()
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Inset:
    """The same moment as the surgeon sees it: a round picture in an upper corner of a pane.

    ``looks`` stand in place of the pane's own. ``size`` is its diameter as a share of the pane's height.
    ``coaxial`` 0..1 is the share of the light that falls along the line of sight. ``optic`` (degrees) lies
    between the axis of the optic and its line of sight: 0 for a microscope, 25 or 30 for an endoscope.
    ``strength`` 0..1 tells how much of it is seen.
    """

    camera: Camera
    caption: Message
    looks: Mapping[str, Look] = field(default_factory=dict)
    corner: Literal["left", "right"] = "right"
    size: float = 0.32
    coaxial: float = 1.0
    optic: float = 0.0
    strength: float = 1.0


@dataclass(frozen=True)
class Pane:
    """One picture of the model."""

    looks: Mapping[str, Look]
    camera: Camera
    cuts: tuple[Cut, ...] = ()
    heading: Message | None = None
    caption: Message | None = None
    labels: tuple[Label, ...] = ()
    strip: tuple[Figure, ...] = ()
    scan: Scan | None = None
    """What makes it a slice; None for a picture in space."""
    inset: Inset | None = None
    """What the surgeon sees at the same moment; None where there is no way in."""

    @property
    def within(self) -> Pane | None:
        """The picture that the inset shows, as a pane of its own; no plane cuts it."""
        if self.inset is None:
            return None
        return Pane({**self.looks, **self.inset.looks}, self.inset.camera)

    def with_look(self, name: str, look: Look) -> Pane:
        """Return the pane with one structure's look exchanged."""
        return replace(self, looks={**self.looks, name: look})


@dataclass(frozen=True)
class Curve:
    """One measured number over the clock: for each pane a value at every second of its chart."""

    name: Message
    unit: str
    decimals: int
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Chart:
    """What all panes, by their ``names``, measure over the whole clock, at rising ``seconds``."""

    seconds: tuple[float, ...]
    curves: tuple[Curve, ...]
    names: tuple[Message, ...] = ()


@dataclass(frozen=True)
class State:
    """Everything that changes: panes on one clock, and the text beneath them."""

    panes: tuple[Pane, ...]
    layout: Layout = "one"
    title: Message | None = None
    view: Message | None = None
    """Level, side and the direction the picture is seen from."""
    second: float = 0.0
    """The second of the clock."""
    chart: Chart | None = None
    """The measured figures over time, in place of those of this second alone."""


HIDDEN = Look(visible=False)


@dataclass(frozen=True, eq=False)
class Model:
    """All structures and landmarks of a scene; constant after build, arrays read-only.

    ``warps`` are keyed by structure name and warp name; a warp says which variant it moves.
    """

    structures: Mapping[str, Structure]
    landmarks: Mapping[str, Landmark]
    bones: Mapping[Level, Bone]
    warps: Mapping[tuple[str, str], Warp] = field(default_factory=dict)

    def surface(self, name: str, look: Look) -> Surface:
        """Return the rest surface that a look has chosen."""
        structure = self.structures[name]
        if not look.variant:
            return structure.surface
        try:
            return structure.variants[look.variant]
        except KeyError:
            known = ", ".join(structure.variants) or "none"
            raise KeyError(f"{name}: no variant '{look.variant}'; there is: {known}") from None

    def vertices(self, name: str, look: Look) -> Floats:
        """Return the vertices (n, 3) in mm of a structure as it looks now, in the world."""
        surface = self.surface(name, look)
        points: Floats = surface.vertices
        if look.warp is not None:
            warp, amounts = look.warp
            try:
                move = self.warps[name, warp]
            except KeyError:
                raise KeyError(f"{name}: no warp '{warp}'") from None
            points = move(amounts)
        if look.matrix is not None:
            matrix = np.reshape(look.matrix, (4, 4))
            points = points @ matrix[:3, :3].T + matrix[:3, 3]
        return points

    def posed(self, name: str, look: Look) -> Surface:
        """Return a structure's surface as it looks now, in the world."""
        return self.surface(name, look).moved(self.vertices(name, look))

    def face(self, name: str, look: Look, cut: Cut) -> Section:
        """Return the face that a cut makes on a structure as it looks now; empty where it makes none."""
        return section(self.posed(name, look), cut.plane)
