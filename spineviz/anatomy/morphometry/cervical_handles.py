"""Handles of a cervical vertebra, C3 to C7: which shape parameters move to change one measure of it.

The moves are those of `morphometry.moves`; they act on the right side of the bone in its own frame.
"""

from __future__ import annotations

from spineviz.anatomy.morphometry.moves import Extend, Grow, Move, Raise, Shift, Turn

PEDICLE, PILLAR, LAMINA, SPINOUS = "pedicle", "articular_pillar", "lamina", "spinous_process"
UNCINATE, TUBERCLE, FORAMEN = "uncinate_process", "spinous_tubercle", "transverse_foramen"
CLEFT, COLUMN = "spinous_cleft", "articular_pillar.column"
GROOVE = "nerve_groove"
ANTERIOR, POSTERIOR, LAMELLA = "anterior_bar", "posterior_bar", "intertubercular_lamella"
TRANSVERSE = (ANTERIOR, POSTERIOR, LAMELLA, FORAMEN)
ROOF = (LAMINA, SPINOUS, TUBERCLE, CLEFT)
ON_PILLAR = ("facet.superior", "facet.inferior", "pars")
ON_TRANSVERSE = ("transverse", "tubercle.anterior", "foramen.transverse")
ON_ROOF = ("lamina", "spinous.tip", "spinous.base", "tubercle.spinous")
BEHIND = (PEDICLE, GROOVE, PILLAR, *TRANSVERSE, *ROOF)
ON_BEHIND = ("pedicle", "canal", *ON_PILLAR, *ON_TRANSVERSE, *ON_ROOF)

CERVICAL: dict[str, tuple[Move, ...]] = {
    "endplate_width_superior": (
        Grow("body.half_width", 0.5, 0.0),
        Shift((UNCINATE,), (0.5, 0.0, 0.0), ("uncinate",)),
    ),
    "endplate_width_inferior": (Grow("body.half_width", 0.0, 0.5),),
    "endplate_depth_superior": (
        Grow("body.anterior_depth", 0.5, 0.0),
        Grow("body.posterior_depth", 0.5, 0.0),
        Shift(BEHIND, (0.0, -0.25, 0.0), ON_BEHIND),
    ),
    "endplate_depth_inferior": (
        Grow("body.anterior_depth", 0.0, 0.5),
        Grow("body.posterior_depth", 0.0, 0.5),
        Shift(BEHIND, (0.0, -0.25, 0.0), ON_BEHIND),
    ),
    "body_height_anterior": (Raise(anterior=True), Shift((f"{UNCINATE}.start",), (0.0, 0.0, 0.25))),
    "body_height_posterior": (
        Raise(anterior=False),
        Shift((f"{UNCINATE}.start",), (0.0, 0.0, 0.25)),
        Shift((f"{UNCINATE}.end",), (0.0, 0.0, 0.5), ("uncinate",)),
    ),
    "canal_width": (
        Shift(
            (PEDICLE, GROOVE, PILLAR, *TRANSVERSE), (0.5, 0.0, 0.0), ("pedicle", *ON_PILLAR, *ON_TRANSVERSE)
        ),
        Shift((f"{LAMINA}.start",), (0.5, 0.0, 0.0)),
        Shift((UNCINATE,), (0.35, 0.0, 0.0), ("uncinate",)),
        Shift((), (0.25, 0.0, 0.0), ("lamina",)),
    ),
    "canal_depth": (
        Shift((SPINOUS, TUBERCLE, CLEFT, f"{LAMINA}.end"), (0.0, -1.0, 0.0), ON_ROOF),
        Shift((PILLAR, f"{PEDICLE}.end", f"{LAMINA}.start"), (0.0, -0.4, 0.0), ON_PILLAR),
        Shift((GROOVE,), (0.0, -0.2, 0.0)),
        Shift((), (0.0, -0.5, 0.0), ("canal",)),
    ),
    "pedicle_width": (
        Grow("pedicle.along", 0.5),
        Shift((ANTERIOR, POSTERIOR, LAMELLA, FORAMEN), (0.4, 0.0, 0.0), ON_TRANSVERSE),
    ),
    "pedicle_height": (Grow("pedicle.across", 0.5), Shift((GROOVE,), (0.0, 0.0, 0.5))),
    "pedicle_transverse_angle": (
        Turn((PEDICLE,), (0.0, 0.0, 1.0), "pedicle", ("pedicle",)),
        Grow("pedicle_axis.medial", 1.0),
    ),
    "pedicle_sagittal_angle": (
        Turn((PEDICLE,), (-1.0, 0.0, 0.0), "pedicle", ("pedicle",)),
        Grow("pedicle_axis.caudal", 1.0),
    ),
    "spinous_length": (
        Extend(SPINOUS, ("end",), 0.7, marks=("spinous.tip",)),
        Extend(TUBERCLE, ("end", f"{CLEFT}.start", f"{CLEFT}.end"), marks=("tubercle.spinous",)),
    ),
    "spinous_height": (
        Grow("spinous_process.half_height", 0.4, 0.4),
        Grow("spinous_tubercle.along", 0.5, 0.4),
    ),
    "spinous_slope": (
        Turn(
            (f"{SPINOUS}.end", TUBERCLE, CLEFT),
            (1.0, 0.0, 0.0),
            f"{SPINOUS}.start",
            ("spinous.tip", "tubercle.spinous"),
        ),
    ),
    "transverse_span": (
        Shift((f"{POSTERIOR}.end", f"{LAMELLA}.end"), (0.5, 0.0, 0.0), ("transverse",)),
        Shift((f"{ANTERIOR}.end", f"{LAMELLA}.start"), (0.35, 0.0, 0.0), ("tubercle.anterior",)),
        Shift((FORAMEN,), (0.15, 0.0, 0.0), ("foramen.transverse",)),
    ),
    "facet_superior_width": (
        Grow("articular_pillar.column.across", 0.5, 0.0),
        Grow("superior_facet.width", 1.0),
    ),
    "facet_superior_height": (
        Grow("articular_pillar.column.along", 0.2, 0.0),
        Extend(COLUMN, ("start",), -0.35, marks=("facet.superior",), share=0.5),
        Grow("superior_facet.height", 1.0),
    ),
    "facet_superior_transverse_angle": (
        Grow("articular_pillar.superior_facet.tilt", 1.0),
        Turn((), (1.0, 0.0, 0.0), "facet.superior", ("facet.superior",)),
    ),
    "facet_superior_sagittal_angle": (
        Grow("articular_pillar.superior_facet.turn", 1.0),
        Grow("superior_facet.to_sagittal", 1.0),
        Turn((), (0.0, 0.0, 1.0), "facet.superior", ("facet.superior",)),
    ),
    "facet_inferior_width": (
        Grow("articular_pillar.column.across", 0.0, 0.5),
        Grow("inferior_facet.width", 1.0),
    ),
    "facet_inferior_height": (
        Grow("articular_pillar.column.along", 0.0, 0.2),
        Extend(COLUMN, ("end",), 0.35, marks=("facet.inferior",), share=0.5),
        Grow("inferior_facet.height", 1.0),
    ),
    "interfacet_width": (
        Shift((PILLAR,), (0.5, 0.0, 0.0), ON_PILLAR),
        Shift((f"{LAMINA}.start",), (0.35, 0.0, 0.0)),
    ),
    "lamina_thickness": (Grow("lamina.along", 0.5),),
    "lamina_height": (Grow("lamina.across", 0.5),),
}
"""The handles of a cervical vertebra, by the names of `morphometry.calipers.MEASURES`."""
