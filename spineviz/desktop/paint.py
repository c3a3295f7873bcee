"""The window's controls as pixels: sidebar, bar with the slider, bubbles and the help."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np

from spineviz.desktop.commands import COMMANDS, LAYER_KEYS
from spineviz.desktop.layout import Areas, Control, column_of
from spineviz.layers import LAYERS, Layer
from spineviz.render import strokes, typography
from spineviz.render.materials import MATERIALS
from spineviz.render.overlay import Text
from spineviz.render.palette import ACCENT, BAND, FAINT, INK, WHITE
from spineviz.render.projection import Box
from spineviz.render.strokes import Canvas, Ink
from spineviz.structure import Message
from spineviz.terms import Tissue
from spineviz.viewer import Viewer

FIELD: Ink = (230, 235, 239)
"""What a button is filled with."""

UNUSABLE: Ink = (176, 186, 195)
"""The letters of what cannot be used now."""

SWATCHES: MappingProxyType[Layer, Tissue] = MappingProxyType(
    {
        "skin": "skin",
        "fat": "fat",
        "fascia": "fascia",
        "muscles": "muscle",
        "ligaments": "ligament",
        "bones": "bone",
        "epidural_fat": "fat",
        "dura": "dura",
        "nerves": "nerve",
        "discs": "annulus",
        "vessels": "artery",
        "disease": "fragment",
        "instruments": "instrument",
    }
)
"""The tissue whose colour stands beside a layer's name."""


def blank(box: Box, ink: Ink = BAND) -> Canvas:
    """Return a canvas of a box's size in one colour."""
    return np.full((box.height, box.width, 3), ink, dtype=np.uint8)


def sidebar(areas: Areas, items: Sequence[Control], hovered: Control | None, text: Text) -> Canvas:
    """Return the picture of the sidebar: layers, views and tools."""
    canvas = blank(areas.sidebar)
    for item in items:
        if item.kind == "heading":
            _heading(canvas, item, areas.unit, text)
        elif item.kind == "check":
            _check(canvas, item, item is hovered, areas.unit, text)
        elif item.kind == "button":
            _button(canvas, item, item is hovered, areas.unit, text)
    canvas[:, -1] = FIELD
    return canvas


def _heading(canvas: Canvas, item: Control, unit: float, text: Text) -> None:
    place = (item.box.left, item.box.top + item.box.height / 2)
    strokes.words(canvas, place, text(item.name), 11.5 * unit, FAINT, "bold")


def _check(canvas: Canvas, item: Control, hovered: bool, unit: float, text: Text) -> None:
    box, middle = item.box, item.box.top + item.box.height / 2
    if hovered:
        strokes.panel(canvas, _edges(box), 4 * unit, FIELD)
    side, left = 13 * unit, box.left + 4 * unit
    square = (left, middle - side / 2, left + side, middle + side / 2)
    strokes.panel(canvas, square, 3 * unit, (ACCENT if item.on else FAINT) if item.usable else UNUSABLE)
    if item.on and item.usable:
        low = (left + 0.42 * side, middle + 0.24 * side)
        strokes.line(canvas, (left + 0.2 * side, middle), low, 1.8 * unit, WHITE)
        strokes.line(canvas, low, (left + 0.82 * side, middle - 0.26 * side), 1.8 * unit, WHITE)
    else:
        inner = 1.4 * unit
        strokes.panel(
            canvas,
            (square[0] + inner, square[1] + inner, square[2] - inner, square[3] - inner),
            2 * unit,
            BAND,
        )
    layer = LAYERS[LAYER_KEYS.index(item.key)]
    red, green, blue = (round(255 * value) for value in MATERIALS[SWATCHES[layer]].first)
    strength = 1.0 if item.usable else 0.35
    strokes.dot(canvas, (left + 27 * unit, middle), 5 * unit, FAINT, strength)
    strokes.dot(canvas, (left + 27 * unit, middle), 4.2 * unit, (red, green, blue), strength)
    ink = INK if item.usable else UNUSABLE
    strokes.words(canvas, (left + 40 * unit, middle), text(item.name), 12.5 * unit, ink)
    _key(canvas, box, item.key.upper(), unit, FAINT if item.usable else UNUSABLE)


