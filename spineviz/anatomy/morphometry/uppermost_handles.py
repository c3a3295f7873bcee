"""Handles of the atlas and the axis: which shape parameters move to change one measure of them.

The moves are those of `morphometry.moves`; they act on the right side of the bone in its own frame.
"""

from __future__ import annotations

from spineviz.anatomy.morphometry.moves import Extend, Grow, Move, Shift, Turn

MASS, PARS, PROCESS, LAMINA = "superior_articular_mass", "pars", "inferior_articular_process", "lamina"
ROOTS, SPINOUS, TIP, HOLLOW = (
    ("anterior_root", "posterior_root"),
    "spinous_process",
    "bifid_tip",
    "spinous_hollow",
)
SUPERIOR, INFERIOR, FORAMEN = "superior_facet", "inferior_facet", "transverse_foramen"
ROOF, ON_ROOF = (SPINOUS, TIP, HOLLOW), ("spinous.tip", "spinous.base", "tubercle.spinous")
BESIDE = (MASS, SUPERIOR, PARS, PROCESS, INFERIOR, *ROOTS, FORAMEN)
ON_BESIDE = ("pedicle", "pars", "facet.superior", "facet.inferior", "transverse", "foramen.transverse")

AXIS: dict[str, tuple[Move, ...]] = {
    "endplate_width_inferior": (Grow("body.half_width", 0.5, 0.0),),
    "endplate_depth_inferior": (Grow("body.half_depth", 0.5, 0.0),),
    "body_height_posterior": (
        Shift(("body.start", "inferior_endplate"), (0.0, 0.0, -1.0), ("endplate.inferior",)),
    ),
    "canal_width": (
        Shift(BESIDE, (0.5, 0.0, 0.0), ON_BESIDE),
        Shift((f"{LAMINA}.start",), (0.5, 0.0, 0.0)),
        Shift((), (0.25, 0.0, 0.0), ("lamina",)),
    ),
    "canal_depth": (
        Shift((*ROOF, f"{LAMINA}.end"), (0.0, -1.0, 0.0), ON_ROOF),
        Shift(
            (f"{PARS}.end", PROCESS, INFERIOR, f"{LAMINA}.start"),
            (0.0, -0.4, 0.0),
            ("pars", "facet.inferior"),
        ),
        Shift((), (0.0, -0.7, 0.0), ("lamina",)),
        Shift((), (0.0, -0.5, 0.0), ("canal",)),
    ),
    "pedicle_width": (Grow("pars.across", 0.5, 0.2),),
    "pedicle_height": (Grow("pars.along", 0.5, 0.2),),
    "pedicle_transverse_angle": (
        Turn((), (0.0, 0.0, 1.0), "pedicle", ("pedicle",)),
        Grow("pedicle_axis.medial", 1.0),
    ),
    "pedicle_sagittal_angle": (
        Turn((), (-1.0, 0.0, 0.0), "pedicle", ("pedicle",)),
        Grow("pedicle_axis.caudal", 1.0),
    ),
    "spinous_length": (
        Extend(SPINOUS, ("end", f"{TIP}.start"), 0.7, marks=("spinous.tip",)),
        Extend(TIP, ("end", f"{HOLLOW}.start", f"{HOLLOW}.end"), 1.0, marks=("tubercle.spinous",)),
    ),
    "spinous_height": (Grow(f"{SPINOUS}.half_height", 0.4, 0.5), Grow(f"{TIP}.along", 0.3, 0.3)),
    "spinous_slope": (
        Turn(
            (f"{SPINOUS}.end", TIP, HOLLOW),
            (1.0, 0.0, 0.0),
            f"{SPINOUS}.start",
            ("spinous.tip", "tubercle.spinous"),
        ),
    ),
    "transverse_span": (Shift(tuple(f"{root}.end" for root in ROOTS), (0.5, 0.0, 0.0), ("transverse",)),),
    "facet_inferior_width": (Grow(f"{PROCESS}.across", 0.5), Grow("inferior_facet_size.across", 0.5)),
    "facet_inferior_height": (Grow(f"{PROCESS}.along", 0.5), Grow("inferior_facet_size.along", 0.5)),
    "lamina_thickness": (Grow(f"{LAMINA}.across", 0.5),),
    "lamina_height": (Grow(f"{LAMINA}.along", 0.5),),
}
"""The handles of the axis, by the names of `morphometry.calipers.MEASURES`."""

LATERAL = ("lateral_mass", SUPERIOR, INFERIOR, "transverse_process", "ligament_tubercle", FORAMEN)
ON_LATERAL = ("facet.superior", "facet.inferior", "transverse", "foramen.transverse", "tubercle.ligament")
BACK, TUBERCLE = "posterior_arch", "posterior_tubercle"
ON_BACK = ("arch.posterior", "spinous.tip", "spinous.base")

ATLAS: dict[str, tuple[Move, ...]] = {
    "canal_width": (
        Shift((*LATERAL, "artery_groove.start"), (0.5, 0.0, 0.0), ON_LATERAL),
        Grow(f"{BACK}.radius", 0.0, 0.5),
    ),
    "canal_depth": (
        Grow(f"{BACK}.radius", 1.0, 0.0),
        Shift((TUBERCLE,), (0.0, -1.0, 0.0), ON_BACK),
        Shift(("artery_groove.end",), (0.0, -0.6, 0.0), ("lamina",)),
        Shift((), (0.0, -0.5, 0.0), ("canal",)),
    ),
    "transverse_span": (
        Extend("transverse_process", ("end",), 0.5, across=True, marks=("transverse",)),
        Shift((FORAMEN,), (0.15, 0.0, 0.0), ("foramen.transverse",)),
    ),
}
"""The handles of the atlas, by the names of `morphometry.calipers.MEASURES`."""
