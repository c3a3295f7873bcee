"""Transforaminal full-endoscopic discectomy: a sleeve from the side, through Kambin's triangle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from pydantic import model_validator

from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.recipe import Body
from spineviz.geometry import volume
from spineviz.measures import table, value
from spineviz.structure import Frame, Surface
from spineviz.surgery import wound
from spineviz.surgery.access import PosteriorApproach, within
from spineviz.surgery.actions import Amounts
from spineviz.surgery.decompression import removal_warp
from spineviz.surgery.endoscopes import (
    blunt_dilator,
    endoscope,
    endoscopic_burr,
    endoscopic_punch,
    forceps,
    sleeve_bore,
    working_sleeve,
)
from spineviz.surgery.endoscopic_plan import Openings
from spineviz.surgery.foramen_plan import (
    ForamenPlan,
    foramen_openings,
    foramen_plan,
    foramen_windows,
    resting_height,
)
from spineviz.surgery.foramen_way import ForamenWay, foramen_ways
from spineviz.surgery.instruments import Instrument, scalpel
from spineviz.surgery.kambin import Kambin
from spineviz.surgery.needles import guide_wire, spinal_needle
from spineviz.surgery.resection import cut_bone, open_ligament
from spineviz.surgery.retraction import parted, terrain
from spineviz.surgery.retraction.beside import parted_beside
from spineviz.surgery.retraction.sideways import SidewaysCorridor
from spineviz.surgery.site import Site, nerves_of, surface_height
from spineviz.surgery.steering import Stance, Steering
from spineviz.surgery.tissue import Tissue, opened_tissue
from spineviz.surgery.tube_access import TubeAccess
from spineviz.surgery.window import Window
from spineviz.terms import Disc, Level, Side, levels_of

NAME = "transforaminal"

TRIED = 8
"""How many of the best ways are tried."""

GRID = 0.7
"""How finely (mm) an articular process is sampled to tell its volume."""

PROCESS = ((-14.0, 14.0), (-26.0, 0.0), (2.0, 26.0))
"""Where about the pedicle's middle the articular process stands: across, behind and above it, mm."""

NEEDLE = 3.0
"""How far (mm) before the end of the sleeve's way the needle's tip stops."""


class TransforaminalEndoscopicDiscectomy(PosteriorApproach):
    """Removal of displaced disc material through an endoscope in the foramen; mm."""

    kind: Literal["transforaminal_endoscopic_discectomy"] = "transforaminal_endoscopic_discectomy"
    sleeve_diameter: float = within(NAME, "sleeve_diameter", 7.5)
    incision_length: float = within(NAME, "incision_length", 8.0)
    midline_offset: float = within(NAME, "midline_offset", 100.0)
    process_removed: float = within(NAME, "process_removed", 4.0)

    @model_validator(mode="before")
    @classmethod
    def _usual(cls, data: Any) -> Any:
        """Fill in how far from the midline the incision usually lies at the disc."""
        if isinstance(data, dict) and "midline_offset" not in data:
            usual = table("procedures.transforaminal.usual_offset").get(data.get("disc", "L4-L5"))
            return data if usual is None else {**data, "midline_offset": usual}
        return data


@dataclass(frozen=True, eq=False)
class Transforaminal:
    """Everything that the story needs: how it is steered, where all goes, and how the tissue opens.

    ``taken`` (mm) is how far the window goes into the articular process, and ``share`` what part of it goes.
    """

    spec: TransforaminalEndoscopicDiscectomy
    steering: Steering
    plan: ForamenPlan
    access: TubeAccess
    way: ForamenWay
    triangle: Kambin
    taken: float
    share: float = 0.0

    @property
    def site(self) -> Site:
        """Where the approach works."""
        return self.steering.site

    @property
    def lower(self) -> Level:
        """The bone whose articular process is taken from."""
        return levels_of(self.site.disc)[1]


def prepare_transforaminal(
    spec: TransforaminalEndoscopicDiscectomy, body: Body
) -> tuple[Transforaminal, Tissue]:
    """Return the story's matter, and the variants and warps of the body's tissue.

    Raises ValueError, telling the reason, where no sleeve can be led through the foramen to the fragment.
    """
    _meant_for(body, spec.disc)
    radius = spec.sleeve_diameter / 2
    ways, triangle = foramen_ways(
        body, spec.disc, spec.side, radius, spec.midline_offset, spec.process_removed
    )
    problem: ValueError | None = None
    for way in ways[:TRIED]:
        try:
            return _led(spec, body, way, triangle)
        except ValueError as error:
            problem = problem or error
    assert problem is not None
    raise problem


