"""Open midline discectomy: skin opened over the spinous processes, multifidus detached and held aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from spineviz.anatomy.recipe import Body
from spineviz.measures import table
from spineviz.model import Camera
from spineviz.spec import Spec
from spineviz.structure import Floats, Frame, Structure
from spineviz.surgery import decompression, phases, resection, wound
from spineviz.surgery.actions import Amounts, Motion, appeared, carried, together, warped
from spineviz.surgery.instruments import Instrument, cobb_elevator, scalpel
from spineviz.surgery.plan import Plan, decompression_tools
from spineviz.surgery.plan import plan as planned
from spineviz.surgery.reach import BoneLeft, NearBone, Reach, points_of
from spineviz.surgery.retraction import Blade, MidlineWound, blade, expose, interlaminar_window, parted
from spineviz.surgery.self_retaining import lateral_arm, medial_arm
from spineviz.surgery.site import Site, nerves_of, raised, surface_height, used
from spineviz.surgery.tissue import Tissue, approach_tissue
from spineviz.terms import SIGN, LowerLumbarDisc, Side
from spineviz.timeline import Action, Step, during

NAME = "open"
BLADES = (f"instrument.{NAME}.blade", f"instrument.{NAME}.medial_blade")
_RANGE = table("procedures.open")
_INCISION, _RETRACTION = _RANGE["incision_length"], table("procedures.tubular")["root_retraction"]
_LAMINA, _FACET = _RANGE["lamina_removed"], _RANGE["facet_removed"]


class OpenMidlineDiscectomy(Spec):
    """Removal of displaced disc material through a midline incision, with the muscle off the bone; mm."""

    kind: Literal["open_midline_discectomy"] = "open_midline_discectomy"
    disc: LowerLumbarDisc = "L4-L5"
    side: Side = "left"
    incision_length: float = Field(
        30.0, ge=_INCISION[0], le=_INCISION[1], description="Length of the skin incision."
    )
    lamina_removed: float = Field(
        10.0, ge=_LAMINA[0], le=_LAMINA[1], description="Bone taken from the lamina's edge."
    )
    facet_removed: float = Field(
        3.5, ge=_FACET[0], le=_FACET[1], description="Bone taken from the medial facet."
    )
    root_retraction: float = Field(
        5.5, ge=_RETRACTION[0], le=_RETRACTION[1], description="The root drawn medially."
    )


@dataclass(frozen=True, eq=False)
class OpenMidline:
    """Everything that the open story needs: the site, where its tools go, and how the tissue opens.

    ``closed``, ``skin_cut``, ``fascia_cut``, ``detached`` and ``full`` are the wound's amounts after each
    step. The lines are the knife's frames; ``elevator`` the frames of the Cobb on its way along the bone.
    ``arms`` are where the arms of the lateral and of the medial blade stand at full opening, ``placed`` the
    movements of the world that bring both from there to the detached wound.
    """

    spec: OpenMidlineDiscectomy
    site: Site
    plan: Plan
    closed: Amounts
    skin_cut: Amounts
    fascia_cut: Amounts
    detached: Amounts
    full: Amounts
    skin_line: tuple[Frame, Frame]
    fascia_line: tuple[Frame, Frame]
    elevator: tuple[Frame, ...]
    arms: tuple[Frame, ...]
    placed: tuple[Frame, ...]


def prepare_open(spec: OpenMidlineDiscectomy, body: Body) -> tuple[OpenMidline, Tissue, dict[str, Structure]]:
    """Return the story's matter, the tissue of the body, and the blades, which stand in the world."""
    opening = expose(
        body.bones,
        spec.disc,
        spec.side,
        body.recipes[wound.SKIN].solid.field,
        body.recipes[wound.FASCIA].solid.field,
        incision=spec.incision_length,
    )
    parts = parted(opening, body.recipes, body.structures)
    opened = [part.surface.moved(part.warp(opening.full)) for part in parts.values()]
    blades = blade(opening, opened), blade(opening, opened, diseased=False)
    site = _site(spec, body, opening, blades)
    windows = resection.windows(site, body, spec.lamina_removed, spec.facet_removed)
    plan = planned(site, body, windows, spec.root_retraction, walled=False)
    story = _story(spec, site, opening, blades, body=body, plan=plan)
    held = {
        name: Structure(name, "instrument", item.surface) for name, item in zip(BLADES, blades, strict=True)
    }
    return story, approach_tissue(site, body, opening, parts, windows, plan), held


