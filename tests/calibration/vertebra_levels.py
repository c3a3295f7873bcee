"""Vertebrae between the calibrated ones, and their sizes: what no reference bone tells.

`between` mixes the shape parameters of two neighbours; T12 has a lumbar spinous process (`spinous`) and
mammillary processes. `sized` then moves what published morphometry tells: the sizes of body, canal, pedicles
and transverse processes. The design of thoracic arches stands in `thoracic_design`.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path as File
from typing import Any

import numpy as np
from fitting import Path, entries, with_numbers

from spineviz.anatomy.morphometry.calipers import measured
from spineviz.anatomy.vertebra.landmarks import landmarks, leaving
from spineviz.anatomy.vertebra.parts import process_loft
from spineviz.anatomy.vertebra.solid import ACROSS, VertebraParameters, field
from spineviz.structure import Floats

Numbers = dict[Path, float]

COLUMNS = {
    "endplate_width_superior": "epw_upper", "endplate_width_inferior": "epw_lower",
    "endplate_depth_superior": "epd_upper", "endplate_depth_inferior": "epd_lower",
    "body_height_anterior": "h_ant", "body_height_posterior": "h_post",
    "canal_width": "canal_w", "canal_depth": "canal_d",
    "pedicle_width": "ped_w", "pedicle_height": "ped_h", "transverse_span": "tp_span",
}  # fmt: skip
"""The measures that are moved, and their columns in the table of morphometry."""

SPINOUS = {"T12": (14.0, 17.5, 0.85)}
"""Slope (degrees), length of the plate's axis (mm) and how lumbar the spinous process is (0..1)."""

FACETS = {
    "L1": (28.0, 30.0), "L2": (30.0, 36.0),
    "L3": (36.0, 45.0), "L4": (45.0, 52.0), "L5": (50.0, 56.0),
}  # fmt: skip
"""The superior and the inferior facets' angles to the sagittal plane (degrees)."""

LONGEST = 0.8
"""The farthest a measure is moved in one round, mm."""

ARCH = tuple(name for name in ACROSS if name not in ("pedicle", "uncinate_process"))
RIGHT = np.array([1.0, 0.0, 0.0])
MIDLINE = ("start", "end", "bulb_superior", "bulb_inferior")


@cache
def morphometry() -> dict[str, dict[str, float]]:
    """Return the table of recommended measures: level -> column -> mm or degrees."""
    path = File(os.environ["SPINEVIZ_SHARED"]) / "facts" / "morphometry_recommended.csv"
    with path.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return {row["level"]: {k: float(v) for k, v in row.items() if k != "level" and v} for row in rows}


# --- between two levels ----------------------------------------------------------------------------


def numbers(parameters: VertebraParameters) -> Numbers:
    """Return every number of a vertebra by its path."""
    return dict(entries(parameters.model_dump()))


def between(first: VertebraParameters, second: VertebraParameters, share: float) -> VertebraParameters:
    """Return the mix of two vertebrae; parts that only one of them has are left out."""
    a, b = numbers(first), numbers(second)
    common = {name for name in first.model_dump() if getattr(first, name) and getattr(second, name)}
    bare = first.model_copy(update=dict.fromkeys(set(first.model_dump()) - common))
    return with_numbers(
        bare, {p: (1.0 - share) * a[p] + share * b[p] for p in a if p in b and p[0] in common}
    )


def carried(mixed: VertebraParameters, model: VertebraParameters, name: str, size: float) -> dict[str, Any]:
    """Return a process of ``model``, ``size`` times as large, where the mixed vertebra has it."""
    process = model.process(name).model_dump()
    start = np.asarray(mixed.process(name).start)
    process["end"] = tuple(start + size * np.subtract(process["end"], process["start"]))
    process["start"] = tuple(start)
    for widths in ("across", "along"):
        process[widths] = tuple(size * width for width in process[widths])
    process["caps"] = (process["caps"][0], size * process["caps"][1])
    return process


def mammillary(transverse: dict[str, Any]) -> dict[str, Any]:
    """Return T12's mammillary process: the upper of the tubercles that stand for a transverse process."""
    root, tip = np.asarray(transverse["start"]), np.asarray(transverse["end"])
    start = (root + tip) / 2.0 + np.array([2.8, -0.5, 0.0])
    return {
        "start": tuple(start), "end": tuple(np.add(start, (0.5, -4.0, 4.5))),
        "across": (3.6, 2.6), "along": (4.0, 2.8), "caps": (3.0, 3.0), "blend": 4.5,
    }  # fmt: skip


def spinous(
    level: str, mixed: VertebraParameters, t5: VertebraParameters, l1: VertebraParameters
) -> dict[str, Any]:
    """Return a spinous process: its slope and length are given, its bulb keeps its place on the plate."""
    slope, length, lumbar = SPINOUS[level]
    process = between(t5, l1, lumbar).spinous_process.model_dump()
    start = np.asarray(mixed.spinous_process.start)
    along = np.array([-np.cos(np.radians(slope)), -np.sin(np.radians(slope))])
    upward = np.array([along[1], -along[0]])
    process["start"], process["end"] = tuple(start), tuple(start + length * along)
    for name in ("bulb_superior", "bulb_inferior"):
        place = (1.0 - lumbar) * _on_plate(t5, name) + lumbar * _on_plate(l1, name)
        process[name] = tuple(start + length * along + place[0] * along + place[1] * upward)
    return process


