"""Where tools work at the end of a corridor, in the site's frame: bone, ligament, root and fragment."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spineviz.anatomy.recipe import Body
from spineviz.anatomy.surroundings import thing
from spineviz.structure import Bone, Points
from spineviz.surgery.site import NERVE_WARP, Local, Site
from spineviz.surgery.window import Window

Places = tuple[Local, ...]

LATTICE, HELD = 1.5, 0.3
"""How far apart (mm) places in the fragment are, and how deep in it, at which jaws may hold it."""


def edge_of_bone(
    site: Site,
    bone: Bone,
    window: Window,
    radius: float,
    *,
    count: int = 4,
    below: bool = False,
    side: float = 0.0,
) -> Places:
    """Return places along the edge of bone that a window leaves, for a tip of ``radius`` mm inside it.

    They lie a little below the bone's outer surface; with ``below`` under its inner one. With a ``side``, the
    sign of x, only the edge on that side counts. Raises ValueError where no bone stands at the window's edge.
    """
    ring = np.array(ring_of(window.narrowed(radius), 72))
    heights = np.arange(window.deep + 0.5, window.shallow, 0.5)
    places = np.repeat(ring[:, None], len(heights), axis=1)
    places[:, :, 2] = heights
    distance = bone.distance(site.frame.to_parent(places.reshape(-1, 3))).reshape(len(ring), -1)
    near: npt.NDArray[np.bool_] = np.asarray(distance < radius + 1.2)
    run = _longest_run(np.any(near, axis=1) & (side * ring[:, 0] >= 0.0))
    if len(run) == 0:
        raise ValueError(f"{bone.level}: no bone stands at the edge of the window; check the docking point")
    top = heights[near.shape[1] - 1 - np.argmax(near[:, ::-1], axis=1)] - 1.5
    deep = heights[np.argmax(near, axis=1)] + 1.5
    chosen = run[np.linspace(0.1 * (len(run) - 1), 0.9 * (len(run) - 1), count).round().astype(int)]
    return tuple((float(ring[k, 0]), float(ring[k, 1]), float((deep if below else top)[k])) for k in chosen)


def fragment_place(site: Site, body: Body) -> Local:
    """Return where the fragment is grasped: its part that is nearest to the corridor.

    Without displaced material it is the disc's posterior border behind the docking point.
    """
    name = site.fragment if site.present(site.fragment) else f"disc.{site.disc}"
    local = site.frame.to_local(body.structures[name].surface.vertices)
    if name == site.fragment:
        centre = local.mean(0)
        top = local[np.argmax(local[:, 2])]
        x, y, z = 0.65 * centre + 0.35 * top
        return (float(x), float(y), float(z))
    near = local[np.hypot(local[:, 0], local[:, 1]) < 8.0]
    if len(near) == 0:
        raise ValueError(f"the corridor does not lead to the disc {site.disc}; check the docking point")
    return (0.0, 0.0, float(near[:, 2].max()))


def fragment_places(site: Site, body: Body) -> Points:
    """Return places (n, 3) inside the fragment at which jaws can hold it, on a lattice."""
    surface = body.structures[site.fragment].surface
    local = site.frame.to_local(surface.vertices)
    low, high = local.min(axis=0), local.max(axis=0)
    counts = np.maximum(((high - low) / LATTICE).astype(int), 1)
    nodes = low + (np.moveaxis(np.indices(tuple(counts.tolist())), 0, -1).reshape(-1, 3) + 0.5) * LATTICE
    inside = thing(surface).exact(site.frame.to_parent(nodes)) < -HELD
    return nodes[inside]


def root_border(site: Site, body: Body, fragment: Local, retraction: float = 0.0) -> Local:
    """Return the lateral border of the compressed root and sac at a level, drawn medially by some mm."""
    _, y, z = fragment
    near = {}
    for name in site.present(site.root, "thecal_sac"):
        points = body.structures[name].surface.vertices
        if name in site.nerves:
            points = body.warps[name, NERVE_WARP]((1.0, retraction))
        local = site.frame.to_local(points)
        local = local[np.abs(local[:, 1] - y) < 4.0]
        if len(local):
            near[name] = local
    if site.root not in near:
        return (0.0, y, z)
    border = max(float((site.lateral * local[:, 0]).max()) for local in near.values())
    return (site.lateral * border, y, float(np.quantile(near[site.root][:, 2], 0.75)))


def ring_of(window: Window, count: int) -> Places:
    """Return places (z = 0) evenly along a window's outline."""
    outline = window.curve()
    chosen = np.linspace(0, len(outline), count, endpoint=False).astype(int)
    return tuple((float(outline[k, 0]), float(outline[k, 1]), 0.0) for k in chosen)


def ligament_depth(site: Site, body: Body, window: Window) -> float:
    """Return how deep the ligament lies under a window, or the window's middle where there is none."""
    if site.present(site.flavum):
        points = body.structures[site.flavum].surface.vertices
        inside = window.across(points) < 0.0
        if inside.any():
            return float(np.median(site.frame.to_local(points[inside])[:, 2]))
    return 0.5 * (window.deep + window.shallow)


def _longest_run(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Return the indices of the longest run of true values on a closed ring."""
    if flags.all():
        return np.arange(len(flags))
    begin = int(np.argmin(flags))
    order = (begin + np.arange(len(flags))) % len(flags)
    runs = np.split(order, np.flatnonzero(np.diff(flags[order].astype(int))) + 1)
    return max((run for run in runs if flags[run[0]]), key=len, default=np.empty(0, dtype=int))
