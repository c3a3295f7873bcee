"""A plate for teaching: every bone of a scene from four sides, by region, at one scale a region."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from PIL import Image

from spineviz.geometry import bake_occlusion
from spineviz.library import replacing
from spineviz.model import Camera, Look, Message, Model, Pane, State
from spineviz.render import strokes
from spineviz.render.arrangement import arrange
from spineviz.render.palette import ACCENT, FAINT, HAIRLINE, INK
from spineviz.render.stage import Stage
from spineviz.render.strokes import Canvas
from spineviz.render.window import BACKGROUNDS
from spineviz.structure import Bone, Floats, Frame
from spineviz.terms import LEVELS, Level, region_of
from spineviz.views import FLAT, unit, vector

SIDES: Mapping[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "above": ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0)),
    "left": ((-1.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
    "behind": ((0.0, -1.0, 0.0), (0.0, 0.0, 1.0)),
    "behind_left": ((-0.62, -0.72, 0.40), (0.0, 0.0, 1.0)),
}
"""The four sides in the order of a row: from where, and what is up, in the bone's own frame."""

CELL = 240
"""The pixels across one picture of a bone."""

ROWS = 7
"""The most bones that stand in one column; more stand in two of about the same height."""

FILLED = 0.92
"""The part of a cell that the largest bone of a region fills."""

HEAD, COLUMN_HEAD, FOOT, NAME, GAP, MARGIN = 96, 46, 84, 76, 14, 44
"""Pixels: the title, the words over a block, the scale below it, a bone's name, between rows, around all."""

BAR = 20
"""The millimetres of a scale bar."""

Text = Callable[[Message], str]


@dataclass(frozen=True)
class Row:
    """One bone from four sides, ``pictures`` (h, cell, 3) each, cut to the same height, at pixels a mm."""

    level: Level
    scale: float
    pictures: tuple[Canvas, ...]

    @property
    def height(self) -> int:
        """The pixels from the top of this bone to the top of the next."""
        return self.pictures[0].shape[0] + GAP


Column = tuple[tuple[Row, ...], ...]
"""Bones below each other: blocks of one region each, with words above and a scale bar below."""


def write_plate(path: Path, model: Model, title: Message, text: Text) -> Path:
    """Write every bone of the spine in a model from four sides as one PNG, and return its path.

    Bones stand in their own frames, darkened by themselves alone. The file appears whole or not at all.

    Raises:
        ValueError: the model has no bone of the spine.
        OSError: the file cannot be written; the message says where and why.
        RenderingUnavailable: nothing on this machine can draw.
    """
    levels = [level for level in LEVELS if level in model.bones and level in model.structures]
    if not levels:
        raise ValueError("a plate shows bones of the spine; this scene has none")
    columns = _columns(list(_rows(model, levels)))
    canvas = _page(columns)
    _written(canvas, columns, title, text)
    with replacing(path) as temporary:
        Image.fromarray(canvas).save(temporary, format="PNG", compress_level=6)
    return path


def _rows(model: Model, levels: Sequence[Level]) -> Iterator[Row]:
    """Draw the bones, those of a region at one scale."""
    with Stage((len(SIDES) * CELL, CELL + 40), "print", samples=2) as stage:
        for _, members in groupby(levels, key=_region):
            own = list(members)
            scale = CELL * FILLED / max(_extent(model, level) for level in own)
            for level in own:
                yield _row(stage, model, level, scale)


def _region(level: Level) -> str:
    """Return the region whose bones stand at one scale; sacrum and coccyx have one of their own."""
    return "sacral" if level in ("S1", "Co1") else region_of(level)


def _columns(rows: Sequence[Row]) -> tuple[Column, ...]:
    """Divide bones into a column, or into two that are as equal as can be."""
    cuts = range(1, len(rows)) if len(rows) > ROWS else ()
    parts = [(_blocks(rows[:cut]), _blocks(rows[cut:])) for cut in cuts]
    return min(parts, key=lambda pair: max(map(_height, pair)), default=(_blocks(rows),))


def _blocks(rows: Sequence[Row]) -> Column:
    return tuple(tuple(members) for _, members in groupby(rows, key=lambda row: _region(row.level)))


def _height(column: Column) -> int:
    return sum(COLUMN_HEAD + FOOT + sum(row.height for row in block) for block in column)


def _extent(model: Model, level: Level) -> float:
    """Return the largest extent (mm) of a bone across any of its four pictures."""
    local = model.bones[level].frame.to_local(model.structures[level].surface.vertices)
    return float(
        max(np.ptp(local @ axis) for direction, up in SIDES.values() for axis in _axes(direction, up))
    )


def _axes(direction: Sequence[float], up: Sequence[float]) -> Floats:
    """Return what is right and up in a picture, rows of (2, 3), in the bone's own frame."""
    right = unit(np.cross(up, direction))
    return np.stack([right, np.cross(unit(direction), right)])