def _on_plate(parameters: VertebraParameters, name: str) -> Floats:
    """Return an end of the bulb beyond the plate's end: along its axis, and upward across it."""
    process = parameters.spinous_process
    along = np.subtract(process.end, process.start)
    along = along / np.linalg.norm(along)
    offset = np.subtract(getattr(process, name), process.end)
    return np.array([offset @ along, offset @ [along[1], -along[0]]])


L4_DEPARTURES: dict[tuple[str, str], tuple[float, ...]] = {
    ("body", "half_width"): (0.37, 0.4, 0.4),
    ("body", "anterior_depth"): (0.27, 0.1, 0.0),
    ("body", "posterior_depth"): (0.27, 0.1, 0.0),
    ("pedicle", "across"): (-0.4, -0.4, -0.4),
    ("transverse_process", "end"): (-2.2, 0.3, 0.0),
    ("lamina", "along"): (0.3, 0.3, 0.3),
    ("spinous_process", "end"): (-1.3, 0.0),
    ("spinous_process", "half_height"): (0.3, 0.5, 0.5, 0.5),
    ("spinous_process", "bulb_superior"): (-1.3, 0.5),
    ("spinous_process", "bulb_inferior"): (-1.3, -0.5),
}
"""Half of (recommended L4 - mean of recommended L3 and L5), mm, for the measures that depart clearly."""


def l4_between(l3: VertebraParameters, l5: VertebraParameters) -> VertebraParameters:
    """Return L4: the mean of its neighbours and the published departures from it."""
    mean = numbers(between(l3, l5, 0.5))
    for (part, name), departures in L4_DEPARTURES.items():
        for i, departure in enumerate(departures):
            mean[(part, name, i)] += departure
    return with_numbers(l3, mean)


# --- the size ---------------------------------------------------------------------------------------


def sized(
    parameters: VertebraParameters, level: str, tolerance: Mapping[str, float], rounds: int = 6
) -> VertebraParameters:
    """Return the vertebra with its measures no farther from morphometry than ``tolerance`` (a share)."""
    row = morphometry()[level]
    for _ in range(rounds):
        taken = measured(field(parameters), landmarks(parameters), only=list(tolerance), sides=("right",))
        missing = {}
        for name, share in tolerance.items():
            value, wanted = taken[name], row[COLUMNS[name]]
            near = float(np.clip(value, wanted * (1.0 - share), wanted * (1.0 + share)))
            missing[name] = float(np.clip(0.8 * (near - value), -LONGEST, LONGEST))
        moved = numbers(parameters)
        for path, amount in body_moves(parameters, missing):
            if path in moved:
                moved[path] += amount
        parameters = with_numbers(parameters, moved)
    return parameters


def body_moves(parameters: VertebraParameters, missing: Mapping[str, float]) -> list[tuple[Path, float]]:
    """Return how numbers move so that measures grow by what is missing (mm)."""
    get = {name: missing.get(name, 0.0) for name in COLUMNS}
    result: list[tuple[Path, float]] = []
    for row, name in ((0, "superior"), (2, "inferior")):
        for at, share in ((row, 1.0), (1, 0.5)):
            result.append((("body", "half_width", at), 0.5 * share * get[f"endplate_width_{name}"]))
            result.append((("body", "anterior_depth", at), share * get[f"endplate_depth_{name}"]))
    height = (get["body_height_anterior"] + get["body_height_posterior"]) / 2.0
    wedge = get["body_height_anterior"] - get["body_height_posterior"]
    depth = parameters.body.anterior_depth[1] + parameters.body.posterior_depth[1]
    for plate in ("superior_endplate", "inferior_endplate"):
        result.append((("body", plate, "height"), height / 2.0))
        result.append((("body", plate, "tilt"), wedge / 2.0 * 20.0 / (0.8 * depth)))
    outward, back = 0.5 * get["canal_width"], -get["canal_depth"]
    for name in ARCH:
        for end in ("start", "end"):
            result.append(((name, end, 1), back))
            if (name, end) != ("lamina", "end"):
                result.append(((name, end, 0), outward))
    result += [(("spinous_process", name, 0), back) for name in MIDLINE]
    result.append((("pedicle", "end", 1), back))
    for end in ("start", "end"):
        result.append((("pedicle", end, 0), outward - 0.5 * get["pedicle_width"]))
    for at in range(4):
        result.append((("pedicle", "across", at), 0.5 * get["pedicle_width"]))
        result.append((("pedicle", "along", at), 0.5 * get["pedicle_height"]))
    result.append((("transverse_process", "end", 0), 0.5 * get["transverse_span"]))
    return result


def isthmus(parameters: VertebraParameters) -> float:
    """Return where along its loft (0 at the body, 1 at the arch) a pedicle is narrowest."""
    bone = field(parameters)
    loft = process_loft(parameters.pedicle, ACROSS["pedicle"])
    places = np.linspace(0.2, 0.85, 27)
    widths = [
        float(np.linalg.norm(leaving(bone, c, RIGHT) - leaving(bone, c, -RIGHT)))
        for c in (loft.point(float(place)) for place in places)
    ]
    return float(np.round(places[int(np.argmin(widths))], 3))
