"""Open midline discectomy: skin opened over the spinous processes, multifidus detached and held aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

from spineviz.anatomy.recipe import Body
from spineviz.measures import table
from spineviz.model import Camera
from spineviz.structure import Frame, Structure
from spineviz.surgery import decompression, phases, resection, wound
from spineviz.surgery.access import PosteriorApproach, within
from spineviz.surgery.midline_access import (
    MidlineAccess,
    access_tools,
    blade_structures,
    midline_access,
    opened,
    opening_of,
    taken_out,
)
from spineviz.surgery.plan import Plan, decompression_tools
from spineviz.surgery.plan import plan as planned
from spineviz.surgery.retraction import Blade, MidlineWound, interlaminar_window
from spineviz.surgery.site import Site, nerves_of, surface_height
from spineviz.surgery.surroundings import nowhere, window_walls
from spineviz.surgery.tissue import Tissue, approach_tissue
from spineviz.terms import SIGN, UPPER_LUMBAR_DISCS
from spineviz.timeline import Step, during

NAME = "open"


class OpenMidlineDiscectomy(PosteriorApproach):
    """Removal of displaced disc material through a midline incision, with the muscle off the bone; mm."""

    kind: Literal["open_midline_discectomy"] = "open_midline_discectomy"
    incision_length: float = within(NAME, "incision_length", 30.0)
    upper: ClassVar[str] = "open"
    barred: ClassVar[Mapping[str, str]] = MappingProxyType({
        "L1-L2": "beside the retractor no way out was found on which the rongeur keeps off the dural sac, "
        "where the spinal cord ends; take tubular_microdiscectomy there, or another disc"
    })  # fmt: skip

    lamina_removed: float = within(NAME, "lamina_removed", 10.0)
    facet_removed: float = within(NAME, "facet_removed", 3.5)
    root_retraction: float = within("tubular", "root_retraction", 5.5)


@dataclass(frozen=True, eq=False)
class OpenMidline:
    """Everything that the open story needs: the site, where its tools go, and how the wound opens."""

    spec: OpenMidlineDiscectomy
    site: Site
    plan: Plan
    access: MidlineAccess


def prepare_open(spec: OpenMidlineDiscectomy, body: Body) -> tuple[OpenMidline, Tissue, dict[str, Structure]]:
    """Return the story's matter, the tissue of the body, and the blades, which stand in the world."""
    found = opening_of(spec, body)
    site = _site(spec, body, found.wound, found.blades)
    windows = resection.windows(site, body, spec.lamina_removed, spec.facet_removed)
    narrow = spec.disc in UPPER_LUMBAR_DISCS
    walls = window_walls(site, body, [item.surface for item in found.blades]) if narrow else nowhere
    plan = planned(site, body, windows, spec.root_retraction, walled=False, walls=walls)
    access = midline_access(site, found, body, table("procedures.open_wound"))
    story = OpenMidline(spec, site, plan, access)
    tissue = approach_tissue(site, body, found.wound, found.parts, windows, plan)
    return story, tissue, blade_structures(NAME, found.blades)


def _site(
    spec: OpenMidlineDiscectomy, body: Body, opening: MidlineWound, blades: tuple[Blade, Blade]
) -> Site:
    """Return the site over the interlaminar window; tools pass through the middle of the opened skin."""
    size = table("procedures.open_wound")
    window, aside = interlaminar_window(body.bones, spec.disc, spec.side), size["middle"]
    if spec.disc in UPPER_LUMBAR_DISCS:
        window, aside = window + size["cranial"] * opening.axis.superior, size["middle_above"]
    frame = Frame(window, opening.axis.axes)
    middle = frame.to_local(opening.axis.origin)
    depth = surface_height(frame, body.structures[wound.SKIN].surface, (float(middle[0]), 0.0))
    top = (float(middle[0]) + SIGN[spec.side] * aside, 0.0, depth)
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
