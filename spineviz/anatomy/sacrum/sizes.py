"""A sacrum with other measures than the usual one: its parameters moved until they are true.

Measures are read from the parameters in the bone's own frame, mm and degrees. What is usual and what a human
sacrum may have stands in ``meshes/measures/calipers.toml``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from spineviz import measures
from spineviz.anatomy.sacrum.parts import SacrumParameters
from spineviz.structure import Floats

MEASURES: dict[str, str] = {
    "endplate_width": "width of the S1 upper endplate, mm",
    "endplate_depth": "depth of the S1 upper endplate in the midline, mm",
    "canal_width": "greatest width of the sacral canal at the S1 pedicles, mm",
    "canal_depth": "midsagittal depth of the sacral canal at the S1 pedicles, mm",
    "ala_width": "greatest width of the sacrum across the alae, mm",
    "ventral_height": "from the promontory to the apex in a straight line, mm",
    "kyphosis": "angle between the ventral surfaces of S1 and S5, degrees",
}
"""What can be asked for, with unit and definition."""

CLOSE, STEPS = 0.1, 12
"""A wanted measure is reached this near (mm, degrees), in no more than so many steps."""

ROUNDS = 3
"""How often all measures are made true, one after the other: what changes one may move another a little."""

HINGE = -15.0
"""Below this height (z, mm) the sacrum is stretched and bent; above stand endplate and facets."""

FADING = (1.0, 1.0, 0.7, 0.4)
"""How far down the canal's stations a change of its width or depth reaches."""

POINTS = ("start", "end", "canal", "chamber", "anterior", "posterior", "groove")
FIXED = ("superior_process", "pedicle", "facet", "body", "fillets", "articular_cartilage")

Tree = dict[str, Any]


def measured(parameters: SacrumParameters) -> dict[str, float]:
    """Return a sacrum's measures by the names of `MEASURES`."""
    body, walls = parameters.body, parameters.walls
    promontory = np.array([body.centre[0] + body.front[0], 0.0])
    width, depth = _canal(parameters)
    return {
        "endplate_width": 2.0 * body.half_width[0],
        "endplate_depth": body.front[0] + body.back[0],
        "canal_width": width,
        "canal_depth": depth,
        "ala_width": _ala(parameters),
        "ventral_height": float(np.linalg.norm(promontory - walls.end)),
        "kyphosis": _kyphosis(parameters),
    }


def sized(parameters: SacrumParameters, wanted: Mapping[str, float]) -> SacrumParameters:
    """Return the sacrum with some measures (mm, degrees) changed and the others kept.

    Raises ValueError for an unknown measure and for a value that no human sacrum has, with the range.
    """
    for name, value in wanted.items():
        _check(name, value)
    aim = measured(parameters) | dict(wanted) if wanted else {}
    for _ in range(ROUNDS):
        for name in (name for name in MEASURES if name in aim):
            parameters = _reached(parameters, name, aim[name])
    return parameters


def _check(name: str, value: float) -> None:
    if name not in MEASURES:
        raise ValueError(f"S1: '{name}' cannot be changed; choose of: {', '.join(MEASURES)}")
    known, unit = measures.table(f"calipers.sacrum.{name}"), MEASURES[name].rpartition(" ")[2]
    if not known["low"] <= value <= known["high"]:
        raise ValueError(
            f"S1: {name} of {value:g} {unit} is not human; "
            f"the allowed range is {known['low']:g} to {known['high']:g} {unit}"
        )


def _reached(parameters: SacrumParameters, name: str, value: float) -> SacrumParameters:
    """Return the sacrum with one measure true, by secant steps of its move."""
    move, rate = MOVES[name], 1.0
    for _ in range(STEPS):
        now = measured(parameters)[name]
        if abs(value - now) < CLOSE:
            return parameters
        amount = rate * (value - now)
        moved = SacrumParameters.model_validate(move(parameters.model_dump(), amount))
        gained = measured(moved)[name] - now
        rate = float(np.clip(amount / gained, 0.2, 5.0)) if gained * amount > 0.0 else rate
        parameters = moved
    raise ValueError(f"S1: {name} of {value:g} cannot be had")


# --- measuring -------------------------------------------------------------------------------------


def _canal(parameters: SacrumParameters) -> tuple[float, float]:
    """Return width and depth of the canal at the S1 pedicles."""
    z = parameters.foramina["S1"].chamber[2] / 2.0
    front, depth, width = parameters.canal.section(z)
    y, x = front - np.linspace(0.0, depth, 81), np.linspace(0.0, width, 161)
    grid = np.stack(np.meshgrid(x, y, [z], indexing="ij"), axis=-1).reshape(-1, 3)
    free = (parameters.canal(grid) < 0.0).reshape(len(x), len(y))
    return 2.0 * float(x[free.any(axis=1)].max()), float(np.ptp(y[free[0]]))


def _ala(parameters: SacrumParameters) -> float:
    """Return the width of the walls where they are widest."""
    widest = max(parameters.walls.half_width)
    x, y = np.linspace(0.7 * widest, 1.2 * widest, 121), np.arange(-30.0, 20.0, 4.0)
    z = np.arange(-40.0, -7.0, 3.0)
    grid = np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1)
    inside = (parameters.walls(grid.reshape(-1, 3)) < 0.0).reshape(grid.shape[:3]).any(axis=(1, 2))
    return 2.0 * float(x[inside].max())


