"""Open laminectomy: spinous process, central lamina and medial facets off, through a wound to both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from spineviz.anatomy.recipe import Body
from spineviz.measures import table
from spineviz.model import Camera
from spineviz.structure import Frame, Structure
from spineviz.surgery import freeing, phases, wound
from spineviz.surgery.access import PosteriorApproach, within
from spineviz.surgery.actions import faded, together, vanished
from spineviz.surgery.bone_left import BoneLeft, NearBone
from spineviz.surgery.decompression import ABOVE_SKIN
from spineviz.surgery.instruments import Instrument, nerve_probe
from spineviz.surgery.midline_access import (
    MidlineAccess,
    access_tools,
    blade_structures,
    midline_access,
    opened,
    opening_of,
    taken_out,
)
from spineviz.surgery.punches import burr, kerrison, leksell
from spineviz.surgery.reach import Reach
from spineviz.surgery.relief import reliefs
from spineviz.surgery.retraction import Blade, MidlineWound
from spineviz.surgery.rounds import DEEPEST, bites, burr_round, ligament_bites
from spineviz.surgery.site import Round, Site, Spell, nerves_of
from spineviz.surgery.surroundings import farther
from spineviz.surgery.tissue import Tissue, opened_tissue
from spineviz.surgery.tool_points import points_of
from spineviz.surgery.trough import Trough, disc_above, laminectomy_windows, resected_stages
from spineviz.terms import SIDES, SIGN, levels_of
from spineviz.timeline import Action, Step, during

NAME = "laminectomy"
PROCESS, LAMINA = Spell(0.0, 1.0, 0.3, 0.8), Spell(0.0, 1.0, 0.2, 0.84)
"""When in its step the rongeur takes the spinous process, and the burr the lamina."""

FACETS, LIGAMENT = Spell(0.0, 0.48, 0.26, 0.8), Spell(0.48, 0.96, 0.24, 0.8)
"""When the punch takes the facets, and then the ligaments."""

BOTH = (-1.0, 1.0)
"""The signs of x of both sides."""


class OpenLaminectomy(PosteriorApproach):
    """Decompression of a narrow canal from behind, with the muscle of both sides off the bone; mm.

    The surgeon stands on the ``side``.
    """

    upper: ClassVar[str] = "laminectomy"

    kind: Literal["open_laminectomy"] = "open_laminectomy"
    incision_length: float = within(NAME, "incision_length", 55.0)
    lamina_width: float = within(NAME, "width", 18.0)
    facet_share: float = within(NAME, "facet_share", 0.4)


@dataclass(frozen=True, eq=False)
class Rounds:
    """Where the tools go, in the world; ``probes`` feel the roots of the left and of the right side."""

    leksell: Round
    burr: Round
    facets: Round
    ligament: Round
    probes: tuple[Round, ...]


@dataclass(frozen=True, eq=False)
class Laminectomy:
    """Everything that the story of a laminectomy needs; ``freed`` are the nerves that fill out."""

    spec: OpenLaminectomy
    site: Site
    access: MidlineAccess
    rounds: Rounds
    cut: freeing.Taken
    freed: tuple[str, ...]


def prepare_laminectomy(
    spec: OpenLaminectomy, body: Body
) -> tuple[Laminectomy, Tissue, dict[str, Structure]]:
    """Return the story's matter, the tissue of the body, and the blades, which stand in the world."""
    found = opening_of(spec, body, both=True)
    site = _site(spec, body, found.wound, found.blades)
    shown = freeing.as_shown(body, site)
    trough = laminectomy_windows(
        shown.bones[site.lamina], site.frame, width=spec.lamina_width, facet_share=spec.facet_share
    )
    stages = resected_stages(site, body, trough)
    relieved = reliefs(site, body, freeing.left_around(site, body, stages))
    gone = site.present(*(f"interspinous.{disc}" for disc in (spec.disc, disc_above(spec.disc))))
    cut = freeing.taken(stages, (name for name in gone if name not in stages))
    access = midline_access(site, found, body, table("procedures.laminectomy.wound"))
    rounds = _rounds(site, shown, trough, relieved)
    story = Laminectomy(spec, site, access, rounds, cut, freeing.freed_names(site, relieved))
    tissue = opened_tissue(site, body, found.wound, found.parts, stages, relieved)
    return story, tissue, blade_structures(NAME, found.blades)


