"""Transforaminal full-endoscopic discectomy at L4-L5, on the shipped scene: through Kambin's triangle."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import trimesh
from operations import Case, Track, tracks

from spineviz.anatomy.recipe import Body, Recipe
from spineviz.geometry import surface_distance, surface_points, volume
from spineviz.locale import text
from spineviz.measures import table, value
from spineviz.model import Look, Pane
from spineviz.sdf.solid import Solid
from spineviz.structure import Structure, Surface
from spineviz.surgery import TransforaminalEndoscopicDiscectomy
from spineviz.surgery import endoscopes as tools
from spineviz.surgery.foramen_way import foramen_ways
from spineviz.surgery.kambin import Kambin
from spineviz.surgery.ledger import KEYS
from spineviz.surgery.transforaminal import Transforaminal, process_share
from spineviz.terms import Phase

SPLIT = ("iliocostalis.left", "longissimus.left")
"""The muscles that the sleeve goes through."""

FRAGMENT, EXITING, TRAVERSING = "herniation.L4-L5", "root.L4.left", "root.L5.left"


@cache
def track() -> Track:
    return tracks(Case("transforaminal"))[0]


@cache
def beside() -> Track:
    return tracks(Case("transforaminal"))[1]


def story() -> Transforaminal:
    found = track().prepared.story
    assert isinstance(found, Transforaminal)
    return found


def strip(of: Track, second: float) -> dict[str, float]:
    figures = of.prepared.measure(of.assembly.model, of.pane(second))
    return {key: figure.value for key, figure in zip(KEYS, figures, strict=True)}


def middle(phase: Phase) -> Pane:
    start, end = track().span(phase)
    return track().pane((start + end) / 2)


def standing(pane: Pane, tool: str) -> np.ndarray:
    """The matrix of a tool, by its short name."""
    matrix = pane.looks[story().site.tools[tool].name].matrix
    assert matrix is not None
    return np.reshape(np.array(matrix), (4, 4))


def test_a_line_through_the_triangle_has_positive_shares_of_its_corners() -> None:
    triangle = Kambin(np.array([[0.0, 0.0, 12.0], [16.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    assert (triangle.base, triangle.height, triangle.hypotenuse) == (16.0, 12.0, 20.0)
    assert triangle.area == 96.0
    ahead = np.array([0.0, 1.0, 0.0])
    assert np.allclose(triangle.crossed(np.array([8.0, -40.0, 3.0]), ahead), [0.25, 0.5, 0.25])
    assert triangle.crossed(np.array([12.0, -40.0, 8.0]), ahead).min() < 0.0
    with pytest.raises(ValueError, match="along"):
        triangle.crossed(np.zeros(3), np.array([1.0, 0.0, 0.0]))


def test_the_incision_lies_as_far_from_the_midline_as_is_usual_at_the_disc() -> None:
    assert TransforaminalEndoscopicDiscectomy().midline_offset == 100.0
    assert TransforaminalEndoscopicDiscectomy(disc="L3-L4").midline_offset == 90.0
    assert TransforaminalEndoscopicDiscectomy(disc="L3-L4", midline_offset=84.0).midline_offset == 84.0


def test_the_sleeve_goes_through_kambins_triangle_from_where_surgeons_enter() -> None:
    """Triangles of cadavers measure 10-18 mm by 12-18 mm in front of the process; 23 mm along the root."""
    way, triangle = story().way, story().triangle
    assert (triangle.crossed(way.frame.origin, way.frame.superior) > 0.0).all()
    assert 14.0 < triangle.base < 26.0 and 8.0 < triangle.height < 18.0
    assert max(triangle.base, triangle.height) < triangle.hypotenuse < triangle.base + triangle.height
    assert -way.entry[0] == pytest.approx(100.0, abs=4.0)
    low, high = table("procedures.transforaminal.docking")["axial"]
    assert low <= way.axial <= high
    assert 15.0 <= way.sagittal <= 30.0


def test_the_sleeve_keeps_off_both_roots_the_sac_and_the_iliac_crest() -> None:
    """Measured again on the surfaces that are drawn, the sleeve taken as a rod down to its tongue's tip."""
    model, way = track().assembly.model, story().way
    for phase in ("laminotomy", "root", "fragment"):
        pane = middle(phase)
        matrix = standing(pane, "tube")
        for name in (EXITING, TRAVERSING, "thecal_sac"):
            points = surface_points(model.posed(name, pane.looks[name]), 0.7)
            local = (points - matrix[:3, 3]) @ matrix[:3, :3]
            local = local[(local[:, 2] > 0.0) & (local[:, 2] < 60.0)]
            if len(local):
                assert np.hypot(*local[:, :2].T).min() - 7.5 / 2 > 0.4, (phase, name)
    crest = way.frame.to_local(surface_points(model.structures["ilium.left"].surface, 1.0))
    crest = crest[(crest[:, 2] > 0.0) & (crest[:, 2] < way.length)]
    assert np.hypot(*crest[:, :2].T).min() - 7.5 / 2 > 2.0


