"""What is taken over the top, through a tube on one side.

That is the lamina's edge, the base of the spinous process and the inside of the other lamina, with the yellow
ligaments of both sides and the inner edge of both recesses. The cut across the midline lies in a frame of its
own that is turned about the body's length: its z axis is the way along which the surgeon looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.recipe import Body
from spineviz.measures import table
from spineviz.structure import Floats, Frame, Surface
from spineviz.surgery.resection import cut_bone, cut_ligament
from spineviz.surgery.retraction.docking import disc_direction, lamina_edge
from spineviz.surgery.site import Site
from spineviz.surgery.trough import Stages, facet_borders
from spineviz.surgery.window import Window, columns_of, rounded, window_of
from spineviz.terms import SIDES, SIGN, Disc, Level, Side, levels_of

Rectangle = tuple[tuple[float, float], tuple[float, float]]
"""From where to where in the frame's x and y direction, mm."""


@dataclass(frozen=True, eq=False)
class Undercut:
    """The windows of a decompression over the top.

    ``near`` are the stages of the laminotomy on the tube's own side, ``across`` those of the cut through the
    base of the spinous process along the inside of the other lamina. ``recesses`` is cut out of the superior
    articular processes below, ``flava`` out of the yellow ligaments stage by stage.
    """

    near: tuple[Window, ...]
    across: tuple[Window, ...]
    recesses: Window
    flava: tuple[Window, ...]

    @property
    def count(self) -> int:
        """How many stages the lamina's bone goes through."""
        return len(self.near) + len(self.across)


def midline_frame(bones: Mapping[Level, LevelBone], disc: Disc) -> Frame:
    """Return the frame in the midline over a disc: x to the right, y cranial, z out along the disc.

    Its origin lies between the laminae's superior edges, as deep as the middle of the upper lamina.
    """
    above, below = levels_of(disc)
    edges = [lamina_edge(bones[level], "left", 0.0, superior=True) for level in (above, below)]
    depth = np.mean([bones[above].landmarks[f"lamina.{side}"].origin[1] for side in SIDES])
    out = -disc_direction(bones, disc)
    superior = np.array([0.0, 0.0, 1.0]) - out[2] * out
    superior /= np.linalg.norm(superior)
    origin = np.array([0.0, depth, (edges[0][2] + edges[1][2]) / 2.0])
    return Frame(origin, np.array([np.cross(superior, out), superior, out]))


def undercut_windows(
    near: tuple[Window, ...], bones: Mapping[Level, LevelBone], disc: Disc, side: Side, lamina: float
) -> Undercut:
    """Return the windows of a decompression over the top from a side; ``lamina`` (mm) is how far cranial.

    Raises ValueError where the other lamina is not found.
    """
    frame, bone = midline_frame(bones, disc), bones[levels_of(disc)[0]]
    size, recess = table("procedures.over_the_top.cut"), table("procedures.over_the_top.recess")
    axis = np.arange(-size["field"], size["field"] + size["grid"] / 2, size["grid"])
    edge = float(frame.to_local(lamina_edge(bone, side, size["across"]))[1])
    rows = edge - size["below"], edge + size["above"] + lamina
    columns = columns_of(bone, frame, axis, (size["deep"], size["height"]))
    other = -SIGN[side] * size["across"]
    strip = np.ix_(np.abs(axis - other) < size["strip"], (axis > edge + 2.0) & (axis < rows[1]))
    inside = columns.bottom[strip][np.isfinite(columns.bottom[strip])]
    if not len(inside):
        raise ValueError(f"{bone.level}: no lamina on the other side; check its landmarks")
    borders = facet_borders(columns, axis, 0.0)
    half = max(abs(border) for border in borders) + recess["facet"]
    flavum, heights = recess["flavum_rows"], recess["flavum_heights"]
    return Undercut(
        near=near,
        across=_across(frame, other, float(np.median(inside)) + size["undercut"], rows),
        recesses=_block(frame, ((-half, half), recess["rows"]), recess["heights"]),
        flava=tuple(
            _block(frame, ((-wide, wide), flavum), heights)
            for wide in (recess["first_half"], recess["flavum_half"])
        ),
    )


