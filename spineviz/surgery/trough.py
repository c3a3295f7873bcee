"""What an open laminectomy takes away: spinous process, central lamina, medial facets, and what holds there.

All windows lie in a midline corridor's frame: origin over the middle of the lamina, x towards the patient's
right, y cranial, z out of the body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.recipe import Body
from spineviz.measures import table
from spineviz.structure import Floats, Frame, Surface
from spineviz.surgery.resection import cut_bone, cut_ligament
from spineviz.surgery.site import Site
from spineviz.surgery.window import Columns, Mask, Window, columns_of, rounded, window_of
from spineviz.terms import LEVELS, SIDES, Disc, levels_of

Stages = dict[str, dict[str, Surface]]
"""The stages of what is cut, by structure and name."""

Heights = tuple[float, float]
"""The heights (mm) between which a window is cut through."""


@dataclass(frozen=True, eq=False)
class Trough:
    """The windows of a laminectomy.

    ``process`` take the spinous process from its tip down, ``lamina`` widen the trough in the lamina and
    ``facets`` takes the medial facets as well; ``recesses`` is cut out of the superior articular processes
    below and ``ligaments`` out of the ligaments in the midline.
    """

    process: tuple[Window, ...]
    lamina: tuple[Window, ...]
    facets: Window
    recesses: Window
    ligaments: Window

    @property
    def count(self) -> int:
        """How many stages the lamina's bone goes through."""
        return len(self.process) + len(self.lamina) + 1


def laminectomy_windows(bone: LevelBone, frame: Frame, *, width: float, facet_share: float) -> Trough:
    """Return the windows of a laminectomy: a trough of some width (mm), and a share of each facet.

    Raises ValueError where the frame does not stand over a lamina with its spinous process.
    """
    size = table("procedures.laminectomy.cut")
    axis = np.arange(-size["field"], size["field"] + size["grid"] / 2, size["grid"])
    columns = columns_of(bone, frame, axis, (size["deep"], size["height"]))
    u, v = np.meshgrid(axis, axis, indexing="ij")
    lamina = np.isfinite(columns.top) & (np.abs(u) < width / 2)
    if not lamina.any():
        raise ValueError(f"{bone.level}: no lamina under the wound; check its landmarks")
    cranial = float(v[lamina].max()) + size["cranial"]
    along = (v < cranial) & (v > -size["caudal"])
    borders = facet_borders(columns, axis, facet_share)
    joint = (v < size["facet_below"]) & (v > -size["caudal"]) & (u > borders[0]) & (u < borders[1])
    whole = along & (np.abs(u) < width / 2)
    depth = columns.through(whole | joint, size["beyond"])

    def cut(mask: Mask, heights: Heights = depth) -> Window:
        return window_of(frame, axis, rounded(mask, size["corner"] / size["grid"]), heights)

    process = along & (np.abs(u) < size["process_half"])
    tip, base = depth[1], _lamina_height(columns, axis) + size["process"]
    count = int(size["process_stages"])
    levels = [tip + (base - tip) * k / count for k in range(1, count + 1)]
    low, high = size["ligament"]
    midline = (np.abs(u) < size["ligament_half"]) & (v > low) & (v < high)
    return Trough(
        process=tuple(cut(process, (level, tip)) for level in levels),
        lamina=(cut(along & (np.abs(u) < (width - size["narrower"]) / 2)), cut(whole)),
        facets=cut(whole | joint),
        recesses=cut((whole | joint) & (v > -size["recess"])),
        ligaments=cut(midline, (_lamina_height(columns, axis) - 2.0, tip + 8.0)),
    )


def _lamina_height(columns: Columns, axis: Floats) -> float:
    """Return how high (mm) the lamina stands beside the spinous process."""
    beside = (np.abs(axis) > 6.0) & (np.abs(axis) < 9.0)
    return float(np.median(columns.top[np.ix_(beside, np.abs(axis) < 6.0)]))


def facet_borders(columns: Columns, axis: Floats, share: float) -> tuple[float, float]:
    """Return up to where (mm) the inferior articular processes are taken, on the left and on the right."""
    aside = np.isfinite(columns.top)[np.abs(axis) > 6.0].any(axis=0)
    if not aside.any():
        raise ValueError("no facet joint beside the lamina; check the landmarks")
    low, high = np.add(table("procedures.laminectomy.cut")["facet_rows"], axis[aside].min())
    rows = (axis > low) & (axis < high)
    found = np.isfinite(columns.top[:, rows]).mean(axis=1) > 0.5
    result = []
    for sign in (-1.0, 1.0):
        places = sign * axis[found & (sign * axis > 6.0)]
        if not len(places):
            raise ValueError("no facet joint beside the lamina; check the landmarks")
        medial = float(places.min())
        result.append(sign * (medial + share * (float(places.max()) - medial)))
    return result[0], result[1]


def resected_stages(site: Site, body: Body, trough: Trough) -> Stages:
    """Return the stages of bone and ligament that a laminectomy leaves, by structure and name."""
    above, below = levels_of(site.disc)
    bones, last = trough.process[-1], trough.facets
    steps: list[tuple[Window, ...]] = [(window,) for window in trough.process]
    steps += [(window, bones) for window in trough.lamina] + [(last, bones)]
    surface = body.structures[above].surface
    result: Stages = {
        above: {site.variant(k): cut_bone(surface, *windows).surface for k, windows in enumerate(steps, 1)},
        below: {site.variant(1): cut_bone(body.structures[below].surface, trough.recesses).surface},
    }
    deeper = replace(last, deep=last.deep - table("procedures.laminectomy.cut")["flavum_deeper"])
    for name in sorted(body.structures):
        windows = _cut_from(name, site, trough, deeper)
        stages = [cut_ligament(body.structures[name].surface, window) for window in windows]
        kept = {site.variant(k): item for k, item in enumerate(stages, 1) if item is not None}
        if kept:
            result[name] = kept
    return result


def _cut_from(name: str, site: Site, trough: Trough, deeper: Window) -> Sequence[Window]:
    """Return the windows that are cut one after the other out of a ligament or a joint, by its name."""
    here, over = site.disc, disc_above(site.disc)
    midline = {
        f"{stem}.{disc}" for stem in ("interspinous", "supraspinous_ligament") for disc in (here, over)
    }
    if name == "supraspinous_ligament" or name in midline:
        return (trough.ligaments,)
    if name in {f"flavum.{here}.{side}" for side in SIDES}:
        return trough.lamina[0].narrowed(1.5), deeper
    if name in {f"flavum.{over}.{side}" for side in SIDES}:
        return (trough.lamina[-1],)
    joints = {f"{part}.{here}.{side}" for part in ("facet_capsule", "facet_cartilage") for side in SIDES}
    return (trough.facets,) if name in joints else ()


def disc_above(disc: Disc) -> str:
    """Return the name of the disc over a disc."""
    upper = levels_of(disc)[0]
    return f"{LEVELS[LEVELS.index(upper) - 1]}-{upper}"
