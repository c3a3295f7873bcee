"""Over the top: through one tube on one side, a narrow canal is widened on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np
from pydantic import Field

from spineviz.anatomy.recipe import Body
from spineviz.measures import table, value
from spineviz.model import Camera
from spineviz.spec import Spec
from spineviz.structure import Frame, Surface
from spineviz.surgery import decompression, freeing, resection, wound
from spineviz.surgery.actions import Amounts, Motion, carried, faded, together, warped
from spineviz.surgery.decompression import ABOVE_SKIN
from spineviz.surgery.instruments import Instrument, nerve_probe
from spineviz.surgery.punches import burr, kerrison
from spineviz.surgery.reach import BoneLeft, NearBone, Reach, points_of
from spineviz.surgery.relief import reliefs
from spineviz.surgery.retraction import dock, parted
from spineviz.surgery.retraction.tilting import TiltingCorridor
from spineviz.surgery.rounds import bites, burr_round, kept_off, punched
from spineviz.surgery.site import Round, Site, nerves_of, used, visit
from spineviz.surgery.surroundings import farther
from spineviz.surgery.tissue import Tissue, opened_tissue
from spineviz.surgery.trough import Stages
from spineviz.surgery.tube_access import TubeAccess, access_tools, docked, tube_access, withdrawn
from spineviz.surgery.undercut import (
    Undercut,
    midline_frame,
    places_across,
    undercut_stages,
    undercut_windows,
)
from spineviz.surgery.window import Windows
from spineviz.terms import SIGN, LowerLumbarDisc, Side, levels_of
from spineviz.timeline import Action, Step, during

NAME = "over_the_top"
_RANGE = table("procedures.over_the_top")
_INCISION, _OFFSET, _TUBE = _RANGE["incision_length"], _RANGE["midline_offset"], _RANGE["tube_diameter"]
_LAMINA, _FACET, _WAND = _RANGE["lamina_removed"], _RANGE["facet_removed"], _RANGE["wand_angle"]

GLASS = 0.4
"""The opacity of what lies over the cut across the midline."""

DEEPEST = 0.3
"""Where a tool would press deeper (mm) than this into what it keeps off, it does not go."""

SPARED = 0.4
"""How much farther (mm) than from bone the punch keeps off nerves."""


class UnilateralLaminotomy(Spec):
    """Bilateral decompression of a narrow canal through a tube on one side; mm and degrees."""

    kind: Literal["unilateral_laminotomy"] = "unilateral_laminotomy"
    disc: LowerLumbarDisc = "L4-L5"
    side: Side = "left"
    tube_diameter: float = Field(18.0, ge=_TUBE[0], le=_TUBE[1], description="Inner diameter of the tube.")
    incision_length: float = Field(
        20.0, ge=_INCISION[0], le=_INCISION[1], description="Length of the skin incision."
    )
    midline_offset: float = Field(
        25.0, ge=_OFFSET[0], le=_OFFSET[1], description="Incision from the midline."
    )
    wand_angle: float = Field(
        25.0, ge=_WAND[0], le=_WAND[1], description="How far the tilted tube leans from the sagittal plane."
    )
    lamina_removed: float = Field(
        12.0, ge=_LAMINA[0], le=_LAMINA[1], description="Bone taken from the lamina's edge."
    )
    facet_removed: float = Field(
        3.0, ge=_FACET[0], le=_FACET[1], description="Bone taken from the medial facet of the tube's side."
    )


@dataclass(frozen=True, eq=False)
class Rounds:
    """Where the tools go, in the world: first on the tube's own side, then through the tilted tube.

    ``stages`` counts the variants of bone on the tube's own side, and of ligament. The first of ``probes``
    feels the root of the other side.
    """

    burr: Round
    bites: Round
    stages: tuple[int, int]
    across: Round
    far_bites: Round
    ligament: Round
    probes: tuple[Round, Round]


@dataclass(frozen=True, eq=False)
class OverTheTop:
    """Everything that the story needs; ``tilted`` is the site as the tilted tube shows it.

    ``upright`` and ``leaning`` are the amounts of the tube before and after it is tilted, ``tube`` where it
    stands then; ``freed`` are the nerves that fill out.
    """

    spec: UnilateralLaminotomy
    site: Site
    tilted: Site
    access: TubeAccess
    rounds: Rounds
    cut: freeing.Taken
    upright: Amounts
    leaning: Amounts
    tube: Frame
    freed: tuple[str, ...]


def prepare_over_the_top(spec: UnilateralLaminotomy, body: Body) -> tuple[OverTheTop, Tissue]:
    """Return the story's matter, and the variants and warps of the body's tissue."""
    corridor = _corridor(spec, body)
    site = _site(spec, corridor, body)
    tilted = _looking_across(site, corridor, body)
    shown = freeing.as_shown(body, site)
    near = resection.windows(site, shown, spec.lamina_removed, spec.facet_removed)
    windows = undercut_windows(near, shown.bones, spec.disc, spec.side, spec.lamina_removed)
    stages = undercut_stages(site, body, windows)
    relieved = reliefs(site, body, _left(site, body, stages))
    access = tube_access(site, corridor, body, spec.tube_diameter)
    story = OverTheTop(
        spec=spec,
        site=site,
        tilted=tilted,
        access=access,
        rounds=_rounds(site, tilted, shown, windows, relieved, stages),
        cut=freeing.taken(stages, ()),
        upright=corridor.standing(0.0),
        leaning=corridor.standing(corridor.tilt),
        tube=corridor.tilted(access.docked, corridor.tilt),
        freed=freeing.freed_names(site, relieved),
    )
    parts = parted(corridor, body.recipes, body.structures)
    return story, opened_tissue(site, body, corridor, parts, stages, relieved)


def _corridor(spec: UnilateralLaminotomy, body: Body) -> TiltingCorridor:
    """Return the way of the tube, which is tilted until it leans as far as is asked for."""
    found = dock(
        body.bones,
        spec.disc,
        spec.side,
        body.recipes["skin"].solid.field,
        diameter=spec.tube_diameter,
        incision=spec.incision_length,
        offset=spec.midline_offset,
    )
    known = {item.name: getattr(found, item.name) for item in fields(found)}
    return TiltingCorridor(**known, tilt=max(spec.wand_angle - found.medial_angle, 0.0))


def _site(spec: UnilateralLaminotomy, corridor: TiltingCorridor, body: Body) -> Site:
    """Return the site at the end of the docked tube."""
    return Site(
        NAME,
        spec.disc,
        spec.side,
        corridor.axis,
        corridor.depth,
        (0.0, 0.0, corridor.depth),
        spec.tube_diameter / 2 - value("procedures.laminotomy.tool_margin"),
        (0.0, 0.0, 0.0),
        0.0,
        frozenset(body.structures),
        nerves_of(body),
        access_tools(NAME, spec.tube_diameter, corridor) | _tools(),
    )


def _looking_across(site: Site, corridor: TiltingCorridor, body: Body) -> Site:
    """Return the site as the tilted tube shows it; the microscope looks at what lies under the midline."""
    x, y, z = value("procedures.over_the_top.view.focus")
    place = midline_frame(body.bones, site.disc).to_parent(np.array([SIGN[site.side] * x, y, z]))
    frame = corridor.tilted(site.frame, corridor.tilt)
    return replace(site, frame=frame, focus=_local(frame.to_local(place)))


def _tools() -> dict[str, Instrument]:
    name = f"instrument.{NAME}"
    return {
        "burr": burr(f"{name}.burr"),
        "kerrison": kerrison(f"{name}.kerrison"),
        "probe": nerve_probe(f"{name}.nerve_probe"),
    }


def _left(site: Site, body: Body, stages: Stages) -> list[Surface]:
    """Return what is left around the nerves at the end: disc, bone, and what remains of the flava."""
    bones = [list(stages[level].values())[-1] for level in levels_of(site.disc)]
    flava = [list(stages[name].values())[-1] for name in freeing.flava(site) if len(stages.get(name, ())) > 1]
    front = site.present(f"disc.{site.disc}", "posterior_longitudinal_ligament")
    return [*bones, *flava, *(body.structures[name].surface for name in front)]


def _rounds(
    site: Site, tilted: Site, body: Body, windows: Undercut, relieved: freeing.Warps, stages: Stages
) -> Rounds:
    """Return where the tools go, from the bones as they are shown and the windows."""
    spread = site.room - 1.5
    bone = NearBone(site, body)
    before, after = (Reach(BoneLeft(bone, window), spread, walled=True) for window in windows.near[-2:])
    narrow = farther(freeing.nerves_around(site, body, relieved, free=False), SPARED)
    free = freeing.nerves_around(site, body, relieved, free=True)
    burr_places = places_across(windows, tilted.frame, value("instruments.burr.head_diameter") / 2)
    middle = np.mean(burr_places, axis=0)[:2]
    both = Windows((windows.near[-1], windows.across[-1]), middle)
    below = levels_of(site.disc)[1]
    opened = freeing.with_bone(body, below, stages[below][site.variant(1)])
    leaning, wide = (
        Reach(BoneLeft(NearBone(tilted, whole), both), spread, walled=True) for whole in (body, opened)
    )
    last = Reach(BoneLeft(NearBone(site, opened), windows.near[-1]), spread, walled=True)
    shield = freeing.ligaments_around(site, body)
    punch_places = [_local(place) for place in places_across(windows, tilted.frame, 2.4)[3:]]
    far: Side = "right" if site.side == "left" else "left"
    return Rounds(
        burr=burr_round(after, windows.near[:-1]),
        bites=bites(before.keeping_off(narrow), windows.near[-2]),
        stages=(len(windows.near), len(windows.flava)),
        across=_across(leaning.keeping_off(shield), burr_places),
        far_bites=punched(leaning.keeping_off(narrow), both, punch_places, DEEPEST),
        ligament=punched(wide.keeping_off(narrow), both, punch_places[::-1], DEEPEST),
        probes=(
            freeing.felt(wide.keeping_off(free), relieved, far, tilted.top),
            freeing.felt(last.keeping_off(free), relieved, site.side, site.top),
        ),
    )


def _local(place: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(number) for number in place)
    return x, y, z


def _across(reach: Reach, places: tuple[np.ndarray, ...]) -> Round:
    """Return the burr's round along the outer wall of the cut across the midline."""
    site, tool = reach.site, points_of(reach.site.tools["burr"])
    frames = [reach.pose(_local(place), tool, site.beside(0.9, 0.2), site.top) for place in places]
    return reach.round(kept_off(reach, frames, tool, DEEPEST) or frames[:1], tool)


