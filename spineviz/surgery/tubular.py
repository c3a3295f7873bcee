"""Tubular microdiscectomy: a small incision, the muscle split by dilators, everything through one tube."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from spineviz.anatomy.recipe import Body
from spineviz.model import Camera
from spineviz.surgery import decompression, phases, resection, wound
from spineviz.surgery.access import within
from spineviz.surgery.actions import faded
from spineviz.surgery.plan import Plan, decompression_tools
from spineviz.surgery.plan import plan as planned
from spineviz.surgery.retraction import parted
from spineviz.surgery.site import Site
from spineviz.surgery.tissue import Tissue, approach_tissue
from spineviz.surgery.tube_access import (
    ThroughTube,
    TubeAccess,
    corridor_to,
    docked,
    tube_access,
    tube_site,
    withdrawn,
)
from spineviz.timeline import Step, during

NAME = "tubular"


class TubularMicrodiscectomy(ThroughTube):
    """Removal of displaced disc material through a tube between the fascicles of multifidus; mm."""

    upper: ClassVar[str] = "tubular"

    kind: Literal["tubular_microdiscectomy"] = "tubular_microdiscectomy"
    tube_diameter: float = within(NAME, "tube_diameter", 18.0)
    incision_length: float = within(NAME, "incision_length", 18.0)
    midline_offset: float = within(NAME, "midline_offset", 17.0)
    lamina_removed: float = within(NAME, "lamina_removed", 9.0)
    facet_removed: float = within(NAME, "facet_removed", 4.0)
    root_retraction: float = within(NAME, "root_retraction", 5.5)


@dataclass(frozen=True, eq=False)
class Tubular:
    """Everything that the tubular story needs: the site, where its tools go, and how the tissue opens."""

    spec: TubularMicrodiscectomy
    site: Site
    plan: Plan
    access: TubeAccess


def prepare_tubular(spec: TubularMicrodiscectomy, body: Body) -> tuple[Tubular, Tissue]:
    """Return the story's matter, and the variants and warps of the body's tissue."""
    corridor = corridor_to(spec, body)
    site = tube_site(NAME, spec, corridor, body, decompression_tools(NAME, walled=True))
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
