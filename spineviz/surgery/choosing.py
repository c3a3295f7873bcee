"""Choosing the best of many without judging all of them in full."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from spineviz.structure import Floats

Index = npt.NDArray[np.intp]


def highest(
    bounds: Floats,
    judge: Callable[[Index], Floats],
    count: int = 1,
    above: float = -np.inf,
    together: int = 1,
) -> tuple[Index, Floats]:
    """Return which things are judged highest, and above some value, and how they are, the highest first.

    ``bounds`` (n,) tell how good they are at most. So only those are judged, some ``together``, that may be
    among the highest ``count``; of equal things the first counts as higher.
    """
    order = np.argsort(-bounds, kind="stable")
    judged = np.full(len(bounds), -np.inf)
    for start in range(0, len(order), together):
        least = -np.inf if start < count else float(np.partition(judged, -count)[-count])
        rows = order[start : start + together]
        rows = rows[(bounds[rows] >= least) & (bounds[rows] > above)]
        if not len(rows):
            break
        judged[rows] = judge(rows)
    best = np.argsort(-judged, kind="stable")[:count]
    best = best[judged[best] > above]
    return best, judged[best]
