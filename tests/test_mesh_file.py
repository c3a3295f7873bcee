"""Any bone of the spine is written as a mesh, as finely as it is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from spineviz.export.mesh import write_structure

SIX = 'title = "a"\n[anatomy]\nvariant = "six_lumbar"\nfirst = "L5"\n'


def written(folder: Path, *arguments: object) -> trimesh.Trimesh:
    path = folder / "x.ply"
    write_structure(path, *arguments)  # type: ignore[arg-type]
    mesh = trimesh.load_mesh(path)
    assert isinstance(mesh, trimesh.Trimesh)
    return mesh


@pytest.mark.parametrize("name", ["L5", "S1", "Co1"])
def test_a_bone_is_written_where_it_stands_at_any_step(tmp_path: Path, name: str) -> None:
    coarse, fine = (written(tmp_path, name, None, step) for step in (3.0, 1.5))
    assert coarse.is_watertight and fine.is_watertight
    assert len(fine.faces) > 3 * len(coarse.faces)
    assert np.abs(fine.bounds - coarse.bounds).max() < 2.0


def test_a_sixth_lumbar_vertebra_is_written_and_refused_from_a_scene_of_five(tmp_path: Path) -> None:
    (tmp_path / "six.toml").write_text(SIX)
    for source in (None, str(tmp_path / "six.toml")):
        mesh = written(tmp_path, "L6", source, 2.5)
        assert mesh.is_watertight and 40_000 < mesh.volume < 90_000
    with pytest.raises(ValueError, match="there is no L6 in this body"):
        written(tmp_path, "L6", "lumbar", 2.5)
