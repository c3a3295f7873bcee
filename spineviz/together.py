"""How two operations are shown together: beside each other, one over the other, or one after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from spineviz.model import HIDDEN, Look, Pane, State
from spineviz.terms import Together
from spineviz.timeline import Timeline

GLASS = 0.42
"""The opacity of what the second operation alone has changed, where it lies over the first."""


def shown_together(state: State, together: Together, clock: Timeline) -> State:
    """Return a state of two operations as a scene wants to show them; any other as it is."""
    if len(state.panes) < 2 or together == "beside":
        return state
    if together == "overlay":
        first, second = state.panes
        return replace(state, panes=(_in_corner(first, "left"), _glass(first, second)), layout="overlay")
    pane = state.panes[clock.turn(state.second)]
    if not clock.begun(state.second):
        pane = replace(pane, heading=None, strip=())
    return replace(state, panes=(pane,), layout="one")


def _glass(first: Pane, second: Pane) -> Pane:
    """Return the second operation's pane with only what looks otherwise than in the first, like glass.

    What the surgeon sees in it stays as it is.
    """
    looks = {name: _seen(look, first.looks.get(name)) for name, look in second.looks.items()}
    within = second.inset and replace(second.inset, looks={**second.looks, **second.inset.looks})
    return _in_corner(replace(second, looks=looks, labels=(), inset=within), "right")


def _in_corner(pane: Pane, corner: Literal["left", "right"]) -> Pane:
    """Return a pane whose inset, if it has one, stands in a corner."""
    return pane if pane.inset is None else replace(pane, inset=replace(pane.inset, corner=corner))


def _seen(look: Look, other: Look | None) -> Look:
    return HIDDEN if look == other or not look.visible else replace(look, opacity=GLASS * look.opacity)
