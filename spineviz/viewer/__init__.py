"""The session over one model and its timeline; every front end drives it and draws its state.

Nothing here needs a window.
"""

from spineviz.viewer.choices import (
    CUTS,
    Choices,
    CutName,
    adjusted,
    cut_planes,
    visible_layers,
    with_layers,
)
from spineviz.viewer.picking import pick
from spineviz.viewer.session import SPEEDS, Viewer

__all__ = [
    "CUTS",
    "SPEEDS",
    "Choices",
    "CutName",
    "Viewer",
    "adjusted",
    "cut_planes",
    "pick",
    "visible_layers",
    "with_layers",
]
