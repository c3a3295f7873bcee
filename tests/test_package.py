"""What a stranger gets: a light import, a short public face, texts for every key."""

import subprocess
import sys

import spineviz


def test_importing_the_package_loads_no_renderer() -> None:
    heavy = ("pyvista", "vtk", "vtkmodules", "trame", "matplotlib")
    code = f"import sys, spineviz; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_the_public_face_is_short_and_complete() -> None:
    assert sorted(spineviz.__all__) == ["__version__", "load", "scenes"]
    assert all(hasattr(spineviz, name) for name in spineviz.__all__)
    assert "herniation_l4l5" in spineviz.scenes()