def _led(
    spec: TransforaminalEndoscopicDiscectomy, body: Body, way: ForamenWay, triangle: Kambin
) -> tuple[Transforaminal, Tissue]:
    """Return the story's matter along a way. Raises ValueError where it cannot be gone."""
    level = levels_of(spec.disc)[1]
    radius = spec.sleeve_diameter / 2
    stages = int(value("procedures.laminotomy.stages"))
    windows, taken = foramen_windows(body, level, way, radius, stages)
    if taken > spec.process_removed:
        raise ValueError(
            f"{spec.disc} {spec.side}: a sleeve of {spec.sleeve_diameter:g} mm needs {taken:.1f} mm of the "
            f"articular process, and process_removed allows {spec.process_removed:g}"
        )
    steering = _steering(spec, body, way)
    openings = foramen_openings(steering.site, body, {level: windows} if windows else {}, radius)
    rest = resting_height(body, way, radius)
    plan = foramen_plan(steering, body, openings, spec.sleeve_diameter, rest)
    corridor = replace(steering.corridor, swing=_widest(plan))
    beside = parted_beside(corridor, body.structures, spec.disc)  # type: ignore[arg-type]
    site = replace(steering.site, aside=tuple(beside))
    steering = Steering(site, corridor)
    access = _access(steering, body, plan.home)
    story = Transforaminal(spec, steering, plan, access, way, triangle, taken)
    parts = {**parted(corridor, body.recipes, body.structures), **beside}
    tissue = opened_tissue(
        site,
        body,
        corridor,
        parts,
        _resected(site, body, openings),
        {(site.fragment, removal_warp(site)): plan.removal},
    )
    cut = tissue.variants.get(level)
    if cut:
        whole, left = body.structures[level].surface, list(cut.values())[-1]
        story = replace(story, share=process_share(body.bones[level], spec.side, whole, left))
    return story, tissue


def _meant_for(body: Body, disc: Disc) -> None:
    """Raise ValueError where there is no displaced material, or it has migrated too far for this way."""
    name = f"herniation.{disc}"
    if name not in body.structures:
        raise ValueError(f"{disc}: there is no displaced disc material to remove; add a herniation")
    upper, lower = levels_of(disc)
    plates = (
        body.bones[upper].landmarks["endplate.inferior"],
        body.bones[lower].landmarks["endplate.superior"],
    )
    height = float(np.linalg.norm(plates[0].origin - plates[1].origin))
    vertices = body.structures[name].surface.vertices
    away = (plates[0].to_local(vertices)[:, 2].max(), -plates[1].to_local(vertices)[:, 2].min())
    for way, where in zip(away, ("above", "below"), strict=True):
        if way > height:
            raise ValueError(
                f"{disc}: the displaced material reaches {way:.0f} mm {where} the disc, farther than that is "
                "high; the way through the foramen is for material at the disc: go between the laminae"
            )


def process_share(bone: LevelBone, side: Side, whole: Surface, left: Surface) -> float:
    """Return what share 0..1 of a superior articular process is missing where a bone's surface is ``left``.

    The process is what of the bone stands behind the pedicle's middle and above its axis on that side.
    """
    pedicle = bone.landmarks[f"pedicle.{side}"]
    axes = [np.arange(low, high, GRID) for low, high in PROCESS]
    nodes = pedicle.to_parent(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3))
    process = float(np.count_nonzero(bone.grid(nodes) < 0.0)) * GRID**3
    return (volume(whole) - volume(left)) / process if process else 0.0


