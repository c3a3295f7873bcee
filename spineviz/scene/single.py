"""The scene that shows one disease."""

from __future__ import annotations

from collections.abc import Mapping

from spineviz.cuts import CutPlane
from spineviz.layers import Layer
from spineviz.locale import text
from spineviz.pathology import (
    Deformity,
    Degeneration,
    Fracture,
    Herniation,
    Listhesis,
    Pathology,
    Stenosis,
    deformity_title,
    herniation_size,
    herniation_title,
    stenosis_title,
)
from spineviz.scene.specification import AnatomyRange, Scene, SceneStep
from spineviz.spec import Spec
from spineviz.terms import LOWER_LUMBAR_DISCS, SIGN, column, levels_of, roots_at
from spineviz.views import View

COVERING: tuple[Layer, ...] = ("skin", "fat", "fascia", "muscles")
"""The layers that such a scene leaves out, so that it stands there at once."""

BESIDE = 17.0
"""A foramen is cut so far (mm) beside the midline."""


SAME: Mapping[type[Spec], str] = {
    Listhesis: "listhesis",
    Degeneration: "degeneration",
    Fracture: "fracture",
    Deformity: "deformity",
}
"""What the texts of a disease of the column itself are kept under."""


def shown(pathology: Pathology) -> Scene:
    """Return the scene that shows one disease."""
    if isinstance(pathology, Herniation):
        return shown_herniation(pathology)
    if isinstance(pathology, Stenosis):
        return shown_stenosis(pathology)
    return shown_deformity(pathology)


def shown_deformity(pathology: Listhesis | Degeneration | Fracture | Deformity) -> Scene:
    """Return the scene that shows a slip, a worn disc, a fracture or a curve: the bones, cut where it helps.

    A slip is seen from the side, a worn disc and a fracture in a cut along the midline, a broken
    transverse process from behind, a curve of the whole column from behind, a kyphosis from the side.
    """
    own, (above, below) = column(), levels_of(pathology.disc)
    beside = 2 if isinstance(pathology, Fracture) else 1
    first, last = own[max(own.index(above) - beside, 1)], own[min(own.index(below) + beside, own.index("S1"))]
    camera: View = "lateral"
    named: tuple[str, ...] = (above, below)
    if isinstance(pathology, Deformity):
        first, last, named = "C1", "S1", ("T1", pathology.apex, "L5")
        camera = "posterior" if pathology.curve == "scoliosis" else "lateral"
    elif isinstance(pathology, Degeneration):
        camera, named = "lateral_close", (f"disc.{pathology.disc}", above, below)
    process = pathology.process if isinstance(pathology, Fracture) and pathology.shape == "process" else None
    behind = process == "transverse"
    if behind:
        camera = "posterior"
    cut = CutPlane(plane="sagittal", at=pathology.disc, keep="right")
    step = SceneStep(
        title=f"{SAME[type(pathology)]}.plain{'_process' if process is not None else ''}",
        camera=camera,
        hide=("ligaments", "vessels", "epidural_fat"),
        highlight=("disease",),
        labels=named,
    )
    return Scene(
        title=text(deformity_title(pathology)),
        anatomy=AnatomyRange(first=first, last=last),
        pathologies=(pathology,),
        camera=camera,
        hide=COVERING,
        cuts=(cut,) if isinstance(pathology, Degeneration | Fracture) and not behind else (),
        steps=(step,),
        poster=step.seconds,
    )


def shown_herniation(herniation: Herniation) -> Scene:
    """Return the scene that shows one herniation from near by, between its neighbouring levels."""
    above, below = levels_of(herniation.disc)
    lower = herniation.disc in LOWER_LUMBAR_DISCS
    own = column()
    first = "L3" if lower else own[max(own.index(above) - 1, own.index("C2"))]
    last = "S1" if lower else own[min(own.index(below) + 1, own.index("S1"))]
    exiting, traversing = roots_at(herniation.disc)
    roots = [f"root.{root}.{herniation.side}" for root in (traversing, exiting) if root is not None]
    camera: View = {"foraminal": "foramen", "extraforaminal": "foramen", "anterior": "anterior"}.get(
        herniation.zone, "close"
    )  # type: ignore[assignment]
    step = SceneStep(
        title=f"herniation.{herniation.morphology}.plain",
        camera=camera,
        hide=("ligaments", "vessels", "epidural_fat"),
        fade=("bones",),
        highlight=("disease",),
        labels=(
            f"herniation.{herniation.disc}",
            *roots,
            "thecal_sac",
            "spinal_cord",
            f"disc.{herniation.disc}",
        ),
    )
    return Scene(
        title=", ".join(map(text, (herniation_title(herniation), *herniation_size(herniation)))),
        anatomy=AnatomyRange(first=first, last=last),
        pathologies=(herniation,),
        camera=camera,
        hide=COVERING,
        steps=(step,),
        poster=step.seconds,
    )


def shown_stenosis(stenosis: Stenosis) -> Scene:
    """Return the scene that shows one stenosis: the canal in an axial slice, a foramen in a sagittal one."""
    above, below = levels_of(stenosis.disc)
    exiting, traversing = roots_at(stenosis.disc)
    foraminal = stenosis.place == "foraminal"
    camera: View = "lateral_close" if foraminal else "axial_canal"
    side = stenosis.side
    cut = (
        CutPlane(
            plane="sagittal",
            at=above,
            offset=SIGN[side] * BESIDE,
            keep="left" if side == "right" else "right",
        )
        if foraminal
        else CutPlane(plane="disc", at=stenosis.disc, keep="above")
    )
    step = SceneStep(
        title=f"stenosis.plain.{stenosis.place}",
        camera=camera,
        hide=("vessels",),
        labels=(
            f"flavum.{stenosis.disc}.{side}",
            f"disc.{stenosis.disc}",
            *(f"root.{root}.{side}" for root in (exiting, traversing) if root is not None),
            "thecal_sac",
        ),
    )
    return Scene(
        title=text(stenosis_title(stenosis)),
        anatomy=AnatomyRange(first=above, last=below),
        pathologies=(stenosis,),
        camera=camera,
        hide=COVERING,
        cuts=(cut,),
        steps=(step,),
        poster=step.seconds,
    )
