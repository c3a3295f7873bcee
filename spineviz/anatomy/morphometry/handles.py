"""Handles: which shape parameters move, and which parts with them, to change one measure of a vertebra.

A handle is a few moves of an amount in the measure's unit (`morphometry.moves`), about a unit of the
measure each. `VERTEBRA` is the table for T1 to L5; other kinds of bone have tables of their own, made of the
same moves.
"""

from __future__ import annotations

from spineviz.anatomy.morphometry.moves import Extend, Flatten, Grow, Move, Raise, Shift, Turn, Widen

PEDICLE, LAMINA, SPINOUS, TRANSVERSE = "pedicle", "lamina", "spinous_process", "transverse_process"
UPPER, LOWER, MAMMILLARY = "superior_articular_process", "inferior_articular_process", "mammillary_process"
RIB_OF_BODY = ("superior_costal_facet", "inferior_costal_facet")
RIB = "transverse_costal_facet"
UPPER_FACET, LOWER_FACET = "superior_facet", "inferior_facet"
BEHIND = (UPPER, UPPER_FACET, LOWER, LOWER_FACET, MAMMILLARY, TRANSVERSE, RIB, LAMINA, SPINOUS)
ON_BEHIND = (
    "facet.superior",
    "facet.inferior",
    "pars",
    "lamina",
    "transverse",
    "spinous.tip",
    "spinous.base",
)

VERTEBRA: dict[str, tuple[Move, ...]] = {
    "endplate_width_superior": (
        Grow("body.half_width", 0.5, 0.0),
        Shift((f"{PEDICLE}.start",), (0.5, 0.0, 0.0)),
        Shift(("uncinate_process", RIB_OF_BODY[0]), (0.5, 0.0, 0.0)),
    ),
    "endplate_width_inferior": (
        Grow("body.half_width", 0.0, 0.5),
        Shift((RIB_OF_BODY[1],), (0.5, 0.0, 0.0)),
    ),
    "endplate_depth_superior": (
        Grow("body.anterior_depth", 0.5, 0.0),
        Grow("body.posterior_depth", 0.5, 0.0),
        Shift((PEDICLE, *BEHIND, RIB_OF_BODY[0]), (0.0, -0.25, 0.0), ("pedicle", "canal", *ON_BEHIND)),
    ),
    "endplate_depth_inferior": (
        Grow("body.anterior_depth", 0.0, 0.5),
        Grow("body.posterior_depth", 0.0, 0.5),
        Shift((PEDICLE, *BEHIND, RIB_OF_BODY[1]), (0.0, -0.25, 0.0), ("pedicle", "canal", *ON_BEHIND)),
    ),
    "body_height_anterior": (Raise(anterior=True),),
    "body_height_posterior": (
        Raise(anterior=False),
        Shift((RIB_OF_BODY[0],), (0.0, 0.0, 0.5)),
        Shift((RIB_OF_BODY[1],), (0.0, 0.0, -0.5)),
    ),
    "canal_width": (
        Shift(
            (PEDICLE, UPPER, UPPER_FACET, LOWER, LOWER_FACET, MAMMILLARY, TRANSVERSE, RIB, f"{LAMINA}.start"),
            (0.5, 0.0, 0.0),
            ("pedicle", "facet.superior", "facet.inferior", "pars", "transverse"),
        ),
        Shift((), (0.25, 0.0, 0.0), ("lamina",)),
    ),
    "canal_depth": (
        Shift((*BEHIND, f"{PEDICLE}.end"), (0.0, -1.0, 0.0), ON_BEHIND),
        Shift((), (0.0, -0.5, 0.0), ("canal", "pedicle")),
    ),
    "pedicle_width": (Widen("pedicle.across", 1.0),),
    "pedicle_height": (
        Widen("pedicle.along", 0.8),
        Grow("transverse_process.along", 0.4, 0.0),
        Shift((f"{TRANSVERSE}.start",), (0.0, 0.0, -0.3)),
    ),
    "pedicle_transverse_angle": (
        Turn((PEDICLE,), (0.0, 0.0, 1.0), "pedicle", ("pedicle",)),
        Grow("pedicle_axis.medial", 1.0),
    ),
    "pedicle_sagittal_angle": (
        Turn((PEDICLE,), (-1.0, 0.0, 0.0), "pedicle", ("pedicle",)),
        Grow("pedicle_axis.caudal", 1.0),
    ),
    "spinous_length": (Extend(SPINOUS, ("end", "bulb_superior", "bulb_inferior"), marks=("spinous.tip",)),),
    "spinous_height": (
        Grow("spinous_process.half_height", 0.0, 0.5),
        Grow("spinous_process.bulb_superior", 0.0, 0.5),
        Grow("spinous_process.bulb_inferior", 0.0, -0.5),
    ),
    "spinous_slope": (
        Turn(
            (f"{SPINOUS}.end", f"{SPINOUS}.bulb_superior", f"{SPINOUS}.bulb_inferior"),
            (1.0, 0.0, 0.0),
            f"{SPINOUS}.start",
            ("spinous.tip",),
        ),
    ),
    "transverse_span": (
        Extend(TRANSVERSE, ("end", f"{RIB}.centre"), 0.5, across=True, marks=("transverse",)),
    ),
    "facet_superior_width": (
        Flatten(UPPER),
        Widen(f"{UPPER}.along", 0.5),
        Shift((MAMMILLARY,), (0.35, -0.35, 0.0)),
        Grow("superior_facet.width", 1.0),
    ),
    "facet_superior_height": (
        Extend(UPPER, ("end",), marks=("facet.superior",), share=0.5),
        Extend(UPPER, (f"{UPPER_FACET}.centre",), 0.5),
        Grow("superior_facet.height", 1.0),
    ),
    "facet_superior_transverse_angle": (
        Turn((UPPER, UPPER_FACET, MAMMILLARY), (1.0, 0.0, 0.0), f"{UPPER}.start", ("facet.superior",)),
        Grow(f"{UPPER_FACET}.to_transverse", 1.0),
    ),
    "facet_superior_sagittal_angle": (
        Grow(f"{UPPER}.roll", 1.0),
        Grow("superior_facet.to_sagittal", 1.0),
        Turn((MAMMILLARY,), (0.0, 0.0, 1.0), "facet.superior", ("facet.superior",)),
    ),
    "facet_inferior_width": (Grow(f"{LOWER}.across", 0.0, 0.5), Grow("inferior_facet.width", 1.0)),
    "facet_inferior_height": (
        Extend(LOWER, ("end",), marks=("facet.inferior",), share=0.5),
        Extend(LOWER, (f"{LOWER_FACET}.centre",), 0.5),
        Grow("inferior_facet.height", 1.0),
    ),
    "interfacet_width": (Shift((UPPER, UPPER_FACET, MAMMILLARY), (0.5, 0.0, 0.0), ("facet.superior",)),),
    "lamina_thickness": (Widen("lamina.across", 0.5),),
    "lamina_height": (Widen("lamina.along", 0.5),),
    "pars_width": (
        Shift((f"{LOWER}.start",), (0.5, 0.0, 0.0)),
        Grow(f"{LOWER}.across", 0.5, 0.0),
        Grow("lamina.bow", 0.5, 0.0),
    ),
}
"""The handles of a thoracic or lumbar vertebra, by the names of `morphometry.calipers.MEASURES`.

The wedge has none: it follows from the two heights of the body.
"""
