"""What is written on a slice, as a viewer of MRI writes it: orientation, a scale, measured outlines."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from spineviz.model import Camera, Pane, Scan, Trace
from spineviz.render import strokes
from spineviz.render.labels import wrapped
from spineviz.render.overlay import Text, fitting, letters
from spineviz.render.palette import WHITE
from spineviz.render.projection import Box, axes, pixels_per_mm, project
from spineviz.render.strokes import Canvas, Ink, Place
from spineviz.render.typography import width
from spineviz.structure import Floats, Message

GROUND: Ink = (0, 0, 0)
WORDS: Ink = (226, 230, 233)
MEASURED: Ink = (86, 222, 255)
CROSSED: Ink = (250, 206, 70)
INKS: dict[str, Ink] = {"name": WORDS, "measure": MEASURED, "disease": (255, 128, 178)}

BAR = 10.0
"""The millimetres of the scale."""

DASH = 5.0
"""Units of a dash of the line where another slice passes."""

_ENDS = (("right", "left"), ("anterior", "posterior"), ("superior", "inferior"))


def draw(canvas: Canvas, pane: Pane, box: Box, cell: Box, unit: float, text: Text) -> None:
    """Paint everything that is written on a slice in a box, and around it in its cell, in place."""
    assert pane.scan is not None
    _around(canvas, box, cell)
    for trace in pane.scan.traces:
        _trace(canvas, trace, pane.camera, box, unit)
    _orientation(canvas, pane.camera, box, unit, text)
    _scale(canvas, pane.camera, box, unit, text)
    _callouts(canvas, pane.scan, pane.camera, box, unit, text)
    margin = 16 * unit
    if pane.heading is not None:
        heading = text(pane.heading)
        size = fitting(heading, letters(15, unit), cell.width - 2 * margin, "bold")
        strokes.words(canvas, (cell.left + margin, cell.top + 24 * unit), heading, size, WORDS, "bold")
    _notes(canvas, pane.scan, box, cell, unit, text)


def ends(camera: Camera) -> dict[str, str]:
    """Return which end of the patient lies at each edge of a picture: ``left``: ``anterior``, ..."""
    right, up, _ = axes(camera)
    result: dict[str, str] = {}
    for way, positive, negative in ((right, "right", "left"), (up, "top", "bottom")):
        axis = int(np.abs(way).argmax())
        first, second = _ENDS[axis] if way[axis] > 0 else _ENDS[axis][::-1]
        result |= {positive: first, negative: second}
    return result


def _around(canvas: Canvas, box: Box, cell: Box) -> None:
    """Blacken what of its cell a slice does not fill."""
    canvas[cell.top : box.top, cell.left : cell.right] = GROUND
    canvas[box.bottom : cell.bottom, cell.left : cell.right] = GROUND
    canvas[box.top : box.bottom, cell.left : box.left] = GROUND
    canvas[box.top : box.bottom, box.right : cell.right] = GROUND


def _trace(canvas: Canvas, trace: Trace, camera: Camera, box: Box, unit: float) -> None:
    """Paint a line: around a measured face whole, where another slice passes in dashes."""
    part = canvas[box.top : box.bottom, box.left : box.right]
    points, _ = project(camera, np.array(trace.points), Box(0, 0, box.width, box.height))
    if trace.measured:
        for ink, thick in ((GROUND, 3.0), (MEASURED, 1.5)):
            for start, end in pairwise([*points, points[0]]):
                strokes.line(part, _place(start), _place(end), thick * unit, ink)
        return
    for start, end in pairwise(points):
        way = end - start
        count = max(int(np.linalg.norm(way) / (2 * DASH * unit)), 1)
        for index in range(count):
            first, last = start + way * index / count, start + way * (index + 0.5) / count
            strokes.line(part, _place(first), _place(last), 1.3 * unit, CROSSED, strength=0.9)


def _place(point: Floats) -> Place:
    return float(point[0]), float(point[1])


def _orientation(canvas: Canvas, camera: Camera, box: Box, unit: float, text: Text) -> None:
    x, y, inset = box.left + box.width / 2, box.top + box.height / 2, 14 * unit
    places = {
        "left": (box.left + inset, y),
        "right": (box.right - inset, y),
        "top": (x, box.top + inset),
        "bottom": (x, box.bottom - inset),
    }
    for edge, end in ends(camera).items():
        words = text(Message(f"orientation.{end}"))
        _haloed(canvas, places[edge], words, letters(15, unit), WHITE, unit, align=0.5)


def _scale(canvas: Canvas, camera: Camera, box: Box, unit: float, text: Text) -> None:
    """Paint an upright bar at the right, as long as its words tell."""
    length = BAR * pixels_per_mm(camera, box)
    x, bottom = box.right - 12 * unit, box.bottom - 12 * unit
    for ink, more in ((GROUND, 2.0 * unit), (WORDS, 0.0)):
        thick = 1.6 * unit + more
        strokes.line(canvas, (x, bottom), (x, bottom - length), thick, ink)
        for y in (bottom, bottom - length):
            strokes.line(canvas, (x - 4 * unit, y), (x, y), thick, ink)
    words = text(Message("overlay.scale", (("length", round(BAR)),)))
    place = (x - 7 * unit, bottom - length / 2)
    _haloed(canvas, place, words, letters(11, unit), WORDS, unit, align=1.0)


def _callouts(canvas: Canvas, scan: Scan, camera: Camera, box: Box, unit: float, text: Text) -> None:
    """Paint words and the lines to what they name; those of one side begin below each other.

    So no line runs over the words beneath it.
    """
    size, border = letters(12.5, unit), 6 * unit
    said = [text(callout.text) for callout in scan.callouts]
    spans = [width(words, size, "bold") for words in said]
    places = [_place(project(camera, np.array([callout.place]), box)[0][0]) for callout in scan.callouts]
    beside = box.left + box.width / 2
    lefts = []
    for callout, (x, _), span in zip(scan.callouts, places, spans, strict=True):
        align = 0.5 if callout.anchor is None else 0.0 if x > beside else 1.0
        lefts.append(float(np.clip(x - align * span, box.left + border, box.right - border - span)))
    led = [k for k, callout in enumerate(scan.callouts) if callout.anchor is not None]
    column = min((lefts[k] for k in led if places[k][0] > beside), default=0.0)
    for k, callout in enumerate(scan.callouts):
        left, y = (column if k in led and places[k][0] > beside else lefts[k]), places[k][1]
        if callout.anchor is not None:
            anchor = _place(project(camera, np.array([callout.anchor]), box)[0][0])
            start = _from(anchor, left - border / 2, left + spans[k] + border / 2, y, 0.68 * size)
            for colour, thick in ((GROUND, 2.6), (INKS[callout.kind], 1.2)):
                strokes.line(canvas, start, anchor, thick * unit, colour)
            strokes.dot(canvas, anchor, 2.4 * unit, INKS[callout.kind])
        _haloed(canvas, (left, y), said[k], size, INKS[callout.kind], unit, align=0.0)


def _from(anchor: Place, left: float, right: float, y: float, half: float) -> Place:
    """Return where the line to an anchor leaves words: at the end nearer to it, or above or below them."""
    if left < anchor[0] < right:
        return anchor[0], y + half if anchor[1] > y else y - half
    return (left if anchor[0] <= left else right), y


def _haloed(
    canvas: Canvas, place: Place, words: str, size: float, ink: Ink, unit: float, *, align: float
) -> None:
    """Paint words that can be read on any grey."""
    span = width(words, size, "bold")
    left = place[0] - align * span
    behind = (left - 3 * unit, place[1] - 0.68 * size, left + span + 3 * unit, place[1] + 0.68 * size)
    strokes.panel(canvas, behind, 3 * unit, GROUND, 0.55)
    strokes.words(canvas, place, words, size, ink, "bold", align=align)


def _notes(canvas: Canvas, scan: Scan, box: Box, cell: Box, unit: float, text: Text) -> None:
    """Paint the lines beneath a slice; the first, where something is measured, in the ink of its outline."""
    size, margin, y = letters(13, unit), 16 * unit, box.bottom + 20 * unit
    for order, note in enumerate(scan.notes):
        measured = order == 0 and any(trace.measured for trace in scan.traces)
        for line in wrapped(text(note), cell.width - 2 * margin, lambda words: width(words, size)):
            strokes.words(canvas, (cell.left + margin, y), line, size, MEASURED if measured else WORDS)
            y += 1.25 * size
        y += 3 * unit