def _across(frame: Frame, x: float, z: float, rows: tuple[float, float]) -> tuple[Window, ...]:
    """Return the stages of the cut whose outer wall ends at a place (x, z) inside the other lamina."""
    size, far = table("procedures.over_the_top.cut"), float(np.sign(x))
    angle = np.radians(size["slope"])
    sine, cosine = np.sin(angle), np.cos(angle)
    turned = Frame(
        frame.to_parent(np.array([x, 0.0, z])),
        np.array([[cosine, 0.0, far * sine], [0.0, 1.0, 0.0], [-far * sine, 0.0, cosine]]) @ frame.axes,
    )
    length = (abs(x) + size["begins"]) / sine
    wide = (-size["thick"], 0.0) if far > 0.0 else (0.0, size["thick"])
    whole = _block(turned, (wide, rows), (-1.0, length))
    return whole.narrowed(size["smaller"]), whole


def _block(frame: Frame, sides: Rectangle, heights: tuple[float, float]) -> Window:
    """Return the window of a rectangle with round corners."""
    size = table("procedures.over_the_top.cut")
    axis = np.arange(-size["field"], size["field"] + size["grid"] / 2, size["grid"])
    u, v = np.meshgrid(axis, axis, indexing="ij")
    (left, right), (low, high) = sides
    mask = (u > left) & (u < right) & (v > low) & (v < high)
    return window_of(frame, axis, rounded(mask, size["corner"] / size["grid"]), (heights[0], heights[1]))


def undercut_stages(site: Site, body: Body, windows: Undercut) -> Stages:
    """Return the stages of bone and ligament that a decompression over the top leaves, by structure."""
    above, below = levels_of(site.disc)
    last = windows.near[-1]
    steps = [(window,) for window in windows.near] + [(last, window) for window in windows.across]
    surface = body.structures[above].surface
    result: Stages = {
        above: {site.variant(k): cut_bone(surface, *cut).surface for k, cut in enumerate(steps, 1)},
        below: {site.variant(1): cut_bone(body.structures[below].surface, windows.recesses).surface},
    }
    soft: dict[str, tuple[Window, ...]] = {f"flavum.{site.disc}.{side}": windows.flava for side in SIDES} | {
        f"{part}.{site.disc}.{site.side}": (last,) for part in ("facet_capsule", "facet_cartilage")
    }
    for name in site.present(*soft):
        stages = _stages(site, body.structures[name].surface, soft[name])
        if stages:
            result[name] = stages
    return result


def _stages(site: Site, surface: Surface, windows: tuple[Window, ...]) -> dict[str, Surface]:
    """Return what each window leaves of a soft structure, by the variant's name."""
    left = [cut_ligament(surface, window) for window in windows]
    return {site.variant(k): item for k, item in enumerate(left, 1) if item is not None}


def places_across(windows: Undercut, frame: Frame, radius: float) -> tuple[Floats, ...]:
    """Return places (3,) in a site's frame along the outer wall of the cut, for a tip of a radius in mm."""
    window = windows.across[-1]
    curve = window.curve()
    low, high = curve[:, 1].min() + 2.5 + radius, curve[:, 1].max() - radius - 0.6
    outer = 1.0 if abs(curve[:, 0].max()) < abs(curve[:, 0].min()) else -1.0
    u = -outer * (radius + 0.4)
    depth = window.shallow - window.deep
    local = [
        (u, v, window.deep + depth * share)
        for share in (0.62, 0.4, 0.24)
        for v in np.linspace(low, high, 3)[:: 1 if share != 0.4 else -1]
    ]
    return tuple(frame.to_local(window.frame.to_parent(np.array(place))) for place in local)
