"""Make the thoracic vertebrae's shape parameters: fits on reference bones, the levels between, and joints.

    SPINEVIZ_SHARED=<folder> python tests/calibration/fit_thoracic.py [--out FOLDER]

The folder holds ``reference`` and ``facts``. The same input gives the same numbers; it starts from
``thoracic_start.toml``, not from the numbers that it replaces.

1. T1, T3 and T5 are refined on one adult's CT (`calibrated`), their articular processes designed: the scan
   shows these eroded or fused (`vertebra_references`).
2. The levels between and below are mixed from them and from L1; laminae and spinous processes below T5
   follow the design (`thoracic_design`).
3. Their measures move as near to published morphometry as `NEAR` and `LOOSE` say (`sized`).
4. Joints are laid in the chain of discs, each bone's two articular processes fit them (`thoracic_arch`).
   Last come the costal facets (`vertebra_ribs`). Only parameters are kept.

Run ``thoracic_joints.py`` after it: bodies get their published wedges, and their joints follow.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Mapping
from pathlib import Path as File

import numpy as np
from fitting import Path, Shape, Target, fit, name_of, target_of, with_numbers
from thoracic_arch import SPACE, Joint, arched, clubbed, jointed, tipped
from thoracic_design import design_of, joint_of, knot, place_of
from thoracic_files import written
from vertebra_levels import between, body_moves, carried, isthmus, mammillary, morphometry, numbers, spinous
from vertebra_references import in_own_frame, right_half_twice, told
from vertebra_ribs import with_costal_facets

from spineviz import measures
from spineviz.anatomy.column.alignment import stacked
from spineviz.anatomy.morphometry.calipers import measured, unit
from spineviz.anatomy.vertebra.landmarks import endplate_rim, landmarks, leaving, normals
from spineviz.anatomy.vertebra.solid import COSTAL, VertebraParameters, field, joined, part_fields, solid
from spineviz.body.parameters import Anatomy
from spineviz.sdf import mesh
from spineviz.structure import Frame

Shapes = dict[str, VertebraParameters]

LEVELS = tuple(f"T{number}" for number in range(1, 13))
FITTED = ("T1", "T3", "T5")
START = File(__file__).with_name("thoracic_start.toml")

# --- the fit -----------------------------------------------------------------------------------------

SCALES = {
    "roll": 8.0, "exponents": 0.3, "curl": 0.01, "notch": 0.05, "notch_width": 2.0, "dish_extent": 0.08,
    "waist_exponent": 0.5, "tilt": 0.7, "sagittal_curvature": 0.5, "lateral_curvature": 0.5,
}  # fmt: skip
"""How far a parameter may be expected to move, by its name; 1 (mm) for all others."""

TIGHT = {"lamina": 0.5, "spinous_process": 0.8, "transverse_process": 0.8}
TIGHT_T5 = {"lamina": 0.5, "spinous_process": 0.2, "transverse_process": 0.8, "inferior_endplate": 0.15}
"""These parts stay nearer to their start; the scan that T5 comes from ends in its spinous process."""

LIMITS: dict[str, tuple[float, float]] = {
    "across": (1.8, 11.0), "along": (1.8, 14.0), "blend": (2.5, 8.0), "roll": (-75.0, 75.0),
    "exponents": (1.6, 3.4), "notch": (0.0, 0.35), "notch_width": (5.0, 14.0), "waist_exponent": (1.5, 4.0),
    "edges": (1.3, 6.0), "dish_extent": (0.6, 1.0), "dish_depth": (0.5, 4.0), "dish_centre": (-5.0, 4.0),
    "half_thickness": (2.0, 6.0), "half_height": (3.0, 7.0), "exponent": (1.9, 2.8),
}  # fmt: skip
PARTS: dict[str, dict[str, tuple[float, float]]] = {
    "lamina": {"across": (2.0, 2.8), "along": (6.0, 9.0), "bow": (-1.5, 1.5), "blend": (3.5, 6.0)},
    "transverse_process": {
        "across": (3.0, 4.6),
        "along": (4.2, 5.8),
        "blend": (3.5, 6.0),
        "bow": (-1.5, 1.5),
    },
    "spinous_process": {"bow": (-1.0, 0.5), "blend": (4.5, 6.0)},
}
"""The limits of parameters, by the name of their field, and narrower ones for some parts."""

DESIGNED = (
    "superior_articular_process", "inferior_articular_process", "superior_facet", "inferior_facet",
    "pedicle_axis", *COSTAL,
)  # fmt: skip
FIXED = {
    ("pedicle", "caps"), ("pedicle", "curl"), ("lamina", "caps"), ("lamina", "curl"), ("lamina", "exponent"),
    ("lamina", "roll"), ("transverse_process", "curl"), ("transverse_process", "caps"),
    ("transverse_process", "exponent"), ("transverse_process", "roll"), ("spinous_process", "taper"),
    ("spinous_process", "exponent"), ("spinous_process", "cap"), ("spinous_process", "bulb_thickness"),
    ("spinous_process", "bulb_depth"), ("spinous_process", "bulb_blend"),
}  # fmt: skip
"""Parts and parameters that are not calibrated."""

FARTHEST_ISTHMUS = {"T11": 0.35}
"""How far back a pedicle's isthmus may lie, elsewhere 0.5; behind it the superior articular process rises."""

