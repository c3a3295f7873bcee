"""Tubular microdiscectomy: a small incision, the muscle split by dilators, everything through one tube."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from spineviz.anatomy.recipe import Body
from spineviz.measures import table, value
from spineviz.model import Camera
from spineviz.spec import Spec
from spineviz.surgery import decompression, phases, resection, wound
from spineviz.surgery.actions import faded
from spineviz.surgery.plan import Plan, decompression_tools
from spineviz.surgery.plan import plan as planned
from spineviz.surgery.retraction import dock, parted
from spineviz.surgery.site import Site, nerves_of
from spineviz.surgery.tissue import Tissue, approach_tissue
from spineviz.surgery.tube_access import TubeAccess, access_tools, docked, tube_access, withdrawn
from spineviz.terms import LowerLumbarDisc, Side
from spineviz.timeline import Step, during

NAME = "tubular"
_RANGE = table("procedures.tubular")
_INCISION, _OFFSET, _TUBE = _RANGE["incision_length"], _RANGE["midline_offset"], _RANGE["tube_diameter"]
_LAMINA, _FACET, _RETRACTION = _RANGE["lamina_removed"], _RANGE["facet_removed"], _RANGE["root_retraction"]


class TubularMicrodiscectomy(Spec):
    """Removal of displaced disc material through a tube between the fascicles of multifidus; mm."""

    kind: Literal["tubular_microdiscectomy"] = "tubular_microdiscectomy"
    disc: LowerLumbarDisc = "L4-L5"
    side: Side = "left"
    tube_diameter: float = Field(18.0, ge=_TUBE[0], le=_TUBE[1], description="Inner diameter of the tube.")
    incision_length: float = Field(
        18.0, ge=_INCISION[0], le=_INCISION[1], description="Length of the skin incision."
    )
    midline_offset: float = Field(
        17.0, ge=_OFFSET[0], le=_OFFSET[1], description="Incision from the midline."
    )
    lamina_removed: float = Field(
        9.0, ge=_LAMINA[0], le=_LAMINA[1], description="Bone taken from the lamina's edge."
    )
    facet_removed: float = Field(
        4.0, ge=_FACET[0], le=_FACET[1], description="Bone taken from the medial facet."
    )
    root_retraction: float = Field(
        5.5, ge=_RETRACTION[0], le=_RETRACTION[1], description="The root drawn medially."
    )


@dataclass(frozen=True, eq=False)
class Tubular:
    """Everything that the tubular story needs: the site, where its tools go, and how the tissue opens."""

    spec: TubularMicrodiscectomy
    site: Site
    plan: Plan
    access: TubeAccess


def prepare_tubular(spec: TubularMicrodiscectomy, body: Body) -> tuple[Tubular, Tissue]:
    """Return the story's matter, and the variants and warps of the body's tissue."""
    corridor = dock(
        body.bones,
        spec.disc,
        spec.side,
        body.recipes["skin"].solid.field,
        diameter=spec.tube_diameter,
        incision=spec.incision_length,
        offset=spec.midline_offset,
    )
    room = spec.tube_diameter / 2 - value("procedures.laminotomy.tool_margin")
    site = Site(
        NAME,
        spec.disc,
        spec.side,
        corridor.axis,
        corridor.depth,
        (0.0, 0.0, corridor.depth),
        room,
        (0.0, 0.0, 0.0),
        0.0,
        frozenset(body.structures),
        nerves_of(body),
        access_tools(NAME, spec.tube_diameter, corridor) | decompression_tools(NAME, walled=True),
    )
    windows = resection.windows(site, body, spec.lamina_removed, spec.facet_removed)
    plan = planned(site, body, windows, spec.root_retraction, walled=True)
    story = Tubular(spec, site, plan, tube_access(site, corridor, body, spec.tube_diameter))
    parts = parted(corridor, body.recipes, body.structures)
    return story, approach_tissue(site, body, corridor, parts, windows, plan)


def tubular_steps(story: Tubular, cameras: Mapping[str, Camera]) -> tuple[Step, ...]:
    """Return the steps of the operation, for cameras named posterior and operative."""
    site, plan, access = story.site, story.plan, story.access
    back, over = cameras["posterior"], cameras["operative"]
    tube = site.tools["tube"].name
    return (
        *docked(access, cameras),
        *phases.decompressed(site, plan, wound.microscope(site), during(faded((tube,), 0.5), 0.0, 0.2)),
        wound.step(site, "closure", over, withdrawn(access, decompression.release(site, plan))),
        wound.step(site, "comparison", back, during(wound.exposed(site, wound.COMPARED), 0.05, 0.5)),
    )
