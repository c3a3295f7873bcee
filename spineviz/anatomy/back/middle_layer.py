"""The middle layer of the thoracolumbar fascia: from the tips of the transverse processes to the side."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from spineviz import measures
from spineviz.anatomy.back.around import Loin, profile, sheet_levels
from spineviz.anatomy.back.transverse import TransverseSheet
from spineviz.anatomy.back.whole import WholeRecipe
from spineviz.anatomy.net import Net, pushed, slab
from spineviz.anatomy.recipe import Paint
from spineviz.geometry import surface_distance
from spineviz.sdf.solid import Field, Solid
from spineviz.structure import Floats, Points

Before = Callable[[Floats, Floats], Floats]
"""How far (mm) before a sheet something is, by place and offset on the sheet, each (n,)."""

FORWARDS = 0.5
"""Beyond its lateral edge the layer is taken to go on, by so many mm forwards for each mm to the side."""


def middle_layer(loin: Loin, sheet: TransverseSheet) -> tuple[WholeRecipe, Before]:
    """Return ``thoracolumbar_fascia_middle.<side>``, world mm, and how far it reaches before the sheet."""
    shape = measures.table("middle_layer")
    first = sheet_levels(loin).index(loin.lumbar[0]) - shape["above_first"]
    last = len(sheet_levels(loin)) - 1 - shape["above_last"]
    places = np.linspace(first, last, int(shape["rows"]))
    lateral = loin.size * profile(loin, shape["lateral"])(places)
    share = np.linspace(0.0, 1.0, int(shape["columns"]))
    free, muscle, cover = loin.taken("bone", "disc", "ligament"), loin.of("muscle"), loin.of("cover")
    for _ in range(2):  # as broad as usual, and then as far as there is room
        offsets = shape["first"] + share * (lateral[:, None] - shape["first"])
        middle, front = (_at(sheet, table, places, offsets) for table in (sheet.net, sheet.front))
        inner = _on_muscle(middle - shape["thickness"] / 2 * front, front, muscle, shape)
        inner = pushed(inner, free, 0.0)
        met = cover(inner.reshape(-1, 3)).reshape(offsets.shape) < loin.gaps["cover"]
        if not met.any():
            break
        lateral = _before_met(offsets, met)
    outer = pushed(inner + shape["thickness"] * front, free, 0.0)
    made = slab(inner, outer)
    heights = sheet.local(outer.reshape(-1, 3))[2].reshape(outer.shape[:2])
    solid = Solid(surface_distance(made), made.vertices.min(axis=0) - 2.0, made.vertices.max(axis=0) + 2.0)

    def paint(points: Points) -> Paint:
        place, offset, _ = sheet.local(np.asarray(points, dtype=np.float64))
        return Paint(np.exp(-np.maximum(offset, 0.0) / 9.0), np.stack([offset, 32.0 * place], axis=1))

    name = f"thoracolumbar_fascia_middle.{loin.side}"
    recipe = WholeRecipe(name, "fascia", solid, 1.0, loin.side, paint, made=made)
    return recipe, _before(places, offsets, heights)


def _on_muscle(net: Net, front: Net, muscle: Field, shape: Mapping[str, float]) -> Net:
    """Return a net (n, m, 3) laid on the muscles behind it: drawn back to them, and out of them.

    ``muscle`` is the distance (mm) to them; where they are farther than it is drawn back, it stays.
    """
    for _ in range(3):
        room = muscle(net.reshape(-1, 3)).reshape(net.shape[:2]) - shape["gap"]
        back = np.where(room < shape["drawn_back"], np.maximum(room, 0.0), 0.0)
        net = net - ndimage.gaussian_filter(back, 1.5, mode="nearest")[..., None] * front
    for _ in range(4):
        lack = shape["gap"] - muscle(net.reshape(-1, 3)).reshape(net.shape[:2])
        net = net + ndimage.maximum_filter(np.maximum(lack, 0.0), 3)[..., None] * front
    return net


def _before_met(offsets: Floats, met: npt.NDArray[np.bool_]) -> Floats:
    """Return how far (n,) a layer goes, of the offsets (n, m) of its rows: until another one is met."""
    ends = np.where(met.any(axis=1), np.maximum(met.argmax(axis=1) - 1, 1), offsets.shape[1] - 1)
    lateral = offsets[np.arange(len(offsets)), ends]
    return np.minimum(lateral, ndimage.gaussian_filter1d(ndimage.minimum_filter1d(lateral, 3), 1.0))


def _before(places: Floats, offsets: Floats, heights: Floats) -> Before:
    """Return heights (n, m) at places (n,) and offsets (n, m) as a function of both."""
    width = offsets[:, -1] - offsets[:, 0]

    def before(place: Floats, offset: Floats) -> Floats:
        row = np.interp(place, places, np.arange(len(places)))
        first, whole = (np.interp(place, places, table) for table in (offsets[:, 0], width))
        column = np.clip((offset - first) / whole, 0.0, 1.0) * (offsets.shape[1] - 1)
        known = ndimage.map_coordinates(heights, np.stack([row, column]), order=1, mode="nearest")
        return np.asarray(known + FORWARDS * np.maximum(offset - first - whole, 0.0))

    return before


def _at(sheet: TransverseSheet, table: Net, places: Floats, offsets: Floats) -> Net:
    """Return a table (n, m, 3) of a sheet at some places (k,) and offsets (k, j): (k, j, 3)."""
    rows = np.interp(places, sheet.places, np.arange(len(sheet.places)))
    columns = np.interp(offsets, sheet.offsets, np.arange(len(sheet.offsets)))
    index = np.stack([np.broadcast_to(rows[:, None], columns.shape), columns])
    return np.stack([ndimage.map_coordinates(table[..., k], index, order=1) for k in range(3)], axis=-1)
