"""What every decompression of a narrow canal does: flavum of both sides off, nerves free, roots felt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.recipe import Body
from spineviz.anatomy.surroundings import thing
from spineviz.measures import table, value
from spineviz.sdf import Field
from spineviz.structure import Floats, Frame, Points, Surface, Warp
from spineviz.surgery.actions import staged, together, vanished, warped
from spineviz.surgery.charts import chart
from spineviz.surgery.decompression import ABOVE_SKIN
from spineviz.surgery.instruments import Instrument
from spineviz.surgery.reach import TOUCH, Reach
from spineviz.surgery.relief import relief_warp
from spineviz.surgery.site import Local, Round, Site, used, visit
from spineviz.surgery.surroundings import MIDLINE, NERVOUS
from spineviz.surgery.tool_points import points_of, withdrawn
from spineviz.terms import SIDES, SIGN, Level, Side, levels_of, traversing_root
from spineviz.timeline import Action, during

Warps = Mapping[tuple[str, str], Warp]

LIFTS = (0.0, 1.0, 2.0, 3.5, 5.0, 7.0, 10.0)
"""By how much (mm) the probe's tip is raised where it does not reach a root."""

SPARED = 0.4
"""How much farther (mm) than from bone the punch keeps off nerves."""


@dataclass(frozen=True, eq=False)
class Taken:
    """What is cut in the course of an approach: the variants of each structure, and what goes as a whole."""

    stages: Mapping[str, tuple[str, ...]]
    gone: tuple[str, ...]

    def last(self, *names: str) -> Action:
        """Return the action at whose beginning structures stand in their last variant."""
        return together(*(staged(name, self.stages[name][-1:]) for name in names if name in self.stages))

    def through(self, name: str, first: int, last: int) -> Action:
        """Return the action that goes through a structure's variants from one to another, counted from 1."""
        return staged(name, self.stages[name][first - 1 : last])


def taken(stages: Mapping[str, Mapping[str, Surface]], gone: Iterable[str]) -> Taken:
    """Return what is cut, by the stages of each structure and the names of what goes as a whole."""
    return Taken({name: tuple(variants) for name, variants in stages.items()}, tuple(gone))


def as_shown(body: Body, site: Site) -> Body:
    """Return the body whose bones at a site are as disease has shaped them, for tools to keep off."""
    grown = {
        level: _shaped(body.bones[level], surface)
        for level in levels_of(site.disc)
        if (surface := body.structures[level].surface) is not body.bones[level].surface
    }
    return replace(body, bones={**body.bones, **grown})


def with_bone(body: Body, level: Level, surface: Surface) -> Body:
    """Return the body with another surface of a bone, for tools to keep off."""
    bone = _shaped(body.bones[level], surface)
    item = replace(body.structures[level], surface=surface)
    return replace(body, bones={**body.bones, level: bone}, structures={**body.structures, level: item})


@lru_cache(maxsize=4)
def _shaped(bone: LevelBone, surface: Surface) -> LevelBone:
    """Return a bone with another surface, remembered: approaches to one body share what is asked of it."""
    return replace(bone, surface=surface, exact=thing(surface).exact)


def ligaments_around(site: Site, body: Body) -> Field:
    """Return the distance from the ligaments that the burr keeps off.

    Those are the yellow ligaments at a site, which shield the sac, and those in the midline.
    """
    size = table("procedures.relief")
    surfaces = [body.structures[name].surface for name in (*flava(site), *in_midline(body))]
    return chart(surfaces, *site.box(-size["deep"], size["high"], size["across"]), 1.0)


def ligaments_left(site: Site, body: Body, stages: Mapping[str, Mapping[str, Surface]]) -> Field:
    """Return the distance from what is left at the end of the yellow ligaments and those in the midline."""
    size = table("procedures.relief")
    surfaces = [
        list(stages[name].values())[-1] if name in stages else body.structures[name].surface
        for name in (*flava(site), *in_midline(body))
    ]
    return chart(surfaces, *site.box(-size["deep"], site.depth, size["across"]), 1.0)


def left_around(site: Site, body: Body, stages: Mapping[str, Mapping[str, Surface]]) -> list[Surface]:
    """Return what is left around the nerves at the end: disc, bone, and what remains of the flava."""
    bones = [list(stages[level].values())[-1] for level in levels_of(site.disc)]
    ligaments = [list(stages[name].values())[-1] for name in flava(site) if len(stages.get(name, ())) > 1]
    front = site.present(f"disc.{site.disc}", "posterior_longitudinal_ligament")
    return [*bones, *ligaments, *(body.structures[name].surface for name in front)]


def narrowed(site: Site, body: Body, warps: Warps) -> dict[str, Surface]:
    """Return the nerves that are freed, as they are when they are free, by name."""
    way = relief_warp(site)
    return {
        name: body.structures[name].surface.moved(warp((1.0,)))
        for (name, known), warp in warps.items()
        if known == way
    }


