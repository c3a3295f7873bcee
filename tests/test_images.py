"""The pictures of the README are the baselines: what a scene shows may not change unnoticed.

They are compared on software OpenGL only, where two runs draw alike. To draw them anew, run
``SPINEVIZ_UPDATE_IMAGES=1 python -m pytest tests/test_images.py`` and look at every one.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

import spineviz
from spineviz.locale import text
from spineviz.model import HIDDEN, State
from spineviz.production import Production

IMAGES = Path(__file__).parent / "images"
SIZE = (1280, 800)
PICTURES = {
    "lumbar_l3s1": ("lumbar_l3s1", None, None),
    "whole_spine": ("whole_spine", None, None),
    "cervical": ("cervical", None, None),
    "thoracic": ("thoracic", None, None),
    "lumbar": ("lumbar", None, None),
    "people": ("people", None, None),
    "healthy_lumbar": ("healthy_lumbar", None, None),
    "healthy_cervical": ("healthy_cervical", None, None),
    "lumbar_foramina": ("lumbar_foramina", None, None),
    "layers_of_the_back": ("layers_of_the_back", None, None),
    "axial_l4l5": ("axial_l4l5", None, None),
    "sagittal_lumbar": ("sagittal_lumbar", None, None),
    "herniation_problem": ("herniation_l4l5", 4.0, None),
    "herniation_access": ("herniation_l4l5", 29.0, None),
    "herniation_slice": ("herniation_l4l5", 29.0, "superior"),
    "herniation_root": ("herniation_l4l5", 43.5, None),
    "herniation_ledger": ("herniation_l4l5", 45.0, None),
    "herniation_overlay": ("herniation_l4l5", 29.0, None),
    "herniation_closure": ("herniation_l4l5", 60.0, None),
    "stenosis_access": ("stenosis_l4l5", 29.0, None),
    "stenosis_slice": ("stenosis_l4l5", 56.2, "superior"),
    "herniation_endoscopic": ("herniation_endoscopic", 46.8, None),
    "herniation_transforaminal": ("herniation_transforaminal", 52.4, None),
    "herniation_types": ("herniation_types", None, None),
    "herniation_zones": ("herniation_zones", None, None),
    **{
        name: (name, None, None)
        for name in (
            *("stenosis_central", "stenosis_recess", "stenosis_foraminal"),
            *("listhesis_grades", "degeneration", "fractures", "scoliosis"),
            *("herniation_planes", "stenosis_planes"),
        )
    },
}
CUTS = {"herniation_slice": "axial L4-L5", "stenosis_slice": "axial L4-L5"}
"""Pictures that are cut open besides."""

PLOTTED = ("herniation_ledger",)
"""Pictures with the ledger over time."""

OVERLAID = ("herniation_overlay",)
"""Pictures of one operation over the other."""

PLATE = "bones"
"""The plate of the whole spine, at half its size."""

SHARE, STEP = 0.0002, 16
"""A picture has changed when more than this share of its pixels differ by more than this step of 255."""

Picture = npt.NDArray[np.uint8]


def drawn(production: Production, state: State) -> Picture:
    from spineviz.render.picture import picture
    from spineviz.render.stage import Stage

    with Stage(SIZE) as stage:
        stage.show(production.assembly.model, state)
        return picture(stage, state, text)


def baseline(name: str, now: Picture) -> Picture:
    """Return the picture of the README, or draw it anew where that is asked for."""
    path = IMAGES / f"{name}.png"
    if os.environ.get("SPINEVIZ_UPDATE_IMAGES"):
        Image.fromarray(now).save(path, optimize=True)
    return np.asarray(Image.open(path).convert("RGB"))


def differing(first: Picture, second: Picture) -> float:
    """Return the share of pixels that differ."""
    steps = np.abs(first.astype(int) - second.astype(int)).max(axis=2)
    return float((steps > STEP).mean())


@pytest.fixture(scope="module")
def productions() -> dict[str, Production]:
    return {name: spineviz.load(name) for name, *_ in PICTURES.values()}


@pytest.fixture(scope="module")
def software() -> None:
    from spineviz.render.stage import Stage

    with Stage((64, 64)) as stage:
        window = stage.window
        window.Render()
        if "llvmpipe" not in window.ReportCapabilities():
            pytest.skip("pictures are compared on software OpenGL only")


@pytest.mark.usefixtures("software")
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_the_readme_is_what_the_program_draws(
    name: str, productions: dict[str, Production]
) -> None:
    source, at, view = PICTURES[name]
    production = productions[source].with_extras(
        ledger=True if name in PLOTTED else None, together="overlay" if name in OVERLAID else None
    )
    now = drawn(production, production.state(at, view, cut=CUTS.get(name, ())))
    assert differing(now, baseline(name, now)) <= SHARE


@pytest.mark.usefixtures("software")
def test_the_plate_of_the_readme_is_what_the_program_draws(
    productions: dict[str, Production], tmp_path: Path
) -> None:
    path = productions["whole_spine"].plate(tmp_path / "plate.png")
    now = np.asarray(Image.open(path).convert("RGB").reduce(2))
    assert differing(now, baseline(PLATE, now)) <= SHARE


@pytest.mark.usefixtures("software")
def test_a_fragment_taken_away_is_noticed(productions: dict[str, Production]) -> None:
    production = productions["herniation_l4l5"]
    state = production.state(4.0)
    panes = tuple(pane.with_look("herniation.L4-L5", HIDDEN) for pane in state.panes)
    without = drawn(production, replace(state, panes=panes))
    shown = np.asarray(Image.open(IMAGES / "herniation_problem.png").convert("RGB"))
    assert differing(without, shown) > 5 * SHARE


def test_the_readme_shows_every_baseline() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    assert {path.stem for path in IMAGES.glob("*.png")} == {*PICTURES, PLATE}
    assert all(f"tests/images/{name}.png" in readme for name in (*PICTURES, PLATE))
