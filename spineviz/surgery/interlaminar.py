"""Interlaminar full-endoscopic discectomy: a sleeve between the laminae, all work under water in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from spineviz.anatomy.recipe import Body
from spineviz.measures import table, value
from spineviz.structure import Frame, Surface
from spineviz.surgery.access import PosteriorApproach, within
from spineviz.surgery.decompression import removal_warp
from spineviz.surgery.endoscopes import (
    blunt_dilator,
    endoscope,
    endoscopic_burr,
    endoscopic_punch,
    forceps,
    sleeve_bore,
    working_sleeve,
)
from spineviz.surgery.endoscopic_plan import EndoscopicPlan, Openings, circle_openings, planned
from spineviz.surgery.instruments import Instrument, scalpel
from spineviz.surgery.resection import cut_bone, ligament_stages
from spineviz.surgery.retraction import parted, terrain
from spineviz.surgery.retraction.swinging import SwingingCorridor
from spineviz.surgery.site import Site, nerves_of
from spineviz.surgery.sleeve_entry import Entering, docked_stance, entering, nerves_near
from spineviz.surgery.sleeve_way import (
    circle_window,
    fragment_apex,
    moved_out,
    resting,
    sleeve_ways,
    sleeve_windows,
)
from spineviz.surgery.steering import Steering
from spineviz.surgery.tissue import Tissue, opened_tissue
from spineviz.surgery.tube_access import FasciaCut, TubeAccess, tube_access
from spineviz.surgery.window import Window
from spineviz.terms import Level, levels_of, traversing_root

NAME = "interlaminar"

TRIED = 32
"""How many of the best ways are tried."""

THROUGH_A_SMALL_CUT = FasciaCut(1.0, 2.5, 1.2)
"""How the fascia is cut for the sleeve: as long as the skin, through which the knife comes aslant."""


class InterlaminarEndoscopicDiscectomy(PosteriorApproach):
    """Removal of displaced disc material through an endoscope between two laminae; mm."""

    kind: Literal["interlaminar_endoscopic_discectomy"] = "interlaminar_endoscopic_discectomy"
    sleeve_diameter: float = within(NAME, "sleeve_diameter", 7.9)
    incision_length: float = within(NAME, "incision_length", 10.0)
    midline_offset: float = within(NAME, "midline_offset", 10.0)
    lamina_removed: float = within(NAME, "lamina_removed", 6.0)
    flavum_opened: float = within(NAME, "flavum_opened", 5.0)


@dataclass(frozen=True, eq=False)
class Interlaminar:
    """Everything that the story needs: how it is steered, where all goes, and how the tissue opens.

    ``lower`` is the bone whose facet edge is taken besides the lamina, if any.
    """

    spec: InterlaminarEndoscopicDiscectomy
    steering: Steering
    plan: EndoscopicPlan
    access: TubeAccess
    lower: Level | None
    taken: float

    @property
    def site(self) -> Site:
        """Where the approach works."""
        return self.steering.site


def prepare_interlaminar(spec: InterlaminarEndoscopicDiscectomy, body: Body) -> tuple[Interlaminar, Tissue]:
    """Return the story's matter, and the variants and warps of the body's tissue.

    Raises ValueError where no sleeve fits between the laminae.
    """
    way = _chosen(spec, body)
    site, corridor = way.steering.site, way.steering.corridor
    openings = circle_openings(site, body, way.bone, spec.sleeve_diameter, spec.flavum_opened)
    plan = planned(way.steering, body, openings, spec.sleeve_diameter, way.entered)
    corridor = replace(corridor, swing=_widest(plan))
    steering = Steering(site, corridor)
    lower = next((level for level in way.bone if level != site.lamina), None)
    access = tube_access(
        site, corridor, body, corridor.diameter, THROUGH_A_SMALL_CUT, steering.sleeve(plan.home)
    )
    story = Interlaminar(spec, steering, plan, access, lower, way.taken)
    parts = parted(corridor, body.recipes, body.structures)
    tissue = opened_tissue(
        site,
        body,
        corridor,
        parts,
        _resected(site, body, openings),
        {(site.fragment, removal_warp(site)): plan.removal},
    )
    return story, tissue


@dataclass(frozen=True, eq=False)
class _Chosen:
    """The way that is taken: how it is steered, and how the sleeve enters the canal.

    ``bone`` are the windows that it needs, ``taken`` (mm) how far they go into the lamina.
    """

    steering: Steering
    entered: Entering
    bone: dict[Level, tuple[Window, ...]]
    taken: float


def _chosen(spec: InterlaminarEndoscopicDiscectomy, body: Body) -> _Chosen:
    """Return the best way on which the bone allows the sleeve and the root gives way to it.

    Raises ValueError where there is none: what stands in the way, and what is possible.
    """
    radius, apex = spec.sleeve_diameter / 2, fragment_apex(body, spec.disc)
    tools = _tools(spec)
    root = f"root.{traversing_root(spec.disc)}.{spec.side}"
    nerves = nerves_near(body, root, nerves_of(body), apex)
    least, held = np.inf, False
    for way in sleeve_ways(body, spec.disc, spec.side, radius, spec.midline_offset)[:TRIED]:
        height = resting(body, spec.disc, way, radius)
        frame = moved_out(way, height)
        found = _window(spec, body, frame)
        if found is None:
            continue
        bone, taken = found
        least = min(least, taken)
        if taken > spec.lamina_removed:
            continue
        steering = _steering(spec, body, frame, way.length - height, tools)
        home = docked_stance(steering.site, spec.sleeve_diameter)
        entered = entering(
            steering, nerves, home, spec.sleeve_diameter, float(frame.to_local(apex[None])[0, 2])
        )
        if entered is not None:
            return _Chosen(steering, entered, bone, taken)
        held = True
    raise ValueError(_refusal(spec, least, held))


def _window(
    spec: InterlaminarEndoscopicDiscectomy, body: Body, frame: Frame
) -> tuple[dict[Level, tuple[Window, ...]], float] | None:
    """Return the windows in the bones that a docked sleeve needs, and how far (mm) they go into the lamina.

    None where the lamina closes its way.
    """
    size = table("procedures.interlaminar.docking")
    upper, lower = levels_of(spec.disc)
    radius = spec.sleeve_diameter / 2 + size["cut"]
    found = sleeve_windows(body.bones[upper], frame, radius, int(value("procedures.laminotomy.stages")))
    if found is None:
        return None
    windows, taken = found
    bone = {upper: windows} if windows else {}
    apex = float(frame.to_local(fragment_apex(body, spec.disc)[None])[0, 2])
    facet = circle_window(frame, radius, apex, 20.0)
    if (facet.field(body.structures[lower].surface.vertices) < 0.0).any():
        bone[lower] = (facet,)
    return bone, taken


def _refusal(spec: InterlaminarEndoscopicDiscectomy, least: float, held: bool) -> str:
    """Return the sentence that tells what is possible where no sleeve can be led between the laminae.

    ``least`` (mm) is the least that a way takes of the lamina; ``held`` tells that the root was in the way.
    """
    where, wide = f"{spec.disc} {spec.side}", f"{spec.sleeve_diameter:g} mm"
    thinnest = float(table("procedures.interlaminar")["sleeve_diameter"][0])
    thinner = "take a thinner one, " if spec.sleeve_diameter > thinnest else ""
    if held:
        most = value("procedures.interlaminar.docking.most_retraction")
        return (
            f"{where}: a sleeve of {wide} would draw the root aside by more than {most:g} mm; "
            f"{thinner}move the incision, or go through a tube"
        )
    if np.isfinite(least):
        return (
            f"{where}: the window between the laminae is too small for a sleeve of {wide}; it needs "
            f"{least:.1f} mm of the lamina, and lamina_removed allows {spec.lamina_removed:g}"
        )
    return (
        f"{where}: the window between the laminae is too small for a sleeve of {wide}; {thinner}"
        "move the incision, or go through a tube"
    )


def _steering(
    spec: InterlaminarEndoscopicDiscectomy,
    body: Body,
    frame: Frame,
    length: float,
    tools: Mapping[str, Instrument],
) -> Steering:
    """Return what is steered through a sleeve that docks at a frame, ``length`` mm below the skin."""
    right, cranial, out = frame.axes
    corridor = SwingingCorridor(
        Frame(frame.origin, np.array([right, -out, cranial])),
        length,
        spec.sleeve_diameter,
        spec.incision_length,
        spec.side,
        terrain(body.bones),
    )
    site = Site(
        NAME,
        spec.disc,
        spec.side,
        corridor.axis,
        corridor.depth,
        (0.0, 0.0, corridor.depth),
        sleeve_bore(spec.sleeve_diameter),
        (0.0, 0.0, 0.0),
        0.0,
        frozenset(body.structures),
        nerves_of(body),
        tools,
    )
    return Steering(site, corridor)


def _tools(spec: InterlaminarEndoscopicDiscectomy) -> dict[str, Instrument]:
    """Return the instruments by their short names."""
    name = f"instrument.{NAME}"
    shaft, scope_body = endoscope(f"{name}.endoscope")
    grasper, jaw = forceps(f"{name}.forceps")
    return {
        "scalpel": scalpel(f"{name}.scalpel"),
        "dilator.1": blunt_dilator(f"{name}.dilator", spec.sleeve_diameter),
        "tube": working_sleeve(f"{name}.working_sleeve", spec.sleeve_diameter),
        "scope": shaft,
        "body": scope_body,
        "burr": endoscopic_burr(f"{name}.endoscopic_burr"),
        "punch": endoscopic_punch(f"{name}.endoscopic_punch"),
        "forceps": grasper,
        "jaw": jaw,
    }


def _widest(plan: EndoscopicPlan) -> float:
    """Return how far (mm) the sleeve's end is swung at most."""
    stances = (*plan.burr, *plan.punch, *plan.ligament[0], *plan.ligament[1])
    return max((float(np.hypot(stance.right, stance.cranial)) for stance in stances), default=0.0)


def _resected(site: Site, body: Body, openings: Openings) -> dict[str, dict[str, Surface]]:
    """Return the stages of bone and ligament that the windows leave, by structure and name."""
    result: dict[str, dict[str, Surface]] = {
        level: {
            site.variant(k): cut_bone(body.structures[level].surface, window).surface
            for k, window in enumerate(windows, 1)
        }
        for level, windows in openings.bone.items()
    }
    opened = ligament_stages(site, body, openings.ligament)
    return result | ({site.flavum: opened} if opened else {})
