"""Measures of a vertebra, taken from its shape as with a caliper on dry bone.

Any signed distance with the landmarks of a vertebra will do, in any frame: a generated bone in its own frame,
a patient's in the world. All rays of a vertebra are cast together, in three rounds.

The directions of a measure are the bone's own (`own_frame`). Definitions follow Panjabi et al. (Spine
1991;16:888, 1992;17:299, 1993;18:1298) and, for the pedicle, Zindrick et al. (Spine 1987;12:160); they
stand in `MEASURES`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spineviz.anatomy.morphometry.caliper_parts import MIDLINE, PARTS, Part, Taking
from spineviz.anatomy.morphometry.caliper_uppermost import ATLAS_PARTS, AXIS_PARTS
from spineviz.sdf.rays import Rays, crossings, together
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Frame
from spineviz.terms import SIDES, SIGN, Side

MEASURES: dict[str, str] = {
    "endplate_width_superior": "greatest width of the superior endplate's rim, in the neck between the feet "
    "of the uncinate processes, mm (Panjabi EPWu)",
    "endplate_width_inferior": "greatest width of the inferior endplate's rim, mm (EPWl)",
    "endplate_depth_superior": "greatest depth of the superior endplate's rim in the midline, mm (EPDu)",
    "endplate_depth_inferior": "greatest depth of the inferior endplate's rim in the midline, mm (EPDl)",
    "body_height_anterior": "height of the body between the anterior rims, midsagittal, mm (VBHa)",
    "body_height_posterior": "height of the body between the posterior rims, midsagittal, mm (VBHp); of the "
    "axis up to the shoulders of the dens",
    "wedge": "angle between the endplates, degrees, positive where the body is lower in front",
    "canal_width": "greatest width of the vertebral foramen between the pedicles, mm (SCW)",
    "canal_depth": "least midsagittal depth of the vertebral foramen, body to lamina, mm (SCD)",
    "pedicle_width": "least transverse width of the pedicle through its middle, mm (PDW)",
    "pedicle_height": "least sagittal height of the pedicle through its middle, mm (PDH)",
    "pedicle_transverse_angle": "pedicle's axis to the sagittal plane, degrees, positive converging forwards",
    "pedicle_sagittal_angle": "pedicle's axis to the transverse plane, degrees, positive descending forwards",
    "spinous_length": "free length of the spinous process from the back of the laminae to its tip, mm",
    "spinous_height": "greatest height of the free spinous process across its axis, mm",
    "spinous_slope": "descent of the spinous process's middle line, degrees, positive downwards",
    "transverse_span": "greatest distance between the tips of the transverse processes, mm (TPW)",
    "facet_superior_width": "width of the superior articular surface through its centre, mm (FCWu)",
    "facet_superior_height": "twice the way from that surface's centre to its free end, mm (FCHu)",
    "facet_superior_transverse_angle": "superior articular surface to the transverse plane, degrees",
    "facet_superior_sagittal_angle": "superior articular surface to the sagittal plane, seen from above, "
    "degrees, above 90 where it faces laterally",
    "facet_inferior_width": "width of the inferior articular surface through its centre, mm (FCWl)",
    "facet_inferior_height": "twice the way from that surface's centre to its free end, mm (FCHl)",
    "interfacet_width": "distance between the centres of the superior articular surfaces, mm (IFWu)",
    "lamina_thickness": "least thickness of the lamina about its centre, mm",
    "lamina_height": "height of the lamina through its centre, along its middle layer, mm",
    "pars_width": "transverse width of the pars interarticularis, 3 mm under its back, mm",
}
"""What `measured` takes, with unit and definition."""


@dataclass(frozen=True, eq=False)
class Taken:
    """``values`` by the names of `MEASURES`, and where rays met the bone, for taking them again sooner."""

    values: dict[str, float]
    hits: tuple[Floats, ...]


class UnmeasurableError(ValueError):
    """No caliper can be laid on a part of a bone; ``part`` names it, as in `parts_of`."""

    def __init__(self, part: str, reason: str) -> None:
        """Tell which part (with its side) and why."""
        super().__init__(f"the {part.replace('_', ' ')} cannot be measured{reason}")
        self.part = part.split(maxsplit=1)[0]


def measured(
    field: Field, landmarks: Mapping[str, Frame], only: Collection[str] = (), sides: Sequence[Side] = SIDES
) -> dict[str, float]:
    """Return the measures of a vertebra by the names of `MEASURES`, mm and degrees.

    ``field`` is the bone's signed distance (mm) and ``landmarks`` its landmarks, both in one frame.
    A measure of a pair is the mean of its ``sides``; for a bone that is its own mirror image one side does.
    ``only`` restricts what is taken.

    Atlas and axis have some of the measures only.

    Raises ValueError for names that are no measures, for missing landmarks, and where a caliper finds no
    bone to rest on, naming the measure's part.
    """
    return taken(field, landmarks, only, sides).values


def taken(
    field: Field,
    landmarks: Mapping[str, Frame],
    only: Collection[str] = (),
    sides: Sequence[Side] = SIDES,
    before: Taken | None = None,
) -> Taken:
    """Return measures as `measured` does; ``before`` are a similar bone's, of the same names and sides."""
    unknown = sorted(set(only) - set(MEASURES))
    if unknown:
        raise ValueError(f"a vertebra has no measure {', '.join(unknown)}; choose of: {', '.join(MEASURES)}")
    own = own_frame(landmarks)
    marks = {
        name: Frame(own.to_local(mark.origin), mark.axes @ own.axes.T) for name, mark in landmarks.items()
    }
    wanted = set(only or MEASURES)
    parts = [
        (f"{part} {side}", take(marks, SIGN[side]))
        for part, (take, names) in parts_of(landmarks).items()
        if wanted & set(names)
        for side in (sides[:1] if part in MIDLINE else sides)
    ]
    results, hits = _together(
        lambda points: field(own.to_parent(points)), parts, before.hits if before else ()
    )
    values = {
        name: [found[name] for found in results if name in found] for name in MEASURES if name in wanted
    }
    return Taken({name: float(np.mean(found)) for name, found in values.items() if found}, hits)


