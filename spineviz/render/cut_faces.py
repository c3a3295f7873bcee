"""What a tissue looks like where a plane has cut it, as coloured triangles that fill the cut face."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from spineviz.cuts import OVERLAP
from spineviz.model import Cut, Look, Model
from spineviz.render.materials import Colour, Grain, darkened, rgb
from spineviz.section import Section, meets, section
from spineviz.structure import Floats, Points, Surface
from spineviz.terms import Tissue

LINE = 1.05
"""Pixels of a picture that the dark line along the border of a cut face is wide, about."""

THIN, THICK = 0.1, 0.42
"""The line is never thinner or thicker than this (mm), seen from before: no structure is all line."""

SLANT = 0.35
"""Faces that turn away more than this (cosine) have no wider a line."""

SHEET = 3.0
"""A face that is not so many times as broad as its line has none: it would be all line."""

INK = rgb("#43302a")
"""The colour of that line."""

STEP = 0.02
"""Millimetres by which a face lies before that of the tissue before it in `OVERLAP`, in the same plane."""

LONGEST: Mapping[Grain, float] = MappingProxyType({"bundles": 5.0, "cancellous": 1.5})
"""How much longer than wide what runs upwards in a tissue looks at most, where it is cut lengthwise."""

Pattern = Literal["none", "lamellae"]


@dataclass(frozen=True)
class CutLook:
    """The look of a tissue's cut face.

    ``rim`` is the width (mm) of the band along its border that has another colour: cortical bone, dura, the
    wall of a vessel. ``grain_size`` is the mm that one tile of the grain covers; ``line`` tells how wide the
    dark line around it is beside that of others.
    """

    inside: Colour
    rim: float = 0.0
    border: Colour = (0.0, 0.0, 0.0)
    grain: Grain = "none"
    grain_size: float = 30.0
    pattern: Pattern = "none"
    line: float = 1.0


CUT_LOOKS: Mapping[Tissue, CutLook] = MappingProxyType(
    {
        "skin": CutLook(rgb("#e0a48a")),
        "fat": CutLook(rgb("#f0d48f"), grain="lobules", grain_size=34.0),
        "muscle": CutLook(rgb("#bb5a4c"), 0.35, rgb("#dba898"), grain="bundles", grain_size=30.0),
        "fascia": CutLook(rgb("#dfe1e0")),
        "tendon": CutLook(rgb("#e6dfd0")),
        "ligament": CutLook(rgb("#e6d6a8")),
        "vein": CutLook(rgb("#44619e"), 0.5, rgb("#9fb0d2")),
        "artery": CutLook(rgb("#ab2a26"), 1.1, rgb("#e3a49c")),
        "annulus": CutLook(rgb("#d8e2e6"), 0.0, rgb("#aac1cc"), pattern="lamellae"),
        "nucleus": CutLook(rgb("#d9eef0"), 2.2, rgb("#c6e2e8")),
        "cartilage": CutLook(rgb("#d3e8f1"), line=0.5),
        "bone": CutLook(rgb("#e2b792"), 1.0, rgb("#f7ecd4"), grain="cancellous", grain_size=26.0),
        "dura": CutLook(rgb("#bcdaea"), 0.5, rgb("#efe2c4")),
        "cord": CutLook(rgb("#f1e6cb")),
        "nerve": CutLook(rgb("#f5d76c")),
        "fragment": CutLook(rgb("#e8487f")),
        "instrument": CutLook(rgb("#8b949d")),
    }
)
FILLED = CutLook(rgb("#e8d5a0"), grain="lobules", grain_size=22.0)
"""The fat between muscles, bones and ligaments."""

LIGAMENTUM_FLAVUM = replace(CUT_LOOKS["ligament"], inside=rgb("#e3bd5c"))

WITHIN = ("vacuum", "marrow_change", "filum_terminale")
"""What lies within other structures, and is seen before them where both are cut."""

SHELLS = tuple(np.linspace(0.94, 0.34, 11))
"""The sizes of the shells between lamellae, of a disc that is 1."""


@dataclass(frozen=True, eq=False)
class Patch:
    """Triangles of a cut face with one grain: vertices (n, 3), faces (m, 3), colours (n, 3) uint8.

    ``grain`` (n, 2) tells where each vertex lies on the grain's tiles; None where the patch has none.
    """

    vertices: Points
    faces: npt.NDArray[np.integer]
    colours: npt.NDArray[np.uint8]
    grain: Floats | None = None


def cut_look(structure: str, tissue: Tissue) -> CutLook:
    """Return the look of the cut face of a structure, given by name, of a tissue."""
    return LIGAMENTUM_FLAVUM if structure.startswith("flavum") else CUT_LOOKS[tissue]


def shaded(looks: CutLook, shade: float) -> CutLook:
    """Return the look of a cut face that has become darker by a share, 0 to 1."""
    if not shade:
        return looks
    return replace(looks, inside=darkened(looks.inside, shade), border=darkened(looks.border, shade))


def line_width(scale: float, facing: float = 1.0) -> float:
    """Return the width (mm) of the line around cut faces in a picture of ``scale`` pixels per mm.

    ``facing`` is the cosine between the face's normal and the line of sight: what is seen aslant has a wider
    line, as if it were seen from before. It goes in steps: a camera that moves changes it now and then only.
    """
    near, seen = (2 ** (round(2 * np.log2(max(value, 1e-3))) / 2) for value in (scale, max(facing, SLANT)))
    return float(np.clip(LINE / near, THIN, THICK) / seen)


def patches(model: Model, name: str, look: Look, cut: Cut, line: float) -> tuple[Patch, ...]:
    """Return what fills the face that a cut makes on a structure as it looks now: with grain, and without.

    It lies a hair before the plane: where tissues overlap, one is seen. ``line`` (mm) is the width of the
    line around it.
    """
    surface, frame = model.posed(name, look), cut.plane
    face = section(surface, frame) if meets(surface, frame) else None
    if not face:
        return ()
    tissue = model.structures[name].tissue
    looks = shaded(cut_look(name, tissue), model.structures[name].shade)
    nucleus = model.structures.get(name.replace("disc", "nucleus"), model.structures[name])
    core, *others = _parts(face, looks, line, surface, nucleus.surface)
    before = len(OVERLAP) if name.startswith(WITHIN) else OVERLAP.index(tissue)
    shift = STEP * (before + 1) * np.array(cut.normal)
    if looks.grain == "none":
        return (_patch([core, *others], shift),)
    ground, border = _patch([core], shift), _patch(others, shift)
    if len(ground.vertices):
        ground = replace(ground, grain=_tiles(face, ground.vertices, looks))
    return tuple(patch for patch in (ground, border) if len(patch.vertices))


def filled(region: Section) -> tuple[Patch, ...]:
    """Return what fills a region between the faces of a cut: fat, in the plane itself, behind all faces."""
    if not region:
        return ()
    ground = _patch([(region, FILLED.inside)], np.zeros(3))
    return (replace(ground, grain=_tiles(region, ground.vertices, FILLED)),)


def _parts(
    face: Section, looks: CutLook, line: float, surface: Surface, nucleus: Surface
) -> list[tuple[Section, Colour]]:
    """Return the regions of a face, each in its colour: the inside first, then rim, lamellae and line."""
    line = line * looks.line
    within = face.within(line if face.breadth > SHEET * line else 0.0)
    core = within.within(looks.rim) if looks.rim > 0 else within
    others = [(within.without(core), looks.border), (face.without(within), INK)]
    if looks.pattern == "lamellae":
        for band in _lamellae(surface, nucleus, face):
            lamella = core.shared(band)
            core = core.without(lamella)
            others.append((lamella, looks.border))
    return [(core, looks.inside), *others]


def _patch(parts: list[tuple[Section, Colour]], shift: Floats) -> Patch:
    """Return some regions of one plane, each in its colour, as one patch without grain."""
    made = [(*region.triangles(), colour) for region, colour in parts]
    counts = [len(vertices) for vertices, _, _ in made]
    starts = np.cumsum([0, *counts])
    vertices = np.vstack([vertices for vertices, _, _ in made])
    faces = np.vstack([faces + start for (_, faces, _), start in zip(made, starts, strict=False)])
    colours = np.repeat(np.round(255 * np.array([colour for *_, colour in made])), counts, axis=0)
    return Patch(vertices + shift, faces, colours.astype(np.uint8))


def _tiles(region: Section, vertices: Points, looks: CutLook) -> Floats:
    """Return where vertices lie on the tiles of a grain (n, 2); what runs upwards may be cut aslant."""
    flat = region.frame.to_local(vertices)[:, :2]
    upright = abs(float(region.frame.axes[2, 2]))
    return flat / looks.grain_size * np.array([1.0, max(upright, 1 / LONGEST.get(looks.grain, 1.0))])


def _lamellae(surface: Surface, nucleus: Surface, face: Section) -> Iterator[Section]:
    """Give every other lamella of an annulus in the plane of its face.

    Lamellae are concentric shells about the nucleus, smaller and smaller images of the disc's own border;
    along the disc's axis, its flattest direction, they pass right through.
    """
    centre = nucleus.vertices.mean(axis=0, dtype=np.float64)
    spread = surface.vertices - surface.vertices.mean(axis=0, dtype=np.float64)
    axis = np.linalg.eigh(spread.T @ spread)[1][:, 0]
    along = np.outer(axis, axis)
    ways = (surface.vertices - centre) @ along
    across = surface.vertices - centre - ways
    cuts = [section(surface.moved(centre + share * across + 1.6 * ways), face.frame) for share in SHELLS]
    filled = [cut.filled() for cut in cuts]
    for outer, inner in zip(filled[::2], filled[1::2], strict=False):
        yield outer.without(inner)