FAR, CLOSE, ROUNDS, PULL = 10.0, 3.0, 12, 0.03


def shape_of(level: str) -> Shape[VertebraParameters]:
    """Return how a level is fitted: what is free, how far it may move, and its limits."""
    tight = TIGHT_T5 if level == "T5" else TIGHT

    def is_free(path: Path) -> bool:
        return path[0] not in DESIGNED and (path[0], name_of(path)) not in FIXED

    def scale(path: Path) -> float:
        near = min([tight[name] for name in path if name in tight], default=1.0)
        return SCALES.get(name_of(path), 1.0) * near

    def plausible(paths: list[Path], numbers: list[float]) -> np.ndarray:
        values = {}
        for path, number in zip(paths, numbers, strict=True):
            narrow = PARTS.get(str(path[0]), {})
            low, high = narrow.get(name_of(path), LIMITS.get(name_of(path), (-100.0, 100.0)))
            values[path] = min(max(number, low), high)
        return np.array([_at_tip(path, values) for path in paths])

    return Shape(part_fields, joined, is_free, scale, plausible)


def _at_tip(path: Path, values: Mapping[Path, float]) -> float:
    """Return a fitted number; those of a spinous process's bulb follow its end."""
    if path[0] != "spinous_process" or not name_of(path).startswith("bulb_"):
        return values[path]
    start, end = (
        (values["spinous_process", name, 0], values["spinous_process", name, 1]) for name in ("start", "end")
    )
    return tipped(start, end, values["spinous_process", "half_height", 3])[path[1]][path[2]]


def calibrated(level: str, start: VertebraParameters) -> VertebraParameters:
    """Refine a level on its reference: first looking 10 mm far, then 3 mm."""
    bone = in_own_frame(level)
    bone = right_half_twice(bone) if level == "T1" else bone
    far = fit(shape_of(level), start, told(target_of(bone, 2500, 5000), level), FAR, ROUNDS, PULL)
    return fit(shape_of(level), far, told(target_of(bone, 4000, 7000, seed=7), level), CLOSE, ROUNDS, PULL)


# --- the levels between ------------------------------------------------------------------------------


def started() -> Shapes:
    """Return the shapes to start from: T1, T3, T5 and L1."""
    known = tomllib.loads(START.read_text("utf-8"))["start"]
    return {level: VertebraParameters.model_validate(known[level]) for level in known}


def mixed(ends: Shapes) -> Shapes:
    """Return all levels, those without a reference mixed from their neighbours."""
    shapes = {level: ends[level] for level in FITTED}
    shapes["T2"] = between(ends["T1"], ends["T3"], 0.5)
    shapes["T4"] = between(ends["T3"], ends["T5"], 0.5)
    for number in range(6, 13):
        share = (number - 5) / 8.0
        shape = between(ends["T5"], ends["L1"], share)
        process = ends["T5"].transverse_process.model_dump()
        start = np.asarray(shape.transverse_process.start)
        way = np.subtract(process["end"], process["start"]) * knot("transverse_size", f"T{number}")
        place = {"start": tuple(start), "end": tuple(start + way)}
        club = clubbed(place, *(knot(f"transverse_{name}", f"T{number}") for name in ("size", "lift")))
        exponents = (knot("body_front", f"T{number}"), shape.body.exponents[1])
        body = shape.body.model_copy(update={"exponents": exponents})
        shapes[f"T{number}"] = VertebraParameters.model_validate(
            {**shape.model_dump(), "body": body, "transverse_process": club}
        )
    shapes["T12"] = thoracolumbar(shapes["T12"], ends)
    return {level: shapes[level] for level in LEVELS}


