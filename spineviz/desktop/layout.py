"""Where the window's controls stand and what each does: plain data, laid out anew for every size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from spineviz.desktop.commands import LAYER_KEYS, VIEW_KEYS, Act, play_or_pause, toggle_cut
from spineviz.layers import LAYERS, members
from spineviz.render.projection import Box
from spineviz.structure import Message
from spineviz.viewer import CUTS, Viewer, visible_layers

Kind = Literal["check", "button", "icon", "heading"]

SIDEBAR, BAR, ROW, EDGE = 214.0, 76.0, 23.0, 12.0
"""Units: the width of the sidebar, the height of the bar below, of a row, and the free border."""

DESIGN_HEIGHT = 800.0
"""The height of a window in pixels at which one unit is one pixel."""


@dataclass(frozen=True)
class Areas:
    """How the window is divided, in pixels; ``unit`` is the pixels of one unit."""

    unit: float
    stage: Box
    sidebar: Box
    bar: Box
    slider: Box
    """Where the pointer scrubs; its first and last column are the timeline's ends."""


@dataclass(frozen=True)
class Control:
    """One thing to click. ``on`` fills it; ``name`` is a key of the catalog, or an icon's name."""

    kind: Kind
    box: Box
    name: Message
    key: str = ""
    on: bool = False
    usable: bool = True
    act: Act | None = None


def divided(size: tuple[int, int]) -> Areas:
    """Divide a window of ``size`` (width, height) pixels."""
    width, height = size
    unit = max(min(height / DESIGN_HEIGHT, width / 1000.0), 0.5)
    side, low = round(SIDEBAR * unit), round(BAR * unit)
    edge = round(EDGE * unit)
    bar = Box(0, height - low, width, low)
    return Areas(
        unit=unit,
        stage=Box(side, 0, width - side, height - low),
        sidebar=Box(0, 0, side, height - low),
        bar=bar,
        slider=Box(side + edge, bar.top + round(8 * unit), width - side - 2 * edge, round(22 * unit)),
    )


def controls(viewer: Viewer, areas: Areas) -> tuple[Control, ...]:
    """Return everything that can be clicked, but the slider."""
    return (*_sidebar(viewer, areas), *_transport(viewer, areas))


def at(items: tuple[Control, ...], x: int, y: int) -> Control | None:
    """Return the usable control under a pixel."""
    return next((item for item in items if item.act and item.usable and inside(item.box, x, y)), None)


def inside(box: Box, x: int, y: int) -> bool:
    """Tell whether a pixel lies in a box."""
    return box.left <= x < box.right and box.top <= y < box.bottom


def second_at(viewer: Viewer, slider: Box, x: int) -> float:
    """Return the second of the timeline under a column of the slider; its ends hold beyond it."""
    share = (x - slider.left) / max(slider.width - 1, 1)
    return min(max(share, 0.0), 1.0) * viewer.timeline.seconds


def column_of(viewer: Viewer, slider: Box, second: float) -> int:
    """Return the slider's column that stands for a second."""
    share = second / viewer.timeline.seconds if viewer.timeline.seconds > 0 else 0.0
    return slider.left + round(share * (slider.width - 1))


@dataclass(frozen=True)
class _Rows:
    """Boxes of rows in the sidebar, counted in rows from its top."""

    areas: Areas

    def row(self, index: float, column: int = 0, columns: int = 1) -> Box:
        unit = self.areas.unit
        left, span = EDGE * unit, (SIDEBAR - 2 * EDGE) * unit / columns
        gap = 4 * unit if columns > 1 else 0
        top = self.areas.sidebar.top + (EDGE - 4 + index * ROW) * unit
        return Box(round(left + column * span), round(top), round(span - gap), round((ROW - 3) * unit))


def _sidebar(viewer: Viewer, areas: Areas) -> tuple[Control, ...]:
    rows = _Rows(areas)
    result = [Control("heading", rows.row(0), Message("desktop.layers"))]
    shown, looks = visible_layers(viewer.state), viewer.told.panes[0].looks
    for index, (layer, key) in enumerate(zip(LAYERS, LAYER_KEYS, strict=True)):
        result.append(
            Control(
                "check",
                rows.row(1 + index),
                Message(f"layer.{layer}"),
                key,
                on=layer in shown and layer not in viewer.choices.hidden_layers,
                usable=bool(members(layer, looks)),
                act=partial(Viewer.toggle_layer, layer=layer),
            )
        )
    top = 1.4 + len(LAYERS)
    result.append(Control("heading", rows.row(top), Message("desktop.views")))
    result += _views(viewer, rows, top + 1)
    top += 1.4 + (len(viewer.views) + 2) // 2
    result.append(Control("heading", rows.row(top), Message("desktop.tools")))
    return (*result, *_tools(viewer, rows, top + 1))


def _views(viewer: Viewer, rows: _Rows, top: float) -> list[Control]:
    follow = Control(
        "button",
        rows.row(top, 0, 2),
        Message("desktop.view.follow"),
        "F",
        on=viewer.choices.camera is None,
        act=partial(Viewer.choose_view, name=None),
    )
    named = [
        Control(
            "button",
            rows.row(top + index // 2, index % 2, 2),
            Message(f"desktop.view.{name}"),
            VIEW_KEYS.get(name, "").upper(),
            on=viewer.view == name,
            act=partial(Viewer.choose_view, name=name),
        )
        for index, name in enumerate(viewer.views, start=1)
    ]
    return [follow, *named]


def _tools(viewer: Viewer, rows: _Rows, top: float) -> list[Control]:
    result = [
        Control(
            "button",
            rows.row(top, index, 2),
            Message(f"desktop.cut.{name}"),
            "C" if index == 0 else "",
            on=viewer.cut == name,
            usable=name in viewer.cuts,
            act=partial(toggle_cut, name=name),
        )
        for index, name in enumerate(CUTS)
    ]
    everything: list[tuple[str, str, bool, bool, Act]] = [
        ("labels", "N", viewer.choices.labels, True, Viewer.toggle_labels),
        ("all", "B", False, viewer.hiding, Viewer.show_all),
        ("undo", "U", False, viewer.can_undo, Viewer.undo),
        ("redo", "Y", False, viewer.can_redo, Viewer.redo),
    ]
    for index, (name, key, on, usable, act) in enumerate(everything):
        box = rows.row(top + 1 + index // 2, index % 2, 2)
        result.append(Control("button", box, Message(f"desktop.tool.{name}"), key, on, usable, act))
    return result


def _transport(viewer: Viewer, areas: Areas) -> tuple[Control, ...]:
    unit = areas.unit
    size = round(34 * unit)
    middle = areas.bar.top + areas.bar.height // 2
    icons: tuple[tuple[str, Act], ...] = (
        ("start", lambda session: session.scrub(0.0)),
        ("back", Viewer.back),
        ("pause" if viewer.playing else "play", play_or_pause),
        ("forward", Viewer.forward),
        ("end", lambda session: session.scrub(session.timeline.seconds)),
    )
    return tuple(
        Control(
            "icon",
            Box(round((EDGE + index * 38) * unit), middle - size // 2, size, size),
            Message(name),
            on=name in ("play", "pause"),
            act=act,
        )
        for index, (name, act) in enumerate(icons)
    )
