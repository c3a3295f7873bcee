"""The story of interlaminar full-endoscopic discectomy, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from spineviz.measures import table
from spineviz.model import Camera, Pane
from spineviz.surgery import wound
from spineviz.surgery.access import layers_cut
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
from spineviz.surgery.interlaminar import NAME, Interlaminar
from spineviz.surgery.site import NERVE_WARP, Site, raised
from spineviz.surgery.steering import steered
from spineviz.surgery.through_sleeve import SHUT, drawn_out, glass, scope_in, worked
from spineviz.surgery.tube_access import TubeAccess, slid_in, withdrawn
from spineviz.terms import levels_of
from spineviz.timeline import Action, Step, during
from spineviz.views import vector

CLEAR = wound.Exposure(0.0, 0.0, 0.0, 0.2)
"""How opaque the layers are while one works through the sleeve: muscle is like glass."""

GRASPED, FREED, OUT = 0.42, 0.6, 0.9
"""When in its step the fragment begins to leave, when nerves can follow, and when it is out of the body."""

HOME_TOOL = 40.0
"""Where forceps wait in the endoscope, mm."""


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
        wound.step(site, "retractor", whole, scope_in(story), part="endoscope", share=0.9),
        wound.step(
            site,
            "laminotomy",
            deep,
            during(wound.exposed(site, CLEAR), 0.0, 0.2),
            during(glass(site), 0.0, 0.2),
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
            during(wound.exposed(site, wound.DEEP), 0.16, 0.3),
            withdrawn(access, _released(story)),
            during(faded(under, 1.0), 0.0, 0.16),
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
        worked(story, "burr", plan.burr, 0.06, 0.56),
        during(staged(site.lamina, names[:-1]), 0.16, 0.48),
        worked(story, "punch", plan.punch, 0.57, 0.98),
        during(staged(site.lamina, names[-1:]), 0.63, 0.65),
    ]
    if story.lower is not None:
        actions.append(during(staged(story.lower, names[:1]), 0.78, 0.8))
    return together(*actions)


def _flavum(story: Interlaminar) -> Action:
    """Return the action that opens the yellow ligament a little, then as wide as the sleeve."""
    site, (first, second) = story.site, story.plan.ligament
    names = [site.variant(k) for k in range(1, story.plan.stages[1] + 1)]
    actions = [
        worked(story, "punch", first, 0.0, 0.5),
        worked(story, "punch", second, 0.52, 1.0),
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
        during(drawn_out(story), GRASPED, OUT),
        during(warped(site.nerves, NERVE_WARP, *shut), FREED, 0.86),
        during(vanished(*names, *scope, site.fragment), 0.88, 0.97),
    )