def _button(canvas: Canvas, item: Control, hovered: bool, unit: float, text: Text) -> None:
    fill = ACCENT if item.on else FIELD
    strokes.panel(canvas, _edges(item.box), 4 * unit, fill)
    if hovered and not item.on:
        strokes.panel(canvas, _edges(item.box), 4 * unit, ACCENT, 0.15)
    ink = (WHITE if item.on else INK) if item.usable else UNUSABLE
    middle = item.box.top + item.box.height / 2
    strokes.words(canvas, (item.box.left + 7 * unit, middle), text(item.name), 11 * unit, ink)
    _key(canvas, item.box, item.key, unit, (WHITE if item.on else FAINT) if item.usable else UNUSABLE)


def _edges(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom


def _key(canvas: Canvas, box: Box, key: str, unit: float, ink: Ink) -> None:
    strokes.words(canvas, (box.right - 6 * unit, box.top + box.height / 2), key, 9.5 * unit, ink, align=1.0)


def bar(
    areas: Areas, viewer: Viewer, items: Sequence[Control], hovered: Control | None, words: Sequence[str]
) -> Canvas:
    """Return the picture of the bar: transport, slider with a tick for each step, and status.

    ``words`` are the time, the step and the status, from left to right.
    """
    canvas = blank(areas.bar)
    canvas[0] = FIELD
    top = areas.bar.top
    for item in items:
        if item.kind == "icon":
            _icon(canvas, item, item is hovered, top)
    _slider(canvas, areas, viewer)
    unit, slider = areas.unit, areas.slider
    middle = slider.bottom - top + 20 * unit
    clock, step, status = words
    span = strokes.words(canvas, (slider.left, middle), clock, 12 * unit, INK, "bold")
    room = slider.width - span - 40 * unit
    status = _fitted(status, room * 0.45, 12 * unit)
    taken = strokes.words(canvas, (slider.right, middle), status, 12 * unit, ACCENT, align=1.0)
    step = _fitted(step, room - taken, 12 * unit)
    strokes.words(canvas, (slider.left + span + 18 * unit, middle), step, 12 * unit, FAINT)
    return canvas


def _fitted(words: str, room: float, size: float) -> str:
    """Return words cut with an ellipsis where they are wider than ``room`` pixels."""
    if typography.width(words, size) <= room:
        return words
    while words and typography.width(words + "…", size) > room:
        words = words[:-1]
    return words.rstrip() + "…" if words else ""


def _slider(canvas: Canvas, areas: Areas, viewer: Viewer) -> None:
    unit, slider = areas.unit, areas.slider
    middle = slider.top - areas.bar.top + slider.height / 2
    half = 2 * unit
    now = column_of(viewer, slider, viewer.playhead)
    strokes.panel(canvas, (slider.left, middle - half, slider.right, middle + half), half, UNUSABLE)
    strokes.panel(
        canvas, (slider.left, middle - half, max(now, slider.left + 2 * half), middle + half), half, ACCENT
    )
    for start in viewer.timeline.starts:
        column = column_of(viewer, slider, start)
        ink = ACCENT if start <= viewer.playhead else FAINT
        strokes.line(canvas, (column, middle - 5 * unit), (column, middle + 5 * unit), 1.4 * unit, ink)
    strokes.dot(canvas, (now, middle), 8 * unit, BAND)
    strokes.dot(canvas, (now, middle), 6.5 * unit, ACCENT)


def _icon(canvas: Canvas, item: Control, hovered: bool, top: int) -> None:
    box = item.box
    middle, centre, size = box.top - top + box.height / 2, box.left + box.width / 2, box.height
    ink = WHITE if item.on else INK
    if item.on:
        strokes.dot(canvas, (centre, middle), size / 2, ACCENT)
    elif hovered:
        strokes.dot(canvas, (centre, middle), size / 2, FIELD)
    tall, wide = 0.2 * size, 0.17 * size
    if item.name.key == "pause":
        for side in (-1, 1):
            x = centre + side * 0.11 * size
            strokes.panel(canvas, (x - 0.05 * size, middle - tall, x + 0.05 * size, middle + tall), 1, ink)
        return
    way = -1 if item.name.key in ("back", "start") else 1
    shift = 0.03 * size if item.name.key == "play" else 0.0
    _triangle(canvas, (centre + way * shift, middle), way * wide, tall, ink)
    if item.name.key != "play":
        x = centre + way * (wide + 0.06 * size)
        strokes.line(canvas, (x, middle - tall), (x, middle + tall), 0.07 * size, ink)
    if item.name.key in ("start", "end"):
        x = centre + way * (wide + 0.17 * size)
        strokes.line(canvas, (x, middle - tall), (x, middle + tall), 0.07 * size, ink)


def _triangle(canvas: Canvas, centre: tuple[float, float], reach: float, tall: float, ink: Ink) -> None:
    """Paint a triangle that points along x; ``reach`` is half its length, negative to the left."""
    box = int(2 * (abs(reach) + tall)) + 4
    left, top = int(centre[0]) - box // 2, int(centre[1]) - box // 2
    columns = (np.arange(box)[None, :] + left + 0.5 - centre[0]) / reach
    rows = np.abs(np.arange(box)[:, None] + top + 0.5 - centre[1])
    inner = np.minimum((1 - columns) / 2 * tall - rows, (columns + 1) * abs(reach))
    strokes.blend(canvas, left, top, np.clip(inner + 0.5, 0, 1), ink)


def clock(second: float) -> str:
    """Return a time of the scene as minutes and seconds."""
    minutes, seconds = divmod(round(second), 60)
    return f"{minutes}:{seconds:02d}"


def bubble(canvas: Canvas, pointer: tuple[int, int], words: str, unit: float) -> None:
    """Paint words beside a pixel of the canvas, kept inside it."""
    size, margin = 13 * unit, 8 * unit
    span, tall = typography.width(words, size) + 2 * margin, 25 * unit
    left = min(max(pointer[0] + 14 * unit, 4), canvas.shape[1] - span - 4)
    top = pointer[1] - tall - 8 * unit
    top = top if top > 4 else pointer[1] + 18 * unit
    strokes.panel(canvas, (left, top, left + span, top + tall), 6 * unit, INK, 0.9)
    strokes.words(canvas, (left + margin, top + tall / 2), words, size, WHITE)


def help_sheet(canvas: Canvas, unit: float, text: Text) -> None:
    """Paint the help over a canvas: every key and what it does."""
    rows = [(command.shown, text(command.about)) for command in COMMANDS]
    letters = [key.upper() for key in LAYER_KEYS if key.isalpha()]
    rows += [(", ".join(["1 – 9, 0", *letters]), text(Message("desktop.help.layers")))]
    rows += [(f"Ctrl+1 – {letters[-1]}", text(Message("desktop.help.down")))]
    rows += [(text(Message("desktop.letters")), text(Message("desktop.help.views")))]
    rows += [("H, ?", text(Message("desktop.help.help"))), ("Q, Esc", text(Message("desktop.help.quit")))]
    mouse = ("drag", "shift_drag", "wheel", "point", "click")
    rows += [
        (text(Message(f"desktop.mouse.{name}")), text(Message(f"desktop.help.{name}"))) for name in mouse
    ]
    height, width = canvas.shape[:2]
    fit = min(unit, height / 500, width / 780)
    half = (len(rows) + 1) // 2
    span, tall = 760 * fit, (half * 25 + 96) * fit
    left, top = (width - span) / 2, (height - tall) / 2
    strokes.panel(canvas, (0, 0, width, height), 0, INK, 0.35)
    strokes.panel(canvas, (left, top, left + span, top + tall), 12 * fit, BAND)
    strokes.words(
        canvas, (left + 28 * fit, top + 34 * fit), text(Message("desktop.help.title")), 17 * fit, INK, "bold"
    )
    for index, (key, about) in enumerate(rows):
        x = left + (28 + (index // half) * 366) * fit
        y = top + (70 + (index % half) * 25) * fit
        strokes.words(canvas, (x, y), key, 11.5 * fit, ACCENT, "bold")
        strokes.words(canvas, (x + 118 * fit, y), about, 11.5 * fit, INK)
    strokes.words(
        canvas, (left + 28 * fit, top + tall - 18 * fit), text(Message("disclaimer")), 10.5 * fit, FAINT
    )
