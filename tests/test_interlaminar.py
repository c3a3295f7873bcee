"""Interlaminar full-endoscopic discectomy: a bevelled sleeve between the laminae, and its tools."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from operated import CAMERA, CAMERAS, FRAGMENT, ROOT, body

from spineviz.geometry import volume
from spineviz.locale import text
from spineviz.measures import table, value
from spineviz.model import Look, Model, Pane, State
from spineviz.structure import Structure
from spineviz.surgery import InterlaminarEndoscopicDiscectomy, Prepared, prepare
from spineviz.surgery import endoscopes as tools
from spineviz.surgery.eye import watched
from spineviz.surgery.interlaminar import Interlaminar
from spineviz.surgery.ledger import KEYS, measured
from spineviz.surgery.removal import CLEAR
from spineviz.terms import Phase
from spineviz.timeline import Timeline, timeline

DIAMETERS = (6.9, 7.9)


@cache
def prepared() -> Prepared:
    return prepare(InterlaminarEndoscopicDiscectomy(), body())


def story() -> Interlaminar:
    found = prepared().story
    assert isinstance(found, Interlaminar)
    return found


@cache
def film() -> Timeline:
    looks = {name: Look() for name in body().structures} | dict(prepared().looks)
    steps = watched(prepared().steps(CAMERAS), story().site, prepared().ledger.incision)
    return timeline(State((Pane(looks, CAMERA),)), [steps])


@cache
def model() -> Model:
    whole = body()
    structures = {
        name: Structure(
            name, item.tissue, item.surface, item.side, variants=prepared().variants.get(name, {})
        )
        for name, item in whole.structures.items()
    }
    warps = dict(whole.warps) | dict(prepared().warps)
    return Model(structures | dict(prepared().structures), {}, whole.bones, warps)


def span(phase: Phase) -> tuple[float, float]:
    found = [moment for moment in film().tracks[0] if moment.step.phase == phase]
    return found[0].start, found[-1].end


def pane(second: float) -> Pane:
    return film().at(second).panes[0]


def strip(second: float) -> dict[str, float]:
    figures = measured(prepared().ledger, pane(second))
    return {key: figure.value for key, figure in zip(KEYS, figures, strict=True)}


def test_tools_pass_the_channel_and_the_endoscope_the_sleeve() -> None:
    bore = value("instruments.endoscope.channel") / 2
    for tool in (tools.endoscopic_burr("b"), tools.endoscopic_punch("p"), *tools.forceps("f")):
        assert tool.radius < bore, tool.name
    shaft, _ = tools.endoscope("e")
    for diameter in DIAMETERS:
        assert shaft.radius < tools.sleeve_bore(diameter) < diameter / 2
        assert tools.blunt_dilator("d", diameter).radius < tools.sleeve_bore(diameter)


@pytest.mark.parametrize("diameter", DIAMETERS)
def test_the_sleeve_is_as_wide_as_told_and_its_tongue_is_the_long_side_of_the_bevel(diameter: float) -> None:
    points = tools.working_sleeve("s", diameter).surface.vertices
    near = points[points[:, 2] < 60.0]
    assert np.hypot(near[:, 0], near[:, 1]).max() == pytest.approx(diameter / 2, abs=0.01)
    assert points[points[:, 2].argmin(), 1] > 0.9 * diameter / 2
    short = near[near[:, 1] < -0.98 * diameter / 2, 2].min()
    assert short == pytest.approx(tools.bevel_length(diameter), abs=0.4)


def test_all_instruments_are_closed() -> None:
    for structure in prepared().structures.values():
        surface = structure.surface
        edges = np.sort(np.vstack([surface.faces[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))]), axis=1)
        _, counts = np.unique(edges, axis=0, return_counts=True)
        assert (counts == 2).all(), structure.name
        assert volume(surface) > 0.0


def test_every_step_has_its_sentence() -> None:
    for step in prepared().steps(CAMERAS):
        assert text(step.title)


def test_nothing_is_spent_before_the_first_cut_and_little_after_it() -> None:
    assert set(strip(span("incision")[0]).values()) == {0.0}
    now = strip(span("root")[1])
    assert now["incision"] == 10.0
    low, high = (np.pi * (7.9 / 2) ** 2 * story().site.depth / 1000 * share for share in (0.95, 1.05))
    assert low < now["corridor"] < high
    assert now["bared"] < 1.0
    assert 0.0 < now["removed"] < 0.5


def test_the_lamina_gives_no_more_than_is_allowed() -> None:
    low, high = table("procedures.interlaminar")["lamina_removed"]
    assert low < story().taken < high
    with pytest.raises(
        ValueError, match=r"too small for a sleeve of 7\.9 mm; it needs \d\.\d mm of the lamina"
    ):
        prepare(InterlaminarEndoscopicDiscectomy(lamina_removed=0.0), body())


@pytest.mark.parametrize("phase", ["retractor", "laminotomy", "root", "closure"])
def test_muscle_keeps_its_volume_and_lies_on_the_sleeve(phase: Phase) -> None:
    start, end = span(phase)
    looks = pane(start + 0.4 * (end - start)).looks
    name = "multifidus.left"
    rest, now = model().surface(name, looks[name]), model().posed(name, looks[name])
    assert volume(now) == pytest.approx(volume(rest), rel=0.03)
    if phase in ("laminotomy", "root"):
        matrix = np.reshape(looks[story().site.tools["tube"].name].matrix, (4, 4))
        local = (now.vertices - matrix[:3, 3]) @ matrix[:3, :3]
        beside = local[(local[:, 2] > 12.0) & (local[:, 2] < story().site.depth - 15.0)]
        assert np.hypot(beside[:, 0], beside[:, 1]).min() == pytest.approx(7.9 / 2, abs=0.5)


def test_the_sleeve_is_swung_while_bone_is_taken_and_stands_straight_for_the_root() -> None:
    swing = [pane(float(t)).looks["multifidus.left"].warp for t in np.linspace(*span("laminotomy"), 12)]
    assert max(np.hypot(*warp[1][3:5]) for warp in swing if warp and len(warp[1]) == 5) > 0.8
    warp = pane(span("root")[1]).looks["multifidus.left"].warp
    assert warp is not None and np.allclose(warp[1][3:], 0.0)


def test_the_root_is_drawn_by_the_tongue_and_goes_back() -> None:
    most = value("procedures.interlaminar.docking.most_retraction")
    assert pane(0.0).looks[ROOT].warp == ("surgery", (1.0, 0.0))
    drawn = [pane(float(t)).looks[ROOT].warp[1][1] for t in np.linspace(*span("root"), 20)]
    assert np.all(np.diff(drawn) >= 0.0)
    assert drawn[-1] == pytest.approx(story().plan.retraction) and drawn[-1] <= most
    assert pane(film().seconds).looks[ROOT].warp == ("surgery", (0.0, 0.0))


def test_the_fragment_leaves_whole_through_the_bore_of_the_sleeve() -> None:
    """The stand-in is a ball of few faces, whose volume is told to 4 %; the shipped fragment keeps 1 %."""
    start, end = span("fragment")
    site, removal = story().site, story().plan.removal
    whole = volume(body().structures[FRAGMENT].surface)
    for second in np.linspace(start, end, 16):
        look = pane(float(second)).looks[FRAGMENT]
        if look.warp is None or look.warp[0] == "surgery":
            continue
        posed = model().posed(FRAGMENT, look)
        assert volume(posed) == pytest.approx(whole, rel=0.04)
        local = site.frame.to_local(posed.vertices)
        inside = local[local[:, 2] > 0.0]
        if len(inside):
            assert np.hypot(inside[:, 0], inside[:, 1]).max() < tools.sleeve_bore(7.9) - CLEAR + 0.3
    assert not pane(end).looks[FRAGMENT].visible
    assert removal.held(60.0)[2] > 30.0


def test_the_surgeon_looks_out_of_the_lens_at_25_degrees_past_the_channel() -> None:
    for phase in ("laminotomy", "flavum", "root"):
        start, end = span(phase)
        shown = pane((start + end) / 2)
        assert shown.inset is not None and shown.inset.optic == 25.0
        scope = story().site.tools["scope"].name
        matrix = np.reshape(shown.looks[scope].matrix, (4, 4))
        camera = shown.inset.camera
        assert np.degrees(np.arccos(camera.direction @ matrix[:3, 2])) == pytest.approx(25.0)
        assert camera.direction @ matrix[:3, 1] < 0.0, "it looks towards the channel"
        lens = np.array(camera.focus) + value("instruments.endoscope.distance") * np.array(camera.direction)
        local = (lens - matrix[:3, 3]) @ matrix[:3, :3]
        assert np.allclose(local, tools.lens_place())
        assert not shown.inset.looks[scope].visible
    assert pane(span("closure")[0]).inset is None


def test_all_falls_back_in_the_end() -> None:
    looks = pane(film().seconds).looks
    for name in ("multifidus.left", "longissimus.left", "iliocostalis.left", "thoracolumbar_fascia"):
        assert looks[name].warp is None and looks[name].variant == ""
    assert not [name for name, look in looks.items() if name.startswith("instrument") and look.visible]
