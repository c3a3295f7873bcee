"""Fat in the face of a cut: what lies open between muscles, bones and ligaments where a plane passes them.

Muscles are modelled as bodies with thin gaps between them, and the sac does not fill its canal; in nature fat
does. Here it is filled in the plane of a cut only: what lies between the faces of the walls, and in nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from manifold3d import CrossSection, FillRule, JoinType, OpType

from spineviz import measures
from spineviz.model import Cut, Look, Model
from spineviz.section import Section, meets, section, turn
from spineviz.structure import Points, Surface
from spineviz.terms import Tissue

BETWEEN_MUSCLES, AROUND_THE_SAC = "intermuscular_fat", "epidural_space"
"""What the fat of a cut face is called, by where it lies."""

FATS = (BETWEEN_MUSCLES, AROUND_THE_SAC)
"""Both names."""

CANAL: frozenset[Tissue] = frozenset({"dura", "cord"})
"""What lies in the spinal canal; below the sac so does the filum."""

FILUM = "filum_terminale"

CARVED: frozenset[Tissue] = frozenset({"muscle", "bone", "ligament"})
"""What leaves no fat but a wound where it is pushed aside or taken away."""

DISC: frozenset[Tissue] = frozenset({"annulus", "nucleus", "cartilage"})
"""What leaves no room for fat in the hollow of an endplate."""

WALLS = CARVED | CANAL | {"tendon", "fascia", "fat", "cartilage", "annulus", "nucleus", "nerve"}
"""What the fat lies between."""

BESIDES: frozenset[Tissue] = frozenset({"instrument"})
"""What is no obstacle: it is drawn before the fat."""

FINEST, LEAST = 0.02, 0.01
"""Outlines are kept to so many mm; smaller ones (mm²) are left out."""

CORNERS = 16
"""Corners of a full circle where an outline is moved about a corner."""

Placed = tuple[str, Look]
"""A structure's name, and its look as far as it tells where it is and whether it is seen."""


@dataclass(frozen=True)
class Filling:
    """The fat in the face of a cut: all of it, and what of the plane is the canal."""

    fat: Section
    canal: Section

    def name_at(self, place: Points) -> str | None:
        """Return what the fat at a place (3,) of the plane is called, or None where there is none."""
        flat = self.fat.frame.to_local(place[None])[:, :2]
        if not self.fat.contains(flat)[0]:
            return None
        return AROUND_THE_SAC if self.canal.contains(flat)[0] else BETWEEN_MUSCLES


def filling(model: Model, looks: Mapping[str, Look], cut: Cut) -> Filling:
    """Return the fat in the face of a cut, as structures look now; none where no muscle or ligament is cut.

    Where tissue has been pushed aside or taken away there is a wound, and no fat.
    """
    placed = tuple(
        (name, Look(shown(look), variant=look.variant, warp=look.warp, matrix=look.matrix))
        for name, look in looks.items()
        if cut.cuts(name) and model.structures[name].tissue not in BESIDES
    )
    return _filling(model, placed, cut)


def shown(look: Look) -> bool:
    """Tell whether anything of a structure is seen."""
    return look.visible and look.opacity > 0.02


def strength(model: Model, looks: Mapping[str, Look], cut: Cut) -> float:
    """Return how opaque the fat in the face of a cut is: as the most opaque muscle, or ligament."""
    for tissue in ("muscle", "ligament"):
        found = [
            look.opacity
            for name, look in looks.items()
            if shown(look) and cut.cuts(name) and model.structures[name].tissue == tissue
        ]
        if found:
            return max(found)
    return 0.0


@lru_cache(maxsize=64)
def _filling(model: Model, placed: tuple[Placed, ...], cut: Cut) -> Filling:
    sizes = measures.table(BETWEEN_MUSCLES)
    seen = {model.structures[name].tissue for name, look in placed if look.visible}
    if not seen & {"muscle", "ligament"}:
        nothing = Section(cut.plane, CrossSection())
        return Filling(nothing, nothing)
    reach = sizes["reach" if "muscle" in seen else "reach_without_muscles"]
    groups: dict[str, list[CrossSection]] = {
        name: [] for name in ("solid", "walls", "canal", "wound", "disc", "hollow")
    }
    for name, look in placed:
        face, tissue = _face(model, name, look, cut), model.structures[name].tissue
        groups["solid"].append(face)
        if tissue in WALLS and look.visible:
            groups["walls"].append(face)
        if tissue in CANAL or name == FILUM:
            groups["canal"].append(face)
        if tissue in DISC:
            groups["disc"].append(face)
        if tissue == "bone":
            groups["hollow"].append(_holes(face))
        if tissue in CARVED and not look.visible:
            groups["wound"].append(face)
        elif tissue in CARVED and (look.warp is not None or look.variant):
            groups["wound"].append(_face(model, name, Look(), cut) - face)
    solid, walls, canal, wound, disc, hollow = (_union(faces) for faces in groups.values())
    canal, way = _moved(canal, sizes["canal"]), sizes["wound"]
    wound = _moved(_moved(wound, -way), 2 * way)
    closed = _without_holes(_closed(walls, reach), sizes["hole"]) + (_closed(walls, sizes["reach"]) ^ canal)
    plates = _union([part for part in hollow.decompose() if (part ^ disc).area() > LEAST])
    open_, thin = closed - solid - wound - plates, sizes["thinnest"] / 2
    fat = _moved(_moved(open_, -thin), thin + sizes["beneath"])
    return Filling(Section(cut.plane, fat), Section(cut.plane, canal))


@lru_cache(maxsize=2000)
def _face(model: Model, name: str, look: Look, cut: Cut) -> CrossSection:
    """Return the face that a cut makes on a structure."""
    surface: Surface = model.posed(name, look)
    return section(surface, cut.plane).region if meets(surface, cut.plane) else CrossSection()


def _holes(region: CrossSection) -> CrossSection:
    """Return the holes of a region."""
    holes = [outline[::-1] for outline in region.to_polygons() if turn(outline) < 0.0]
    return CrossSection(holes, FillRule.Positive) if holes else CrossSection()


def _union(regions: Sequence[CrossSection]) -> CrossSection:
    """Return what any of some regions covers."""
    there = [region for region in regions if not region.is_empty()]
    return CrossSection.batch_boolean(there, OpType.Add) if there else CrossSection()


def _moved(region: CrossSection, way: float) -> CrossSection:
    """Return a region whose border is moved outwards, mm.

    Slivers without area go first: one that lies lowest would turn the whole region inside out.
    """
    kept = [outline for outline in region.simplify(FINEST).to_polygons() if abs(turn(outline)) > LEAST]
    if not kept:
        return CrossSection()
    return CrossSection(kept, FillRule.Positive).offset(way, JoinType.Round, 2.0, CORNERS)


def _closed(region: CrossSection, reach: float) -> CrossSection:
    """Return a region with what lies between two of its borders, within ``reach`` mm of both."""
    return _moved(_moved(region, reach), -reach)


def _without_holes(region: CrossSection, area: float) -> CrossSection:
    """Return a region without the holes that are smaller than ``area``, mm²."""
    kept = [outline for outline in region.to_polygons() if not -area < turn(outline) < 0.0]
    return CrossSection(kept, FillRule.Positive) if kept else region
