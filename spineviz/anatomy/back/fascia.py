"""The thoracolumbar fascia: held at the spinous line, on the muscles' back, down to the lateral raphe.

World frame, mm. Laterally it turns round the border of erector spinae, where it meets its middle layer, and
goes on to the side; the layers over it bridge the furrow that is left there, and fat fills it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.back import paint as muscle_paint
from spineviz.anatomy.back.floor import Mask, spinous_line
from spineviz.anatomy.back.height_map import HeightMap
from spineviz.anatomy.back.layer import STEP, Layer, LayerRecipe, Outline
from spineviz.anatomy.back.parameters import MuscleParameters
from spineviz.anatomy.back.profile import along
from spineviz.anatomy.back.skeleton import half_widths
from spineviz.anatomy.back.stations import Stations, stations
from spineviz.anatomy.bone import LevelBone
from spineviz.sdf.solid import Field
from spineviz.structure import Floats
from spineviz.terms import SIGN, Level, Side

MOST_SAG = 1.0
"""The most that a triangle of the sheet is taken to sag, mm."""

FAR = 1e6
"""So far (mm) apart the heights of a plan are taken to be where only ways across it count."""


def outline(span: Stations) -> Outline:
    """Return what the layers are cut out along: a rounded rectangle of the breadth of the back."""
    widths = half_widths(span)
    extent, widest = measures.table("muscles.extent"), max(widths)
    narrow = None if min(widths) == widest else along(span, tuple(width / widest for width in widths))
    return Outline(widest, span.caudal, span.cranial, extent["corner_radius"], narrow)


def fascia_field(
    parameters: MuscleParameters, bones: Mapping[Level, LevelBone], seen: HeightMap, ribs: HeightMap
) -> HeightMap:
    """Return the surface that bridges the back of the muscles, from which the room under it is measured.

    It is held at the spinous line, rises over the muscles, falls again towards the edge of the region, and
    nowhere lets bone through. ``seen`` is the `bone_from_behind` of the same bones and ``ribs`` what the
    ribs hold off, seen from behind.
    """
    span = stations(bones)
    x, z = seen.plan
    u, heights = np.abs(x), z[0]
    middle, raised, fallen, thickness = (
        along(span, profile)(heights)[None, :]
        for profile in (
            parameters.bulge_centre, parameters.bulge, parameters.lateral_drop, parameters.fascia_thickness,
        )
    )  # fmt: skip
    cover = measures.value("muscles.supraspinous_thickness") + thickness
    held = spinous_line(bones, seen)(heights)[None, :]
    even, near = (
        _evened(held, measures.table("muscles.floor")["roof_blur"]),
        np.exp(-((u / middle) ** 2) * 4.0),
    )
    line = near * held + (1.0 - near) * even - cover
    rise = np.sin(np.pi / 2.0 * np.minimum((np.sqrt(u**2 + 9.0) - 3.0) / middle, 1.0))
    edge = measures.table("muscles.extent")["half_width"]
    fall = np.maximum((u - middle) / (edge - middle), 0.0) ** 2.4
    surface = line - raised * rise + fallen * fall
    bound = np.minimum(seen.values, ribs.values) - thickness - 1.5
    for _ in range(3):
        surface = ndimage.gaussian_filter(np.minimum(surface, bound), 2.0, mode="nearest")
    return HeightMap(seen.lower, seen.step, surface)


def _evened(line: Floats, blur: float) -> Floats:
    """Return a line (1, nz) blurred over ``blur`` samples and going on straight at both ends."""
    reach = min(int(3.0 * blur), line.shape[1] - 1)
    longer = np.pad(line, ((0, 0), (reach, reach)), mode="reflect", reflect_type="odd")
    return ndimage.gaussian_filter1d(longer, blur, axis=1)[:, reach:-reach]


def fascia_recipe(
    roof: HeightMap,
    front: HeightMap,
    span: Stations,
    thickness: Floats,
    raphe: Callable[[Floats], Floats],
) -> LayerRecipe:
    """Return the fascia with the surface ``front``, see `on_muscle`, before it.

    ``thickness`` (1, nz) is its own, mm. ``raphe`` tells how far from the midline (mm, at z) it turns round
    the lateral border of the muscles; there its triangles are narrow. Layers over it follow the ``roof``.
    """
    inner = HeightMap(front.lower, front.step, front.values - _sag(front.values, front.step))
    creases = tuple(partial(_beside, raphe, way) for way in measures.table("muscles.fascia_wrap")["creases"])
    layer = Layer(inner, inner.shifted(thickness), replace(outline(span), creases=creases))
    return LayerRecipe(
        "thoracolumbar_fascia", "fascia", layer.solid(), STEP,
        paint=muscle_paint.fascia, layer=layer, cover=roof.shifted(thickness),
    )  # fmt: skip


def _beside(line: Callable[[Floats], Floats], way: float, z: Floats) -> Floats:
    return line(z) + way


def on_muscle(
    roof: HeightMap,
    tendon: Floats,
    muscles: Mapping[Side, Sequence[Field]],
    borders: tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]],
    hips: HeightMap,
) -> HeightMap:
    """Return the roof, laid down on the muscles' back beyond their medial border.

    ``tendon`` (nx, nz) is the thickness of the aponeurosis between, mm. ``muscles`` are, by side, the
    distance fields of the muscles that lie against the lateral part; ``borders`` tell between which lines
    these are looked for: mm from the midline at z. Medial of them the surface is the roof itself. It lies on
    the ``hips``, see `MuscleBed`, and bridges clefts that are too narrow for it.
    """
    shape = measures.table("muscles.fascia_wrap")
    x, z = roof.plan
    inner, outer = (border(z) for border in borders)
    depth = np.zeros_like(roof.values)
    beyond = np.abs(x) > inner + shape["begins"]
    depth[beyond] = np.inf
    for side, fields in muscles.items():
        columns = beyond & (SIGN[side] * x > 0.0) & (np.abs(x) < outer + shape["beside"])
        depth[columns] = _depth(roof, fields, columns, shape["deepest"])
    depth = np.maximum(depth - tendon * roof.stretch, 0.0)
    away = ndimage.distance_transform_edt(np.isinf(depth), (roof.step, FAR))
    depth = _held(depth, shape["spread"] / roof.step)
    depth = np.minimum(depth, np.maximum(hips.values - roof.values, 0.0))
    depth = ndimage.grey_opening(depth, (2 * int(shape["narrow"] / roof.step / 2.0) + 1, 1))
    depth = depth * np.exp(-np.square(away / shape["eases"]))
    bound, wrap = depth - shape["clear"], depth
    for _ in range(4):
        wrap = ndimage.gaussian_filter(np.minimum(wrap, bound), shape["blur"] / roof.step, mode="nearest")
    return HeightMap(roof.lower, roof.step, roof.values + np.maximum(np.minimum(wrap, bound), 0.0))


def _sag(front: Floats, step: float) -> Floats:
    """Return by how much (nx, nz) mm a sheet's flat triangles lie in front of a surface that bulges back."""
    reach = max(round(STEP / 2.0 / step), 1)
    across, along_z = (
        np.pad(front, pad, mode="edge") for pad in (((reach, reach), (0, 0)), ((0, 0), (reach, reach)))
    )
    chords = across[2 * reach :] + across[: -2 * reach], along_z[:, 2 * reach :] + along_z[:, : -2 * reach]
    sag = np.clip(np.maximum(*chords) / 2.0 - front, 0.0, MOST_SAG)
    return np.asarray(ndimage.gaussian_filter(ndimage.maximum_filter(sag, 3), 1.0, mode="nearest"))


