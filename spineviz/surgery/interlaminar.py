"""Interlaminar full-endoscopic discectomy: a sleeve between the laminae, all work under water in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from spineviz.anatomy.recipe import Body
from spineviz.measures import table, value
from spineviz.model import Camera, Pane
from spineviz.structure import Frame, Surface
from spineviz.surgery import wound
from spineviz.surgery.access import PosteriorApproach, layers_cut, within
from spineviz.surgery.actions import (
    Motion,
    appeared,
    carried,
    faded,
    highlighted,
    staged,
    together,
    vanished,
    warped,
)
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
from spineviz.surgery.endoscopic_plan import (
    EndoscopicPlan,
    Entering,
    Openings,
    circle_openings,
    docked_stance,
    entering,
    held_stance,
    nerves_near,
    planned,
)
from spineviz.surgery.instruments import Instrument, scalpel
from spineviz.surgery.resection import cut_bone, open_ligament
from spineviz.surgery.retraction import parted, terrain
from spineviz.surgery.retraction.swinging import SwingingCorridor
from spineviz.surgery.site import NERVE_WARP, Site, nerves_of, raised, surface_height
from spineviz.surgery.sleeve_way import (
    circle_window,
    fragment_apex,
    moved_out,
    resting,
    sleeve_ways,
    sleeve_windows,
)
from spineviz.surgery.steering import Stance, Steering, placed, steered
from spineviz.surgery.tissue import Tissue, opened_tissue
from spineviz.surgery.tube_access import TubeAccess, slid_in, withdrawn
from spineviz.surgery.window import Window
from spineviz.terms import Level, levels_of, traversing_root
from spineviz.timeline import Action, Step, during, eased
from spineviz.views import vector

NAME = "interlaminar"

TRIED = 32
"""How many of the best ways are tried."""

CLEAR = wound.Exposure(0.0, 0.0, 0.0, 0.2)
"""How opaque the layers are while one works through the sleeve: muscle is like glass."""

GRASPED, FREED, OUT = 0.42, 0.6, 0.9
"""When in its step the fragment begins to leave, when nerves can follow, and when it is out of the body."""


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
    story = Interlaminar(spec, steering, plan, _access(site, corridor, body, plan.home), lower, way.taken)
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


def _access(site: Site, corridor: SwingingCorridor, body: Body, home: Stance) -> TubeAccess:
    """Return the way in: a small cut, the dilator, the sleeve over it."""
    skin, fascia = (body.structures[name].surface for name in (wound.SKIN, wound.FASCIA))
    fascia_depth = corridor.length - surface_height(site.frame, fascia, (0.0, 0.0))
    gape, half = table("procedures.gape"), corridor.incision / 2
    skin_cut = tuple(corridor.incising(gape["skin"], fascia_depth))
    widths = [0.0, 2 * site.tools["dilator.1"].radius, corridor.diameter]
    return TubeAccess(
        site=site,
        incision=corridor.incision,
        diameter=corridor.diameter,
        closed=tuple(0.0 for _ in corridor.full),
        uncut=((0.0, 0.0, skin_cut[2]), skin_cut),
        skin_cut=skin_cut,
        fascia_cut=tuple(corridor.incising(gape["fascia"], fascia_depth + gape["beyond_fascia"])),
        dilations=tuple(
            (tuple(corridor.inserting(a, b, 0.0)), tuple(corridor.inserting(a, b, 1.0)))
            for a, b in pairwise(widths)
        ),
        withdrawal=(tuple(corridor.withdrawing(0.0)), tuple(corridor.withdrawing(1.0))),
        skin_line=wound.knife_line(site, skin, across=0.0, half=half, depth=2.5, lean=0.7),
        fascia_line=wound.knife_line(site, fascia, across=0.0, half=half, depth=2.5, lean=1.2),
        fascia_depth=fascia_depth,
        docked=Steering(site, corridor).sleeve(home),
    )


def _resected(site: Site, body: Body, openings: Openings) -> dict[str, dict[str, Surface]]:
    """Return the stages of bone and ligament that the windows leave, by structure and name."""
    result: dict[str, dict[str, Surface]] = {
        level: {
            site.variant(k): cut_bone(body.structures[level].surface, window).surface
            for k, window in enumerate(windows, 1)
        }
        for level, windows in openings.bone.items()
    }
    if site.flavum in body.recipes:
        recipe = body.recipes[site.flavum]
        result[site.flavum] = {
            site.variant(k): recipe.painted(open_ligament(recipe.solid, recipe.step, window))
            for k, window in enumerate(openings.ligament, 1)
        }
    return result


def interlaminar_steps(story: Interlaminar, cameras: Mapping[str, Camera]) -> tuple[Step, ...]:
    """Return the steps of the operation, for cameras named posterior and operative."""
    site, spec, access = story.site, story.spec, story.access
    back, over = cameras["posterior"], cameras["operative"]
    under = site.present(*levels_of(site.disc))
    whole, deep = (_from_caudal(site, name) for name in ("whole", "deep"))
    return (
        *layers_cut(access, cameras),
        wound.step(site, "access", over, _dilator(access)),
        wound.step(
            site,
            "retractor",
            whole,
            _sleeve(story),
            part="sleeve",
            share=0.9,
            parameters={"diameter": spec.sleeve_diameter},
        ),
        wound.step(site, "retractor", whole, _endoscope(story), part="endoscope", share=0.9),
        wound.step(
            site,
            "laminotomy",
            deep,
            during(wound.exposed(site, CLEAR), 0.0, 0.2),
            during(_glass(site), 0.0, 0.2),
            _laminotomy(story),
            part="laminotomy" if story.plan.stages[0] else "window",
            parameters={"lamina": round(story.taken, 1)},
        ),
        wound.step(site, "flavum", deep, _flavum(story), parameters={"opening": spec.flavum_opened}),
        wound.step(
            site,
            "root",
            deep,
            during(faded(under, wound.GLASS), 0.0, 0.3),
            _entered(story),
            parameters={"retraction": story.plan.retraction},
        ),
        wound.step(site, "fragment", deep, _fragment(story)),
        wound.step(
            site,
            "closure",
            over,
            withdrawn(access, _released(story)),
            during(faded(under, 1.0), 0.0, 0.16),
            during(wound.exposed(site, wound.DEEP), 0.16, 0.3),
        ),
        wound.step(site, "comparison", back, during(wound.exposed(site, wound.COMPARED), 0.05, 0.5)),
    )


def _from_caudal(site: Site, name: str) -> Camera:
    """Return a camera that looks at the sleeve from caudal and lateral, past the long tools."""
    size = table(f"procedures.interlaminar.view.{name}")
    caudal, aside = np.radians(size["caudal"]), np.radians(size["lateral"])
    focus = (0.0, 0.0, size["focus"])
    eye = (site.lateral * np.sin(aside), -np.sin(caudal) * np.cos(aside), np.cos(caudal) * np.cos(aside))
    view = site.pose(focus, np.add(focus, eye), (0.0, 1.0, 0.0))
    return Camera(
        vector(view.origin), vector(view.superior), vector(view.anterior), size["height"], size["angle"]
    )


def _glass(site: Site) -> Action:
    """Return the action by which one can look through sleeve and endoscope, and past its body."""
    seen = faded((site.tools["tube"].name, site.tools["scope"].name), 0.62)
    return together(seen, faded((site.tools["body"].name,), 0.0))


def _dilator(access: TubeAccess) -> Action:
    """Return the action of the dilator: its tapered nose parts the muscle down to the bone."""
    site = access.site
    tool = site.tools["dilator.1"]
    at_fascia = raised(access.docked, site.depth - access.fascia_depth)
    start = raised(access.docked, site.depth + 40.0)
    entered = (0.0, tool.radius, access.fascia_depth)
    names, opened = wound.operated(site), access.dilations[0][1]
    return together(
        during(wound.exposed(site, wound.MUSCLE_SHOWN), 0.0, 0.3),
        during(appeared(tool.name), 0.1, 0.2),
        during(carried((tool.name,), Motion((0.0, 1.0), (start, at_fascia))), 0.1, 0.4),
        during(carried((tool.name,), Motion((0.0, 1.0), (at_fascia, access.docked))), 0.4, 0.85),
        during(warped(names, NAME, access.fascia_cut, entered, NAME), 0.2, 0.4),
        during(warped(names, NAME, entered, opened, NAME), 0.4, 0.85),
    )


def _sleeve(story: Interlaminar) -> Action:
    """Return the action that slides the sleeve over the dilator, and takes that out."""
    site, access = story.site, story.access
    dilator = site.tools["dilator.1"].name
    out = Motion((0.0, 1.0), (access.docked, raised(access.docked, site.depth + 90.0)))
    return together(
        slid_in(access, site.tools["tube"].name, access.dilations[-1], 0.02, 0.56),
        during(carried((dilator,), out), 0.6, 0.96),
        during(vanished(dilator), 0.86, 0.96),
    )


def _endoscope(story: Interlaminar) -> Action:
    """Return the action that brings the endoscope into the sleeve."""
    site, home = story.site, story.plan.home
    names = tuple(site.tools[name].name for name in ("scope", "body"))
    length = float(site.tools["tube"].surface.vertices[:, 2].max())
    above = home._replace(scope=length + 12.0)
    return together(
        steered(story.steering, (0.0, 1.0), (above, home)),
        during(faded(names, 1.0), 0.0, 0.16),
    )


def _worked(story: Interlaminar, tool: str, stances: tuple[Stance, ...], start: float, end: float) -> Action:
    """Return the action of a tool that goes through stances between two parts of a step, then goes out."""
    span = end - start
    inner = np.linspace(0.16, 0.88, len(stances) - 2)
    times = (0.0, *(float(time) for time in inner), 1.0)
    name = story.site.tools[tool].name
    return together(
        during(steered(story.steering, times, stances, (tool,)), start, end),
        during(appeared(name), start + 0.02 * span, start + 0.12 * span),
        during(vanished(name), end - 0.1 * span, end - 0.01 * span),
    )


def _laminotomy(story: Interlaminar) -> Action:
    """Return the action that takes the edge of the lamina, and of the facet, where they stand in the way."""
    site, plan = story.site, story.plan
    working = plan.home._replace(sleeve=plan.ligament[0][-1].sleeve, scope=plan.ligament[0][-1].scope)
    lift = during(steered(story.steering, (0.0, 1.0), (plan.home, working)), 0.0, 0.06)
    if not plan.stages[0]:
        return lift
    names = [site.variant(k) for k in range(1, plan.stages[0] + 1)]
    actions = [
        lift,
        _worked(story, "burr", plan.burr, 0.06, 0.56),
        during(staged(site.lamina, names[:-1]), 0.16, 0.48),
        _worked(story, "punch", plan.punch, 0.57, 0.98),
        during(staged(site.lamina, names[-1:]), 0.74, 0.76),
    ]
    if story.lower is not None:
        actions.append(during(staged(story.lower, names[:1]), 0.78, 0.8))
    return together(*actions)


def _flavum(story: Interlaminar) -> Action:
    """Return the action that opens the yellow ligament a little, then as wide as the sleeve."""
    site, (first, second) = story.site, story.plan.ligament
    names = [site.variant(k) for k in range(1, story.plan.stages[1] + 1)]
    actions = [
        _worked(story, "punch", first, 0.0, 0.5),
        _worked(story, "punch", second, 0.52, 1.0),
    ]
    if site.present(site.flavum):
        actions += [
            during(staged(site.flavum, names[:1]), 0.22, 0.24),
            during(staged(site.flavum, names[1:]), 0.72, 0.74),
        ]
    return together(*actions)


def _entered(story: Interlaminar) -> Action:
    """Return the action that leads the sleeve beside the root and turns it, so that its tongue holds that."""
    plan = story.plan
    last = plan.ligament[1][-1]
    start = plan.entering[0]._replace(
        sleeve=last.sleeve, scope=last.scope, channel=last.channel, turn=last.turn, tool=last.tool
    )
    stances = (start, *(item._replace(channel=last.channel, turn=last.turn) for item in plan.entering[1:]))
    return together(steered(story.steering, (0.0, 0.45, 1.0), stances), _drawing(story, plan.drawn, 1.0))


def _drawing(story: Interlaminar, drawn: np.ndarray, pressed: float) -> Action:
    """Return the action by which the root is drawn by some mm at even steps, as the sleeve goes its way."""
    site = story.site

    def run(pane: Pane, progress: float) -> Pane:
        if progress <= 0.0:
            return pane
        way = float(np.interp(progress, np.linspace(0.0, 1.0, len(drawn)), drawn))
        looks = {name: replace(pane.looks[name], warp=(NERVE_WARP, (pressed, way))) for name in site.nerves}
        return replace(pane, looks={**pane.looks, **looks})

    return run


def _released(story: Interlaminar) -> Action:
    """Return the action that turns the sleeve back and draws it out of the canal; the root goes back."""
    plan = story.plan
    return together(
        steered(story.steering, (0.0, 0.55, 1.0), plan.entering[::-1]),
        _drawing(story, plan.drawn[::-1], 0.0),
    )


def _fragment(story: Interlaminar) -> Action:
    """Return the action of the forceps that take the fragment and leave with it and the endoscope."""
    site, plan = story.site, story.plan
    before, grasp = plan.entering[-1], plan.grasp
    last = plan.ligament[1][-1]
    start = before._replace(channel=last.channel, turn=last.turn, tool=HOME_TOOL)
    names = tuple(site.tools[name].name for name in ("forceps", "jaw"))
    scope = tuple(site.tools[name].name for name in ("scope", "body"))
    stances = (
        start,
        grasp._replace(tool=grasp.tool + 9.0),
        grasp._replace(jaw=1.0),
        grasp._replace(jaw=SHUT),
    )
    shut = (1.0, plan.retraction), (0.0, plan.retraction)
    return together(
        during(steered(story.steering, (0.0, 0.55, 0.8, 1.0), stances, ("forceps", "jaw")), 0.0, GRASPED),
        during(faded(names, 1.0), 0.0, 0.08),
        during(highlighted((site.fragment,), 1.0), 0.02, 0.2),
        during(_drawn(story), GRASPED, OUT),
        during(warped(site.nerves, NERVE_WARP, *shut), FREED, 0.86),
        during(vanished(*names, *scope, site.fragment), 0.88, 0.97),
    )


HOME_TOOL, SHUT, FOLLOW = 40.0, 0.3, 14.0
"""Where forceps wait in the endoscope (mm), how far they stay open on what they hold, as a share, and how
much farther than them the endoscope is drawn back, mm."""


def _drawn(story: Interlaminar) -> Action:
    """Return the action by which the forceps draw the fragment through the sleeve, behind the endoscope."""
    site, plan = story.site, story.plan
    top = float(site.tools["tube"].surface.vertices[:, 2].max()) + plan.grasp.sleeve
    whole = top + 14.0 - plan.grasp.tool

    def run(pane: Pane, progress: float) -> Pane:
        if progress <= 0.0:
            return pane
        rise = eased(progress) * whole
        follow = FOLLOW * float(np.clip(rise / 12.0, 0.0, 1.0))
        stance = held_stance(plan, rise, follow)._replace(jaw=SHUT)
        matrices = placed(story.steering, stance, ("forceps", "jaw"))
        looks = {name: replace(pane.looks[name], matrix=matrix) for name, matrix in matrices.items()}
        warp = (removal_warp(site), (rise,))
        looks[site.fragment] = replace(pane.looks[site.fragment], warp=warp)
        return replace(pane, looks={**pane.looks, **looks})

    return run
