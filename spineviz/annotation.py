"""What is written on a state: the measured strip of each approach."""

from __future__ import annotations

from dataclasses import replace

from spineviz.assembly import Assembly
from spineviz.model import State


def annotated(assembly: Assembly, state: State) -> State:
    """Return the state with each pane's measured figures, computed from the geometry it shows."""
    if not assembly.prepared:
        return state
    panes = tuple(
        replace(pane, strip=prepared.measure(assembly.model, pane))
        for pane, prepared in zip(state.panes, assembly.prepared, strict=True)
    )
    return replace(state, panes=panes)
