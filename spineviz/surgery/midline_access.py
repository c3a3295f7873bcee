"""The way in through the midline: skin and fascia opened, muscle off the bone, a retractor that holds it.

The muscle of one side comes off the bone, or that of both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spineviz.anatomy.back.layer import LayerRecipe
from spineviz.anatomy.recipe import Body
from spineviz.measures import table
from spineviz.model import Camera
from spineviz.structure import Floats, Frame, Points, Structure
from spineviz.surgery import decompression, phases, wound
from spineviz.surgery.access import Access, PosteriorApproach, layers_cut
from spineviz.surgery.actions import Amounts, Motion, appeared, carried, together, warped
from spineviz.surgery.bone_left import BoneLeft, NearBone
from spineviz.surgery.instruments import Instrument, cobb_elevator, scalpel
from spineviz.surgery.reach import Reach
from spineviz.surgery.retraction import Blade, MidlineWound, PartedTissue, blade, expose, parted
from spineviz.surgery.self_retaining import lateral_arm, medial_arm
from spineviz.surgery.site import Site, raised, used
from spineviz.surgery.tool_points import points_of
from spineviz.terms import SIGN, Side
from spineviz.timeline import Action, Step, during


@dataclass(frozen=True, eq=False)
class MidlineAccess(Access):
    """How a midline wound opens, and where the tools go that open it.

    ``detached`` and ``full`` are the wound's amounts after the muscle is off the bone and at full spread.
    ``elevators`` are the frames of the Cobb on its way along the bone, on each side in turn. ``arms`` are
    where the arms of the two blades stand at full opening, ``placed`` the movements of the world that bring
    both from there to the detached wound.
    """

    detached: Amounts
    full: Amounts
    elevators: Mapping[Side, tuple[Frame, ...]]
    arms: tuple[Frame, ...]
    placed: tuple[Frame, ...]

    @property
    def held(self) -> tuple[str, ...]:
        """The names of the retractor's parts."""
        tools = self.site.tools
        return (*blade_names(self.site.approach), tools["lateral"].name, tools["medial"].name)


@dataclass(frozen=True, eq=False)
class MidlineOpening:
    """A midline wound, the tissue that it parts, and the blades that hold it, lateral and medial."""

    wound: MidlineWound
    parts: Mapping[str, PartedTissue]
    blades: tuple[Blade, Blade]


def opening_of(spec: PosteriorApproach, body: Body, *, both: bool = False) -> MidlineOpening:
    """Return the wound in the midline, to one side or ``both``. Raises ValueError where it does not fit."""
    fascia = body.recipes[wound.FASCIA]
    if not isinstance(fascia, LayerRecipe):
        raise TypeError(f"{wound.FASCIA}: a wound is opened through a layer, and this is none")
    opening = expose(
        body.bones,
        spec.disc,
        spec.side,
        body.recipes[wound.SKIN].solid.field,
        fascia.layer,
        incision=spec.incision_length,
        both=both,
    )
    parts = parted(opening, body.recipes, body.structures)
    wall = [part.surface.moved(part.warp(opening.full)) for part in parts.values()]
    return MidlineOpening(opening, parts, (blade(opening, wall), blade(opening, wall, diseased=False)))


def blade_names(approach: str) -> tuple[str, str]:
    """Return the names of the two blades of an approach's retractor."""
    return f"instrument.{approach}.blade", f"instrument.{approach}.medial_blade"


def blade_structures(approach: str, blades: tuple[Blade, Blade]) -> dict[str, Structure]:
    """Return the blades, which stand in the world, as structures by name."""
    names = blade_names(approach)
    return {
        name: Structure(name, "instrument", item.surface) for name, item in zip(names, blades, strict=True)
    }


def access_tools(
    approach: str, site_frame: Frame, blades: tuple[Blade, Blade], side: Side
) -> dict[str, Instrument]:
    """Return the tools that open the wound, by their short names."""
    name, caudal = f"instrument.{approach}", -SIGN[side]
    spread = abs(float((blades[0].frame.origin - blades[1].frame.origin) @ site_frame.right))
    return {
        "scalpel": scalpel(f"{name}.scalpel"),
        "cobb": cobb_elevator(f"{name}.cobb"),
        "lateral": lateral_arm(f"{name}.lateral_arm", caudal),
        "medial": medial_arm(f"{name}.medial_arm", caudal, spread),
    }


