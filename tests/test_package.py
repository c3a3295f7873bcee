"""What a stranger gets: a light import, a short public face, texts for every key."""

import subprocess
import sys
from pathlib import Path

from conftest import FIRST, LAST, TOGETHER

import spineviz


def test_importing_the_package_loads_no_renderer() -> None:
    heavy = ("pyvista", "vtk", "vtkmodules", "trame", "matplotlib")
    code = f"import sys, spineviz; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def loaded_by(code: str, heavy: tuple[str, ...]) -> list[str]:
    """Return which modules some code has loaded at its end, in a process of its own."""
    asked = f"{code}\nimport sys; print(*(name for name in {heavy} if name in sys.modules))"
    result = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    return result.stdout.split()


def test_playing_a_scene_that_is_built_loads_none_of_its_makers() -> None:
    heavy = ("spineviz.body", "spineviz.anatomy.vertebra", "trimesh", "skimage", "pyvista", "scipy.optimize")
    assert loaded_by("import spineviz; spineviz.load('herniation_l4l5')", heavy) == []


def test_a_picture_needs_no_plotting_library() -> None:
    heavy = ("matplotlib", "pyvista.plotting", "scipy.optimize")
    assert loaded_by("import spineviz.export.png, spineviz.export.film", heavy) == []


def test_the_public_face_is_short_and_complete() -> None:
    assert sorted(spineviz.__all__) == [
        "__version__",
        "deformity",
        "degeneration",
        "fracture",
        "herniation",
        "listhesis",
        "load",
        "scenes",
        "stenosis",
        "structures",
    ]
    assert all(hasattr(spineviz, name) for name in spineviz.__all__)
    assert "herniation_l4l5" in spineviz.scenes()


def test_the_order_of_the_tests_names_modules_that_there_are() -> None:
    folder = Path(__file__).parent
    assert all((folder / f"{name}.py").is_file() for name in (*FIRST, *LAST, *TOGETHER))