def stout(shapes: Shapes) -> Shapes:
    """Return shapes, T1, T3 and T5 with the transverse processes that their fit starts from."""
    clubs = {
        level: clubbed(shapes[level].transverse_process.model_dump(), knot("transverse_size", level), 0.0)
        for level in FITTED
    }
    return shapes | {
        level: VertebraParameters.model_validate({**shapes[level].model_dump(), "transverse_process": club})
        for level, club in clubs.items()
    }


def thoracolumbar(shape: VertebraParameters, ends: Shapes) -> VertebraParameters:
    """Return T12, whose arch is lumbar but for its superior articular processes."""
    changes = {
        "inferior_articular_process": carried(shape, ends["L1"], "inferior_articular_process", 0.85),
        "spinous_process": spinous("T12", shape, ends["T5"], ends["L1"]),
        "mammillary_process": mammillary(shape.transverse_process.model_dump()),
        "inferior_facet": ends["L1"].inferior_facet.model_dump(),
    }
    return VertebraParameters.model_validate({**shape.model_dump(), **changes})


def designed(shapes: Shapes, levels: tuple[str, ...]) -> Shapes:
    """Return shapes with the laminae and spinous processes of the design at some levels."""
    own, below = joints(shapes)
    result = dict(shapes)
    for level in levels:
        design = design_of(level, place_of(shapes[level]), own[level], below[level])
        result[level] = arched(shapes[level], below[level], design)
    return result


# --- the size ----------------------------------------------------------------------------------------

NEAR, LONGEST, ROUNDS_OF_SIZE = 0.06, 0.8, 5
"""How far (as a share) measures may stay from morphometry, the farthest way of a round, and the rounds."""

BODY = (
    "endplate_width_superior", "endplate_width_inferior",
    "endplate_depth_superior", "endplate_depth_inferior",
    "body_height_anterior", "body_height_posterior", "canal_width", "canal_depth", "pedicle_width",
    "pedicle_height", "transverse_span",
)  # fmt: skip
ARCH = ("lamina_thickness", "lamina_height", "spinous_height", "spinous_slope")
"""The measures that are moved at every level, and those moved below T5; articular surfaces are designed."""

LOOSE: dict[str, dict[str, float]] = {
    "T1": {
        "endplate_width_superior": 0.5,
        "pedicle_width": 0.07,
        "pedicle_height": 0.02,
        "spinous_slope": 0.18,
        "transverse_span": 0.12,
    },
    "T3": {"pedicle_width": 0.07, "transverse_span": 0.12},
    "T4": {"pedicle_width": 0.04},
    "T5": {
        "body_height_posterior": 0.04,
        "lamina_thickness": 0.25,
        "pedicle_height": 0.02,
        "spinous_height": 0.05,
        "spinous_slope": 0.06,
        "transverse_span": 0.13,
    },
    "T12": {"pedicle_width": 0.03},
}
"""Other tolerances: where the reference contradicts what is recommended, and where joints change measures."""


def sized(level: str, shape: VertebraParameters) -> VertebraParameters:
    """Return a vertebra with its measures no farther from morphometry than `NEAR` or `LOOSE` say."""
    usual = measures.table(f"calipers.recommended.{level}")
    names = (*BODY, "spinous_slope") if int(level[1:]) < 5 else (*BODY, *ARCH)
    for _ in range(ROUNDS_OF_SIZE):
        taken = measured(field(shape), landmarks(shape), only=names, sides=("right",))
        missing = {}
        for name in names:
            slack = LOOSE.get(level, {}).get(name, 0.09 if level in FITTED else NEAR) * usual[name]
            slack = max(slack, 1.5) if unit(name) == "degrees" else slack
            near = float(np.clip(taken[name], usual[name] - slack, usual[name] + slack))
            missing[name] = float(np.clip(0.8 * (near - taken[name]), -LONGEST, LONGEST))
        moved = numbers(shape)
        for path, amount in (*body_moves(shape, missing), *arch_moves(shape, missing)):
            if path in moved:
                moved[path] += amount
        shape = with_numbers(shape, moved)
    return shape


