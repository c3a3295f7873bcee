"""Whether the baked library is what the generator makes: every structure made anew, and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from spineviz.anatomy.back.aponeurosis import AponeurosisRecipe
from spineviz.anatomy.back.deep import deep_muscles
from spineviz.anatomy.disc.endplate import PlateRecipe
from spineviz.body.build import tissue_recipes
from spineviz.body.connective import connective
from spineviz.body.covering import covering_recipes
from spineviz.body.parameters import Anatomy
from spineviz.body.skeleton import bones, solids
from spineviz.geometry import surface_distance, vertex_normals, volume
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Field
from spineviz.structure import Frame, Structure, Surface
from spineviz.terms import Side, Tissue

STEP = 2.0
"""The step (mm) at which bones are meshed anew; soft tissue, which is thin, at its own."""

ON, ON_MOST = 0.06, 0.55
"""How far (mm) from the generator's surface a baked vertex may lie on average, and 99 of 100 of them."""

ON_MUSCLE, ON_MUSCLE_MOST = 0.2, 1.1
"""The same for muscles, which are long, fluted, and thinned more than anything else."""

BESIDE, BOX, VOLUME = 0.25, 0.6, 0.03
"""Parts of a step that 99 of 100 vertices made anew may lie beside the baked surface, and by which bounds may
differ; and the part of the volume that may differ for each mm of the step."""

LEAST_VOLUME = 0.015
"""The part of the volume that may differ however fine the step: what is thin is thinned for a scene too."""

LIGHT_VOLUME, TURNED = 0.03, 45.0
"""The part of the volume by which a light mesh may differ, and the degrees by which 99 of 100 normals may."""


@dataclass(frozen=True, eq=False)
class Origin:
    """What the generator makes a structure of: a field in a frame, and a mesh of it with some step (mm).

    ``kind`` is its tissue and its side.
    """

    frame: Frame
    field: Field
    anew: Callable[[], Surface]
    step: float
    kind: tuple[Tissue, Side | None]


def departures(baked: Mapping[str, Structure]) -> list[str]:
    """Return a line for each baked structure that departs from what the generator makes now."""
    known = origins(baked)
    lines = [f"{name}: missing in the library" for name in known if name not in baked]
    for name, structure in baked.items():
        found = list(compared(structure, known[name])) if name in known else ["nothing makes it any more"]
        lines += [f"{name}: {'; '.join(found)}"] if found else []
    return lines


def origins(baked: Mapping[str, Structure]) -> dict[str, Origin]:
    """Return what every structure of the healthy body is made of.

    Ligaments, vessels and muscles are laid on ``baked`` structures, which are proven themselves.
    """
    anatomy = Anatomy()
    result = {}
    for level, (frame, solid) in solids(anatomy).items():
        anew = partial(mesh, solid, STEP, mirror=True)
        result[str(level)] = Origin(frame, solid.field, anew, STEP, ("bone", None))
    standing = bones(anatomy)
    made = tissue_recipes(anatomy, standing) | covering_recipes(anatomy, standing, baked)
    for name, item in made.items():
        kind = item.tissue, item.side
        if isinstance(item, PlateRecipe | AponeurosisRecipe):
            result[name] = _itself(item.surface(), kind)
        else:
            result[name] = Origin(Frame(), item.solid.field, item.surface, item.step, kind)
    for name, net in connective(
        standing, {name: baked[name] for name in result if name in baked}, {}
    ).items():
        result[name] = _itself(net.surface, (net.tissue, net.side))
    beside = {name: baked[name] for name in result if name in baked}
    for name, item in deep_muscles(standing, beside, anatomy.size).items():
        result[name] = Origin(Frame(), item.solid.field, item.surface, item.step, (item.tissue, item.side))
    return result


def _itself(surface: Surface, kind: tuple[Tissue, Side | None]) -> Origin:
    """Return the origin of what is built as a surface and not sampled from a field."""
    return Origin(Frame(), surface_distance(surface), lambda: surface, 1.0, kind)


def compared(baked: Structure, origin: Origin) -> Iterator[str]:
    """Give in words each way in which a baked structure departs from what it is made of."""
    if (baked.tissue, baked.side) != origin.kind:
        yield f"called {baked.tissue}, {baked.side}, made as {origin.kind[0]}, {origin.kind[1]}"
    own, fresh = _local(baked.surface, origin), origin.anew()
    yield from _on_the_surface(own, fresh, origin, "")
    size, most = volume(own), max(VOLUME * origin.step, LEAST_VOLUME)
    yield from _beyond("volume", abs(volume(fresh) / size - 1.0), most, "of it")
    bounds = [np.stack([item.vertices.min(axis=0), item.vertices.max(axis=0)]) for item in (own, fresh)]
    yield from _beyond("bounding box", np.abs(bounds[0] - bounds[1]).max(), BOX * origin.step, "mm")
    away = np.abs(surface_distance(own, 1.0 if origin.step >= 1.0 else origin.step / 3)(fresh.vertices))
    yield from _beyond("surface made anew", np.percentile(away, 99), BESIDE * origin.step, "mm")
    if baked.light is not None:
        light = _local(baked.light, origin)
        yield from _on_the_surface(light, fresh, origin, "light mesh: ")
        yield from _beyond("light mesh: volume", abs(volume(light) / size - 1.0), LIGHT_VOLUME, "of it")


def _local(surface: Surface, origin: Origin) -> Surface:
    """Return a surface of the world in the frame of what it is made of."""
    axes = origin.frame.axes
    turned = None if surface.normals is None else surface.normals @ axes.T
    return Surface(origin.frame.to_local(surface.vertices), surface.faces, normals=turned)


def _on_the_surface(own: Surface, fresh: Surface, origin: Origin, what: str) -> Iterator[str]:
    """Give in words whether vertices lie beside the generator's surface, and normals do not stand on it.

    Where a muscle's field leaps, a mesh runs through the leap: there the mesh made anew tells.
    """
    points = own.vertices.astype(np.float64)
    away = np.abs(origin.field(points))
    mean, most = (ON_MUSCLE, ON_MUSCLE_MOST) if origin.kind[0] == "muscle" else (ON, ON_MOST)
    astray = away > most
    if origin.kind[0] == "muscle" and astray.any():
        away[astray] = np.minimum(away[astray], np.abs(surface_distance(fresh)(points[astray])))
    yield from _beyond(f"{what}vertices on average", away.mean(), mean, "mm")
    yield from _beyond(f"{what}vertices", np.percentile(away, 99), most, "mm")
    if own.normals is not None:
        cosines = np.einsum("ij,ij->i", own.normals, vertex_normals(own.vertices, own.faces))
        turned = np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))
        yield from _beyond(f"{what}normals", np.percentile(turned, 99), TURNED, "degrees")


def _beyond(what: str, found: float | np.floating, allowed: float, unit: str) -> Iterator[str]:
    """Give in words that a number is larger than is allowed; what is no number is as bad."""
    if not found <= allowed:
        yield f"{what} off by {found:.2f} {unit} (at most {allowed:.2f})"