def test_the_exiting_root_is_not_touched_and_no_root_is_drawn() -> None:
    rest = track().assembly.model.structures[EXITING].surface.vertices
    for second in np.linspace(0.0, track().timeline.seconds, 40):
        looks = track().pane(second).looks
        assert looks[EXITING].warp is None
        assert np.array_equal(track().assembly.model.vertices(EXITING, looks[EXITING]), rest)
        warp = looks[TRAVERSING].warp
        assert warp is not None and warp[1][1] == 0.0


def test_the_traversing_root_fills_out_when_the_fragment_is_gone() -> None:
    assert track().pane(0.0).looks[TRAVERSING].warp == ("surgery", (1.0, 0.0))
    assert track().pane(track().span("fragment")[1]).looks[TRAVERSING].warp == ("surgery", (0.0, 0.0))


def test_the_articular_process_alone_gives_bone_and_no_more_than_is_allowed() -> None:
    low, high = table("procedures.transforaminal")["process_removed"]
    assert low < story().taken <= high
    variants = track().prepared.variants
    assert {name for name in variants if name in track().assembly.model.bones} == {"L5"}
    whole = volume(track().assembly.model.structures["L5"].surface)
    volumes = [volume(surface) for surface in variants["L5"].values()]
    assert len(volumes) == value("procedures.laminotomy.stages")
    assert np.all(np.diff([whole, *volumes]) < 0.0)
    assert 0.02 < (whole - volumes[-1]) / 1000 < 0.6
    bone, surface = track().assembly.model.bones["L5"], track().assembly.model.structures["L5"].surface
    told = process_share(bone, "left", surface, variants["L5"]["transforaminal.4"])  # type: ignore[arg-type]
    assert story().share == pytest.approx(told)
    assert 0.01 < told < 0.33


def test_nothing_is_spent_before_the_first_cut_and_less_than_by_open_surgery_after_it() -> None:
    assert set(strip(track(), track().span("incision")[0]).values()) == {0.0}
    small, wide = (strip(of, of.span("root")[1]) for of in (track(), beside()))
    assert small["incision"] == 8.0
    tube = np.pi * (7.5 / 2) ** 2 * story().site.depth / 1000
    assert small["corridor"] == pytest.approx(tube, rel=0.05)
    assert small["bared"] < 0.5 and small["displaced"] < 0.2
    for key in KEYS:
        assert small[key] < wide[key], key


@pytest.mark.parametrize("phase", ["access", "retractor", "laminotomy", "root", "closure"])
def test_what_the_sleeve_parts_keeps_its_volume(phase: Phase) -> None:
    """The map of the opening keeps the area of whole rings about it, not of their parts.

    The ligament between the transverse processes, a sheet of 186 mm³ on one side of the sleeve, loses 5.8 %
    of its volume while it is pushed aside; the muscle beside it, of 193 mm³, loses 2 %.
    """
    model, pane = track().assembly.model, middle(phase)
    for name in (*SPLIT, "multifidus.left", "thoracolumbar_fascia", "subcutaneous_fat", "skin"):
        rest, now = model.surface(name, pane.looks[name]), model.posed(name, pane.looks[name])
        assert volume(now) == pytest.approx(volume(rest), rel=0.03), name
        assert volume(rest) == pytest.approx(volume(model.structures[name].surface), rel=0.01), name
    for name in story().site.aside:
        moved = volume(model.posed(name, pane.looks[name]))
        most = 0.07 if name.startswith("intertransverse.") else 0.03
        assert moved == pytest.approx(volume(model.structures[name].surface), rel=most), name