def over_the_top_steps(story: OverTheTop, cameras: Mapping[str, Camera]) -> tuple[Step, ...]:
    """Return the steps of the operation, for cameras named posterior and operative."""
    site, access = story.site, story.access
    back, over = cameras["posterior"], cameras["operative"]
    down, across = (wound.microscope(place, wide=True) for place in (site, story.tilted))
    tube = site.tools["tube"].name
    return (
        *docked(access, cameras),
        wound.step(
            site,
            "laminotomy",
            down,
            during(wound.exposed(site, wound.DEEP), 0.0, 0.2),
            during(faded((tube,), 0.5), 0.0, 0.2),
            decompression.laminotomy(site, story.rounds),
            share=0.9,
        ),
        wound.step(
            site,
            "laminotomy",
            across,
            _undercut(story),
            part="across",
            share=0.9,
            parameters={"angle": story.spec.wand_angle},
        ),
        wound.step(site, "flavum", across, _flava_off(story), share=1.5),
        wound.step(site, "root", across, _freed(story), share=1.2),
        wound.step(site, "closure", over, withdrawn(access, together())),
        wound.step(site, "comparison", back, during(wound.exposed(site, wound.COMPARED), 0.05, 0.5)),
    )


def _tilting(story: OverTheTop, start: float, end: float, *, back: bool = False) -> Action:
    """Return the action that tilts the tube to the other side, or ``back``, with the tissue around it."""
    site, tube = story.site, story.site.tools["tube"].name
    frames, amounts = (story.access.docked, story.tube), (story.upright, story.leaning)
    if back:
        frames, amounts = frames[::-1], amounts[::-1]
    return together(
        during(carried((tube,), Motion((0.0, 1.0), frames)), start, end),
        during(warped(wound.operated(site), NAME, *amounts, NAME), start, end),
    )