def _site(spec: OpenLaminectomy, body: Body, opening: MidlineWound, blades: tuple[Blade, Blade]) -> Site:
    """Return the site over the lamina; tools pass through the middle of the opened skin."""
    size = table("procedures.laminectomy.wound")
    marks = body.bones[levels_of(spec.disc)[0]].landmarks
    middle = np.mean([marks[f"lamina.{side}"].origin for side in SIDES], axis=0)
    over = freeing.height_over(opening.axis, middle)
    frame = Frame(opening.axis.to_parent(np.array([0.0, 0.0, over])), opening.axis.axes)
    depth = opening.length - over
    return Site(
        NAME,
        spec.disc,
        spec.side,
        frame,
        depth,
        (0.0, 0.0, depth),
        size["room"],
        (SIGN[spec.side] * size["focus"][0], size["focus"][1], 0.0),
        size["tilt"],
        frozenset(body.structures),
        nerves_of(body),
        access_tools(NAME, frame, blades, spec.side) | _tools(),
        both=True,
    )


def _tools() -> dict[str, Instrument]:
    name = f"instrument.{NAME}"
    return {
        "leksell": leksell(f"{name}.leksell"),
        "burr": burr(f"{name}.burr"),
        "kerrison": kerrison(f"{name}.kerrison"),
        "probe": nerve_probe(f"{name}.nerve_probe"),
    }


def _rounds(site: Site, body: Body, trough: Trough, relieved: freeing.Warps) -> Rounds:
    """Return where the tools go, from the bones as they are shown and the windows of the trough."""
    bone, spread = NearBone(site, body), table("procedures.laminectomy.wound")["spread"]
    bared, opened_up, whole = (
        Reach(BoneLeft(bone, window), spread, walled=False)
        for window in (trough.process[-1], trough.lamina[-1], trough.facets)
    )
    narrow = farther(freeing.nerves_around(site, body, relieved, free=False), freeing.SPARED)
    free = freeing.nerves_around(site, body, relieved, free=True)
    return Rounds(
        leksell=_process(bared, trough),
        burr=burr_round(opened_up.keeping_off(narrow), trough.lamina, BOTH),
        facets=bites(opened_up.keeping_off(narrow), trough.lamina[-1], BOTH, DEEPEST),
        ligament=ligament_bites(whole.keeping_off(narrow), trough.facets, 8, DEEPEST),
        probes=tuple(
            place
            for side in SIDES
            for place in freeing.felt(
                whole.keeping_off(free), relieved, side, site.top, (-SIGN[side], 0.0, 0.0)
            )
        ),
    )


def _process(reach: Reach, trough: Trough) -> Round:
    """Return the round of the rongeur that takes the spinous process, from its tip down to the lamina."""
    site, tool = reach.site, points_of(reach.site.tools["leksell"])
    surface = reach.body.structures[site.lamina].surface
    local = site.frame.to_local(surface.vertices)
    frames = []
    for high in (trough.process[0].shallow, *(window.deep for window in trough.process)):
        within = local[(np.abs(local[:, 0]) < 5.0) & (np.abs(local[:, 2] - high) < 3.0)]
        middle = float(np.median(within[:, 1])) if len(within) else 0.0
        frames.append(reach.pose((0.0, middle, high + 0.6), tool, (1.0, 0.0, 0.0), site.top))
    return reach.round(frames, tool)