def _kyphosis(parameters: SacrumParameters) -> float:
    """Return the angle between the ventral surfaces of S1 and S5 in the midline."""
    low = parameters.walls.end[1]
    heights = np.array([-4.0, -22.0, low + 18.0, low + 6.0])
    ahead = np.arange(-60.0, 40.0, 0.5)
    grid = np.stack(np.meshgrid([0.0], ahead, heights, indexing="ij"), axis=-1).reshape(-1, 3)
    away = np.minimum(parameters.body(grid), parameters.walls(grid)).reshape(len(ahead), len(heights))
    last = len(ahead) - 1 - (away < 0.0)[::-1].argmax(axis=0)
    within, beyond = (np.take_along_axis(away, at[None], axis=0)[0] for at in (last, last + 1))
    fronts = ahead[last] + 0.5 * within / (within - beyond)
    leaning = np.degrees(np.arctan2(np.diff(fronts), -np.diff(heights)))
    return float(leaning[2] - leaning[0])


# --- moving ----------------------------------------------------------------------------------------


def _endplate_width(tree: Tree, amount: float) -> Tree:
    upper, middle, lower = tree["body"]["half_width"]
    return tree | {
        "body": tree["body"] | {"half_width": (upper + amount / 2.0, middle + amount / 4.0, lower)}
    }


def _endplate_depth(tree: Tree, amount: float) -> Tree:
    body = dict(tree["body"])
    for name in ("front", "back"):
        upper, middle, lower = body[name]
        body[name] = (upper + amount / 2.0, middle + amount / 4.0, lower)
    return tree | {"body": body}


def _canal_move(name: str, share: float) -> Callable[[Tree, float], Tree]:
    def move(tree: Tree, amount: float) -> Tree:
        values = list(tree["canal"][name])
        for i, fading in enumerate(FADING):
            values[i] += share * amount * fading
        return tree | {"canal": tree["canal"] | {name: tuple(values)}}

    return move


def _ala_width(tree: Tree, amount: float) -> Tree:
    walls = tree["walls"]
    shares = np.interp(walls["heights"], (-90.0, -45.0), (0.0, 1.0))
    widths = np.add(walls["half_width"], amount / 2.0 * shares)
    return tree | {"walls": walls | {"half_width": tuple(widths.tolist())}}


def _ventral_height(tree: Tree, amount: float) -> Tree:
    lowest = tree["walls"]["apex"][1] if tree["walls"]["apex"] else tree["walls"]["heights"][-1]
    grown = amount / abs(lowest - HINGE)
    return _bent(tree, lambda y, z: (y, z + grown * np.minimum(z - HINGE, 0.0)))


def _bend(tree: Tree, amount: float) -> Tree:
    """Bend the sacrum below its first vertebra by an angle (degrees), more and more downwards."""
    low = tree["walls"]["heights"][-1] - HINGE
    strength = np.tan(np.radians(amount)) / (2.0 * abs(low))
    bent = _bent(tree, lambda y, z: (y + strength * np.minimum(z - HINGE, 0.0) ** 2, z))
    return bent | {"walls": bent["walls"] | {"apex_tilt": tree["walls"]["apex_tilt"] + amount}}


MOVES: dict[str, Callable[[Tree, float], Tree]] = {
    "endplate_width": _endplate_width,
    "endplate_depth": _endplate_depth,
    "canal_width": _canal_move("half_width", 0.5),
    "canal_depth": _canal_move("depth", 1.0),
    "ala_width": _ala_width,
    "ventral_height": _ventral_height,
    "kyphosis": _bend,
}
"""How parameters move when a measure grows, by its name; about a unit each."""

Warped = Callable[[Floats, Floats], tuple[Floats, Floats]]


def _bent(tree: Tree, warp: Warped) -> Tree:
    """Return a sacrum whose places are carried by a warp of (y, z), endplate and facets aside."""
    walls, canal = dict(tree["walls"]), dict(tree["canal"])
    heights = np.array(walls["heights"])
    for name in ("anterior", "posterior"):
        rows = [warp(np.array(row), np.full(4, z))[0] for row, z in zip(walls[name], heights, strict=True)]
        walls[name] = tuple(tuple(row.tolist()) for row in rows)
    walls["heights"] = tuple(warp(heights, heights)[1].tolist())
    walls["ridges"] = tuple(warp(np.array(walls["ridges"]), np.array(walls["ridges"]))[1].tolist())
    walls["apex"] = _place(walls["apex"], warp) if walls["apex"] else None
    limbs = {name: _place(walls["auricular"][name], warp) for name in ("cranial", "corner", "caudal")}
    walls["auricular"] = walls["auricular"] | limbs
    front, along = warp(np.array(canal["front"]), np.array(canal["heights"]))
    canal |= {"front": tuple(front.tolist()), "heights": tuple(along.tolist())}
    rest = {name: _carried(value, warp) for name, value in tree.items() if name not in ("walls", "canal")}
    return rest | {"walls": walls, "canal": canal}


def _carried(value: Any, warp: Warped, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: inner if key in FIXED else _carried(inner, warp, key) for key, inner in value.items()}
    return (value[0], *_place(value[1:], warp)) if name in POINTS and np.size(value) == 3 else value


def _place(place: tuple[float, ...], warp: Warped) -> tuple[float, ...]:
    y, z = warp(np.array(place[0]), np.array(place[1]))
    return float(y), float(z)
