"""The story of transforaminal full-endoscopic discectomy, step by step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spineviz.measures import table
from spineviz.model import Camera
from spineviz.structure import Frame
from spineviz.surgery import phases, wound
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
from spineviz.surgery.site import NERVE_WARP, Site, raised
from spineviz.surgery.steering import steered
from spineviz.surgery.through_sleeve import SHUT, drawn_out, glass, scope_in, worked
from spineviz.surgery.transforaminal import NAME, NEEDLE, Transforaminal
from spineviz.surgery.tube_access import withdrawn
from spineviz.terms import levels_of
from spineviz.timeline import Action, Step, during
from spineviz.views import vector

CLEAR = wound.Exposure(0.0, 0.0, 0.0, 0.12)
"""How opaque the layers are while one works through the sleeve: muscle is like glass."""

GRASPED, FREED, OUT = 0.42, 0.6, 0.9
"""When in its step the fragment begins to leave, when nerves can follow, and when it is out of the body."""

PLAY = 0.35
"""How far (mm) the endoscope, 6.3 mm wide, stands aside in the bore of the sleeve."""

ABOVE = 45.0
"""How far (mm) above the skin needle, wire and dilator appear."""


def transforaminal_steps(story: Transforaminal, cameras: Mapping[str, Camera]) -> tuple[Step, ...]:
    """Return the steps of the operation, for a camera named posterior."""
    site, spec, access, way = story.site, story.spec, story.access, story.way
    back = cameras["posterior"]
    outside, whole, deep = (_seen(site, name) for name in ("outside", "whole", "deep"))
    under = site.present(*levels_of(site.disc))
    skin, fascia = access.uncut
    return (
        wound.step(site, "orientation", back, wound.set_out(site), share=0.6),
        wound.step(
            site,
            "orientation",
            outside,
            _needle(story),
            part="needle",
            parameters={"offset": spec.midline_offset, "sagittal": way.sagittal, "axial": round(way.axial)},
        ),
        wound.step(site, "orientation", outside, _wire(story), part="wire", share=0.8),
        wound.step(
            site,
            "incision",
            outside,
            phases.incised(site, access.skin_line, (skin, access.skin_cut)),
            parameters={"length": access.incision},
        ),
        wound.step(
            site,
            "fascia",
            outside,
            phases.fascia_incised(site, access.fascia_line, (access.skin_cut, access.fascia_cut), fascia),
        ),
        wound.step(site, "access", outside, _dilator(story)),
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
            during(faded(site.aside, 0.0), 0.0, 0.2),
            during(faded(under[:1], wound.GLASS), 0.0, 0.2),
            during(glass(site), 0.0, 0.2),
            _foraminoplasty(story),
            part="foraminoplasty" if story.plan.stages[0] else "wide",
            parameters={"process": round(story.taken, 1), "share": round(100 * story.share)},
        ),
        wound.step(
            site, "flavum", deep, _flavum(story), part="flavum" if story.plan.stages[1] else "triangle"
        ),
        wound.step(
            site,
            "root",
            deep,
            during(faded(under[1:], wound.GLASS), 0.0, 0.3),
            _entered(story),
            parameters={"free": round(way.root, 1)},
        ),
        wound.step(site, "fragment", deep, _fragment(story)),
        wound.step(
            site,
            "closure",
            outside,
            during(wound.exposed(site, wound.DEEP), 0.16, 0.3),
            withdrawn(access, _released(story)),
            during(faded(under, 1.0), 0.0, 0.16),
            during(faded(site.aside, wound.LOIN), 0.1, 0.3),
        ),
        wound.step(site, "comparison", back, during(wound.exposed(site, wound.COMPARED), 0.05, 0.5)),
    )


def _seen(site: Site, name: str) -> Camera:
    """Return a camera that looks at the sleeve's way from behind and caudal, or from above its shaft."""
    size = table(f"procedures.transforaminal.view.{name}")
    out = site.frame.superior
    back, caudal = np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, -1.0])
    eye = size["back"] * back + size["along"] * out + size["caudal"] * caudal
    eye = eye / np.linalg.norm(eye)
    up = -caudal - (-caudal @ eye) * eye
    focus = site.world((0.0, 0.0, size["focus"]))
    return Camera(vector(focus), vector(eye), vector(up / np.linalg.norm(up)), size["height"], size["angle"])


def _at(story: Transforaminal, height: float) -> Frame:
    """Return where a straight tool stands on the way's axis with its tip at a height, mm."""
    return raised(story.access.docked, height - story.plan.home.sleeve)


def _needle(story: Transforaminal) -> Action:
    """Return the action of the needle, which goes through skin and muscle to the back of the disc."""
    site = story.site
    tool = site.tools["needle"].name
    above, at_skin, end = (_at(story, z) for z in (site.depth + ABOVE, site.depth + 2.0, NEEDLE))
    return together(
        during(appeared(tool), 0.02, 0.14),
        carried((tool,), Motion((0.0, 0.34, 0.92), (above, at_skin, end))),
    )


def _wire(story: Transforaminal) -> Action:
    """Return the action of the wire that goes in through the needle, which is drawn back over it."""
    site = story.site
    needle, wire = site.tools["needle"].name, site.tools["wire"].name
    long = float(site.tools["needle"].surface.vertices[:, 2].max())
    above, end = _at(story, long + 20.0), _at(story, NEEDLE)
    away = _at(story, NEEDLE + site.depth + 60.0)
    return together(
        during(appeared(wire), 0.0, 0.08),
        during(carried((wire,), Motion((0.0, 1.0), (above, end))), 0.02, 0.46),
        during(carried((needle,), Motion((0.0, 1.0), (end, away))), 0.5, 0.94),
        during(vanished(needle), 0.82, 0.94),
    )