def _row(stage: Stage, model: Model, level: Level, scale: float) -> Row:
    """Draw one bone from its four sides and cut the pictures to what it needs."""
    item = model.structures[level]
    alone = Model({level: type(item)(level, "bone", bake_occlusion(item.surface))}, {}, {})
    state = State(tuple(_panes(alone, model.bones[level], level, scale, stage)), "views")
    stage.show(alone, state)
    image = stage.image()
    pictures = [
        _cell(image[box.top : box.bottom, box.left : box.right]) for box in arrange(state, stage.size).panes
    ]
    used = np.flatnonzero((np.abs(np.hstack(pictures) - _ground()).max(axis=2) > 12).any(axis=1))
    top, bottom = used[0], used[-1] + 1
    return Row(level, scale, tuple(picture[top:bottom] for picture in pictures))


def _panes(alone: Model, bone: Bone, level: Level, scale: float, stage: Stage) -> Iterator[Pane]:
    frame = bone.frame
    local = frame.to_local(alone.structures[level].surface.vertices)
    middle = (local.min(axis=0) + local.max(axis=0)) / 2
    empty = Pane({}, _eye(frame, middle, *SIDES["above"], 1.0))
    box = arrange(State((empty,) * len(SIDES), "views"), stage.size).panes[0]
    for direction, up in SIDES.values():
        yield Pane({level: Look()}, _eye(frame, middle, direction, up, box.height / scale))


def _eye(
    frame: Frame, middle: Floats, direction: Sequence[float], up: Sequence[float], height: float
) -> Camera:
    """Return a camera whose places and ways are given in a bone's own frame."""
    way, upward = vector(unit(direction) @ frame.axes), vector(np.array(up) @ frame.axes)
    return Camera(vector(frame.to_parent(middle)), way, upward, height, FLAT)


def _cell(picture: Canvas) -> Canvas:
    """Return a picture exactly CELL pixels wide."""
    result = np.full((picture.shape[0], CELL, 3), _ground(), np.uint8)
    spare = (CELL - picture.shape[1]) // 2
    result[:, spare : spare + picture.shape[1]] = picture
    return result


def _page(columns: Sequence[Column]) -> Canvas:
    """Return the page with all pictures and nothing written on it."""
    across = NAME + len(SIDES) * CELL + MARGIN
    size = (HEAD + max(map(_height, columns)) + MARGIN // 2, MARGIN + len(columns) * across)
    canvas = np.full((*size, 3), _ground(), np.uint8)
    for left, top, block in _placed(columns):
        edge = top + COLUMN_HEAD
        for row in block:
            for number, picture in enumerate(row.pictures):
                start = left + NAME + number * CELL
                canvas[edge : edge + len(picture), start : start + CELL] = picture
            edge += row.height
    return canvas


def _placed(columns: Sequence[Column]) -> Iterator[tuple[int, int, tuple[Row, ...]]]:
    """Give each block with its left and its upper border."""
    for index, column in enumerate(columns):
        top = HEAD
        for block in column:
            yield MARGIN + index * (NAME + len(SIDES) * CELL + MARGIN), top, block
            top += _height((block,))


def _written(canvas: Canvas, columns: Sequence[Column], title: Message, text: Text) -> None:
    """Write title, sides, levels and scales on the page, in place."""
    height, width = canvas.shape[:2]
    strokes.words(canvas, (MARGIN, 0.5 * HEAD), text(title), 34, INK, "bold")
    strokes.words(
        canvas, (width - MARGIN, height - 0.6 * MARGIN), text(Message("disclaimer")), 15, FAINT, align=1.0
    )
    for left, top, block in _placed(columns):
        region = text(Message(f"region.{_region(block[0].level)}"))
        strokes.words(canvas, (left, top + COLUMN_HEAD / 2 - 4), region, 16, INK, "bold")
        for number, side in enumerate(SIDES):
            place = left + NAME + (number + 0.5) * CELL, top + COLUMN_HEAD / 2 - 4
            strokes.words(canvas, place, text(Message(f"from.{side}")), 16, FAINT, align=0.5)
        line = top + COLUMN_HEAD - 8
        strokes.line(canvas, (left, line), (left + NAME + len(SIDES) * CELL, line), 1.5, HAIRLINE)
        edge = top + COLUMN_HEAD
        for row in block:
            short = row.level not in ("S1", "Co1")
            words = row.level if short else text(Message(f"structure.{row.level}"))
            place = left, edge + (row.height - GAP) / 2
            strokes.words(canvas, place, words, 28 if short else 18, ACCENT, "bold")
            edge += row.height
        _bar(canvas, (left + NAME, edge + 0.3 * FOOT), block[0].scale, text)


def _bar(canvas: Canvas, place: tuple[float, float], scale: float, text: Text) -> None:
    """Paint a scale bar that begins at a place."""
    x, y = place
    ends = (x, x + BAR * scale)
    strokes.line(canvas, (ends[0], y), (ends[1], y), 2.5, INK)
    for end in ends:
        strokes.line(canvas, (end, y - 6), (end, y + 6), 2.5, INK)
    words = text(Message("overlay.scale", (("length", BAR),)))
    strokes.words(canvas, (ends[1] + 12, y), words, 16, INK)


def _ground() -> Floats:
    """Return the colour of the page, 0..255."""
    return np.round(np.array(BACKGROUNDS["print"][0]) * 255)