def _over(site: Site) -> tuple[str, ...]:
    """Return the names of what lies over the cut across the midline and turns to glass: bone and muscle."""
    return site.present(site.lamina, f"multifidus.{site.side}")


def _undercut(story: OverTheTop) -> Action:
    """Return the action that tilts the tube and takes bone across the midline with burr and punch."""
    site, cut, way = story.tilted, story.cut, story.site.depth + ABOVE_SKIN
    first = story.rounds.stages[0] + 1
    return together(
        during(faded((site.tools["tube"].name, *_over(site)), GLASS), 0.1, 0.3),
        _tilting(story, 0.02, 0.24),
        used(site.tools["burr"], visit(story.rounds.across, way, 0.22, 0.84), 0.2, 0.68),
        during(cut.through(site.lamina, first, first), 0.28, 0.29),
        during(cut.through(site.lamina, first + 1, first + 1), 0.42, 0.43),
        used(site.tools["kerrison"], visit(story.rounds.far_bites, way, 0.28, 0.76), 0.66, 0.98),
    )


def _flava_off(story: OverTheTop) -> Action:
    """Return the action of the punch that takes the yellow ligaments and the edge of both recesses."""
    site, cut, way = story.tilted, story.cut, story.site.depth + ABOVE_SKIN
    below = levels_of(site.disc)[1]
    return together(
        used(site.tools["kerrison"], visit(story.rounds.ligament, way, 0.24, 0.8), 0.04, 0.94),
        freeing.flava_off(site, cut, 0.3, 0.76),
        during(cut.last(below), 0.2, 0.21),
    )


def _freed(story: OverTheTop) -> Action:
    """Return the action by which nerves fill out; the probe feels the far root, then the near one."""
    site, probe = story.site, story.site.tools["probe"]
    far, near = story.rounds.probes
    return together(
        during(freeing.released(site, story.freed), 0.04, 0.3),
        freeing.probing(story.tilted, probe, (far,), 0.26, 0.56),
        _tilting(story, 0.54, 0.68, back=True),
        during(faded((site.tools["tube"].name,), 0.5), 0.54, 0.68),
        during(faded(_over(site), 1.0), 0.54, 0.68),
        freeing.probing(site, probe, (near,), 0.66, 0.96),
    )
