"""Tubular microdiscectomy: a small incision, the muscle split by dilators, everything through one tube."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pydantic import Field

from spineviz.anatomy.recipe import Body
from spineviz.measures import table, value
from spineviz.model import Camera
from spineviz.spec import Spec
from spineviz.structure import Frame
from spineviz.surgery import decompression, phases, resection, wound
from spineviz.surgery.actions import (
    Amounts,
    Motion,
    appeared,
    carried,
    faded,
    together,
    vanished,
    warped,
)
from spineviz.surgery.instruments import Instrument, dilators, scalpel, tube_length, tubular_retractor
from spineviz.surgery.plan import Plan, decompression_tools
from spineviz.surgery.plan import plan as planned
from spineviz.surgery.retraction import TubeCorridor, dock, parted
from spineviz.surgery.site import Site, nerves_of, raised, surface_height
from spineviz.surgery.tissue import Tissue, approach_tissue
from spineviz.terms import LowerLumbarDisc, Side
from spineviz.timeline import Action, Step, during

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
    """Everything that the tubular story needs: the site, where its tools go, and how the tissue opens.

    ``slits`` are the amounts of the cut in the skin and of that in the fascia; ``dilations`` the amounts at
    the beginning and the end of each dilator's way in, the tube's last; ``withdrawal`` those while the tube
    is drawn out and ``closed`` those of tissue at rest. The lines are the knife's frames;
    ``docked`` is where the tube stands.
    """

    spec: TubularMicrodiscectomy
    site: Site
    plan: Plan
    slits: tuple[Amounts, Amounts]
    dilations: tuple[tuple[Amounts, Amounts], ...]
    withdrawal: tuple[Amounts, Amounts]
    closed: Amounts
    skin_line: tuple[Frame, Frame]
    fascia_line: tuple[Frame, Frame]
    fascia_depth: float
    docked: Frame


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
        _tools(spec, corridor),
    )
    windows = resection.windows(site, body, spec.lamina_removed, spec.facet_removed)
    plan = planned(site, body, windows, spec.root_retraction, walled=True)
    story = _story(spec, site, corridor, body, plan)
    parts = parted(corridor, body.recipes, body.structures)
    return story, approach_tissue(site, body, corridor, parts, windows, plan)


def _tools(spec: TubularMicrodiscectomy, corridor: TubeCorridor) -> dict[str, Instrument]:
    name = f"instrument.{NAME}"
    tube = tubular_retractor(
        f"{name}.tube", spec.tube_diameter, corridor.diameter, tube_length(corridor.length)
    )
    series = {f"dilator.{k}": tool for k, tool in enumerate(dilators(NAME), start=1)}
    return {
        "scalpel": scalpel(f"{name}.scalpel"),
        "tube": tube,
        **series,
        **decompression_tools(NAME, walled=True),
    }


def _story(
    spec: TubularMicrodiscectomy, site: Site, corridor: TubeCorridor, body: Body, plan: Plan
) -> Tubular:
    skin, fascia = (body.structures[name].surface for name in (wound.SKIN, wound.FASCIA))
    fascia_depth = corridor.length - surface_height(site.frame, fascia, (0.0, 0.0))
    gape, half = table("procedures.gape"), spec.incision_length / 2
    widths = [0.0, *value("instruments.dilators.diameters"), corridor.diameter]
    return Tubular(
        spec=spec,
        site=site,
        plan=plan,
        slits=(
            tuple(corridor.incising(gape["skin"], fascia_depth)),
            tuple(corridor.incising(gape["fascia"], fascia_depth + gape["beyond_fascia"])),
        ),
        dilations=tuple(
            (tuple(corridor.inserting(a, b, 0.0)), tuple(corridor.inserting(a, b, 1.0)))
            for a, b in pairwise(widths)
        ),
        withdrawal=(tuple(corridor.withdrawing(0.0)), tuple(corridor.withdrawing(1.0))),
        closed=tuple(0.0 for _ in corridor.full),
        skin_line=wound.knife_line(site, skin, across=0.0, half=half, depth=2.5, lean=0.7),
        fascia_line=wound.knife_line(site, fascia, across=0.0, half=0.7 * half, depth=1.5, lean=0.12),
        fascia_depth=fascia_depth,
        docked=site.pose((0, 0, 0), (0, 0, 1), site.beside(1.0, 0.25)),
    )


def tubular_steps(story: Tubular, cameras: Mapping[str, Camera]) -> tuple[Step, ...]:
    """Return the steps of the operation, for cameras named posterior and operative."""
    site, plan, spec = story.site, story.plan, story.spec
    back, over = cameras["posterior"], cameras["operative"]
    down, far = wound.microscope(site), wound.down_the_wound(site, over)
    tube = site.tools["tube"].name
    return (
        wound.step(site, "orientation", back, wound.set_out(site)),
        wound.step(
            site,
            "incision",
            over,
            phases.incised(site, story.skin_line, ((0.0, 0.0, story.slits[0][2]), story.slits[0])),
            parameters={"length": spec.incision_length},
        ),
        wound.step(
            site, "fascia", over, phases.fascia_incised(site, story.fascia_line, story.slits, story.slits[0])
        ),
        wound.step(site, "access", over, _first_dilator(story), part="first_dilator", share=0.36),
        wound.step(site, "access", over, _series(story), share=0.64),
        wound.step(site, "retractor", far, _tube(story), parameters={"diameter": spec.tube_diameter}),
        *phases.decompressed(site, plan, down, during(faded((tube,), 0.5), 0.0, 0.2)),
        wound.step(site, "closure", over, _closure(story)),
        wound.step(site, "comparison", back, during(wound.exposed(site, wound.COMPARED), 0.05, 0.5)),
    )


def _first_dilator(story: Tubular) -> Action:
    """Return the action of the thinnest dilator, which finds the lamina's edge."""
    site = story.site
    tool = site.tools["dilator.1"].name
    at_fascia = raised(story.docked, site.depth - story.fascia_depth)
    start = raised(story.docked, site.depth + 40.0)
    return together(
        during(wound.exposed(site, wound.MUSCLE_SHOWN), 0.0, 0.3),
        during(appeared(tool), 0.1, 0.2),
        during(carried((tool,), Motion((0.0, 1.0), (start, at_fascia))), 0.1, 0.4),
        during(carried((tool,), Motion((0.0, 1.0), (at_fascia, story.docked))), 0.4, 0.85),
        during(warped(wound.operated(site), NAME, story.slits[1], story.dilations[0][1], NAME), 0.4, 0.85),
    )


