"""How true every bone is to real ones: one table, one command.

    SPINEVIZ_SHARED=<folder> python tests/calibration/table.py [--levels L3 L5 ...] [--no-predictions]

The folder holds ``reference`` with the real bones and ``fidelity.py``, which tells the distance between two
surfaces after a rigid alignment and one scale. Two parts:

1. Every reference bone against ours as it stands: the healthy column at full resolution, bones given way to
   their neighbours; the sacrum together with the coccyx where the reference has both.
2. Levels predicted without their reference: calibrated on the others, and moved to what calipers, landmarks
   and a feeler along fixed lines tell of the reference (``leave_out_*.predicted``).

The exit code is 1 where a limit is missed. Bones of BodyParts3D are only looked at, never calibrated on.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trimesh
from tqdm import tqdm

from spineviz.anatomy.bone import LevelBone
from spineviz.body import Anatomy
from spineviz.body.kinds import kind_of
from spineviz.body.skeleton import STEP, bones
from spineviz.geometry import as_trimesh
from spineviz.sdf import mesh
from spineviz.terms import region_of

FINE = {"L1": (0.9, 2.2), "L3": (0.45, 1.0), "L5": (0.45, 1.0), "Sacrum": (1.5, 4.0)}
"""Limits of single bones."""

LIMITS: Mapping[str, Mapping[str, tuple[float | None, float | None]]] = {
    "clouthier": FINE,
    "remus": FINE,
    "art": {"C1": (1.2, None), "C2": (1.0, None), "C4": (0.9, 2.4), "C7": (0.9, 2.4)},
    "spl": {"T1": (1.0, 2.8), "T3": (1.0, 2.8), "T5": (1.0, 2.8)},
}
"""Limits (mean, 95th percentile, mm) by source and bone; bones without are reported only."""

PREDICTED = {
    "C4": ("leave_out_cervical", "art"),
    "T3": ("leave_out_thoracic", "spl"),
    "L3": ("leave_out_lumbar", "clouthier"),
    "L5": ("leave_out_lumbar", "clouthier"),
}
"""Levels that are predicted without their reference: the module that does it, and the reference's source."""

PREDICTED_LIMIT = 1.0
"""The greatest mean distance (mm) of a predicted bone."""

NO_BONES = ("disc", "nucleus")


@dataclass(frozen=True)
class Row:
    """A line of the table: mm, and how much larger the reference is than ours."""

    bone: str
    reference: str
    mean: float
    p95: float
    largest: float
    scale: float
    limit: tuple[float | None, float | None] = (None, None)

    @property
    def verdict(self) -> str:
        """Tell whether the limits hold."""
        if self.limit == (None, None):
            return "report only"
        pairs = zip((self.mean, self.p95), self.limit, strict=True)
        return "ok" if all(most is None or value <= most for value, most in pairs) else "FALLS SHORT"

    def __str__(self) -> str:
        """Return the line."""
        limit = " / ".join("–" if most is None else f"{most:.2f}" for most in self.limit)
        numbers = f"{self.mean:6.2f} {self.p95:6.2f} {self.largest:6.2f} {self.scale:7.3f}"
        return f"{self.bone:22s} {self.reference:18s} {numbers}   {limit:11s}  {self.verdict}"


HEADER = f"{'bone':22s} {'reference':18s}   mean    p95    max   scale   limit        verdict"


def folder() -> Path:
    """Return the folder of reference bones."""
    return Path(os.environ["SPINEVIZ_SHARED"]) / "reference"


def references() -> list[tuple[str, str]]:
    """Return source and level of every reference bone, from above."""
    found = [tuple(path.stem.split("_", 1)) for path in folder().glob("*.ply")]
    order = "CTLS"
    bony = [(source, level) for source, level in found if not level.startswith(NO_BONES)]
    return sorted(bony, key=lambda one: (order.index(one[1][0]), _number(one[1]), one[0]))


def _number(level: str) -> int:
    return int(level[1:]) if level[1:].isdigit() else 0


def compared(ours: trimesh.Trimesh, source: str, level: str, bone: str) -> Row:
    """Return the line of one bone against one reference."""
    fidelity = importlib.import_module("fidelity")
    reference = trimesh.load(folder() / f"{source}_{level}.ply", force="mesh")
    mean, p95, largest, scale = fidelity.distance(ours, reference)
    limit = LIMITS.get(source, {}).get(level, (None, None))
    return Row(bone, f"{source}_{level}", float(mean), float(p95), float(largest), float(scale), limit)


def standing(column: Mapping[str, LevelBone], level: str) -> trimesh.Trimesh:
    """Return our bone as it stands; the sacrum with the coccyx."""
    names = ("S1", "Co1") if level == "Sacrum" else (level,)
    return trimesh.util.concatenate([as_trimesh(column[name].surface) for name in names])


def standing_rows(levels: Iterable[str]) -> Iterator[Row]:
    """Yield a line for every reference of some levels; none: of all."""
    wanted = [(source, level) for source, level in references() if not levels or level in levels]
    if not wanted:
        return
    column: Mapping[Any, LevelBone] = bones(Anatomy())
    for source, level in tqdm(wanted, "standing bones", file=sys.stderr):
        name = "sacrum with coccyx" if level == "Sacrum" else level
        yield compared(standing(column, level), source, level, name)


def predicted_rows(levels: Iterable[str]) -> Iterator[Row]:
    """Yield a line for every level that is predicted without its reference."""
    wanted = {level: PREDICTED[level] for level in PREDICTED if not levels or level in levels}
    for level, (module, source) in tqdm(wanted.items(), "predictions", file=sys.stderr):
        shape = importlib.import_module(module).predicted(level)
        solid = kind_of(level).solid(shape)  # type: ignore[arg-type]
        ours = as_trimesh(mesh(solid, STEP[region_of(level)], mirror=True))  # type: ignore[arg-type]
        row = compared(ours, source, level, f"{level} predicted")
        yield Row(**{**vars(row), "limit": (PREDICTED_LIMIT, None)})


def main() -> int:
    """Print the table; return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--levels", nargs="*", default=(), help="only these, e.g. L3 Sacrum")
    parser.add_argument("--no-predictions", action="store_true", help="only the bones as they stand")
    options = parser.parse_args()
    sys.path.insert(0, str(folder()))
    sys.dont_write_bytecode = True
    rows = list(standing_rows(options.levels))
    missing = []
    if not options.no_predictions:
        try:
            rows += predicted_rows(options.levels)
        except ModuleNotFoundError as error:
            missing.append(str(error))
    sys.stdout.write("\n".join([HEADER, *map(str, rows), *missing, ""]))
    return int(bool(missing) or any(row.verdict == "FALLS SHORT" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