def _steering(spec: TransforaminalEndoscopicDiscectomy, body: Body, way: ForamenWay) -> Steering:
    """Return what is steered through a sleeve along a way; the site's origin is where the way ends."""
    right, cranial, out = way.frame.axes
    corridor = SidewaysCorridor(
        Frame(way.frame.origin, np.array([right, -out, cranial])),
        way.length,
        spec.sleeve_diameter,
        spec.incision_length,
        spec.side,
        terrain(body.bones),
    )
    site = Site(
        NAME,
        spec.disc,
        spec.side,
        corridor.axis,
        corridor.depth,
        (0.0, 0.0, corridor.depth),
        sleeve_bore(spec.sleeve_diameter),
        (0.0, 0.0, 0.0),
        0.0,
        frozenset(body.structures),
        nerves_of(body),
        _tools(spec),
    )
    return Steering(site, corridor)


def _tools(spec: TransforaminalEndoscopicDiscectomy) -> Mapping[str, Instrument]:
    """Return the instruments by their short names."""
    name = f"instrument.{NAME}"
    shaft, scope_body = endoscope(f"{name}.endoscope")
    grasper, jaw = forceps(f"{name}.forceps")
    return {
        "needle": spinal_needle(f"{name}.spinal_needle"),
        "wire": guide_wire(f"{name}.guide_wire"),
        "scalpel": scalpel(f"{name}.scalpel"),
        "dilator.1": blunt_dilator(f"{name}.dilator", spec.sleeve_diameter),
        "tube": working_sleeve(f"{name}.working_sleeve", spec.sleeve_diameter),
        "scope": shaft,
        "body": scope_body,
        "burr": endoscopic_burr(f"{name}.endoscopic_burr"),
        "punch": endoscopic_punch(f"{name}.endoscopic_punch"),
        "forceps": grasper,
        "jaw": jaw,
    }


def _widest(plan: ForamenPlan) -> float:
    """Return how far (mm) the sleeve's end is swung at most."""
    stances = (*plan.burr, *plan.punch, *plan.ligament)
    return max((float(np.hypot(stance.right, stance.cranial)) for stance in stances), default=0.0)


def _access(steering: Steering, body: Body, home: Stance) -> TubeAccess:
    """Return the way in: a stab at the wire, the dilator over it, the sleeve over that."""
    site, corridor = steering.site, steering.corridor
    skin, fascia = (body.structures[name].surface for name in (wound.SKIN, wound.FASCIA))
    fascia_depth = corridor.length - surface_height(site.frame, fascia, (0.0, 0.0), 4.5)
    gape, half = table("procedures.gape"), corridor.incision / 2
    skin_cut: Amounts = tuple(corridor.incising(gape["skin"], fascia_depth))
    widths = [0.0, 2 * site.tools["dilator.1"].radius, corridor.diameter]
    return TubeAccess(
        site=site,
        incision=corridor.incision,
        diameter=corridor.diameter,
        closed=tuple(0.0 for _ in corridor.full),
        uncut=((0.0, 0.0, skin_cut[2]), skin_cut),
        skin_cut=skin_cut,
        fascia_cut=tuple(corridor.incising(gape["fascia"], fascia_depth + gape["beyond_fascia"])),
        dilations=tuple(
            (tuple(corridor.inserting(a, b, 0.0)), tuple(corridor.inserting(a, b, 1.0)))
            for a, b in pairwise(widths)
        ),
        withdrawal=(tuple(corridor.withdrawing(0.0)), tuple(corridor.withdrawing(1.0))),
        skin_line=wound.knife_line(site, skin, across=0.0, half=half, depth=2.5, lean=0.7),
        fascia_line=wound.knife_line(site, fascia, across=0.0, half=half, depth=2.5, lean=1.2),
        fascia_depth=fascia_depth,
        docked=steering.sleeve(home),
    )


def _resected(site: Site, body: Body, openings: Openings) -> dict[str, dict[str, Surface]]:
    """Return the stages of bone and ligament that the windows leave, by structure and name."""

    def stages(level: Level, windows: tuple[Window, ...]) -> dict[str, Surface]:
        surface = body.structures[level].surface
        return {site.variant(k): cut_bone(surface, window).surface for k, window in enumerate(windows, 1)}

    result: dict[str, dict[str, Surface]] = {
        level: stages(level, windows) for level, windows in openings.bone.items()
    }
    if openings.ligament and site.flavum in body.recipes:
        recipe = body.recipes[site.flavum]
        result[site.flavum] = {
            site.variant(k): recipe.painted(open_ligament(recipe.solid, recipe.step, window))
            for k, window in enumerate(openings.ligament, 1)
        }
    return result
