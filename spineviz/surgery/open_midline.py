"""Open midline discectomy: skin opened over the spinous processes, multifidus detached and held aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from spineviz.anatomy.recipe import Body
from spineviz.measures import table
from spineviz.model import Camera
from spineviz.spec import Spec
from spineviz.structure import Frame, Structure
from spineviz.surgery import decompression, phases, resection, wound
from spineviz.surgery.midline_access import (
    MidlineAccess,
    access_tools,
    blade_structures,
    midline_access,
    opened,
    taken_out,
)
from spineviz.surgery.plan import Plan, decompression_tools
from spineviz.surgery.plan import plan as planned
from spineviz.surgery.retraction import Blade, MidlineWound, blade, expose, interlaminar_window, parted
from spineviz.surgery.site import Site, nerves_of, surface_height
from spineviz.surgery.tissue import Tissue, approach_tissue
from spineviz.terms import SIGN, LowerLumbarDisc, Side
from spineviz.timeline import Step, during

NAME = "open"
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
    """Everything that the open story needs: the site, where its tools go, and how the wound opens."""

    spec: OpenMidlineDiscectomy
    site: Site
    plan: Plan
    access: MidlineAccess


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
    wall = [part.surface.moved(part.warp(opening.full)) for part in parts.values()]
    blades = blade(opening, wall), blade(opening, wall, diseased=False)
    site = _site(spec, body, opening, blades)
    windows = resection.windows(site, body, spec.lamina_removed, spec.facet_removed)
    plan = planned(site, body, windows, spec.root_retraction, walled=False)
    access = midline_access(site, opening, blades, body, table("procedures.open_wound"))
    story = OpenMidline(spec, site, plan, access)
    tissue = approach_tissue(site, body, opening, parts, windows, plan)
    return story, tissue, blade_structures(NAME, blades)


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
        access_tools(NAME, frame, blades, spec.side) | decompression_tools(NAME, walled=False),
    )


def open_steps(story: OpenMidline, cameras: Mapping[str, Camera]) -> tuple[Step, ...]:
    """Return the steps of the operation, for cameras named posterior and operative."""
    site, plan, access = story.site, story.plan, story.access
    back, over = cameras["posterior"], cameras["operative"]
    out, movements = taken_out(access)
    return (
        *opened(access, cameras),
        *phases.decompressed(site, plan, wound.microscope(site)),
        wound.step(
            site,
            "closure",
            over,
            phases.closed_after(site, decompression.release(site, plan), access.held, out, movements),
        ),
        wound.step(site, "comparison", back, during(wound.exposed(site, wound.COMPARED), 0.05, 0.5)),
    )