def midline_access(site: Site, found: MidlineOpening, body: Body, size: Mapping[str, float]) -> MidlineAccess:
    """Return the way in to a site through an opening; ``size`` are the shares and places of its tools."""
    opening, blades = found.wound, found.blades
    skin, fascia = (body.structures[name].surface for name in (wound.SKIN, wound.FASCIA))
    midline = float(site.frame.to_local(opening.axis.origin)[0])
    half = opening.incision / 2
    closed, detached = tuple(0.0 for _ in opening.full), (size["detached_skin"], size["detached"])
    beside = 0.0 if opening.both else site.lateral
    return MidlineAccess(
        site=site,
        incision=opening.incision,
        closed=closed,
        uncut=(closed, closed),
        skin_cut=(size["skin_cut"], 0.0),
        fascia_cut=(size["skin_cut"], size["fascia_cut"]),
        detached=detached,
        full=tuple(opening.full),
        skin_line=wound.knife_line(site, skin, across=midline, half=half, depth=2.5, lean=0.7),
        fascia_line=wound.knife_line(
            site, fascia, across=midline + beside, half=0.75 * half, depth=1.5, lean=0.15
        ),
        elevators={
            side: _elevator(_along_bone(site, body, opening, detached), midline, SIGN[side], size)
            for side in opening.sides
        },
        arms=_arms(site, found),
        placed=tuple(_frame_of(item.pose(detached)) for item in blades),
    )


def _arms(site: Site, found: MidlineOpening) -> tuple[Frame, ...]:
    """Return where the blades' arms stand at full opening: x lateral, z out of the body, both arms level.

    They go caudally and lean so far out of the body that they lie on the skin there.
    """
    tops = [site.frame.to_local(item.frame.origin) for item in found.blades]
    top = max(float(place[2]) for place in tops)
    lean = _lean(site, found, np.array([0.0, float(np.mean([place[1] for place in tops])), top]))
    caudal = np.array([0.0, -np.cos(lean), np.sin(lean)])
    outward = np.array([site.lateral, 0.0, 0.0])
    local = np.array([outward, -site.lateral * caudal, np.cross(outward, -site.lateral * caudal)])
    axes = local @ site.frame.axes
    return tuple(Frame(site.world((float(x), float(y), top)), axes) for x, y, _ in tops)


def _lean(site: Site, found: MidlineOpening, top: Floats) -> float:
    """Return by which angle (radians) arms from a place (3,) in the site's frame clear the skin caudally."""
    size, skin = table("instruments.self_retaining"), found.parts[wound.SKIN]
    local = site.frame.to_local(skin.surface.moved(skin.warp(found.wound.full)).vertices) - top
    away = -local[:, 1]
    crossed = (away > size["arm_length"] / 2) & (away < size["arm_length"] + size["beyond"])
    crossed &= np.abs(local[:, 0]) < size["across"]
    slopes = (local[crossed, 2] + size["over_skin"]) / away[crossed]
    return float(np.arctan(slopes.max(initial=0.0)))


def _frame_of(matrix: Floats) -> Frame:
    """Return a rigid 4 x 4 matrix as a frame."""
    return Frame(matrix[:3, 3], matrix[:3, :3].T)


def _along_bone(site: Site, body: Body, opening: MidlineWound, detached: Amounts) -> Reach:
    """Return the ways of the Cobb along bone: its blade peels the muscle off, its shaft lies in the wound.

    Muscle gives way and bone does not: a mm in it counts as a part of one in bone.
    """
    size = table("procedures.open_wound")

    def wall(points: Points) -> Floats:
        high = opening.axis.to_local(points)[:, 2]
        beside = (high > size["peeled"]) & (high < opening.length)
        return np.where(beside, -size["yields"] * opening.lumen(points, detached), np.inf)

    return Reach(BoneLeft(NearBone(site, body), None), site.room, walled=False).keeping_off(wall)


def _elevator(reach: Reach, midline: float, lateral: float, size: Mapping[str, float]) -> tuple[Frame, ...]:
    """Return the Cobb's frames on one side: down the spinous process, then laterally along the lamina.

    ``lateral`` is the sign of x towards that side.
    """
    frames, site, body = [], reach.site, reach.body
    tool = points_of(site.tools["cobb"])
    places: list[tuple[float, float, float]] = size["elevator"]  # type: ignore[assignment]
    for away, cranial, above in places:
        x = midline + lateral * away
        tip = (x, cranial, _bone_height(site, body, x, cranial) + above)
        toward = (midline + lateral * size["elevator_side"], -size["elevator_lean"], site.depth)
        frames.append(reach.pose(tip, tool, (lateral, 0.0, 0.0), toward))
    return tuple(frames)


def _bone_height(site: Site, body: Body, x: float, y: float) -> float:
    """Return how high bone stands at a place of the site's frame, within the width of the elevator."""
    heights = np.arange(30.0, -12.0, -0.5)
    rows = [
        np.stack([np.full(len(heights), x), np.full(len(heights), y + beside), heights], axis=1)
        for beside in (-6.0, -3.0, 0.0, 3.0, 6.0)
    ]
    points = site.frame.to_parent(np.vstack(rows))
    distance = np.min([bone.distance(points) for bone in body.bones.values()], axis=0)
    touching = (distance.reshape(len(rows), -1) < 1.0).any(axis=0)
    return float(heights[np.argmax(touching)]) if touching.any() else 0.0


