"""What every posterior decompression does at the end of its corridor: bone, ligament, root, fragment."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from spineviz.model import Look, Pane
from spineviz.structure import Warp
from spineviz.surgery.actions import (
    Motion,
    carried,
    faded,
    highlighted,
    matrix_of,
    staged,
    together,
    vanished,
    warped,
)
from spineviz.surgery.plan import OPENS, SHUT, Plan
from spineviz.surgery.punches import rongeur_jaw, rongeur_opening
from spineviz.surgery.site import NERVE_WARP, Round, Site, Spell, raised
from spineviz.timeline import Action, during, eased

ABOVE_SKIN = 30.0
"""How far above the skin (mm) instruments appear and disappear."""

BURRING, BITING, OPENING = (
    Spell(0.04, 0.5, 0.18, 0.84),
    Spell(0.48, 0.94, 0.15, 0.83),
    Spell(0.02, 0.92, 0.15, 0.84),
)
"""When the burr and then the punch take bone, and when in its step the punch opens the ligament."""

GRASPED, FREED, OUT = 0.48, 0.64, 0.88
"""When in its step the fragment begins to leave, when nerves can follow, and when it is out of the body."""


def first_looks(site: Site) -> dict[str, Look]:
    """Return the looks that an approach starts from: tools hidden, nerves compressed."""
    looks = {tool.name: Look(visible=False, opacity=0.0) for tool in site.tools.values()}
    return looks | {name: Look(warp=(NERVE_WARP, (1.0, 0.0))) for name in site.nerves}


def removal_warp(site: Site) -> str:
    """Return the name of the fragment's warp; its amount is how far (mm) the jaws have risen."""
    return f"{site.approach}.removal"


def removal_warps(site: Site, plan: Plan) -> dict[tuple[str, str], Warp]:
    """Return the warp by which the fragment comes out, where there is one."""
    return {} if plan.removal is None else {(site.fragment, removal_warp(site)): plan.removal}


class LaminaPlan(Protocol):
    """Where burr and punch go along the lamina's edge, and how many stages bone and ligament go through."""

    @property
    def burr(self) -> Round:
        """The burr's round."""

    @property
    def bites(self) -> Round:
        """The round of the punch."""

    @property
    def stages(self) -> tuple[int, int]:
        """How many stages of bone and of ligament there are."""


def laminotomy(site: Site, plan: LaminaPlan) -> Action:
    """Return the action that takes the lamina's edge with the burr and the facet's edge with the punch."""
    names = [site.variant(k) for k in range(1, plan.stages[0] + 1)]
    way = site.depth + ABOVE_SKIN
    return together(
        BURRING.action(site, "burr", plan.burr, way),
        during(staged(site.lamina, names[:-1]), 0.15, 0.47),
        BITING.action(site, "kerrison", plan.bites, way),
        during(staged(site.lamina, names[-1:]), 0.7, 0.75),
    )


def laminotomy_seconds(plan: LaminaPlan) -> float:
    """Return how long the laminotomy lasts at least."""
    return max(BURRING.seconds(plan.burr), BITING.seconds(plan.bites))


def flavectomy(site: Site, plan: Plan) -> Action:
    """Return the action that opens the ligamentum flavum bite by bite."""
    names = [site.variant(k) for k in range(1, plan.stages[1] + 1)]
    actions = [OPENING.action(site, "kerrison", plan.ligament_bites, site.depth + ABOVE_SKIN)]
    if site.present(site.flavum):
        actions.append(during(staged(site.flavum, names), 0.24, 0.72))
    return together(*actions)


def root_retraction(site: Site, plan: Plan) -> Action:
    """Return the action that brings the nerve root retractor in and draws the root medially."""
    tool, path = site.tools["root_retractor"], plan.retractor
    above = raised(path.frames[0], site.depth + ABOVE_SKIN)
    motion = Motion((0.0, 0.34, 0.5, 0.86), (above, *path.frames), (np.zeros(3), *path.bows))
    return together(
        carried((tool.name,), motion),
        during(faded((tool.name,), 1.0), 0.0, 0.1),
        during(warped(site.nerves, NERVE_WARP, (1.0, 0.0), (1.0, plan.retraction)), 0.5, 0.86),
    )


def release(site: Site, plan: Plan) -> Action:
    """Return the action that lets the root go back and takes the nerve root retractor out."""
    tool, path = site.tools["root_retractor"].name, plan.retractor
    above = raised(path.frames[0], site.depth + ABOVE_SKIN)
    way = plan.slackened, *path.frames[-2::-1], above
    motion = Motion((0.0, 0.42, 0.66, 1.0), way, (*path.bows[::-1], np.zeros(3)))
    return together(
        carried((tool,), motion),
        during(warped(site.nerves, NERVE_WARP, (0.0, plan.retraction), (0.0, 0.0)), 0.0, 0.42),
        during(vanished(tool), 0.88, 1.0),
    )


def fragment_removal(site: Site, plan: Plan) -> Action:
    """Return the action that grasps the fragment and draws it up the corridor; the nerves are free then."""
    before, away = raised(plan.grasp, OPENS), raised(plan.grasp, site.depth + ABOVE_SKIN)
    times, poses = (0.0, 0.28, 0.4, GRASPED), (away, before, plan.grasp, plan.grasp)
    turns = np.array([0.0, SHUT, 1.0, SHUT]) * rongeur_opening()
    jaws = tuple(rongeur_jaw(pose, float(turn)) for pose, turn in zip(poses, turns, strict=True))
    tool, jaw, aside = (site.tools[name].name for name in ("rongeur", "jaw", "root_retractor"))
    slack = Motion((0.0, 1.0), (plan.retractor.frames[-1], plan.slackened))
    freed = (1.0, plan.retraction), (0.0, plan.retraction)
    actions = [
        carried((tool,), Motion(times, poses)),
        carried((jaw,), Motion(times, jaws)),
        during(faded((tool, jaw), 1.0), 0.0, 0.08),
        during(_drawn(site, plan), GRASPED, OUT),
        during(vanished(tool, jaw), 0.84, 0.92),
        during(warped(site.nerves, NERVE_WARP, *freed), FREED, 0.84),
        during(carried((aside,), slack), FREED, 0.84),
    ]
    if plan.removal is not None:
        actions += [
            during(highlighted((site.fragment,), 1.0), 0.02, 0.2),
            during(vanished(site.fragment), 0.84, 0.92),
        ]
    return together(*actions)


def _drawn(site: Site, plan: Plan) -> Action:
    """Return the action by which the jaws draw the fragment out of its bed and of the body."""
    tool, jaw = site.tools["rongeur"].name, site.tools["jaw"].name
    whole = site.depth + 12.0 - float(site.frame.to_local(plan.grasp.origin)[2])

    def run(pane: Pane, progress: float) -> Pane:
        if progress <= 0.0:
            return pane
        rise = eased(progress) * whole
        pose = plan.way_out.at(rise)
        shut = rongeur_jaw(pose, SHUT * rongeur_opening())
        looks = {
            name: replace(pane.looks[name], matrix=matrix_of(at)) for name, at in ((tool, pose), (jaw, shut))
        }
        if plan.removal is not None:
            warp = (removal_warp(site), (rise,))
            looks[site.fragment] = replace(pane.looks[site.fragment], warp=warp)
        return replace(pane, looks={**pane.looks, **looks})

    return run
