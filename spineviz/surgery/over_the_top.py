"""Over the top: through one tube on one side, a narrow canal is widened on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np

from spineviz.anatomy.recipe import Body
from spineviz.measures import value
from spineviz.model import Camera
from spineviz.structure import Frame
from spineviz.surgery import decompression, freeing, resection, wound
from spineviz.surgery.access import within
from spineviz.surgery.actions import Amounts, Motion, carried, faded, together, warped
from spineviz.surgery.crossing import Crossing, crossing
from spineviz.surgery.decompression import ABOVE_SKIN
from spineviz.surgery.instruments import Instrument, nerve_probe
from spineviz.surgery.punches import burr, kerrison
from spineviz.surgery.relief import reliefs
from spineviz.surgery.retraction import parted
from spineviz.surgery.retraction.tilting import TiltingCorridor
from spineviz.surgery.site import Site, Spell, place_of
from spineviz.surgery.tissue import Tissue, opened_tissue
from spineviz.surgery.tube_access import (
    ThroughTube,
    TubeAccess,
    corridor_to,
    docked,
    tube_access,
    tube_site,
    withdrawn,
)
from spineviz.surgery.undercut import (
    midline_frame,
    undercut_stages,
    undercut_windows,
)
from spineviz.terms import SIGN, levels_of
from spineviz.timeline import Action, Step, during

NAME = "over_the_top"

ACROSS, FAR, LIGAMENT = (
    Spell(0.2, 0.68, 0.22, 0.84),
    Spell(0.66, 0.98, 0.28, 0.76),
    Spell(0.04, 0.94, 0.24, 0.8),
)
"""When in their steps the burr and the punch work across the midline, and the punch at the ligaments."""


class UnilateralLaminotomy(ThroughTube):
    """Bilateral decompression of a narrow canal through a tube on one side; mm and degrees."""

    kind: Literal["unilateral_laminotomy"] = "unilateral_laminotomy"
    tube_diameter: float = within(NAME, "tube_diameter", 18.0)
    incision_length: float = within(NAME, "incision_length", 20.0)
    midline_offset: float = within(NAME, "midline_offset", 25.0)
    wand_angle: float = within(NAME, "wand_angle", 25.0)
    lamina_removed: float = within(NAME, "lamina_removed", 12.0)
    facet_removed: float = within(NAME, "facet_removed", 3.0)


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
    rounds: Crossing
    cut: freeing.Taken
    upright: Amounts
    leaning: Amounts
    tube: Frame
    freed: tuple[str, ...]


def prepare_over_the_top(spec: UnilateralLaminotomy, body: Body) -> tuple[OverTheTop, Tissue]:
    """Return the story's matter, and the variants and warps of the body's tissue."""
    corridor = _corridor(spec, body)
    site = tube_site(NAME, spec, corridor, body, _tools())
    tilted = _looking_across(site, corridor, body)
    shown = freeing.as_shown(body, site)
    near = resection.windows(site, shown, spec.lamina_removed, spec.facet_removed)
    windows = undercut_windows(near, shown.bones, spec.disc, spec.side, spec.lamina_removed)
    stages = undercut_stages(site, body, windows)
    relieved = reliefs(site, body, freeing.left_around(site, body, stages))
    access = tube_access(site, corridor, body, spec.tube_diameter)
    story = OverTheTop(
        spec=spec,
        site=site,
        tilted=tilted,
        access=access,
        rounds=crossing(site, tilted, shown, windows, relieved, stages),
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
    found = corridor_to(spec, body)
    known = {item.name: getattr(found, item.name) for item in fields(found)}
    return TiltingCorridor(**known, tilt=max(spec.wand_angle - found.medial_angle, 0.0))


def _looking_across(site: Site, corridor: TiltingCorridor, body: Body) -> Site:
    """Return the site as the tilted tube shows it; the microscope looks at what lies under the midline."""
    x, y, z = value("procedures.over_the_top.view.focus")
    place = midline_frame(body.bones, site.disc).to_parent(np.array([SIGN[site.side] * x, y, z]))
    frame = corridor.tilted(site.frame, corridor.tilt)
    return replace(site, frame=frame, focus=place_of(frame.to_local(place)))


def _tools() -> dict[str, Instrument]:
    name = f"instrument.{NAME}"
    return {
        "burr": burr(f"{name}.burr"),
        "kerrison": kerrison(f"{name}.kerrison"),
        "probe": nerve_probe(f"{name}.nerve_probe"),
    }


def over_the_top_steps(story: OverTheTop, cameras: Mapping[str, Camera]) -> tuple[Step, ...]:
    """Return the steps of the operation, for cameras named posterior and operative."""
    site, access = story.site, story.access
    back, over = cameras["posterior"], cameras["operative"]
    down = wound.microscope(site, wide=True)
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
            least=decompression.laminotomy_seconds(story.rounds),
        ),
        wound.step(
            site,
            "laminotomy",
            down,
            _undercut(story),
            part="across",
            share=0.9,
            least=max(ACROSS.seconds(story.rounds.across), FAR.seconds(story.rounds.far_bites)),
            parameters={"angle": story.spec.wand_angle},
        ),
        wound.step(
            site,
            "flavum",
            down,
            _flava_off(story),
            share=1.5,
            least=LIGAMENT.seconds(story.rounds.ligament),
        ),
        wound.step(site, "root", down, _freed(story), share=1.2),
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
        during(faded((site.tools["tube"].name, *_over(site)), wound.GLASS), 0.1, 0.3),
        _tilting(story, 0.02, 0.24),
        ACROSS.action(site, "burr", story.rounds.across, way),
        during(cut.through(site.lamina, first, first), 0.28, 0.29),
        during(cut.through(site.lamina, first + 1, first + 1), 0.42, 0.43),
        FAR.action(site, "kerrison", story.rounds.far_bites, way),
    )


def _flava_off(story: OverTheTop) -> Action:
    """Return the action of the punch that takes the yellow ligaments and the edge of both recesses."""
    site, cut, way = story.tilted, story.cut, story.site.depth + ABOVE_SKIN
    below = levels_of(site.disc)[1]
    return together(
        LIGAMENT.action(site, "kerrison", story.rounds.ligament, way),
        freeing.flava_off(site, cut, 0.3, 0.76),
        during(cut.last(below), 0.2, 0.21),
    )


def _freed(story: OverTheTop) -> Action:
    """Return the action by which nerves fill out; the probe feels the far root, then the near one."""
    site, probe = story.site, story.site.tools["probe"]
    far, near = story.rounds.probes
    return together(
        during(freeing.released(site, story.freed), 0.04, 0.3),
        freeing.probing(story.tilted, probe, far, 0.26, 0.56),
        _tilting(story, 0.54, 0.68, back=True),
        during(faded((site.tools["tube"].name,), 0.5), 0.54, 0.68),
        during(faded(_over(site), 1.0), 0.54, 0.68),
        freeing.probing(site, probe, near, 0.66, 0.96),
    )
