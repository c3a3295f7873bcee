"""Both operations: the same phases, every step visible, nothing left behind."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest
import trimesh
from operated import CAMERAS, FRAGMENT, KINDS, ROOT, body, film, model, pane, prepared, span
from pydantic import TypeAdapter, ValidationError

from spineviz.geometry import surface_distance, surface_points, volume
from spineviz.locale import text
from spineviz.model import Look
from spineviz.structure import Frame, Points, Surface
from spineviz.surgery import Approach, OpenMidlineDiscectomy, TubularMicrodiscectomy
from spineviz.surgery.actions import Motion
from spineviz.surgery.removal import LONGEST
from spineviz.terms import PHASES

INTO_BONE = 0.3
"""How deep (mm) an instrument may press into bone."""


def times() -> list[float]:
    return [film().seconds * share for share in np.linspace(0, 1, 23)]


def visible(look: Look) -> bool:
    return look.visible and look.opacity > 0


def in_hand(kind: str, second: float) -> list[str]:
    looks = pane(kind, second).looks
    shown = (name for name, look in looks.items() if name.startswith("instrument") and visible(look))
    return [name for name in shown if ".stitch." not in name and not name.endswith("marked_line")]


def test_both_operations_go_through_all_phases_in_the_same_order() -> None:
    orders = [[step.phase for step in prepared(kind).steps(CAMERAS)] for kind in KINDS]
    for order in orders:
        assert list(dict.fromkeys(order)) == list(PHASES)
        assert order == sorted(order, key=PHASES.index)


def test_the_film_lasts_about_a_minute_and_both_tracks_end_together() -> None:
    assert 50 <= film().seconds <= 66
    first, second = film().tracks
    assert first[-1].end == pytest.approx(second[-1].end)


@pytest.mark.parametrize("kind", KINDS)
def test_every_step_changes_the_picture_and_then_rests(kind: str) -> None:
    for moment in film().tracks[KINDS.index(kind)]:
        after = pane(kind, moment.end)
        assert dict(after.looks) != dict(moment.before.looks)
        almost = pane(kind, moment.end - 0.06 * (moment.end - moment.start))
        assert almost.looks == after.looks


@pytest.mark.parametrize("kind", KINDS)
def test_every_caption_is_in_the_catalogue(kind: str) -> None:
    for step in prepared(kind).steps(CAMERAS):
        assert text(step.title)
    assert text(prepared(kind).heading)


@pytest.mark.parametrize("kind", KINDS)
def test_scrubbing_backwards_equals_forwards(kind: str) -> None:
    forwards = [pane(kind, second) for second in times()]
    assert forwards == [pane(kind, second) for second in reversed(times())][::-1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_look_finds_its_variant_and_its_warp(kind: str) -> None:
    for second in times():
        for name, look in pane(kind, second).looks.items():
            if visible(look):
                points = model().vertices(name, look)
                assert len(points) == len(model().surface(name, look).vertices)
                assert np.isfinite(points).all()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_pops_in_or_out(kind: str) -> None:
    seconds = np.arange(0, film().seconds, 0.08)
    panes = [pane(kind, float(second)).looks for second in seconds]
    for before, after in pairwise(panes):
        for name in before:
            first, last = before[name], after[name]
            change = (last.opacity if last.visible else 0.0) - (first.opacity if first.visible else 0.0)
            assert abs(change) < 0.7, name


@pytest.mark.parametrize("kind", KINDS)
def test_no_instrument_is_left_behind_and_none_shown_before_the_cut(kind: str) -> None:
    assert in_hand(kind, 0.0) == in_hand(kind, span(kind, "incision")[0]) == []
    assert in_hand(kind, span(kind, "closure")[1]) == in_hand(kind, film().seconds) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_fragment_leaves_through_the_corridor(kind: str) -> None:
    start, end = span(kind, "fragment")
    site = prepared(kind).story.site
    shown = [second for second in np.linspace(start, end, 30) if visible(pane(kind, second).looks[FRAGMENT])]
    way = [
        site.frame.to_local(model().vertices(FRAGMENT, pane(kind, t).looks[FRAGMENT]).mean(0)) for t in shown
    ]
    assert way[-1][2] > site.depth - 5
    assert max(np.hypot(*(place[:2] - site.top[:2])) for place in way if place[2] > 15) < site.room
    assert not visible(pane(kind, end).looks[FRAGMENT])


@pytest.mark.parametrize("kind", KINDS)
def test_the_root_is_freed_and_goes_back(kind: str) -> None:
    assert pane(kind, 0.0).looks[ROOT].warp == ("surgery", (1.0, 0.0))
    assert pane(kind, span(kind, "root")[1]).looks[ROOT].warp == ("surgery", (1.0, 5.5))
    assert pane(kind, span(kind, "fragment")[1]).looks[ROOT].warp == ("surgery", (0.0, 5.5))
    assert pane(kind, film().seconds).looks[ROOT].warp == ("surgery", (0.0, 0.0))


@pytest.mark.parametrize("kind", KINDS)
def test_muscle_and_fascia_stand_at_rest_at_the_end(kind: str) -> None:
    looks = pane(kind, film().seconds).looks
    for name in ("multifidus.left", "longissimus.left", "iliocostalis.left", "thoracolumbar_fascia"):
        assert looks[name].warp is None and looks[name].variant == ""


def test_slim_tools_stay_inside_the_tube() -> None:
    site = prepared("tubular").story.site
    inside = 9.0
    start, _ = span("tubular", "laminotomy")
    _, end = span("tubular", "fragment")
    for second in np.linspace(start, end, 60):
        looks = pane("tubular", float(second)).looks
        for name in in_hand("tubular", float(second)):
            if name.endswith(".tube"):
                continue
            local = site.frame.to_local(model().vertices(name, looks[name]))
            shaft = local[(local[:, 2] > 0.5) & (local[:, 2] < site.depth)]
            if len(shaft):
                assert np.hypot(shaft[:, 0], shaft[:, 1]).max() < inside, (name, second)


@pytest.mark.parametrize("kind", KINDS)
def test_tools_at_work_do_not_stand_in_bone(kind: str) -> None:
    plan, site = prepared(kind).story.plan, prepared(kind).story.site
    last = f"{kind}.{plan.stages[0]}"
    cut = prepared(kind).variants["L4"][last]
    assert last == pane(kind, span(kind, "laminotomy")[1]).looks["L4"].variant
    for tool, pose in (("root_retractor", plan.retractor.frames[1]), ("rongeur", plan.grasp)):
        shaft = pose.origin + np.arange(8.0, site.depth, 2.0)[:, None] * pose.superior
        for level in ("L3", "L5", "S1"):
            assert body().bones[level].distance(shaft).min() > 0.0, tool
        nearest = np.linalg.norm(shaft[:, None] - cut.vertices[None, ::7], axis=2).min()
        assert nearest > 0.3, tool


def test_an_approach_is_known_by_its_kind_and_refuses_what_it_does_not_know() -> None:
    adapter: TypeAdapter[Approach] = TypeAdapter(Approach)
    assert adapter.validate_python({"kind": "tubular_microdiscectomy"}) == TubularMicrodiscectomy()
    wide = adapter.validate_python({"kind": "open_midline_discectomy", "incision_length": 60})
    assert wide == OpenMidlineDiscectomy(incision_length=60)
    for wrong in ({"tube_diameter": 30}, {"incision_length": 5}, {"colour": "red"}, {"side": "middle"}):
        with pytest.raises(ValidationError):
            adapter.validate_python({"kind": "tubular_microdiscectomy", **wrong})


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_prepared_can_be_kept_in_a_file(kind: str) -> None:
    item = prepared(kind)
    kept = pickle.loads(pickle.dumps((item.structures, item.variants, item.looks, item.story)))
    assert kept[3].site.frame.origin == pytest.approx(item.story.site.frame.origin)


def depth_inside(bone: Surface, points: Points) -> float:
    """How deep (mm) the deepest point stands in a bone; rays tell what is inside."""
    inside = points[trimesh.Trimesh(bone.vertices, bone.faces, process=False).contains(points)]
    return float(np.abs(surface_distance(bone)(inside)).max()) if len(inside) else 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_the_fragment_is_drawn_by_a_warp_and_needs_no_surfaces_of_its_own(kind: str) -> None:
    start, end = span(kind, "fragment")
    removal = prepared(kind).warps[FRAGMENT, f"{kind}.removal"]
    rest = model().structures[FRAGMENT].surface.vertices
    assert FRAGMENT not in prepared(kind).variants
    assert np.array_equal(removal((0.0,)), rest)
    rises = []
    for second in np.linspace(start, end - 0.1 * (end - start), 30):
        look = pane(kind, float(second)).looks[FRAGMENT]
        assert look.variant == "" and look.matrix is None
        rises.append(0.0 if look.warp is None else look.warp[1][0])
    assert rises == sorted(rises) and rises[0] == 0.0 and rises[-1] > 30.0
    for wrong in ((), (-1.0,), (0.0, 0.0)):
        with pytest.raises(ValueError, match="rise"):
            removal(wrong)


def test_a_motion_swings_aside_between_its_frames_and_nowhere_else() -> None:
    frames = (Frame(), Frame(np.array([10.0, 0.0, 0.0])))
    motion = Motion((0.0, 1.0), frames, (np.array([0.0, 0.0, 3.0]),))
    assert [motion.at(t).origin[2] for t in (0.0, 0.5, 1.0)] == pytest.approx([0.0, 3.0, 0.0])
    with pytest.raises(ValueError, match="bows"):
        Motion((0.0, 1.0), frames, (np.zeros(3), np.zeros(3)))


@pytest.mark.parametrize("kind", KINDS)
def test_the_jaws_hold_one_place_of_the_fragment(kind: str) -> None:
    plan, site = prepared(kind).story.plan, prepared(kind).story.site
    rest = model().structures[FRAGMENT].surface.vertices
    nearest = int(np.argmin(np.linalg.norm(rest - plan.grasp.origin, axis=1)))
    apart = np.linalg.norm(rest[nearest] - plan.grasp.origin)
    for rise in (2.0, 6.0, 12.0, 25.0, 40.0):
        held = plan.way_out.at(rise).origin
        assert np.linalg.norm(plan.removal((rise,))[nearest] - held) < LONGEST * apart + 0.5
        assert site.frame.to_local(held)[2] == pytest.approx(site.frame.to_local(plan.grasp.origin)[2] + rise)


@pytest.mark.parametrize("every", [0.2, pytest.param(0.05, marks=pytest.mark.many)])
@pytest.mark.parametrize("kind", KINDS)
def test_no_instrument_enters_bone_at_any_moment(kind: str, every: float) -> None:
    """Every instrument against every bone, cut where it is cut, from the first touch to the closure."""
    (start, _), (_, end) = span(kind, "access"), span(kind, "closure")
    points, fields = {}, {}
    for second in np.arange(start, end, every):
        looks = pane(kind, float(second)).looks
        for name in in_hand(kind, float(second)):
            if name not in points:
                points[name] = thinned(surface_points(model().structures[name].surface, 1.5))
            matrix = looks[name].matrix
            place = Frame() if matrix is None else frame_of(matrix)
            now = place.to_parent(points[name])
            for level, bone in body().bones.items():
                near = now[bone.distance(now) < 0.5]
                key = level, looks[level].variant
                if key not in fields:
                    fields[key] = surface_distance(model().surface(level, looks[level]))
                if len(near):
                    assert -fields[key](near).min() < INTO_BONE, (name, level, round(float(second), 1))


def thinned(points: Points) -> Points:
    """One point for each cell of a millimetre."""
    _, chosen = np.unique(np.floor(points), axis=0, return_index=True)
    return points[chosen]


def frame_of(matrix: tuple[float, ...]) -> Frame:
    whole = np.reshape(matrix, (4, 4))
    return Frame(whole[:3, 3], whole[:3, :3].T)


@pytest.mark.parametrize("kind", KINDS)
def test_the_soft_fragment_leaves_without_entering_bone_or_the_wall(kind: str) -> None:
    story, (start, end) = prepared(kind).story, span(kind, "fragment")
    site, rest = story.site, model().structures[FRAGMENT].surface
    cut = prepared(kind).variants["L4"][f"{kind}.{story.plan.stages[0]}"]
    left = [cut, *(body().bones[level].surface for level in ("L3", "L5"))]
    loose = np.min([surface_distance(bone)(rest.vertices) for bone in left], axis=0) > 0.0
    for second in start + np.linspace(0.48, 0.9, 14) * (end - start):
        now = model().posed(FRAGMENT, pane(kind, float(second)).looks[FRAGMENT])
        assert max(depth_inside(bone, now.vertices[loose]) for bone in left) < 0.5, second
        assert volume(now) == pytest.approx(volume(rest), rel=0.03)
        local = site.frame.to_local(now.vertices)
        inside = local[(local[:, 2] > 0.0) & (local[:, 2] < site.depth)]
        if kind == "tubular" and len(inside):
            assert np.hypot(inside[:, 0], inside[:, 1]).max() < 9.0, second
