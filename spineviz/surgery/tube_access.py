"""The way in through a tube: a small incision, muscle split by dilators, the tube over the last of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from spineviz.anatomy.back.layer import LayerRecipe
from spineviz.anatomy.recipe import Body
from spineviz.measures import table, value
from spineviz.model import Camera
from spineviz.structure import Frame
from spineviz.surgery import phases, wound
from spineviz.surgery.access import Access, PosteriorApproach, layers_cut
from spineviz.surgery.actions import Amounts, Motion, appeared, carried, faded, together, vanished, warped
from spineviz.surgery.bone_left import BoneLeft, NearBone
from spineviz.surgery.instruments import Instrument, dilators, scalpel, tube_length, tubular_retractor
from spineviz.surgery.retraction import TubeCorridor, dock
from spineviz.surgery.site import Site, nerves_of, raised, surface_height
from spineviz.surgery.tool_points import points_of
from spineviz.timeline import Action, Step, during

ROUND_END, PRESSED = 8.0, 0.3
"""How long (mm) the end of a dilator is that may meet bone, and how deep (mm) it may press into it."""


class FasciaCut(NamedTuple):
    """How the fascia is cut: over a share of the skin incision's length, how deep (mm), the knife leaning.

    ``lean`` is that of `wound.knife_line`.
    """

    share: float
    depth: float
    lean: float


UNDER_THE_TUBE = FasciaCut(0.7, 1.5, 0.12)
"""How the fascia is cut for a tube, whose incision is longer than the cut in the fascia has to be."""


class ThroughTube(PosteriorApproach):
    """What every approach through a tube between the fascicles of multifidus is told."""

    tube_diameter: float
    midline_offset: float
    lamina_removed: float
    facet_removed: float


@dataclass(frozen=True, eq=False)
class TubeAccess(Access):
    """How tissue opens for a tube, and where the tools go that open it.

    ``diameter`` in mm. ``dilations`` are the amounts at the beginning and the end of each dilator's way in,
    the tube's last; ``withdrawal`` those while the tube is drawn out. ``docked`` is where the tube stands,
    ``stops`` how far (mm) above it each dilator, the thinnest first, comes to rest on bone: as deep as the
    tube where nothing is told.
    """

    diameter: float
    dilations: tuple[tuple[Amounts, Amounts], ...]
    withdrawal: tuple[Amounts, Amounts]
    fascia_depth: float
    docked: Frame
    stops: tuple[float, ...] = ()

    def rest(self, number: int) -> Frame:
        """Return where a dilator comes to rest, counted from 1, or the tube, which follows the last."""
        return raised(self.docked, self.stops[number - 1]) if number <= len(self.stops) else self.docked


def corridor_to(spec: ThroughTube, body: Body) -> TubeCorridor:
    """Return the way of the tube to the lamina. Raises ValueError where it does not fit the body."""
    skin = body.recipes[wound.SKIN]
    return dock(
        body.bones,
        spec.disc,
        spec.side,
        skin.solid.field,
        diameter=spec.tube_diameter,
        incision=spec.incision_length,
        offset=spec.midline_offset,
        dermis=skin.layer.inner if isinstance(skin, LayerRecipe) else None,
    )


def tube_site(
    approach: str, spec: ThroughTube, corridor: TubeCorridor, body: Body, tools: Mapping[str, Instrument]
) -> Site:
    """Return the site at the end of the docked tube; ``tools`` are those that work there."""
    return Site(
        approach,
        spec.disc,
        spec.side,
        corridor.axis,
        corridor.depth,
        (0.0, 0.0, corridor.depth),
        spec.tube_diameter / 2 - value("procedures.laminotomy.tool_margin"),
        (0.0, 0.0, 0.0),
        0.0,
        frozenset(body.structures),
        nerves_of(body),
        {**access_tools(approach, spec.tube_diameter, corridor), **tools},
    )


def access_tools(approach: str, diameter: float, corridor: TubeCorridor) -> dict[str, Instrument]:
    """Return knife, dilators and tube by their short names; ``diameter`` is the tube's inner one, mm."""
    name = f"instrument.{approach}"
    tube = tubular_retractor(f"{name}.tube", diameter, corridor.diameter, tube_length(corridor.length))
    sizes = value("instruments.dilators.diameters")
    fitting = sum(size < diameter for size in sizes)
    series = {f"dilator.{k}": tool for k, tool in enumerate(dilators(approach)[:fitting], start=1)}
    return {"scalpel": scalpel(f"{name}.scalpel"), "tube": tube, **series}


