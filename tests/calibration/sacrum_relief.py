"""What is set by hand on the sacrum after its fit, looking at real ones, and its measures as a file.

The scan of the reference is smooth: its dorsal foramina open in a plain. On a dry bone they lie in the groove
between the intermediate and the lateral crest, the crests carry tubercles where articular and transverse
processes have fused, and the margins are sharper.
"""

from __future__ import annotations

import tomllib
from itertools import pairwise
from typing import Any

import numpy as np

Document = dict[str, Any]

EDGES = (5.2, 4.4, 4.0, 4.0, 4.2, 4.4, 4.6, 4.6, 4.6, 5.0, 5.0, 5.0, 5.0)
AURICULAR = {"relief": 1.4, "border": 2.4}
FILLETS = {"crests": 8.0, "median_crest": 4.5, "passages": 3.5, "canal": 3.4}

GROOVE, GROOVE_RADII = (1.0, -0.2), (4.4, 3.6)
"""Where the dorsal groove runs beside the foramina's posterior points (x, y), and its radii (mm)."""

TUBERCLES = {
    "intermediate_tubercle_S1": ((15.6, -35.0, -39.5), 2.9),
    "intermediate_tubercle_S2": ((14.0, -37.6, -67.5), 2.7),
    "intermediate_tubercle_S3": ((12.6, -38.6, -86.5), 2.5),
    "lateral_tubercle_S1": ((29.6, -30.6, -43.0), 3.7),
    "lateral_tubercle_S2": ((28.6, -35.2, -68.0), 3.4),
    "lateral_tubercle_S3": ((27.8, -34.0, -87.0), 3.1),
}
"""Where a tubercle stands and its radius (mm); it fades downwards into its crest."""

FADING, FADED = (-0.8, 0.9, -7.0), 0.65
"""The way (mm) over which a tubercle fades, and to which part of its radius."""

SPINES = {"S2": 1.5, "S3": 3.0, "S4": 2.5}
"""How much farther back (mm) the spinous tubercles of the median crest stand."""

SPINE_SECTIONS = {"S3": ((3.1, 2.8, 2.9), (8.2, 6.5, 4.6)), "S4": ((4.0, 3.0, 2.7), (8.0, 6.0, 4.0))}
"""Across and along the spinous tubercles (half-widths, mm)."""


def by_hand(document: Document) -> Document:
    """Return a fitted sacrum with what is set by hand."""
    walls = document["walls"] | {"edge": EDGES, "auricular": document["walls"]["auricular"] | AURICULAR}
    back = {name: np.asarray(foramen["posterior"]) for name, foramen in document["foramina"].items()}
    pits, crests, median = (dict(document[name]) for name in ("pits", "crests", "median_crest"))
    names = list(back)
    for above, below in pairwise(names):
        start, end = back[above] + (*GROOVE, -1.0), back[below] + (*GROOVE, 1.0)
        pits[f"groove_{above}"] = {"start": tuple(start), "end": tuple(end), "radii": GROOVE_RADII}
    for name, (place, radius) in TUBERCLES.items():
        end = tuple(np.add(place, FADING))
        crests[name] = {"start": place, "end": end, "radii": (radius, round(FADED * radius, 1))}
    for name, farther in SPINES.items():
        x, y, z = median[name]["end"]
        median[name] = median[name] | {"end": (x, y - farther, z)}
    for name, (across, along) in SPINE_SECTIONS.items():
        median[name] = median[name] | {"across": across, "along": along}
    changed = {"walls": walls, "pits": pits, "crests": crests, "median_crest": median}
    return document | changed | {"fillets": document["fillets"] | FILLETS}


def toml_of(document: Document, now: str) -> str:
    """Return a sacrum or a coccyx as measures, each table with the source that it has in the file ``now``."""
    head = now[: now.index("[")]
    (name, known), *_ = tomllib.loads(now).items()
    return head + "\n".join(_tables(name, document, known, known)).rstrip() + "\n"


def _tables(path: str, values: Document, known: Document, above: Document) -> list[str]:
    about = {key: known.get(key, above.get(key)) for key in ("source", "confidence", "unit")}
    lines = [f"[{path}]", *(f'{key} = "{text}"' for key, text in about.items() if text)]
    lines += [f"{key} = {_text(value)}" for key, value in values.items() if not isinstance(value, dict)]
    result = ["\n".join(lines) + "\n"]
    for key, value in values.items():
        if isinstance(value, dict):
            result += _tables(f"{path}.{key}", value, known.get(key, {}), known or above)
    return result


def _text(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], (list, tuple)):
        return "[\n" + "".join(f"  {_text(row)},\n" for row in value) + "]"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_text(number) for number in value)}]"
    text = f"{float(value):.3f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text
