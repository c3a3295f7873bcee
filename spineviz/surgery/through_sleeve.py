"""What operations through a working sleeve have in common: how endoscope, tools and fragment come and go."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from spineviz.model import Pane
from spineviz.surgery.actions import appeared, faded, together, vanished
from spineviz.surgery.decompression import removal_warp
from spineviz.surgery.endoscopic_plan import Holding, held_stance
from spineviz.surgery.site import Site
from spineviz.surgery.steering import Stance, Steering, placed, steered
from spineviz.timeline import Action, during, eased

SHUT, FOLLOW = 0.3, 14.0
"""How far the forceps stay open on what they hold, as a share, and how much farther than them the endoscope
is drawn back, mm."""


class SleevePlan(Holding, Protocol):
    """Where sleeve and endoscope stand first, and how the fragment is held and comes out."""

    @property
    def home(self) -> Stance:
        """The docked sleeve with the endoscope in it."""


class ThroughSleeve(Protocol):
    """The matter of a story that works through a sleeve."""

    @property
    def steering(self) -> Steering:
        """What is steered."""

    @property
    def plan(self) -> SleevePlan:
        """Where all goes."""

    @property
    def site(self) -> Site:
        """Where the approach works."""


def glass(site: Site) -> Action:
    """Return the action by which one can look through sleeve and endoscope, and past its body."""
    seen = faded((site.tools["tube"].name, site.tools["scope"].name), 0.62)
    return together(seen, faded((site.tools["body"].name,), 0.0))


def scope_in(story: ThroughSleeve) -> Action:
    """Return the action that brings the endoscope into the sleeve."""
    site, home = story.site, story.plan.home
    names = tuple(site.tools[name].name for name in ("scope", "body"))
    length = float(site.tools["tube"].surface.vertices[:, 2].max())
    above = home._replace(scope=length + 12.0)
    return together(
        steered(story.steering, (0.0, 1.0), (above, home)),
        during(faded(names, 1.0), 0.0, 0.16),
    )


def worked(story: ThroughSleeve, tool: str, stances: tuple[Stance, ...], start: float, end: float) -> Action:
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


def drawn_out(story: ThroughSleeve, play: float = np.inf) -> Action:
    """Return the action by which the forceps draw the fragment through the sleeve, behind the endoscope.

    Forceps and endoscope stand aside in the sleeve by its ``play`` (mm) at most.
    """
    site, plan = story.site, story.plan
    top = float(site.tools["tube"].surface.vertices[:, 2].max()) + plan.grasp.sleeve
    whole = top + 14.0 - plan.grasp.tool

    def run(pane: Pane, progress: float) -> Pane:
        if progress <= 0.0:
            return pane
        rise = eased(progress) * whole
        follow = FOLLOW * float(np.clip(rise / 12.0, 0.0, 1.0))
        stance = held_stance(plan, rise, follow, play)._replace(jaw=SHUT)
        matrices = placed(story.steering, stance, ("forceps", "jaw"))
        looks = {name: replace(pane.looks[name], matrix=matrix) for name, matrix in matrices.items()}
        warp = (removal_warp(site), (rise,))
        looks[site.fragment] = replace(pane.looks[site.fragment], warp=warp)
        return replace(pane, looks={**pane.looks, **looks})

    return run