def tube_access(
    site: Site,
    corridor: TubeCorridor,
    body: Body,
    diameter: float,
    fascia_cut: FasciaCut = UNDER_THE_TUBE,
    standing: Frame | None = None,
) -> TubeAccess:
    """Return the way in to a site through a tube of some ``diameter``, mm.

    The tube stands in the frame ``standing``, or else at the docking point, its arm medial.
    """
    skin, fascia = (body.structures[name].surface for name in (wound.SKIN, wound.FASCIA))
    fascia_depth = corridor.length - surface_height(site.frame, fascia, (0.0, 0.0))
    gape, half = table("procedures.gape"), corridor.incision / 2
    skin_cut = tuple(corridor.incising(gape["skin"], fascia_depth))
    series = [2 * tool.radius for name, tool in site.tools.items() if name.startswith("dilator.")]
    share, depth, lean = fascia_cut
    docked = standing or site.pose((0, 0, 0), (0, 0, 1), site.beside(1.0, 0.25))
    return TubeAccess(
        site=site,
        incision=corridor.incision,
        diameter=diameter,
        closed=tuple(0.0 for _ in corridor.full),
        uncut=((0.0, 0.0, skin_cut[2]), skin_cut),
        skin_cut=skin_cut,
        fascia_cut=tuple(corridor.incising(gape["fascia"], fascia_depth + gape["beyond_fascia"])),
        dilations=tuple(
            (tuple(corridor.inserting(a, b, 0.0)), tuple(corridor.inserting(a, b, 1.0)))
            for a, b in pairwise([0.0, *series, corridor.diameter])
        ),
        withdrawal=(tuple(corridor.withdrawing(0.0)), tuple(corridor.withdrawing(1.0))),
        skin_line=wound.knife_line(site, skin, across=0.0, half=half, depth=2.5, lean=0.7),
        fascia_line=wound.knife_line(site, fascia, across=0.0, half=share * half, depth=depth, lean=lean),
        fascia_depth=fascia_depth,
        docked=docked,
        stops=_stops(site, body, docked, len(series)) if standing is None else (),
    )


def _stops(site: Site, body: Body, docked: Frame, count: int) -> tuple[float, ...]:
    """Return how far (mm) above the docked tube each of some dilators comes to rest.

    Its end is round and may meet bone that the tube's rim stands around.
    """
    bone, result = BoneLeft(NearBone(site, body), None), []
    for number in range(1, count + 1):
        points = points_of(site.tools[f"dilator.{number}"])
        end = points[points[:, 2] < ROUND_END]
        lifts = np.arange(0.0, ROUND_END, 0.25)
        met = (float(bone.shown(raised(docked, float(lift)).to_parent(end)).min()) for lift in lifts)
        result.append(
            next((float(lift) for lift, free in zip(lifts, met, strict=True) if free > -PRESSED), 0.0)
        )
    return tuple(result)


def docked(access: TubeAccess, cameras: Mapping[str, Camera]) -> tuple[Step, ...]:
    """Return the steps from the whole back to the docked tube, for cameras posterior and operative."""
    site, over = access.site, cameras["operative"]
    return (
        *layers_cut(access, cameras),
        wound.step(site, "access", over, _first_dilator(access), part="first_dilator", share=0.36),
        wound.step(site, "access", over, _series(access), share=0.64),
        wound.step(
            site,
            "retractor",
            wound.down_the_wound(site, over),
            _tube(access),
            parameters={"diameter": access.diameter},
        ),
    )