def test_muscle_and_layers_lie_on_the_sleeve() -> None:
    pane, model = middle("laminotomy"), track().assembly.model
    matrix = standing(pane, "tube")
    for name in (*SPLIT, "thoracolumbar_fascia", "subcutaneous_fat"):
        posed = model.posed(name, pane.looks[name])
        local = (posed.vertices - matrix[:3, 3]) @ matrix[:3, :3]
        along = local[(local[:, 2] > 4.0) & (local[:, 2] < story().site.depth - 6.0)]
        assert np.hypot(*along[:, :2].T).min() == pytest.approx(7.5 / 2, abs=0.5), name


def test_no_muscle_or_ligament_stands_in_the_sleeve() -> None:
    """All muscles, fasciae and ligaments of the body are asked, not only those that are known to give way."""
    pane, model = track().pane(track().span("root")[1]), track().assembly.model
    matrix = standing(pane, "tube")
    found = {}
    for name, item in model.structures.items():
        look = pane.looks[name]
        if item.tissue in ("muscle", "fascia", "ligament"):
            points = surface_points(model.posed(name, look), 1.0)
            local = (points - matrix[:3, 3]) @ matrix[:3, :3]
            local = local[(local[:, 2] > 8.0) & (local[:, 2] < 100.0)]
            if len(local) and (deep := 7.5 / 2 - np.hypot(*local[:, :2].T).min()) > 0.6:
                found[name] = round(float(deep), 2)
    assert not found


def test_the_skin_opens_as_a_lens_as_long_as_the_incision() -> None:
    """A gaping slit keeps its lips' length: it is a little shorter from end to end."""
    model = track().assembly.model
    pane = track().pane(track().span("fascia")[1])
    variant = model.surface("skin", pane.looks["skin"])
    posed = model.posed("skin", pane.looks["skin"])
    rest = story().site.frame.to_local(variant.vertices)
    slit = (np.abs(rest[:, 0]) < 0.05) & (np.abs(rest[:, 1]) < 4.01)
    now = story().site.frame.to_local(posed.vertices)[slit]
    assert np.ptp(rest[slit, 1]) == pytest.approx(8.0, abs=0.1)
    assert 6.5 < np.ptp(now[:, 1]) < 8.0
    assert 1.0 < np.ptp(now[:, 0]) < 4.0


def test_the_fragment_leaves_whole_through_the_bore_of_the_sleeve() -> None:
    start, end = track().span("fragment")
    model, site = track().assembly.model, story().site
    whole = volume(model.structures[FRAGMENT].surface)
    last = -np.inf
    for second in np.linspace(start, end, 14):
        look: Look = track().pane(second).looks[FRAGMENT]
        if look.warp is None or look.warp[0] == "surgery":
            continue
        posed = model.posed(FRAGMENT, look)
        assert volume(posed) == pytest.approx(whole, rel=0.03)
        local = site.frame.to_local(posed.vertices)
        high = local[local[:, 2] > story().plan.deep.sleeve + tools.bevel_length(7.5)]
        if len(high):
            assert np.hypot(*high[:, :2].T).max() < tools.sleeve_bore(7.5) + 0.1
        assert local[:, 2].mean() >= last
        last = float(local[:, 2].mean())
    assert last > 60.0
    assert not track().pane(end).looks[FRAGMENT].visible


