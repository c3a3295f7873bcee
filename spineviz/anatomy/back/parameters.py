"""The shape of the muscles of the back, as the measures tell it for a range of bones."""

from __future__ import annotations

from collections.abc import Iterable

from spineviz.anatomy.back.profile import Profile, measured
from spineviz.anatomy.back.stations import names_of
from spineviz.spec import Spec
from spineviz.terms import LOWER_LUMBAR_LEVELS, Level


class MuscleParameters(Spec):
    """The shape of the muscles and of the fascia over them; mm, and degrees for the angle.

    ``intermuscular_plane`` is how far from the midline, under the fascia, erector spinae begins beside
    multifidus and what lies on it; the plane leans medially by ``plane_slant`` mm for each mm of depth.
    Erector spinae ends at ``lateral_border``, drawn in by ``border_roundness`` of its width where it meets
    fascia and floor, and leaning laterally by ``border_lean`` mm for each mm of depth; up to
    ``longissimus_share`` of its breadth it is longissimus, then iliocostalis;
    the plane between them leans medially by ``longissimus_slant``.

    Over multifidus, ``superficial_share`` of the depth belongs to spinalis up to ``spinalis_width`` from the
    midline, and to semispinalis from there on. Splenius lies over them all, ``splenius_thickness`` thick,
    from ``splenius_medial`` to ``splenius_lateral``.

    ``bulge`` is how far the fascia stands behind the spinous line, at ``bulge_centre`` from the
    midline; ``lateral_drop`` how far it falls forward again 80 mm from the midline. ``fascia_thickness`` is
    its own. ``midline_gap`` separates multifidus from the midline between the spinous processes,
    ``interspinous_room`` more where interspinales lie there, and ``supraspinous_gap`` beside the supraspinous
    ligament; ``bone_gap`` separates muscle from bone, ``ligament_gap`` from ligament, ``cleft`` from muscle.
    Fascicles are ``fascicle_width`` wide and raise the surface by ``fascicle_relief``; those of multifidus
    run ``fibre_angle`` from the midline.
    """

    intermuscular_plane: Profile
    plane_slant: Profile
    lateral_border: Profile
    longissimus_share: Profile
    longissimus_slant: float
    superficial_share: Profile
    spinalis_width: Profile
    splenius_thickness: Profile
    splenius_medial: Profile
    splenius_lateral: Profile
    border_roundness: Profile
    border_lean: Profile
    bulge: Profile
    bulge_centre: Profile
    lateral_drop: Profile
    fascia_thickness: Profile
    midline_gap: float
    interspinous_room: Profile
    supraspinous_gap: Profile
    bone_gap: float
    ligament_gap: float
    cleft: float
    fascicle_relief: float
    fascicle_width: float
    fibre_angle: float


def muscle_parameters(levels: Iterable[Level] = LOWER_LUMBAR_LEVELS) -> MuscleParameters:
    """Return the shape of a man's muscles beside some neighbouring bones from the measures."""
    return measured(MuscleParameters, "muscles.shape", names_of(levels))
