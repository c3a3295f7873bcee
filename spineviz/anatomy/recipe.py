"""Recipes of soft tissue: a solid, how finely to mesh it, and how to paint it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from spineviz.anatomy.bone import LevelBone
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Solid
from spineviz.structure import Floats, Points, Structure, Surface, Warp
from spineviz.terms import Level, Side, Tissue


@dataclass(frozen=True, eq=False)
class Paint:
    """What is painted on vertices: tint (n,) 0..1 and fibre coordinates (n, 2) in mm."""

    tint: Floats | None = None
    coordinates: Floats | None = None


@dataclass(frozen=True, eq=False)
class Recipe:
    """How a structure is made: kept beside its mesh so that an approach can make variants of it.

    ``solid`` is in the world frame, mm; ``step`` is the meshing step in mm; ``paint`` maps rest
    points (n, 3) to their paint.
    """

    name: str
    tissue: Tissue
    solid: Solid
    step: float
    side: Side | None = None
    paint: Callable[[Points], Paint] | None = None

    def painted(self, surface: Surface) -> Surface:
        """Return a surface with this tissue's paint on its vertices, taken as rest points."""
        if self.paint is None:
            return surface
        paint = self.paint(surface.vertices)
        return replace(surface, tint=paint.tint, coordinates=paint.coordinates)

    def surface(self) -> Surface:
        """Mesh the solid and paint it."""
        return self.painted(mesh(self.solid, self.step))

    def structure(self) -> Structure:
        """Return the structure with its rest surface."""
        return Structure(self.name, self.tissue, self.surface(), self.side)


@dataclass(frozen=True, eq=False)
class Body:
    """The built patient before surgery: what approaches read to make their variants from."""

    bones: Mapping[Level, LevelBone]
    recipes: Mapping[str, Recipe]
    structures: Mapping[str, Structure]
    warps: Mapping[tuple[str, str], Warp] = field(default_factory=dict)