def _dilator(story: Transforaminal) -> Action:
    """Return the action of the dilator over the wire: it parts the muscle down to the articular process."""
    site, access = story.site, story.access
    tool, wire = site.tools["dilator.1"], site.tools["wire"].name
    at_fascia = _at(story, site.depth - access.fascia_depth)
    start = _at(story, site.depth + ABOVE)
    entered = (0.0, tool.radius, access.fascia_depth)
    names, opened = wound.operated(site), access.dilations[0][1]
    out = Motion((0.0, 1.0), (_at(story, NEEDLE), _at(story, site.depth + 60.0)))
    return together(
        during(wound.exposed(site, wound.MUSCLE_SHOWN), 0.0, 0.3),
        during(appeared(tool.name), 0.1, 0.2),
        during(carried((tool.name,), Motion((0.0, 1.0), (start, at_fascia))), 0.1, 0.36),
        during(carried((tool.name,), Motion((0.0, 1.0), (at_fascia, access.docked))), 0.36, 0.72),
        during(warped(names, NAME, access.fascia_cut, entered, NAME), 0.2, 0.36),
        during(warped(names, NAME, entered, opened, NAME), 0.36, 0.72),
        during(carried((wire,), out), 0.74, 0.98),
        during(vanished(wire), 0.9, 0.99),
    )


def _sleeve(story: Transforaminal) -> Action:
    """Return the action that slides the sleeve over the dilator, and takes that out."""
    site, access = story.site, story.access
    tube, dilator = site.tools["tube"].name, site.tools["dilator.1"].name
    first, last = access.dilations[-1]
    above, at_skin = _at(story, site.depth + ABOVE), _at(story, site.depth + 3.0)
    out = Motion((0.0, 1.0), (access.docked, _at(story, site.depth + 90.0)))
    return together(
        during(appeared(tube), 0.02, 0.14),
        during(carried((tube,), Motion((0.0, 1.0), (above, at_skin))), 0.02, 0.24),
        during(carried((tube,), Motion((0.0, 1.0), (at_skin, access.docked))), 0.24, 0.56),
        during(warped(wound.operated(site), NAME, first, last, NAME), 0.24, 0.56),
        during(carried((dilator,), out), 0.6, 0.96),
        during(vanished(dilator), 0.86, 0.96),
    )


def _foraminoplasty(story: Transforaminal) -> Action:
    """Return the action that takes the ventral side of the articular process, where it stands in the way."""
    site, plan = story.site, story.plan
    lift = during(steered(story.steering, (0.0, 1.0), (plan.home, plan.working)), 0.0, 0.06)
    if not plan.stages[0]:
        return lift
    names = [site.variant(k) for k in range(1, plan.stages[0] + 1)]
    return together(
        lift,
        worked(story, "burr", plan.burr, 0.06, 0.56),
        during(staged(story.lower, names[:-1]), 0.16, 0.48),
        worked(story, "punch", plan.punch, 0.57, 0.98),
        during(staged(story.lower, names[-1:]), 0.74, 0.76),
    )


def _flavum(story: Transforaminal) -> Action:
    """Return the action that takes the lateral edge of the yellow ligament; elsewhere one looks around."""
    site, plan = story.site, story.plan
    if not plan.ligament:
        looking = plan.working._replace(channel=plan.working.channel + 180.0)
        return steered(story.steering, (0.0, 0.5, 1.0), (plan.working, looking, plan.working))
    names = [site.variant(k) for k in range(1, plan.stages[1] + 1)]
    return together(
        worked(story, "punch", plan.ligament, 0.0, 1.0), during(staged(site.flavum, names), 0.5, 0.52)
    )


def _entered(story: Transforaminal) -> Action:
    """Return the action that leads the sleeve into the triangle, its tongue towards the exiting root."""
    plan = story.plan
    start = plan.working
    if plan.ligament or plan.punch:
        last = (plan.ligament or plan.punch)[-1]
        start = start._replace(channel=last.channel, turn=last.turn)
    end = plan.deep._replace(channel=start.channel, turn=start.turn)
    return steered(story.steering, (0.0, 1.0), (start, end))


def _released(story: Transforaminal) -> Action:
    """Return the action that draws the sleeve back out of the foramen."""
    plan = story.plan
    return steered(story.steering, (0.0, 1.0), (plan.deep, plan.home))


def _fragment(story: Transforaminal) -> Action:
    """Return the action of the forceps that take the fragment and leave with it and the endoscope."""
    site, plan = story.site, story.plan
    last = (plan.ligament or plan.punch or (plan.working,))[-1]
    start = plan.deep._replace(channel=last.channel, turn=last.turn, tool=plan.working.tool)
    names = tuple(site.tools[name].name for name in ("forceps", "jaw"))
    scope = tuple(site.tools[name].name for name in ("scope", "body"))
    grasp = plan.grasp
    stances = (
        start,
        grasp._replace(tool=grasp.tool + 9.0),
        grasp._replace(jaw=1.0),
        grasp._replace(jaw=SHUT),
    )
    return together(
        during(steered(story.steering, (0.0, 0.55, 0.8, 1.0), stances, ("forceps", "jaw")), 0.0, GRASPED),
        during(faded(names, 1.0), 0.0, 0.08),
        during(highlighted((site.fragment,), 1.0), 0.02, 0.2),
        during(drawn_out(story, PLAY), GRASPED, OUT),
        during(warped(site.nerves, NERVE_WARP, (1.0, 0.0), (0.0, 0.0)), FREED, 0.86),
        during(vanished(*names, *scope, site.fragment), 0.88, 0.97),
    )