def _site(
    spec: OpenMidlineDiscectomy, body: Body, opening: MidlineWound, blades: tuple[Blade, Blade]
) -> Site:
    """Return the site over the interlaminar window; tools pass through the middle of the opened skin."""
    size = table("procedures.open_wound")
    window = interlaminar_window(body.bones, spec.disc, spec.side)
    frame = Frame(window, opening.axis.axes)
    middle = frame.to_local(opening.axis.origin)
    depth = surface_height(frame, body.structures[wound.SKIN].surface, (float(middle[0]), 0.0))
    top = (float(middle[0]) + SIGN[spec.side] * size["middle"], 0.0, depth)
    spread = abs(float((blades[0].frame.origin - blades[1].frame.origin) @ frame.right))
    return Site(
        NAME,
        spec.disc,
        spec.side,
        frame,
        depth,
        top,
        size["room"],
        (-SIGN[spec.side] * size["focus"][0], size["focus"][1], 0.0),
        size["tilt"],
        frozenset(body.structures),
        nerves_of(body),
        _tools(-SIGN[spec.side], spread),
    )


def _tools(caudal: float, spread: float) -> dict[str, Instrument]:
    name = f"instrument.{NAME}"
    return {
        "scalpel": scalpel(f"{name}.scalpel"),
        "cobb": cobb_elevator(f"{name}.cobb"),
        "lateral": lateral_arm(f"{name}.lateral_arm", caudal),
        "medial": medial_arm(f"{name}.medial_arm", caudal, spread),
        **decompression_tools(NAME, walled=False),
    }


def _story(
    spec: OpenMidlineDiscectomy,
    site: Site,
    opening: MidlineWound,
    blades: tuple[Blade, Blade],
    *,
    body: Body,
    plan: Plan,
) -> OpenMidline:
    size = table("procedures.open_wound")
    skin, fascia = (body.structures[name].surface for name in (wound.SKIN, wound.FASCIA))
    midline = float(site.frame.to_local(opening.axis.origin)[0])
    half = spec.incision_length / 2
    detached = (size["detached_skin"], size["detached"])
    return OpenMidline(
        spec=spec,
        site=site,
        plan=plan,
        closed=tuple(0.0 for _ in opening.full),
        skin_cut=(size["skin_cut"], 0.0),
        fascia_cut=(size["skin_cut"], size["fascia_cut"]),
        detached=detached,
        full=tuple(opening.full),
        skin_line=wound.knife_line(site, skin, across=midline, half=half, depth=2.5, lean=0.7),
        fascia_line=wound.knife_line(
            site, fascia, across=midline + site.lateral, half=0.75 * half, depth=1.5, lean=0.15
        ),
        elevator=_elevator(site, body, midline),
        arms=tuple(_arm(site, blades, item) for item in blades),
        placed=tuple(_frame_of(item.pose(detached)) for item in blades),
    )


def _arm(site: Site, blades: tuple[Blade, Blade], held: Blade) -> Frame:
    """Return where a blade's arm stands at full opening: x lateral, z out of the body, both arms level."""
    tops = [site.frame.to_local(item.frame.origin) for item in blades]
    x, y, _ = site.frame.to_local(held.frame.origin)
    outward = np.array([site.lateral, 0.0, 0.0])
    local = np.array([outward, np.cross((0.0, 0.0, 1.0), outward), (0.0, 0.0, 1.0)])
    return Frame(site.world((x, y, max(top[2] for top in tops))), local @ site.frame.axes)


def _frame_of(matrix: Floats) -> Frame:
    """Return a rigid 4 x 4 matrix as a frame."""
    return Frame(matrix[:3, 3], matrix[:3, :3].T)


def _elevator(site: Site, body: Body, midline: float) -> tuple[Frame, ...]:
    """Return the Cobb's frames: down the spinous process, then laterally along the lamina."""
    frames = []
    size = table("procedures.open_wound")
    reach, tool = (
        Reach(BoneLeft(NearBone(site, body), None), site.room, walled=False),
        points_of(site.tools["cobb"]),
    )
    for lateral, cranial, above in size["elevator"]:
        x = midline + site.lateral * lateral
        tip = (x, cranial, _bone_height(site, body, x, cranial) + above)
        toward = (midline + site.lateral * size["elevator_side"], -size["elevator_lean"], site.depth)
        frames.append(reach.pose(tip, tool, (site.lateral, 0.0, 0.0), toward))
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