def laminectomy_steps(story: Laminectomy, cameras: Mapping[str, Camera]) -> tuple[Step, ...]:
    """Return the steps of the operation, for cameras named posterior and operative."""
    site, access, rounds = story.site, story.access, story.rounds
    back, over, down = cameras["posterior"], cameras["operative"], wound.microscope(site, wide=True)
    out, movements = taken_out(access)
    closed = phases.closed_after(site, faded(access.held, 1.0), access.held, out, movements)
    return (
        *opened(access, cameras),
        wound.step(
            site,
            "laminotomy",
            down,
            _process_off(story),
            part="process",
            share=0.9,
            least=PROCESS.seconds(rounds.leksell),
        ),
        wound.step(
            site,
            "laminotomy",
            down,
            _lamina_off(story),
            share=0.9,
            least=LAMINA.seconds(rounds.burr),
            parameters={"width": story.spec.lamina_width},
        ),
        wound.step(
            site,
            "flavum",
            down,
            _flava_off(story),
            share=1.5,
            least=max(FACETS.seconds(rounds.facets), LIGAMENT.seconds(rounds.ligament)),
        ),
        wound.step(site, "root", down, _freed(story), share=1.2),
        wound.step(site, "closure", over, closed),
        wound.step(site, "comparison", back, during(wound.exposed(site, wound.COMPARED), 0.05, 0.5)),
    )


def _process_off(story: Laminectomy) -> Action:
    """Return the action that takes the ligaments in the midline and the spinous process with the rongeur."""
    site, cut, way = story.site, story.cut, story.site.depth + ABOVE_SKIN
    midline = [name for name in cut.stages if name.startswith(("interspinous", "supraspinous"))]
    count = int(table("procedures.laminectomy.cut")["process_stages"])
    begin, end = PROCESS.arrive, PROCESS.leave
    spread = (end - begin) / count
    return together(
        during(wound.exposed(site, wound.DEEP), 0.0, 0.15),
        during(faded(story.access.held, wound.GLASS), 0.0, 0.15),
        PROCESS.action(site, "leksell", story.rounds.leksell, way),
        during(cut.last(*midline), begin, begin + 0.02),
        *(during(vanished(name), begin - 0.08, begin + 0.06) for name in cut.gone),
        *(
            during(cut.through(site.lamina, k, k), begin + (k - 1) * spread, begin + (k - 0.98) * spread)
            for k in range(1, count + 1)
        ),
    )


def _lamina_off(story: Laminectomy) -> Action:
    """Return the action of the burr that opens the trough, narrow first and then in its whole width."""
    site, cut, way = story.site, story.cut, story.site.depth + ABOVE_SKIN
    over = [name for name in cut.stages if name.startswith(f"flavum.{disc_above(site.disc)}")]
    first = int(table("procedures.laminectomy.cut")["process_stages"]) + 1
    return together(
        LAMINA.action(site, "burr", story.rounds.burr, way),
        during(cut.through(site.lamina, first, first), 0.18, 0.19),
        during(cut.through(site.lamina, first + 1, first + 1), 0.5, 0.51),
        during(cut.last(*over), 0.3, 0.31),
    )


def _flava_off(story: Laminectomy) -> Action:
    """Return the action of the punch: medial facets first, then the yellow ligaments of both sides."""
    site, cut, way = story.site, story.cut, story.site.depth + ABOVE_SKIN
    joints = [name for name in cut.stages if name.startswith("facet_")]
    return together(
        FACETS.action(site, "kerrison", story.rounds.facets, way),
        during(cut.last(*levels_of(site.disc), *joints), 0.38, 0.39),
        LIGAMENT.action(site, "kerrison", story.rounds.ligament, way),
        freeing.flava_off(site, cut, 0.6, 0.88),
    )


def _freed(story: Laminectomy) -> Action:
    """Return the action by which sac and roots fill out, and the probe feels the root of either side."""
    site = story.site
    return together(
        during(freeing.released(site, story.freed), 0.04, 0.34),
        freeing.probing(site, site.tools["probe"], story.rounds.probes, 0.3, 0.96),
    )