def nerves_around(site: Site, body: Body, warps: Warps, *, free: bool, beside: Sequence[str] = ()) -> Field:
    """Return the distance from sac and roots near a site, while they are narrow or when they are ``free``.

    So it is from the structures ``beside`` them, given by their names.
    """
    moved = narrowed(site, body, warps) if free else {}
    size = table("procedures.relief")
    surfaces = [
        moved.get(name, item.surface)
        for name, item in body.structures.items()
        if item.tissue in NERVOUS or name in beside
    ]
    return chart(surfaces, *site.box(-size["deep"], size["high"], size["across"]), 1.0)


def felt(reach: Reach, warps: Warps, side: Side, toward: Local, aside: Local) -> tuple[Round, ...]:
    """Return where the probe stands at the free traversing root of a side, as near as it comes; at most once.

    Its shaft is bent so that the handle lies in the direction ``aside`` and does not hide the wound. A root
    that no straight way reaches, as the far one through a narrow tube, is not felt.
    """
    site, body = reach.site, reach.body
    root = f"root.{traversing_root(site.disc)}.{side}"
    surface = narrowed(site, body, warps).get(root, body.structures[root].surface)
    places = _places_at(site.frame.to_local(surface.vertices), SIGN[side])
    tool = withdrawn(points_of(site.tools["probe"]))
    for lift in LIFTS:
        tips = places + np.array([0.0, 0.0, lift])
        ways = [reach.freest(tip, tool, np.negative(aside), toward) for tip in tips]
        clear = [(score, frame) for score, free, frame in ways if free >= -TOUCH]
        if clear:
            return (Round((max(clear, key=lambda way: way[0])[1],), ()),)
    return ()


def _places_at(root: Points, lateral: float) -> Points:
    """Return places (n, 3) for a probe's tip around a root (n, 3): from beside it to behind it.

    All stand in the site's frame; ``lateral`` is the sign of x towards the root's side.
    """
    shape, ball = table("procedures.probing"), value("instruments.nerve_probe.ball") / 2
    angle = np.radians(shape["angles"])
    result = []
    for height in shape["heights"]:
        near = root[np.abs(root[:, 1] - height) < shape["within"]]
        if len(near):
            low, high = near.min(axis=0), near.max(axis=0)
            half = (high - low) / 2 + ball + shape["beside"]
            across, behind = lateral * half[0] * np.cos(angle), half[2] * np.sin(angle)
            middle = (low + high) / 2
            result.append(np.stack([middle[0] + across, 0.0 * angle + height, middle[2] + behind], axis=1))
    return np.vstack(result) if result else np.empty((0, 3))


def probing(site: Site, tool: Instrument, places: Sequence[Round], start: float, end: float) -> Action:
    """Return the action of a probe that goes to some places, one after the other, between parts of a step."""
    span = (end - start) / max(len(places), 1)
    return together(
        *(
            used(
                tool,
                visit(place, site.depth + ABOVE_SKIN, 0.32, 0.62),
                start + k * span,
                start + (k + 1) * span,
            )
            for k, place in enumerate(places)
        )
    )


def released(site: Site, names: Sequence[str]) -> Action:
    """Return the action by which narrowed nerves fill out."""
    return warped(names, relief_warp(site), (0.0,), (1.0,))


def freed_names(site: Site, warps: Warps) -> tuple[str, ...]:
    """Return the names of the nerves that are freed in an approach."""
    return tuple(name for name, known in warps if known == relief_warp(site))


def flava(site: Site) -> tuple[str, ...]:
    """Return the names of the yellow ligaments at a site's disc that stand in the body."""
    return site.present(*(f"flavum.{site.disc}.{side}" for side in SIDES))


def in_midline(body: Body) -> tuple[str, ...]:
    """Return the names of the ligaments between and over the spinous processes."""
    return tuple(name for name in body.structures if name.startswith(MIDLINE))


def behind_the_sac(site: Site) -> tuple[str, ...]:
    """Return the name of the fat behind the sac, where it stands in the body."""
    return site.present(f"epidural_fat.{site.disc}")


def flava_off(site: Site, cut: Taken, start: float, end: float) -> Action:
    """Return the action by which yellow ligaments, and the fat behind the sac, go stage by stage."""
    fat = behind_the_sac(site)
    return together(
        *(during(staged(name, cut.stages[name]), start, end) for name in flava(site) if name in cut.stages),
        *(during(vanished(*names), 0.8 * end + 0.2 * start, end) for names in (fat,) if names),
    )


def height_over(frame: Frame, origin: Floats) -> float:
    """Return how high (mm) a place in the world stands along a frame's z axis."""
    return float(frame.to_local(origin)[2])
