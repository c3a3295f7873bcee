"""The phases that every posterior decompression goes through alike, from the knife to the closed skin."""

from __future__ import annotations

from collections.abc import Sequence

from spineviz.model import Camera
from spineviz.structure import Frame
from spineviz.surgery import decompression, wound
from spineviz.surgery.actions import Amounts, together, unwarped, vanished, warped
from spineviz.surgery.plan import Plan
from spineviz.surgery.site import Site
from spineviz.terms import UPPER_LUMBAR_DISCS
from spineviz.timeline import Action, Step, during

Line = tuple[Frame, Frame]
Opening = tuple[Amounts, Amounts]


def incised(site: Site, line: Line, opening: Opening) -> Action:
    """Return the action of the knife in the skin, which gapes from the first amounts to the second."""
    return together(
        during(wound.exposed(site, wound.WHOLE), 0.0, 0.25),
        wound.cut(site.tools["scalpel"], line, 0.24, 0.9),
        during(moved(site, site.present(wound.SKIN, wound.FAT), opening), 0.45, 0.76),
    )


def fascia_incised(site: Site, line: Line, opening: Opening, closed: Amounts) -> Action:
    """Return the action of the knife in the fascia; skin and fat gape on, the fascia from ``closed``."""
    return together(
        during(wound.exposed(site, wound.FASCIA_SHOWN), 0.0, 0.3),
        wound.cut(site.tools["scalpel"], line, 0.2, 0.9),
        during(moved(site, site.present(wound.SKIN, wound.FAT), opening), 0.42, 0.75),
        during(moved(site, site.present(wound.FASCIA), (closed, opening[1])), 0.42, 0.75),
    )


def moved(site: Site, names: Sequence[str], opening: Opening) -> Action:
    """Return the action by which the approach's opening in structures goes from some amounts to others."""
    return warped(names, site.approach, opening[0], opening[1], site.approach)


def decompressed(site: Site, plan: Plan, camera: Camera, *first: Action) -> tuple[Step, ...]:
    """Return the steps at the end of the corridor, seen by a camera; ``first`` happens as they begin."""
    return (
        wound.step(
            site,
            "laminotomy",
            camera,
            during(wound.exposed(site, wound.DEEP), 0.0, 0.2),
            *first,
            decompression.laminotomy(site, plan),
            least=decompression.laminotomy_seconds(plan),
        ),
        wound.step(
            site,
            "flavum",
            camera,
            decompression.flavectomy(site, plan),
            least=decompression.OPENING.seconds(plan.ligament_bites),
        ),
        wound.step(
            site,
            "root",
            camera,
            decompression.root_retraction(site, plan),
            part="root_upper" if site.disc in UPPER_LUMBAR_DISCS else "",
            parameters={"retraction": plan.retraction},
        ),
        wound.step(site, "fragment", camera, decompression.fragment_removal(site, plan)),
    )


def closed_after(
    site: Site,
    first: Action,
    held: Sequence[str],
    taken_out: Action,
    movements: Sequence[tuple[float, float, Opening]],
) -> Action:
    """Return the action that begins with a ``first`` one, takes the retractor out and closes layer by layer.

    ``held`` names the parts of the retractor, which leave the wound by ``taken_out``, an action of the whole
    step. ``movements`` tell when the tissue goes from some amounts to others; then it stands at rest.
    """
    names = wound.operated(site)
    rest = movements[-1][1]
    return together(
        during(first, 0.0, 0.28),
        taken_out,
        during(vanished(*held), 0.54, 0.62),
        *(during(moved(site, names, opening), start, end) for start, end, opening in movements),
        during(unwarped(names[1:]), rest, rest + 0.01),
        wound.closed_up(site, 0.5, 0.84),
    )