def arch_moves(shape: VertebraParameters, missing: Mapping[str, float]) -> list[tuple[Path, float]]:
    """Return how numbers of lamina and spinous process move so that measures grow by what is missing."""
    get = {name: missing.get(name, 0.0) for name in ARCH}
    moves: list[tuple[Path, float]] = []
    for at, share in enumerate((0.6, 0.5, 0.2)):
        moves.append((("lamina", "across", at), 0.5 * get["lamina_thickness"]))
        moves.append((("lamina", "along", at), share * get["lamina_height"]))
    moves += [(("spinous_process", "half_height", at), 0.5 * get["spinous_height"]) for at in range(4)]
    way = np.subtract(shape.spinous_process.end, shape.spinous_process.start)
    step = np.radians(get["spinous_slope"]) * np.array([-way[1], way[0]])
    for name in ("end", "bulb_superior", "bulb_inferior"):
        moves += [(("spinous_process", name, at), float(step[at])) for at in range(2)]
    return moves


def sourced(level: str, shape: VertebraParameters) -> VertebraParameters:
    """Return a level with the measures that its surface does not tell."""
    row = morphometry()[level]
    axis = shape.pedicle_axis.model_dump()
    axis |= {"medial": row["ped_transverse_deg"], "caudal": row["ped_sagittal_deg"]}
    return VertebraParameters.model_validate(shape.model_dump() | {"pedicle_axis": axis})


# --- the joints --------------------------------------------------------------------------------------


def standing(upper: str, lower: str, shapes: Shapes) -> Frame:
    """Return where a bone stands in the own frame of the one below it, on their disc."""
    disc = Anatomy().discs[f"{upper}-{lower}"]  # type: ignore[index]
    rims, floors = [], []
    for level, side in ((upper, -1.0), (lower, 1.0)):
        bone = field(shapes[level])
        rims.append(endplate_rim(bone, shapes[level], side))
        floors.append(float(bone(rims[-1].origin[None])[0]))
    return stacked(rims[1], rims[0], disc.height_middle - sum(floors), disc.wedge)


def lumbar() -> VertebraParameters:
    """Return L1 as it stands in the measures."""
    return VertebraParameters.model_validate(measures.table("vertebrae.L1"))


def joints(shapes: Shapes) -> tuple[dict[str, Joint], dict[str, Joint]]:
    """Return each level's upper joint and the one below it, in its own frame."""
    own = {level: joint_of(level, place_of(shapes[level])) for level in LEVELS}
    surface, row = landmarks(lumbar())["facet.superior.right"], morphometry()["L1"]
    last = Joint(surface.origin, surface.anterior, row["sup_facet_w"], row["sup_facet_h"])
    known, whole = own | {"L1": last}, shapes | {"L1": lumbar()}
    pairs = zip(LEVELS, [*LEVELS[1:], "L1"], strict=True)
    below = {upper: known[lower].seen_from(standing(upper, lower, whole)) for upper, lower in pairs}
    return own, below


def fitted_together(shapes: Shapes) -> Shapes:
    """Return all levels with articular processes that fit their neighbours'."""
    own, below = joints(shapes)
    result = {level: jointed(shapes[level], own[level], below[level]) for level in LEVELS[:-1]}
    return result | {"T12": jointed(shapes["T12"], own["T12"], None)}


TURNED_T12 = ("start", "end", "roll", "curl")
"""What is refined of T12's inferior articular process when it is fitted to L1."""


def _kept(paths: list[Path], values: list[float], start: VertebraParameters) -> np.ndarray:
    """Return fitted numbers no farther from a start than a process may turn."""
    rest = numbers(start)
    ways = {"roll": 25.0, "curl": 0.03}
    limits = [(rest[path], ways.get(name_of(path), 3.0)) for path in paths]
    return np.array([np.clip(v, r - way, r + way) for v, (r, way) in zip(values, limits, strict=True)])


