"""Recipes of soft tissue: a solid, how finely to mesh it, and how to paint it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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


class Recipes(Mapping[str, Recipe]):
    """Recipes by name; those of structures that are there already are made when one is asked for."""

    def __init__(
        self, made: Mapping[str, Recipe], later: Mapping[str, Callable[[], Mapping[str, Recipe]]]
    ) -> None:
        """Take what is made, and for each other name what makes its recipe, maybe with some more."""
        self._made, self._later = dict(made), {name: make for name, make in later.items() if name not in made}

    def __getitem__(self, name: str) -> Recipe:
        """Return a recipe; raise KeyError where there is none of that name."""
        if name in self._later:
            made = self._later[name]()
            for own in [own for own in made if own in self._later]:
                self._made[own] = made[own]
                del self._later[own]
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a recipe of that name, without making it."""
        return name in self._made or name in self._later

    def __iter__(self) -> Iterator[str]:
        """Give all names."""
        yield from list(self._made)
        yield from list(self._later)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._made) + len(self._later)


@dataclass(frozen=True, eq=False)
class Body:
    """The built patient before surgery: what approaches read to make their variants from."""

    bones: Mapping[Level, LevelBone]
    recipes: Mapping[str, Recipe]
    structures: Mapping[str, Structure]
    warps: Mapping[tuple[str, str], Warp] = field(default_factory=dict)
