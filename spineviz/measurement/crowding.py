"""How crowded the sac is in a slice: what fills it, and where fluid still stands clear."""

from __future__ import annotations

from dataclasses import dataclass

from spineviz.measurement.canal import sac
from spineviz.measurement.segment import Segment
from spineviz.measurement.slices import Slice
from spineviz.measurement.thresholds import threshold

CONTENTS = ("cauda.", "rootlet.", "spinal_cord", "filum_terminale")
"""How the names of what lies in the sac begin."""

NERVES = (*CONTENTS, "root.")
"""How the names of what may lie in the sac begin: roots begin in it."""


@dataclass(frozen=True)
class Crowding:
    """What fills the sac in a slice, as shares (0..1) of its area.

    ``filled`` is what nerves take, ``clear`` the fluid that is wide enough to be seen as such.
    """

    filled: float
    clear: float


def crowding(segment: Segment, cut: Slice | None = None) -> Crowding | None:
    """Return how crowded the sac is in a slice, by default that along the disc.

    None where the body has a sac without contents, or no sac.
    """
    cut = cut or segment.slice
    face, names = sac(cut), [name for name in segment.shapes if name.startswith(NERVES)]
    if not face or not any(name.startswith(CONTENTS) for name in names):
        return None
    nerves = cut.of(*names)
    fluid = face.without(nerves)
    half = threshold("schizas", "seen") / 2.0
    pools = fluid.within(half).within(-half).shared(fluid)
    return Crowding(face.shared(nerves).area / face.area, pools.area / face.area)
