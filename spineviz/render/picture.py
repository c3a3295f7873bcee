"""A finished picture: what the stage renders, with labels and words drawn over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from spineviz.model import Label, Pane, State
from spineviz.render import chart, lens, overlay, slices, strokes
from spineviz.render.arrangement import arrange
from spineviz.render.labels import WIDEST, Lettering, PlacedLabel, Spot, layout
from spineviz.render.overlay import Clock, Text, letters
from spineviz.render.palette import ALERT, INK, WHITE
from spineviz.render.projection import Box, project
from spineviz.render.stage import Picture, Stage
from spineviz.render.strokes import Canvas
from spineviz.render.typography import width
from spineviz.views import along_spine

LABEL = 13.0
"""Height of a label's letters in units."""

WIDE, WIDE_SLICE = 1.4, 1.95
"""Heights of a pane that lie at most between the outer sides of the two columns of labels.

The second one is that of a slice seen along the spine, which is wider than high.
"""

NARROW, LEAST = 0.15, 68.0
"""The share of a pane's width that a column of labels beside such a slice may take, and the units it may have
in any pane."""

ABOVE, BELOW = 48.0, 44.0
"""Units of a pane that labels leave to its heading and to orientation and scale."""


def picture(stage: Stage, state: State, text: Text, clock: Clock | None = None) -> Picture:
    """Return the stage's picture of a state with its labels and words, uint8 (height, width, 3).

    The stage must be showing the state already.
    """
    canvas = stage.image()
    annotate(canvas, state, text, clock, hidden=stage.hidden())
    return canvas


def annotate(
    canvas: Canvas,
    state: State,
    text: Text,
    clock: Clock | None = None,
    *,
    hidden: Sequence[Sequence[bool]] | None = None,
) -> None:
    """Paint a state's labels and words over a picture (h, w, 3), in place.

    ``hidden`` tells for each pane's labels whether something stands before what they point to, see
    `Stage.hidden`; such a leader ends in a ring instead of a dot.
    """
    height, across = canvas.shape[:2]
    arrangement = arrange(state, (across, height))
    for pane, inner in zip(state.panes, arrangement.insets, strict=True):
        if pane.inset is not None and inner is not None:
            lens.frame(canvas, pane.inset, inner, arrangement.unit, text)
    told = told_labels(state, hidden)
    for pane, labels, box in zip(state.panes, told, arrangement.panes, strict=True):
        kept = replace(pane, labels=tuple(label for label, _ in labels))
        flags = [behind for _, behind in labels]
        for label in placed_labels(kept, box, arrangement.unit, text, flags, state.layout == "views"):
            _label(canvas, label, arrangement.unit)
    overlay.draw(canvas, state, arrangement, text, clock)
    if arrangement.chart is not None:
        chart.draw(canvas, state, arrangement.chart, arrangement.unit, text)
    for pane, box, cell in zip(state.panes, arrangement.panes, arrangement.cells, strict=True):
        if pane.scan is not None:
            slices.draw(canvas, pane, box, cell, arrangement.unit, text)


def told_labels(
    state: State, hidden: Sequence[Sequence[bool]] | None = None
) -> list[list[tuple[Label, bool]]]:
    """Return the labels that each pane shows, and whether something stands before what they point to.

    Among several views of one body a label stands only where what it names is seen, if it is seen anywhere.
    """
    covered = hidden or [[False] * len(pane.labels) for pane in state.panes]
    panes = [
        list(zip(pane.labels, flags, strict=True)) for pane, flags in zip(state.panes, covered, strict=True)
    ]
    if state.layout != "views":
        return panes
    seen = {label.text for pane in panes for label, behind in pane if not behind}
    return [
        [(label, behind) for label, behind in pane if not behind or label.text not in seen] for pane in panes
    ]


def placed_labels(
    pane: Pane,
    box: Box,
    unit: float,
    text: Text,
    hidden: Sequence[bool] | None = None,
    left_only: bool = False,
) -> tuple[PlacedLabel, ...]:
    """Return a pane's labels with their places in the picture's pixels, see `labels.layout`."""
    if not pane.labels:
        return ()
    above, below = (round(ABOVE * unit) if pane.heading else 0), round(BELOW * unit)
    slice_seen = bool(pane.cuts) and along_spine(pane.camera)
    wide, widest = (WIDE_SLICE, NARROW) if slice_seen else (WIDE, WIDEST)
    across = min(box.width, round(wide * box.height))
    widest = max(widest, LEAST * unit / across)
    field = Box(box.left + (box.width - across) // 2, box.top + above, across, box.height - above - below)
    pixels, _ = project(pane.camera, np.array([label.anchor for label in pane.labels]), box)
    size = letters(LABEL, unit)
    spots = [
        Spot(text(label.text), (float(x) - field.left, float(y) - field.top), label.strong, covered)
        for label, (x, y), covered in zip(
            pane.labels, pixels, hidden or [False] * len(pane.labels), strict=True
        )
        if np.isfinite(x)
    ]
    lettering = Lettering(lambda words: width(words, size, "bold"), 1.25 * size, 18 * unit, widest)
    placed = layout(spots, (field.width, field.height), lettering, left_only)
    return tuple(_shifted(label, field.left, field.top) for label in placed)


def _shifted(label: PlacedLabel, x: float, y: float) -> PlacedLabel:
    left, top, right, bottom = label.box
    return replace(
        label,
        box=(left + x, top + y, right + x, bottom + y),
        port=(label.port[0] + x, label.port[1] + y),
        anchor=(label.anchor[0] + x, label.anchor[1] + y),
    )


def _label(canvas: Canvas, label: PlacedLabel, unit: float) -> None:
    ink = ALERT if label.strong else INK
    thick = max(1.0, 1.15 * unit)
    strokes.line(canvas, label.port, label.anchor, thick + 2.2 * unit, WHITE, strength=0.55)
    strokes.line(canvas, label.port, label.anchor, thick, ink, strength=0.6 if label.hidden else 0.9)
    strokes.dot(canvas, label.anchor, 4.0 * unit, WHITE, 0.9)
    strokes.dot(canvas, label.anchor, 2.7 * unit, ink)
    if label.hidden:
        strokes.dot(canvas, label.anchor, 1.7 * unit, WHITE)
    left, top, right, bottom = label.box
    border = 4 * unit
    behind = (left - border, top - border / 2, right + border, bottom + border / 2)
    strokes.panel(canvas, behind, border, WHITE, 0.66)
    size = letters(LABEL, unit)
    pitch = (bottom - top) / len(label.lines)
    for order, line in enumerate(label.lines):
        place = (right if label.column == "left" else left, top + (order + 0.5) * pitch)
        align = 1.0 if label.column == "left" else 0.0
        strokes.words(canvas, place, line, size, ink, "bold" if label.strong else "regular", align=align)