def _depth(roof: HeightMap, muscles: Sequence[Field], columns: Mask, deepest: float) -> Floats:
    """Return how far (n,) mm below the roof muscle is met in some of its columns; inf where none is."""
    x, z = (np.broadcast_to(axis, roof.values.shape)[columns] for axis in roof.plan)
    top = roof.values[columns]
    found, before = np.full(len(x), np.inf), np.full(len(x), np.inf)
    for step in np.arange(0.0, deepest + 0.25, 0.5):
        left = np.flatnonzero(np.isinf(found))
        points = np.stack([x[left], top[left] + step, z[left]], axis=1)
        here = np.min([field(points) for field in muscles], axis=0)
        met, last = here < 0.0, before[left]
        share = np.clip(last[met] / (last[met] - here[met]), 0.0, 1.0) if step else 0.0
        found[left[met]] = np.maximum(step - 0.5 * (1.0 - share), 0.0)
        before[left] = here
    return found


def _held(depth: Floats, spread: float) -> Floats:
    """Return a depth table (nx, nz) in which columns beyond the muscle keep the depth at its border.

    There it is blurred along the back over ``spread`` samples.
    """
    result, middle = depth.copy(), len(depth) // 2
    for half in (range(middle, len(depth)), range(middle, -1, -1)):
        last = np.zeros(depth.shape[1])
        for row in half:
            last = np.where(np.isfinite(result[row]), result[row], last)
            result[row] = last
    even = ndimage.gaussian_filter1d(result, spread, axis=1, mode="nearest")
    return np.where(np.isfinite(depth), result, even)
