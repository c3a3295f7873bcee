"""The thoracolumbar fascia: held at the spinous line, on the muscles' back, down to the lateral raphe.

World frame, mm. Laterally it follows the rounded border of erector spinae; the layers over it bridge the
furrow that is left there, and fat fills it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.back import paint as muscle_paint
from spineviz.anatomy.back.floor import HeightMap, Stations, spinous_line, stations
from spineviz.anatomy.back.layer import Layer, LayerRecipe, Outline
from spineviz.anatomy.back.profile import Profile, along
from spineviz.anatomy.bone import LevelBone
from spineviz.sdf.solid import Field
from spineviz.structure import Floats
from spineviz.terms import Level

FASCIA_STEP = 4.0
"""Edge length of the sheet's triangles, mm."""


def outline(span: Stations) -> Outline:
    """Return the rounded rectangle that fascia, fat and skin are cut out along."""
    extent = measures.table("muscles.extent")
    return Outline(extent["half_width"], span.caudal, span.cranial, extent["corner_radius"])


def fascia_field(
    bulge: Profile, centre: Profile, drop: Profile, bones: Mapping[Level, LevelBone], seen: HeightMap
) -> HeightMap:
    """Return the surface that bridges the back of the muscles, from which the room under it is measured.

    It is held at the spinous line, rises by ``bulge`` over the muscles, highest at ``centre`` from the
    midline, falls by ``drop`` again to the edge of the region, and nowhere lets bone through. ``seen`` is
    the `bone_from_behind` of the same bones.
    """
    span = stations(bones)
    thickness = measures.value("muscles.fascia_thickness")
    x, z = seen.plan
    u, heights = np.abs(x), z[0]
    middle, raised, fallen = (along(span, profile)(heights)[None, :] for profile in (centre, bulge, drop))
    cover = measures.value("muscles.supraspinous_thickness") + thickness
    line = spinous_line(bones, seen)(heights)[None, :] - cover
    rise = np.sin(np.pi / 2.0 * np.minimum((np.sqrt(u**2 + 9.0) - 3.0) / middle, 1.0))
    edge = measures.table("muscles.extent")["half_width"]
    fall = np.maximum((u - middle) / (edge - middle), 0.0) ** 2.4
    surface = line - raised * rise + fallen * fall
    bound = seen.values - thickness - 1.5
    for _ in range(3):
        surface = ndimage.gaussian_filter(np.minimum(surface, bound), 2.0, mode="nearest")
    return HeightMap(seen.lower, seen.step, surface)


def fascia_recipe(
    roof: HeightMap, span: Stations, muscles: Sequence[Field], medial: Callable[[Floats], Floats]
) -> LayerRecipe:
    """Return the fascia on the back of the muscles that fill the room under ``roof``.

    ``muscles`` are the distance fields of erector spinae on both sides and ``medial`` their border with
    multifidus: mm from the midline at z. Up to there the fascia is the roof itself.
    """
    thickness = measures.value("muscles.fascia_thickness")
    front = _on_muscle(roof, muscles, medial)
    layer = Layer(front, front.shifted(thickness), outline(span))
    return LayerRecipe(
        "thoracolumbar_fascia", "fascia", layer.solid(), FASCIA_STEP,
        paint=muscle_paint.fascia, layer=layer, cover=roof.shifted(thickness),
    )  # fmt: skip


def _on_muscle(roof: HeightMap, muscles: Sequence[Field], medial: Callable[[Floats], Floats]) -> HeightMap:
    """Return the roof, laid down on the muscles' back beyond their medial border."""
    shape = measures.table("muscles.fascia_wrap")
    x, z = roof.plan
    columns = np.abs(x) > medial(z[0])[None, :] + shape["begins"]
    depth = np.zeros_like(roof.values)
    depth[columns] = _depth(roof, muscles, columns, shape["deepest"])
    depth = _held(depth)
    bound, wrap = depth - shape["clear"], depth
    for _ in range(4):
        wrap = ndimage.gaussian_filter(np.minimum(wrap, bound), shape["blur"] / roof.step, mode="nearest")
    return HeightMap(roof.lower, roof.step, roof.values + np.maximum(np.minimum(wrap, bound), 0.0))


def _depth(roof: HeightMap, muscles: Sequence[Field], columns: Floats, deepest: float) -> Floats:
    """Return how far (n,) mm below the roof muscle is met in some of its columns; inf where none is."""
    x, z = (np.broadcast_to(axis, roof.values.shape)[columns] for axis in roof.plan)
    top = roof.values[columns]
    steps = np.arange(0.0, deepest + 0.25, 0.5)
    found, before = np.full(len(x), np.inf), np.full(len(x), np.inf)
    for step in steps:
        points = np.stack([x, top + step, z], axis=1)
        here = np.min([field(points) for field in muscles], axis=0)
        met = (here < 0.0) & np.isinf(found)
        share = np.clip(before[met] / (before[met] - here[met]), 0.0, 1.0) if step else 0.0
        found[met] = np.maximum(step - 0.5 * (1.0 - share), 0.0)
        before = here
    return found


def _held(depth: Floats) -> Floats:
    """Return a depth table (nx, nz) in which columns beyond the muscle keep the depth at its border."""
    result, middle = depth.copy(), len(depth) // 2
    for half in (range(middle, len(depth)), range(middle, -1, -1)):
        last = np.zeros(depth.shape[1])
        for row in half:
            last = np.where(np.isfinite(result[row]), result[row], last)
            result[row] = last
    return result