def opened(access: MidlineAccess, cameras: Mapping[str, Camera]) -> tuple[Step, ...]:
    """Return the steps from the whole back to the spread retractor, for cameras posterior and operative."""
    site, over = access.site, cameras["operative"]
    return (
        *layers_cut(access, cameras),
        wound.step(site, "access", over, _detachment(access)),
        wound.step(site, "retractor", wound.down_the_wound(site, over), _retractor(access)),
    )


def _detachment(access: MidlineAccess) -> Action:
    """Return the action of the Cobb elevator that takes multifidus off the bone, side after side."""
    site = access.site
    layers = site.present(wound.SKIN, wound.FAT, wound.FASCIA)
    sides = len(access.elevators)
    actions = [during(wound.exposed(site, wound.MUSCLE_SHOWN), 0.0, 0.2)]
    begin, end = 0.06, 0.9
    for number, side in enumerate(access.elevators):
        span = (end - begin) / sides
        start = begin + number * span
        muscles = tuple(name for name in wound.muscles_of(site, side) if name not in layers)
        actions += _off_the_bone(access, side, muscles, start, start + span)
    entered = _entered()
    enter, first, last = (begin + share * (end - begin) for share in (0.06 / sides, 0.2 / sides, 0.8))
    name = site.approach
    actions += [
        during(warped(layers, name, access.fascia_cut, entered, name), enter, first),
        during(warped(layers, name, entered, access.detached, name), first, last),
    ]
    return together(*actions)


def _entered() -> Amounts:
    """Return the amounts of the wound into which the elevator has come."""
    size = table("procedures.open_wound")
    return size["entered_skin"], size["entered"]


def _off_the_bone(
    access: MidlineAccess, side: Side, muscles: tuple[str, ...], start: float, end: float
) -> list[Action]:
    """Return the actions by which the Cobb takes the muscles of one side off the bone."""
    site, frames, name = access.site, access.elevators[side], access.site.approach
    way, span = site.depth + decompression.ABOVE_SKIN, end - start
    times = (0.0, *(float(t) for t in np.linspace(0.2, 0.8, len(frames))), 1.0)
    motion = Motion(times, (raised(frames[0], way), *frames, raised(frames[-1], way)))
    enter, first, last = (start + share * span for share in (0.06, 0.2, 0.8))
    return [
        used(site.tools["cobb"], motion, start, end),
        during(warped(muscles, name, access.closed, _entered(), name), enter, first),
        during(warped(muscles, name, _entered(), access.detached, name), first, last),
    ]


def _retractor(access: MidlineAccess) -> Action:
    """Return the action that seats both blades and spreads them with the ratchet."""
    site, name = access.site, access.site.approach
    above = site.depth + decompression.ABOVE_SKIN
    return together(
        *(during(appeared(part), 0.02, 0.12) for part in access.held),
        during(_carried(access, (0.0, 1.0), ((above, False), (0.0, False))), 0.02, 0.42),
        during(_carried(access, (0.0, 1.0), ((0.0, False), (0.0, True))), 0.46, 0.86),
        during(warped(wound.operated(site), name, access.detached, access.full, name), 0.46, 0.86),
    )


def _carried(
    access: MidlineAccess, times: tuple[float, ...], places: tuple[tuple[float, bool], ...]
) -> Action:
    """Return the action that carries the retractor through places: height in mm, and whether spread."""
    actions = []
    tools, up = access.site.tools, access.site.frame.superior
    for name, tool, arm, placed in zip(
        blade_names(access.site.approach), ("lateral", "medial"), access.arms, access.placed, strict=True
    ):
        moves = tuple(
            Frame(
                (np.zeros(3) if spread else placed.origin) + height * up, np.eye(3) if spread else placed.axes
            )
            for height, spread in places
        )
        actions.append(carried((name,), Motion(times, moves)))
        actions.append(carried((tools[tool].name,), Motion(times, tuple(arm.then(way) for way in moves))))
    return together(*actions)


def taken_out(access: MidlineAccess) -> tuple[Action, tuple[tuple[float, float, phases.Opening], ...]]:
    """Return the action that takes the retractor out, and when the tissue goes between which amounts."""
    above = access.site.depth + decompression.ABOVE_SKIN
    out = together(
        during(_carried(access, (0.0, 1.0), ((0.0, True), (0.0, False))), 0.28, 0.44),
        during(_carried(access, (0.0, 1.0), ((0.0, False), (above, False))), 0.44, 0.62),
    )
    movements = (
        (0.28, 0.44, (access.full, access.detached)),
        (0.5, 0.66, (access.detached, access.closed)),
    )
    return out, movements