def embraced(shape: VertebraParameters, place: Frame) -> VertebraParameters:
    """Return T12, which stands at ``place`` in L1's frame, with inferior processes that fit those of L1.

    L1's superior surfaces are hollow; the process is refined until it keeps the joint space from them, and
    from all of L1 near it.
    """
    below, first = field(lumbar()), shape
    mark, facet = landmarks(lumbar())["facet.superior.right"], lumbar().superior_facet
    across, up = np.meshgrid(np.linspace(-0.85, 0.85, 9), np.linspace(-0.85, 0.85, 9))
    inside = across**2 + up**2 <= 0.72
    spots = np.stack(
        [across[inside] * facet.width / 2.0, 0.0 * up[inside], up[inside] * facet.height / 2.0], 1
    )
    inward = mark.to_parent(spots) - 2.0 * mark.anterior
    surface = np.array([leaving(below, start, mark.anterior, 8.0) for start in inward])
    facing = place.to_local(surface + SPACE * normals(below, surface))
    bone = np.asarray(mesh(solid(lumbar()), 1.5).vertices)
    near = place.to_local(bone[(bone[:, 0] > 0.0) & (np.linalg.norm(bone - mark.origin, axis=1) < 16.0)])
    free = Shape(
        part_fields, joined,
        lambda path: path[0] == "inferior_articular_process" and name_of(path) in TURNED_T12,
        lambda path: SCALES.get(name_of(path), 1.0),
        lambda paths, values: _kept(paths, values, first),
    )  # fmt: skip
    for _ in range(3):
        away = field(shape)(near)
        close = near[away < SPACE]
        target = Target(
            np.vstack([facing, close]),
            np.concatenate([np.zeros(len(facing)), np.full(len(close), SPACE + 0.1)]),
            np.concatenate([np.full(len(facing), 2.0), np.full(len(close), 2.0)]),
        )
        shape = fit(free, shape, target, CLOSE, ROUNDS, 0.3)
    return shape


# --- all levels --------------------------------------------------------------------------------------


def all_levels() -> Shapes:
    """Return every thoracic vertebra."""
    ends = started()
    bodies = designed(fitted_together(stout(mixed(ends))), FITTED)
    fits = {level: narrowed(level, calibrated(level, bodies[level])) for level in FITTED}
    shapes = mixed(ends | fits)
    shapes = fitted_together(designed(shapes, LEVELS[5:-1]))
    for _ in range(2):
        shapes = {level: sized(level, sourced(level, narrowed(level, shapes[level]))) for level in LEVELS}
        shapes = fitted_together(shapes)
    shapes = fitted_together({level: finished(level, shapes[level]) for level in LEVELS})
    shapes["T12"] = embraced(shapes["T12"], standing("T12", "L1", shapes | {"L1": lumbar()}))
    return shapes


def finished(level: str, shape: VertebraParameters) -> VertebraParameters:
    """Return a level with its costal facets, and with room for its neighbours."""
    numbers_of = numbers(shape)
    for path, amount in RELIEF.get(level, {}).items():
        numbers_of[path] += amount
    return with_costal_facets(with_numbers(shape, numbers_of), level)


TIP_OF_SPINE = ("end", "bulb_superior", "bulb_inferior")

RELIEF: dict[str, dict[Path, float]] = {
    "T1": {("pedicle", "along", 1): 1.4, ("pedicle", "start", 2): 0.8, ("pedicle", "end", 2): 0.8}
    | {("pedicle", "across", at): -0.3 for at in range(3)},
    "T2": {("lamina", "along", 2): -1.0, ("spinous_process", "half_height", 0): -0.5},
    "T3": {("lamina", "along", 2): -2.0, ("spinous_process", "half_height", 0): -1.0},
    "T4": {("lamina", "along", 1): -0.3},
    "T5": {
        ("lamina", "along", 0): -1.3,
        ("lamina", "along", 1): -1.4,
        ("superior_facet", "width"): 0.7,
    }
    | {("spinous_process", name, 0): 2.0 for name in TIP_OF_SPINE}
    | {("spinous_process", name, 1): -2.0 for name in TIP_OF_SPINE}
    | {("spinous_process", "half_height", at): 0.5 for at in range(4)},
    "T6": {("lamina", "along", 0): -1.2, ("lamina", "along", 1): -1.2},
    "T12": {("inferior_articular_process", "across", 3): -0.5},
}
"""What is taken from laminae and spinous processes (mm) so that they keep clear of the next bone.

T1's pedicles are laid higher, and are taller in their middle, where a screw passes. T5 gets what its scan
does not show: its spinous process is as steep as its root, not as the few millimetres tell that the scan
holds; its superior articular surface is as wide as recommended."""


def narrowed(level: str, shape: VertebraParameters) -> VertebraParameters:
    """Return a vertebra that knows where its pedicle is narrowest."""
    axis = shape.pedicle_axis.model_copy(
        update={"isthmus": min(isthmus(shape), FARTHEST_ISTHMUS.get(level, 0.5))}
    )
    return shape.model_copy(update={"pedicle_axis": axis})


def main() -> None:
    """Write the measures file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=File, default=File("meshes/measures"))
    (parser.parse_args().out / "thoracic.toml").write_text(written(all_levels()), encoding="utf-8")


if __name__ == "__main__":
    main()