def taken_where_possible(
    field: Field, landmarks: Mapping[str, Frame], only: Collection[str], sides: Sequence[Side] = SIDES
) -> Taken:
    """Return measures as `taken` does, without those of parts that no caliper can be laid on.

    Raises ValueError where none of ``only`` can be taken.
    """
    left = set(only)
    while True:
        try:
            return taken(field, landmarks, left, sides)
        except UnmeasurableError as error:
            left -= set(parts_of(landmarks)[error.part][1])
            if not left:
                raise


def parts_of(landmarks: Collection[str]) -> Mapping[str, Part]:
    """Return the parts that a bone is measured by, from the names of its landmarks."""
    if "dens.tip" in landmarks:
        return AXIS_PARTS
    return ATLAS_PARTS if "arch.anterior" in landmarks else PARTS


def unit(name: str) -> str:
    """Return the unit of a measure, ``mm`` or ``degrees``; KeyError where there is no such measure."""
    return "degrees" if "degrees" in MEASURES[name] else "mm"


def own_frame(landmarks: Mapping[str, Frame]) -> Frame:
    """Return the frame a vertebra is measured in: midway between its endplates, z their mean normal.

    Atlas and axis, which have no superior endplate, are measured in the frame of their canal.

    Raises ValueError where the landmarks of the endplates are missing.
    """
    if parts_of(landmarks) is not PARTS:
        return Frame(np.zeros(3) + landmarks["canal"].origin, landmarks["canal"].axes)
    missing = {"endplate.superior", "endplate.inferior"} - set(landmarks)
    if missing:
        raise ValueError(f"a vertebra is measured from its endplates; missing: {', '.join(sorted(missing))}")
    above, below = landmarks["endplate.superior"], landmarks["endplate.inferior"]
    z = above.superior + below.superior
    z = z / np.linalg.norm(z)
    y = above.anterior + below.anterior
    y = y - (y @ z) * z
    y = y / np.linalg.norm(y)
    return Frame((above.origin + below.origin) / 2.0, np.stack([np.cross(y, z), y, z]))


def _together(
    field: Field, parts: Sequence[tuple[str, Taking]], before: Sequence[Floats]
) -> tuple[list[dict[str, float]], tuple[Floats, ...]]:
    """Take all parts at once, a round after the other; return what each found, and where the rays ended."""
    results: list[dict[str, float]] = []
    hits: list[Floats] = []
    waiting: list[tuple[str, Taking, Rays]] = [(name, part, _asked(name, part)) for name, part in parts]
    while waiting:
        cast = together([asked for _, _, asked in waiting])
        known = before[len(hits)] if len(hits) < len(before) else None
        found = crossings(field, cast, known)
        hits.append(found)
        shares = np.split(found, np.cumsum([len(asked) for _, _, asked in waiting])[:-1])
        ongoing: list[tuple[str, Taking, Rays]] = []
        for (name, part, _), share in zip(waiting, shares, strict=True):
            try:
                ongoing.append((name, part, _asked(name, part, share)))
            except StopIteration as end:
                results.append(end.value)
        waiting = ongoing
    return results, tuple(hits)


def _asked(part: str, taking: Taking, found: Floats | None = None) -> Rays:
    """Return the rays that a part asks for next; StopIteration tells that it is done."""
    try:
        return next(taking) if found is None else taking.send(found)
    except (ValueError, np.linalg.LinAlgError) as error:
        raise UnmeasurableError(part, f": {error}") from error
    except KeyError as error:
        raise UnmeasurableError(part, f" without the landmark {error}") from error
