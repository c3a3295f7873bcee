"""From a pixel of the window to the structure that is seen there, and its full name."""

from __future__ import annotations

from dataclasses import dataclass

from spineviz.desktop.layout import inside
from spineviz.layers import structure_title
from spineviz.model import State
from spineviz.render.arrangement import arrange
from spineviz.render.overlay import Text
from spineviz.render.projection import Box
from spineviz.viewer import Viewer, pick
from spineviz.viewer.navigation import ray


@dataclass(frozen=True)
class Place:
    """A place in a pane: ``across`` and ``up`` in half heights of the pane, from its middle."""

    pane: int
    across: float
    up: float


def place_at(state: State, area: Box, x: int, y: int) -> Place | None:
    """Return the place in a pane under a pixel of the window, or None beside them and in an inset.

    ``area`` is where in the window the stage's picture stands.
    """
    arranged = arrange(state, (area.width, area.height))
    column, row = x - area.left, y - area.top
    if any(inset is not None and inside(inset, column, row) for inset in arranged.insets):
        return None
    for index, box in enumerate(arranged.panes):
        if inside(box, column, row):
            half = box.height / 2
            across = (column + 0.5 - box.left - box.width / 2) / half
            return Place(index, across, (box.top + half - row - 0.5) / half)
    return None


def identified(viewer: Viewer, place: Place) -> str | None:
    """Return the name of the structure at a place, or None where there is none."""
    state = viewer.state
    origin, direction = ray(state.panes[place.pane].camera, place.across, place.up)
    return pick(viewer.model, state, place.pane, origin, direction)


def name_of(structure: str, text: Text) -> str:
    """Return a structure's full name as the user reads it."""
    return text(structure_title(structure))
