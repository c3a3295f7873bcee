"""The nerves of a whole column in a part of it: cut off flat where its bones end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from spineviz import measures
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.disc.space import landmark
from spineviz.anatomy.nerve import STEMS, WITHIN, has_nerves
from spineviz.anatomy.nerve.ways import HIATUS, bones_of
from spineviz.structure import Floats, Structure, Surface
from spineviz.terms import ROOTS, Level

NOWHERE = 1e-4
"""No vertex lies nearer to a cut than this (mm): it is moved there."""

Cut = tuple[Floats, Floats]
"""A plane: a place (3,) on it in the world, mm, and the unit vector (3,) towards what is taken away."""


def nerves_within(
    whole: Mapping[str, Structure], bones: Mapping[Level, LevelBone], column: Sequence[Level]
) -> dict[str, Structure]:
    """Return what some bones of a column, from above, have of the nerves of the whole column, by name.

    Roots are there where the bones are that tell their way; the sac and what lies in it end with the bones.
    There are none where bones are no neighbours. Raises ValueError where a landmark is missing.
    """
    if not has_nerves(list(bones), column):
        return {}
    if set(bones) == set(column):
        return dict(whole)
    cuts = ends_of(bones, column)
    result: dict[str, Structure] = {}
    for name, item in whole.items():
        stem = name.partition(".")[0]
        if stem == "root":
            result |= {name: item} if _rooted(name, bones) else {}
            continue
        surface = item.surface
        for place, outwards in cuts:
            surface = shortened(surface, (place + _beyond(stem) * outwards, outwards))
        if len(surface.faces):
            result[name] = replace(item, surface=surface)
    return result


def is_nerve(name: str) -> bool:
    """Tell whether a structure, given by name, belongs to the nervous system or covers it."""
    return name.partition(".")[0] in STEMS


def _rooted(name: str, bones: Mapping[Level, LevelBone]) -> bool:
    root = ROOTS[ROOTS.index(name.split(".")[1])]
    needed = {*bones_of(root), *(("Co1",) if root in HIATUS else ())}
    return needed <= set(bones)


def _beyond(stem: str) -> float:
    """Return how far (mm) a structure stands out of the sac's cut."""
    if stem == "spinal_cord":
        return measures.value("spinal_cord_shape.above_cut")
    return measures.value("cauda.above_cut") if stem in WITHIN else 0.0


def ends_of(bones: Mapping[Level, LevelBone], column: Sequence[Level]) -> list[Cut]:
    """Return the cuts above and below some bones; without a coccyx the filum ends with the sacrum."""
    top, *_, bottom = bones
    shape = measures.table("thecal_sac_shape")
    result: list[Cut] = []
    if top != column[0]:
        known = "endplate.superior" if "endplate.superior" in bones[top].landmarks else "canal"
        plate = landmark(bones[top], known)
        result.append((plate.origin + shape["cut_above"] * plate.superior, plate.superior))
    if bottom == "S1":
        apex = landmark(bones[bottom], "apex")
        result.append((apex.origin, -bones[bottom].frame.superior))
    elif bottom != column[-1]:
        plate = landmark(bones[bottom], "endplate.inferior")
        result.append((plate.origin - shape["cut_below"] * plate.superior, -plate.superior))
    return result


def shortened(surface: Surface, cut: Cut) -> Surface:
    """Return a closed surface without what lies beyond a plane, closed by flat faces; it may be empty.

    Each flat face is a fan around its middle, from where all of its border must be seen. Paint and
    occlusion stay; the surface has no normals of its own.
    """
    place, outwards = cut
    count = len(surface.vertices)
    height = (surface.vertices.astype(np.float64) - place) @ outwards
    height = np.where(np.abs(height) < NOWHERE, -NOWHERE, height)
    out = height[surface.faces] > 0.0
    outside = out.sum(axis=1)
    if not outside.any():
        return surface
    rows = np.flatnonzero((outside == 1) | (outside == 2))
    alone = outside[rows] == 1  # one corner is cut off; or one stays
    odd = np.where(alone[:, None], out[rows], ~out[rows]).argmax(axis=1)
    a, b, c = (surface.faces[rows, (odd + step) % 3] for step in range(3))
    ends = np.sort(np.stack([np.concatenate([a, a]), np.concatenate([b, c])], axis=1), axis=1)
    edges, index = np.unique(ends, axis=0, return_inverse=True)
    p, q = count + index.reshape(2, -1)
    share = height[edges[:, 0]] / (height[edges[:, 0]] - height[edges[:, 1]])
    stays, goes = ~alone, alone
    faces = [
        surface.faces[outside == 0],
        np.stack([a, p, q], axis=1)[stays],
        np.stack([p, b, c], axis=1)[goes],
        np.stack([p, c, q], axis=1)[goes],
    ]
    border = np.where(alone[:, None], np.stack([p, q], axis=1), np.stack([q, p], axis=1)) - count
    links = coo_array((np.ones(len(border), dtype=bool), tuple(border.T)), shape=(len(edges),) * 2)
    fans, fan = connected_components(links, directed=False)
    middles = count + len(edges) + fan[border[:, 0]]
    faces.append(np.column_stack([border + count, middles]))

    def spread(values: Floats) -> Floats:
        between = values[edges[:, 0]] + _times(share, values[edges[:, 1]] - values[edges[:, 0]])
        sums = np.zeros((fans, *values.shape[1:]))
        np.add.at(sums, fan, between)
        return np.concatenate(
            [values, between, sums / _times(np.bincount(fan).astype(np.float64), np.ones_like(sums))]
        )

    paint = {
        name: spread(value)
        for name in ("occlusion", "tint", "coordinates")
        if (value := getattr(surface, name)) is not None
    }
    return _tidy(Surface(spread(surface.vertices), np.vstack(faces), **paint))


def _times(factors: Floats, rows: Floats) -> Floats:
    """Return rows (n, ...) each times its factor (n,)."""
    return (factors * rows.T).T


def _tidy(surface: Surface) -> Surface:
    """Return a surface without the vertices that no face has."""
    used, faces = np.unique(surface.faces, return_inverse=True)
    paint = {
        name: value[used]
        for name in ("occlusion", "tint", "coordinates")
        if (value := getattr(surface, name)) is not None
    }
    return Surface(surface.vertices[used], faces.reshape(-1, 3), **paint)