def _series(story: Tubular) -> Action:
    """Return the action of the other dilators, each sliding over the one before."""
    site = story.site
    ends = story.dilations[1:-1]
    share = 0.92 / len(ends)
    actions = []
    for number, amounts in enumerate(ends):
        start = number * share
        name = site.tools[f"dilator.{number + 2}"].name
        actions.append(_slid_in(story, name, amounts, start, start + share))
    return together(*actions)


def _slid_in(story: Tubular, name: str, amounts: tuple[Amounts, Amounts], start: float, end: float) -> Action:
    """Return the action of a dilator or the tube that comes down over what stands in the corridor."""
    site, span = story.site, end - start
    above, at_skin = (raised(story.docked, site.depth + way) for way in (45.0, 3.0))
    arrive = start + 0.4 * span
    return together(
        during(appeared(name), start, start + 0.34 * span),
        during(carried((name,), Motion((0.0, 1.0), (above, at_skin))), start, arrive),
        during(carried((name,), Motion((0.0, 1.0), (at_skin, story.docked))), arrive, end),
        during(warped(wound.operated(site), NAME, amounts[0], amounts[1], NAME), arrive, end),
    )


def _tube(story: Tubular) -> Action:
    """Return the action that seats the tube and takes all dilators out through it."""
    site = story.site
    names = [site.tools[f"dilator.{k}"].name for k in range(1, len(story.dilations))]
    out = Motion((0.0, 1.0), (story.docked, raised(story.docked, site.depth + 40.0)))
    return together(
        _slid_in(story, site.tools["tube"].name, story.dilations[-1], 0.02, 0.5),
        during(carried(names, out), 0.54, 0.88),
        during(vanished(*names), 0.78, 0.9),
    )


def _closure(story: Tubular) -> Action:
    """Return the action that lets the root go, draws the tube out and closes layer by layer."""
    site, closed = story.site, story.closed
    tube = site.tools["tube"].name
    out = Motion((0.0, 1.0), (story.docked, raised(story.docked, site.depth + 30.0)))
    first, last = story.withdrawal
    drawn = together(during(faded((tube,), 1.0), 0.2, 0.28), during(carried((tube,), out), 0.28, 0.62))
    movements = ((0.28, 0.62, (first, last)), (0.62, 0.68, (last, closed)))
    return phases.closed_after(site, decompression.release(site, story.plan), (tube,), drawn, movements)