def open_steps(story: OpenMidline, cameras: Mapping[str, Camera]) -> tuple[Step, ...]:
    """Return the steps of the operation, for cameras named posterior and operative."""
    site, plan, spec = story.site, story.plan, story.spec
    back, over = cameras["posterior"], cameras["operative"]
    down, far = wound.microscope(site), wound.down_the_wound(site, over)
    return (
        wound.step(site, "orientation", back, wound.set_out(site)),
        wound.step(
            site,
            "incision",
            over,
            phases.incised(site, story.skin_line, (story.closed, story.skin_cut)),
            parameters={"length": spec.incision_length},
        ),
        wound.step(
            site,
            "fascia",
            over,
            phases.fascia_incised(site, story.fascia_line, (story.skin_cut, story.fascia_cut), story.closed),
        ),
        wound.step(site, "access", over, _detachment(story)),
        wound.step(site, "retractor", far, _retractor(story)),
        *phases.decompressed(site, plan, down),
        wound.step(site, "closure", over, _closure(story)),
        wound.step(site, "comparison", back, during(wound.exposed(site, wound.COMPARED), 0.05, 0.5)),
    )


def _detachment(story: OpenMidline) -> Action:
    """Return the action of the Cobb elevator that takes multifidus off the bone."""
    site = story.site
    layers = site.present(wound.SKIN, wound.FAT, wound.FASCIA)
    muscles = tuple(name for name in wound.operated(site) if name not in layers)
    frames = story.elevator
    way = site.depth + decompression.ABOVE_SKIN
    times = (0.0, *(float(t) for t in np.linspace(0.2, 0.8, len(frames))), 1.0)
    motion = Motion(times, (raised(frames[0], way), *frames, raised(frames[-1], way)))
    enter, begin, end = (0.06 + share * 0.84 for share in (0.06, 0.2, 0.8))
    size = table("procedures.open_wound")
    entered = (size["entered_skin"], size["entered"])
    return together(
        during(wound.exposed(site, wound.MUSCLE_SHOWN), 0.0, 0.2),
        used(site.tools["cobb"], motion, 0.06, 0.9),
        during(warped(layers, NAME, story.fascia_cut, entered, NAME), enter, begin),
        during(warped(muscles, NAME, story.closed, entered, NAME), enter, begin),
        during(warped((*layers, *muscles), NAME, entered, story.detached, NAME), begin, end),
    )


def _retractor(story: OpenMidline) -> Action:
    """Return the action that seats blade and hook and spreads them with the ratchet."""
    above = story.site.depth + decompression.ABOVE_SKIN
    return together(
        *(during(appeared(name), 0.02, 0.12) for name in _held(story)),
        during(_carried(story, (0.0, 1.0), ((above, False), (0.0, False))), 0.02, 0.42),
        during(_carried(story, (0.0, 1.0), ((0.0, False), (0.0, True))), 0.46, 0.86),
        during(warped(wound.operated(story.site), NAME, story.detached, story.full, NAME), 0.46, 0.86),
    )


def _held(story: OpenMidline) -> tuple[str, ...]:
    """Return the names of the retractor's parts."""
    return (*BLADES, story.site.tools["lateral"].name, story.site.tools["medial"].name)


def _carried(story: OpenMidline, times: tuple[float, ...], places: tuple[tuple[float, bool], ...]) -> Action:
    """Return the action that carries the retractor through places: height in mm, and whether spread."""
    actions = []
    up = story.site.frame.superior
    for blade_name, tool, arm, placed in zip(
        BLADES, ("lateral", "medial"), story.arms, story.placed, strict=True
    ):
        moves = tuple(
            Frame(
                (np.zeros(3) if spread else placed.origin) + height * up, np.eye(3) if spread else placed.axes
            )
            for height, spread in places
        )
        actions.append(carried((blade_name,), Motion(times, moves)))
        actions.append(
            carried((story.site.tools[tool].name,), Motion(times, tuple(arm.then(way) for way in moves)))
        )
    return together(*actions)


def _closure(story: OpenMidline) -> Action:
    """Return the action that lets the root go, takes the retractor out and closes layer by layer."""
    site, above = story.site, story.site.depth + decompression.ABOVE_SKIN
    taken_out = together(
        during(_carried(story, (0.0, 1.0), ((0.0, True), (0.0, False))), 0.28, 0.44),
        during(_carried(story, (0.0, 1.0), ((0.0, False), (above, False))), 0.44, 0.62),
    )
    movements = (
        (0.28, 0.44, (story.full, story.detached)),
        (0.5, 0.66, (story.detached, story.closed)),
    )
    return phases.closed_after(site, story.plan, _held(story), taken_out, movements)
