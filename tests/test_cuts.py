"""Cuts: as scene files and words tell them, where they lie in a body, how they open, and their labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import trimesh
from stand_ins import ball

from spineviz.anatomy.bone import LevelBone
from spineviz.anchors import visible_places
from spineviz.assembly import Assembly
from spineviz.cuts import KEEPS, OVERLAP, CutPlane, cut_open, opening, reach, resolved, said_cut, takes
from spineviz.directing import direct
from spineviz.framing import label_places, target
from spineviz.geometry import triangle_normals
from spineviz.model import Camera, Cut, Label, Look, Message, Model, Pane
from spineviz.production import Production
from spineviz.render.cut_faces import CUT_LOOKS, INK, THICK, THIN, line_width, patches
from spineviz.scene import Scene, SceneError, dumps, loads
from spineviz.section import meets, section
from spineviz.structure import Bone, Frame, Structure, Surface
from spineviz.terms import LOWER_LUMBAR_LEVELS, TISSUES, Level
from spineviz.views import disc_frame

BELOW = Camera((0.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0), 100.0)
UPPER = Cut((0.0, 0.0, 0.0), (0.0, 0.0, -1.0))
"""Keeps the upper half."""


def bones() -> Mapping[Level, Bone]:
    """Bones of 28 mm, each of which leans ten degrees more than the one above it."""
    result = {}
    for order, level in enumerate(LOWER_LUMBAR_LEVELS):
        turn = np.radians(10.0 * (order - 1))
        axes = np.array([[1, 0, 0], [0, np.cos(turn), np.sin(turn)], [0, -np.sin(turn), np.cos(turn)]])
        frame = Frame(np.array([0.0, 0.0, 60.0 - 40 * order]), axes)
        places = {"endplate.superior": (0, 0, 14), "endplate.inferior": (0, 0, -14), "canal": (0, -27, 2)}
        marks = {name: Frame(np.array(place)).then(frame) for name, place in places.items()}
        result[level] = LevelBone(level, frame, marks, ball((0, 0, 0), 1), lambda points: points[:, 0])
    return result


def nested() -> Model:
    """A sac with a root in it, a muscle beside them, and a bone far below."""
    items = {
        "thecal_sac": Structure("thecal_sac", "dura", ball((0, 0, 0), 12)),
        "root.L5.left": Structure("root.L5.left", "nerve", ball((0, 0, 0), 4)),
        "multifidus.left": Structure("multifidus.left", "muscle", ball((-30, 0, 0), 12)),
        "skin": Structure("skin", "skin", ball((0, -40, 0), 12)),
        "S1": Structure("S1", "bone", ball((0, 0, -60), 12)),
    }
    return Model(items, {}, bones(), {})


def complaint(text: str) -> str:
    with pytest.raises(SceneError) as caught:
        loads('title = "a"\n' + text, "my.toml")
    return str(caught.value)


def test_cuts_of_a_scene_and_of_its_steps_survive_the_round_trip() -> None:
    text = (
        'title = "a"\n[[cuts]]\nplane = "disc"\nat = "L4-L5"\nkeep = "above"\n'
        '[[steps]]\ntitle = "b"\ncuts = [{ plane = "sagittal", offset = 3.5, turn = 20, layers = "skin" }]\n'
    )
    told = loads(text)
    assert told.cuts == (CutPlane(plane="disc", at="L4-L5", keep="above"),)
    assert loads(dumps(told)) == told and hash(loads(dumps(told))) == hash(told)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('plane = "axail"', ("cuts[0].plane", "'axial'", "nearest to 'axail': axial")),
        ('plane = "axial", keep = "left"', ("cuts[0]", "axial", "below or above")),
        ('plane = "axial", at = "L4L5"', ("cuts[0]", "'L4L5'", "nearest: L4-L5")),
        ('plane = "axial", at = "L1-L2"', ("cuts[0].at", "L1 and L2 is not shown", "widen it")),
        ('plane = "disc", at = "aorta"', ("cuts[0]", "'aorta' has no plane of its own")),
        ('plane = "axial", layers = "sikn"', ("cuts[0].layers", "no layer 'sikn'", "nearest: skin")),
        ('plane = "axial", layers = "skin", structures = ["skin"]', ("cuts[0]", "not both")),
        ('plane = "axial", depth = 3', ("cuts[0].depth", "unknown field", "keep", "offset")),
    ],
)
def test_a_wrong_cut_is_refused_with_its_place_and_what_is_allowed(
    entry: str, words: tuple[str, ...]
) -> None:
    told = complaint(f"cuts = [{{ {entry} }}]\n")
    assert told.startswith("my.toml: ") and all(word in told for word in words), told


def test_a_cut_of_a_step_beyond_what_is_shown_is_refused_with_its_place() -> None:
    told = complaint('[[steps]]\ntitle = "b"\ncuts = [{ plane = "axial", at = "T12" }]\n')
    assert "steps[0].cuts[0].at: T12 is not shown" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("axial L4-L5", {"plane": "axial", "at": "L4-L5"}),
        ("sagittal", {"plane": "sagittal"}),
        ("sagittal -4.5 keep left", {"plane": "sagittal", "offset": -4.5, "keep": "left"}),
        ("coronal at L3 10 mm", {"plane": "coronal", "at": "L3", "offset": 10}),
        ("axial L5 of skin and fat", {"plane": "axial", "at": "L5", "layers": "skin and fat"}),
        ("disc  disc.L5-S1 keep above", {"plane": "disc", "at": "disc.L5-S1", "keep": "above"}),
    ],
)  # fmt: skip
def test_a_cut_is_said_in_words(words: str, told: dict[str, object]) -> None:
    assert said_cut(words) == CutPlane.model_validate(told)


@pytest.mark.parametrize("words", ["", "axial L4-L5 L5", "axail L4-L5", "axial keep left", "axial nowhere"])
def test_a_cut_that_is_none_is_told_with_the_words(words: str) -> None:
    with pytest.raises(ValueError, match=f"cut '{words}'"):
        said_cut(words)


def test_a_wrong_cut_is_told_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spineviz.assembly.assemble", lambda *_: pytest.fail("built"))
    with pytest.raises(ValueError, match="below or above"):
        Production(Scene(title="a")).state(cut="axial keep front")


def test_a_plane_of_a_disc_is_tilted_with_it_and_an_axial_one_is_level() -> None:
    model, frame = nested(), disc_frame(bones(), "L5-S1")
    tilted = resolved(CutPlane(plane="disc", at="L5-S1", offset=2.0), model, "L4-L5", "left")
    level = resolved(CutPlane(plane="axial", at="L5-S1", keep="above"), model, "L4-L5", "left")
    assert tilted.normal == pytest.approx(tuple(frame.superior))
    assert tilted.origin == pytest.approx(tuple(frame.origin + 2 * frame.superior))
    assert level.normal == pytest.approx((0, 0, -1)) and level.origin == pytest.approx(tuple(frame.origin))


@pytest.mark.parametrize(("plane", "sides"), KEEPS.items())
def test_each_side_of_a_plane_can_remain(plane: str, sides: tuple[str, str]) -> None:
    away = {"below": (0, 0, -50), "above": (0, 0, 50), "left": (-50, 0, 0), "right": (50, 0, 0)}
    away |= {"front": (0, 50, 0), "behind": (0, -50, 0)}
    for kept, lost in (sides, sides[::-1]):
        wanted = CutPlane.model_validate({"plane": plane, "keep": kept})
        cut = resolved(wanted, nested(), "L4-L5", "left")
        assert not cut.beyond(np.array(cut.origin) + away[kept])
        assert cut.beyond(np.array(cut.origin) + away[lost])


def test_without_a_word_the_diseased_side_is_taken_away() -> None:
    for side, sign in (("left", -1.0), ("right", 1.0)):
        cut = resolved(CutPlane(plane="sagittal"), nested(), "L4-L5", side)  # type: ignore[arg-type]
        assert cut.normal == pytest.approx((sign, 0, 0))


def test_a_turned_plane_shows_its_face_to_who_stands_behind() -> None:
    straight, turned = (
        resolved(CutPlane(plane="sagittal", at="skin", keep="left", turn=turn), nested(), "L4-L5", "left")
        for turn in (0.0, 30.0)
    )
    assert np.dot(straight.normal, (0, -1, 0)) == pytest.approx(0, abs=1e-9)
    assert np.dot(turned.normal, (0, -1, 0)) == pytest.approx(0.5)
    assert straight.origin == turned.origin == pytest.approx((0, -40, 0))


def test_layers_and_kinds_of_structures_are_cut_and_no_others() -> None:
    def cut(**told: object) -> frozenset[str] | None:
        wanted = CutPlane.model_validate({"plane": "axial", **told})
        return resolved(wanted, nested(), "L4-L5", "left").structures

    assert cut() is None
    assert cut(layers="skin and muscles") == {"skin", "multifidus.left"}
    assert cut(structures=["multifidus", "thecal_sac"]) == {"multifidus.left", "thecal_sac"}
    with pytest.raises(ValueError, match="cut of psoas_major: there is no such structure"):
        cut(structures=["psoas_major"])
    with pytest.raises(ValueError, match=r"nearest: multifidus\.left"):
        cut(at="multifidus.right")


def test_a_scene_that_is_cut_at_a_disc_is_about_the_disc() -> None:
    assert target(Scene(title="a", cuts=(CutPlane(plane="disc", at="L3-L4"),)))[0] == "L3-L4"


def test_a_plane_comes_in_from_outside_and_leaves_that_way() -> None:
    model = nested()
    closed = Pane({name: Look() for name in model.structures}, BELOW)
    far = {UPPER: reach(UPPER, model)}
    assert far[UPPER] == pytest.approx(72, abs=0.1)
    begun = opening(closed, 1e-6, (UPPER,), far).cuts[0]
    assert begun.origin == pytest.approx((0, 0, -far[UPPER]), abs=1e-3)
    assert opening(closed, 1.0, (UPPER,), far).cuts == (UPPER,)
    opened = replace(closed, cuts=(UPPER,))
    assert opening(opened, 0.5, (), far).cuts[0].origin[2] == pytest.approx(-far[UPPER] / 2)
    assert opening(opened, 1.0, (), far).cuts == ()
    moved = replace(UPPER, origin=(0.0, 0.0, 6.0))
    assert opening(opened, 0.5, (moved,), far).cuts[0].origin == pytest.approx((0, 0, 3))


def test_the_timeline_opens_and_closes_the_cuts_of_a_step_and_keeps_those_of_the_scene() -> None:
    text = (
        'title = "a"\n[[cuts]]\nplane = "axial"\n[[steps]]\ntitle = "b"\n[[steps.cuts]]\nplane = "coronal"\n'
        '[[steps]]\ntitle = "c"\n'
    )
    scene, model = loads(text), nested()
    film = direct(scene, Assembly(model, (), label_places(scene, model)))
    counts = [len(film.at(second).panes[0].cuts) for second in (0.0, 4.0, 8.0)]
    assert counts == [1, 2, 1]
    assert film.at(0.0).panes[0].cuts == film.at(8.0).panes[0].cuts
    leaving = film.at(5.0).panes[0].cuts[1]
    assert leaving.origin != film.at(4.0).panes[0].cuts[1].origin


def test_a_label_is_taken_away_with_its_place_but_not_on_the_face_itself() -> None:
    labels = tuple(Label(Message(f"{z}"), (0.0, 0.0, z)) for z in (-5.0, 0.0, 5.0))
    pane = cut_open(Pane({}, BELOW, labels=labels), (UPPER,))
    assert [label.anchor[2] for label in pane.labels] == [0.0, 5.0]
    assert not takes(replace(UPPER, structures=frozenset({"skin"})), (0.0, 0.0, -5.0))


def test_a_label_touches_what_is_seen_of_the_cut_face() -> None:
    model = nested()
    names = ("thecal_sac", "root.L5.left", "multifidus.left")
    places = visible_places(names, model, BELOW, (), (UPPER,))
    assert all(abs(place[2]) < 1e-6 for place in places.values())
    assert 4.0 < np.hypot(*places["thecal_sac"][:2]) < 12.0, "the root lies in the middle of the sac"
    assert np.hypot(*places["root.L5.left"][:2]) < 1.5
    assert places["multifidus.left"][0] == pytest.approx(-30, abs=1.5)


def test_a_face_that_looks_away_bears_no_label() -> None:
    above = replace(BELOW, direction=(0.0, 0.0, 1.0))
    assert visible_places(("thecal_sac",), nested(), above, (), (UPPER,))["thecal_sac"][2] > 5


def test_every_tissue_has_a_cut_face_and_a_place_among_those_that_overlap() -> None:
    assert set(OVERLAP) == set(CUT_LOOKS) == set(TISSUES)


def test_where_faces_overlap_the_inner_one_lies_before_the_outer_one() -> None:
    model = nested()
    depth = {
        name: {
            round(float(z), 4)
            for patch in patches(model, name, Look(), UPPER, 0.2)
            for z in patch.vertices[:, 2]
        }
        for name in ("thecal_sac", "root.L5.left")
    }
    (outer,), (inner,) = depth["thecal_sac"], depth["root.L5.left"]
    assert inner < outer < 0
    assert outer - inner < 0.3


def test_a_face_is_filled_to_the_last_square_millimetre_and_lined_in_ink() -> None:
    model = nested()
    face = model.face("multifidus.left", Look(), UPPER)
    made = patches(model, "multifidus.left", Look(), UPPER, 0.2)
    area = sum(triangle_normals(patch.vertices, patch.faces)[1].sum() for patch in made)
    assert area == pytest.approx(face.area, rel=1e-6)
    inked = (np.vstack([patch.colours for patch in made]) == np.round(255 * np.array(INK))).all(axis=1)
    assert inked.any() and not inked.all()


def test_a_face_follows_the_look_of_its_structure() -> None:
    model = nested()
    aside = np.eye(4)
    aside[0, 3] = 7.0
    look = Look(matrix=tuple(aside.ravel()))
    here, there = (model.face("thecal_sac", item, UPPER) for item in (Look(), look))
    assert there.area == pytest.approx(here.area)
    assert np.vstack(there.outlines).mean(axis=0) - np.vstack(here.outlines).mean(axis=0) == pytest.approx(
        there.frame.axes[:2, 0] * 7.0, abs=1e-6
    )
    assert meets(model.posed("thecal_sac", look), UPPER.plane)


def test_lamellae_are_rings_around_the_nucleus() -> None:
    disc = Structure("disc.L4-L5", "annulus", ball((0, 0, 0), 20))
    nucleus = Structure("nucleus.L4-L5", "nucleus", ball((0, -2, 0), 6))
    model = Model({"disc.L4-L5": disc, "nucleus.L4-L5": nucleus}, {}, {}, {})
    (patch,) = patches(model, "disc.L4-L5", Look(), UPPER, 0.2)
    ring = np.round(255 * np.array(CUT_LOOKS["annulus"].border))
    painted = (patch.colours == ring).all(axis=1)
    radii = np.linalg.norm(patch.vertices[painted][:, :2] - (0, -2), axis=1)
    assert painted.any() and radii.min() > 5 and radii.max() < 22


def test_pictures_of_cuts_at_a_disc_say_the_disc() -> None:
    from spineviz.annotation import annotated

    scene, model = (
        loads('title = "a"\ncamera = "axial"\ncuts = [{ plane = "disc", at = "L4-L5" }]\n'),
        nested(),
    )
    state = direct(scene, Assembly(model, (), {})).at(0.0)
    told = annotated(scene, SimpleNamespace(prepared=(), model=model), state).view  # type: ignore[arg-type]
    assert told == Message("view.at", (("level", "L4–L5"), ("view", "@direction.below")))


def test_the_line_around_a_face_is_about_as_wide_in_every_picture() -> None:
    widths = [line_width(scale) * scale for scale in np.linspace(3.2, 10, 9)]
    assert min(widths) > 0.9 and max(widths) < 1.5
    assert line_width(1.0) == THICK and line_width(200.0) == THIN


def test_the_line_around_a_face_seen_aslant_is_as_wide_as_of_one_seen_from_before() -> None:
    seen = [line_width(5.0, facing) * facing * 5.0 for facing in np.linspace(0.4, 1.0, 9)]
    assert min(seen) > 0.75 and max(seen) < 1.5
    assert line_width(1.0, 0.5) > THICK


def test_a_face_that_would_be_all_line_has_none() -> None:
    model = nested()
    made = patches(model, "root.L5.left", Look(), UPPER, 50.0)
    assert made
    assert (
        not (np.vstack([patch.colours for patch in made]) == np.round(255 * np.array(INK))).all(axis=1).any()
    )


def test_a_strip_is_as_broad_as_it_is() -> None:
    box = trimesh.creation.box((40.0, 1.2, 10.0))
    face = section(Surface(box.vertices, box.faces), UPPER.plane)
    assert face.breadth == pytest.approx(1.2, rel=0.05)