def test_the_jaws_hold_the_fragment_on_all_its_way_and_the_endoscope_stays_in_the_sleeve() -> None:
    start, end = track().span("fragment")
    model, site = track().assembly.model, story().site
    held = 0
    for second in np.linspace(start, end, 14):
        pane = track().pane(second)
        look = pane.looks[FRAGMENT]
        if look.warp is None or look.warp[0] == "surgery" or not look.visible:
            continue
        tips = standing(pane, "forceps")[:3, 3] + np.outer(
            np.linspace(0.0, 4.0, 9), standing(pane, "forceps")[:3, 2]
        )
        assert surface_distance(model.posed(FRAGMENT, look))(tips).min() < 0.0, second
        shaft = site.frame.to_local(standing(pane, "scope")[:3, 3][None])[0]
        assert np.hypot(*shaft[:2]) + 6.3 / 2 <= tools.sleeve_bore(7.5) + 0.05
        held += 1
    assert held > 4


def test_the_tongue_lies_towards_the_exiting_root() -> None:
    pane, model = middle("root"), track().assembly.model
    matrix = standing(pane, "tube")
    points = surface_points(model.structures[EXITING].surface, 1.0)
    local = (points - matrix[:3, 3]) @ matrix[:3, :3]
    local = local[np.abs(local[:, 2]) < 12.0]
    nearest = local[np.hypot(*local[:, :2].T).argmin()]
    assert nearest[1] / np.hypot(*nearest[:2]) > np.cos(np.radians(40.0))


@cache
def loins() -> Body:
    """The bones, nerves and discs of the scene under a flat skin, with a lump on the disc L5-S1 besides."""
    model = track().assembly.model
    ball = trimesh.creation.icosphere(2, 4.0)
    disc = model.structures["disc.L5-S1"].surface.vertices
    back = disc[(np.abs(disc[:, 0] + 8.0) < 2.0)]
    place = back[back[:, 1].argmin()] - np.array([0.0, 3.0, 0.0])
    lump = Structure("herniation.L5-S1", "fragment", Surface(ball.vertices + place, ball.faces))
    solid = Solid(lambda points: -62.0 - points[:, 1], np.full(3, -200.0), np.full(3, 300.0))
    skin = Recipe("skin", "skin", solid, 4.0)
    structures = {**model.structures, lump.name: lump}
    return Body(model.bones, {"skin": skin}, structures, {})  # type: ignore[arg-type]


def test_at_l5_s1_the_iliac_crest_bars_the_way_and_the_refusal_says_by_how_much() -> None:
    with pytest.raises(
        ValueError, match=r"the iliac crest .* freest way enters it by \d\.\d mm, and at \d+ and"
    ):
        foramen_ways(loins(), "L5-S1", "left", 7.5 / 2, 130.0, 4.0)


def test_where_too_little_of_the_process_may_be_taken_the_refusal_says_how_much_is_needed() -> None:
    with pytest.raises(ValueError, match=r"needs \d\.\d mm of the articular process, .* allows 0;"):
        foramen_ways(loins(), "L4-L5", "left", 7.5 / 2, 100.0, 0.0)


def test_every_step_has_its_sentence() -> None:
    for moment in track().timeline.tracks[0]:
        assert moment.step.title is not None and text(moment.step.title)


def test_all_falls_back_in_the_end() -> None:
    looks = track().pane(track().timeline.seconds).looks
    for name in (*SPLIT, "multifidus.left", "thoracolumbar_fascia", "subcutaneous_fat", *story().site.aside):
        assert looks[name].warp is None and looks[name].variant == "", name
    assert not [name for name, look in looks.items() if name.startswith("instrument") and look.visible]
    assert looks["L5"].variant != "" and looks["L4"].variant == ""


def test_the_skin_is_whole_when_it_is_sewn_and_the_stitch_is_in_the_picture() -> None:
    _, end = track().span("closure")
    pane = track().pane(end - 0.01)
    assert pane.looks["skin"].visible and pane.looks["skin"].opacity == 1.0
    stitch = track().prepared.sewing.stitches[0].surface.vertices.mean(axis=0)
    right = np.cross(pane.camera.up, pane.camera.direction)
    assert abs(float((stitch - pane.camera.focus) @ right)) < 0.45 * pane.camera.height
