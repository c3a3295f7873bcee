"""Sleeve, endoscope and tool as one: swung together about the skin, each at its own height on the axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from spineviz.measures import value
from spineviz.model import Pane
from spineviz.structure import Floats, Frame
from spineviz.surgery import wound
from spineviz.surgery.actions import matrix_of
from spineviz.surgery.endoscopes import channel_off_axis
from spineviz.surgery.punches import rongeur_jaw
from spineviz.surgery.retraction.swinging import SwingingCorridor
from spineviz.surgery.site import Local, Site
from spineviz.timeline import Action, eased

LONG = 50.0
"""How far along the axis (mm) the place lies that tells a tool's direction."""


class Stance(NamedTuple):
    """Where sleeve, endoscope and tool stand, in the site's frame; mm and degrees.

    ``right`` and ``cranial`` tell how far the axis is swung aside at the docking point; heights on the axis
    are those of the tongue's tip, of the endoscope's and of the tool's end. ``tongue``, ``channel`` and
    ``turn`` tell towards where tongue, channel and the tool's working end lie, from the patient's right over
    cranial; ``aside`` how far tool and endoscope stand aside in the sleeve; ``jaw`` how far the jaw is open.
    """

    right: float = 0.0
    cranial: float = 0.0
    sleeve: float = 0.0
    tongue: float = 0.0
    scope: float = 0.0
    channel: float = 0.0
    tool: float = 0.0
    turn: float = 0.0
    aside_right: float = 0.0
    aside_cranial: float = 0.0
    jaw: float = 0.0


@dataclass(frozen=True, eq=False)
class Steering:
    """What is steered: the ``site`` with its tools and the ``corridor`` whose tissue goes along.

    Of the tools those named tube, scope and body stand as the stance tells, and one tool with them.
    """

    site: Site
    corridor: SwingingCorridor

    def sleeve(self, stance: Stance) -> Frame:
        """Return where the sleeve stands in the world."""
        return self._at(stance, stance.sleeve, stance.tongue, (0.0, 0.0))

    def scope(self, stance: Stance) -> Frame:
        """Return where the endoscope stands in the world."""
        return self._at(stance, stance.scope, stance.channel, (stance.aside_right, stance.aside_cranial))

    def tool(self, stance: Stance) -> Frame:
        """Return where the tool in the channel stands in the world."""
        off = channel_off_axis() * towards(stance.channel)
        aside = (stance.aside_right + float(off[0]), stance.aside_cranial + float(off[1]))
        return self._at(stance, stance.tool, stance.turn, aside)

    def _at(self, stance: Stance, height: float, facing: float, aside: tuple[float, float]) -> Frame:
        end = np.array([stance.right, stance.cranial, 0.0])
        along = np.array([0.0, 0.0, self.site.depth]) - end
        along /= along[2]
        tip = end + height * along + np.array([*aside, 0.0])
        face = towards(facing)
        return self.site.pose(tip, tip + LONG * along, (float(face[0]), float(face[1]), 0.0))

    def aimed(self, stance: Stance, tip: Local, turn: float | None = None) -> Stance:
        """Return a stance swung so that the tool's end comes to a place of the site's frame.

        The channel lies towards that place, and so does the tool's working end where no ``turn`` is told.
        """
        x, y, z = tip
        channel = float(np.degrees(np.arctan2(y, x)))
        off = channel_off_axis() * towards(channel)
        grown = 1.0 - z / self.site.depth
        return stance._replace(
            right=(x - float(off[0])) / grown,
            cranial=(y - float(off[1])) / grown,
            channel=_near(channel, stance.channel),
            tool=z,
            turn=_near(channel if turn is None else turn, stance.turn),
        )


def towards(degrees: float) -> Floats:
    """Return a direction (3,) across the site's axis by its angle from x towards y."""
    angle = np.radians(degrees)
    return np.array([np.cos(angle), np.sin(angle), 0.0])


def _near(degrees: float, before: float) -> float:
    """Return an angle that differs by less than half a turn from the one before."""
    return before + (degrees - before + 180.0) % 360.0 - 180.0


def between(times: Sequence[float], stances: Sequence[Stance], progress: float) -> Stance:
    """Return the stance at a progress between stances at rising times 0..1, at rest at each of them."""
    index = int(np.clip(np.searchsorted(times, progress, side="right") - 1, 0, len(times) - 2))
    share = eased(float(np.clip((progress - times[index]) / (times[index + 1] - times[index]), 0.0, 1.0)))
    first, last = stances[index], stances[index + 1]
    return Stance(*(a + share * (b - a) for a, b in zip(first, last, strict=True)))


def placed(steering: Steering, stance: Stance, tools: Sequence[str]) -> Mapping[str, tuple[float, ...]]:
    """Return the matrices of sleeve, endoscope and some tools at a stance, by their full names."""
    site, scope = steering.site, steering.scope(stance)
    frames = {"tube": steering.sleeve(stance), "scope": scope, "body": scope}
    for name in tools:
        frames[name] = steering.tool(stance)
    if "jaw" in tools:
        frames["jaw"] = forceps_jaw(frames["jaw"], stance.jaw)
    return {site.tools[name].name: matrix_of(frame) for name, frame in frames.items()}


def forceps_jaw(pose: Frame, share: float) -> Frame:
    """Return where the jaw of forceps in a pose stands, open by a share 0..1."""
    hinge = np.array([0.0, 0.0, value("instruments.endoscopic_forceps.cup_length")])
    return rongeur_jaw(pose, share * float(value("instruments.endoscopic_forceps.opening")), hinge)


def steered(
    steering: Steering, times: Sequence[float], stances: Sequence[Stance], tools: Sequence[str] = ()
) -> Action:
    """Return an action that steers sleeve, endoscope and some tools through stances; tissue goes along."""
    names = wound.operated(steering.site)
    swings = any(stance.right or stance.cranial for stance in stances)

    def run(pane: Pane, progress: float) -> Pane:
        if progress <= 0.0:
            return pane
        stance = between(times, stances, progress)
        matrices = placed(steering, stance, tools)
        looks = {name: replace(pane.looks[name], matrix=matrix) for name, matrix in matrices.items()}
        if swings:
            warp = (steering.site.approach, steering.corridor.swung(stance.right, stance.cranial))
            looks |= {name: replace(pane.looks[name], warp=warp) for name in names}
        return replace(pane, looks={**pane.looks, **looks})

    return run