def _first_dilator(access: TubeAccess) -> Action:
    """Return the action of the thinnest dilator, which finds the lamina's edge."""
    site = access.site
    tool = site.tools["dilator.1"].name
    at_fascia = raised(access.docked, site.depth - access.fascia_depth)
    start = raised(access.docked, site.depth + 40.0)
    return together(
        during(wound.exposed(site, wound.MUSCLE_SHOWN), 0.0, 0.3),
        during(appeared(tool), 0.1, 0.2),
        during(carried((tool,), Motion((0.0, 1.0), (start, at_fascia))), 0.1, 0.4),
        during(carried((tool,), Motion((0.0, 1.0), (at_fascia, access.rest(1)))), 0.4, 0.85),
        during(
            warped(
                wound.operated(site), site.approach, access.fascia_cut, access.dilations[0][1], site.approach
            ),
            0.4,
            0.85,
        ),
    )


def _series(access: TubeAccess) -> Action:
    """Return the action of the other dilators, each sliding over the one before."""
    site = access.site
    ends = access.dilations[1:-1]
    share = 0.92 / len(ends)
    actions = []
    for number, amounts in enumerate(ends):
        start = number * share
        name = site.tools[f"dilator.{number + 2}"].name
        actions.append(slid_in(access, name, amounts, start, start + share, access.rest(number + 2)))
    return together(*actions)


def slid_in(
    access: TubeAccess,
    name: str,
    amounts: tuple[Amounts, Amounts],
    start: float,
    end: float,
    rest: Frame | None = None,
) -> Action:
    """Return the action of a dilator or the tube that comes down over what stands in the corridor.

    It comes to ``rest`` there, or where the tube stands.
    """
    site, span = access.site, end - start
    above, at_skin = (raised(access.docked, site.depth + way) for way in (45.0, 3.0))
    arrive = start + 0.4 * span
    return together(
        during(appeared(name), start, start + 0.34 * span),
        during(carried((name,), Motion((0.0, 1.0), (above, at_skin))), start, arrive),
        during(carried((name,), Motion((0.0, 1.0), (at_skin, rest or access.docked))), arrive, end),
        during(
            warped(wound.operated(site), site.approach, amounts[0], amounts[1], site.approach), arrive, end
        ),
    )


def _tube(access: TubeAccess) -> Action:
    """Return the action that seats the tube and takes all dilators out through it."""
    site = access.site
    numbers = range(1, len(access.dilations))
    names, high = [site.tools[f"dilator.{k}"].name for k in numbers], site.depth + 40.0
    out = (Motion((0.0, 1.0), (access.rest(k), raised(access.rest(k), high))) for k in numbers)
    return together(
        slid_in(access, site.tools["tube"].name, access.dilations[-1], 0.02, 0.5),
        *(during(carried((name,), way), 0.54, 0.88) for name, way in zip(names, out, strict=True)),
        during(vanished(*names), 0.78, 0.9),
    )


def withdrawn(access: TubeAccess, first: Action) -> Action:
    """Return the action that begins with a ``first`` one, draws the tube out and closes layer by layer."""
    site, closed = access.site, access.closed
    tube = site.tools["tube"].name
    out = Motion((0.0, 1.0), (access.docked, raised(access.docked, site.depth + 30.0)))
    docked_amounts, out_amounts = access.withdrawal
    drawn = together(during(faded((tube,), 1.0), 0.2, 0.28), during(carried((tube,), out), 0.28, 0.62))
    movements = (
        (0.28, 0.62, (docked_amounts, out_amounts)),
        (0.62, 0.68, (out_amounts, closed)),
    )
    return phases.closed_after(site, first, (tube,), drawn, movements)
