"""The actors of a cut face: patches of flat colour, and of a tissue's grain where it is cut across."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyvista as pv
from vtkmodules.vtkCommonDataModel import vtkPlane
from vtkmodules.vtkRenderingCore import vtkActor, vtkMapper, vtkTexture
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLPolyDataMapper

from spineviz.model import Cut, Look
from spineviz.render.cut_faces import Patch
from spineviz.render.shading import AFTER_LIGHT, LIGHT

FLAT = 0.9
"""How much of a cut face's colour does not depend on the light, 0..1."""

ALARM = 0.6
"""How far the cut face of what is diseased takes on the colour of disease."""


@dataclass(eq=False)
class Face:
    """The face that a cut makes on a structure, in one pane: actors that are kept when the cut moves.

    ``grain`` is the texture of what has a grain. ``look`` is that of the structure when it was cut, and
    ``line`` (mm) the width of the line around the face.
    """

    grain: vtkTexture | None
    look: Look = field(default_factory=Look)
    line: float = 0.0

    @cached_property
    def actors(self) -> tuple[vtkActor, vtkActor]:
        """The actors of what has a grain, and of what has none."""
        return _actor(self.grain), _actor(None)

    @cached_property
    def _flat(self) -> tuple[vtkActor, ...]:
        return tuple(_silhouette() for _ in self.actors)

    def fill(self, patches: Iterable[Patch], cut: Cut, look: Look, line: float) -> None:
        """Draw the patches of a cut through a structure that looks so, with a line (mm) around."""
        self.look, self.line = look, line
        for actor in self.actors:
            actor.SetVisibility(False)
        for patch in patches:
            actor = self.actors[patch.grain is None]
            actor.GetMapper().SetInputData(_mesh(patch, cut))
            actor.SetVisibility(True)

    def stale(self, look: Look, line: float) -> bool:
        """Tell whether the structure has moved since it was cut, or its line should be another."""
        return (self.look.warp, self.look.matrix, self.line) != (look.warp, look.matrix, line)

    def dress(self, opacity: float, others: tuple[Cut, ...], alarm: float = 0.0) -> None:
        """Set the opacity, 0..1, and how diseased it looks, 0..1; take away what lies beyond other cuts."""
        for actor in self.actors:
            actor.GetShaderProperty().GetFragmentCustomUniforms().SetUniformf("alarm", ALARM * alarm)
            actor.GetProperty().SetOpacity(opacity)
            clip(actor.GetMapper(), others)

    def silhouettes(self, shade: float) -> Iterator[vtkActor]:
        """Give actors, always the same, that draw the face in a grey of ``shade`` 0..1."""
        for actor, drawn in zip(self._flat, self.actors, strict=True):
            if drawn.GetVisibility():
                actor.GetMapper().SetInputData(drawn.GetMapper().GetInput())
                clip_alike(actor.GetMapper(), drawn.GetMapper())
                actor.GetProperty().SetColor(shade, shade, shade)
                yield actor


def _silhouette() -> vtkActor:
    """Return an actor that draws without light and colours."""
    result = vtkActor()
    result.SetMapper(vtkOpenGLPolyDataMapper())
    result.GetMapper().ScalarVisibilityOff()
    result.GetProperty().SetLighting(False)
    return result


def clip(mapper: vtkMapper, cuts: tuple[Cut, ...]) -> None:
    """Let a mapper draw only what lies beyond none of some cuts.

    Planes are moved where there are as many: a mapper with other planes would upload its mesh again.
    """
    planes = [*(mapper.GetClippingPlanes() or ())]
    if len(planes) != len(cuts):
        planes = [vtkPlane() for _ in cuts]
        mapper.RemoveAllClippingPlanes()
        for plane in planes:
            mapper.AddClippingPlane(plane)
    for plane, item in zip(planes, cuts, strict=True):
        plane.SetOrigin(item.origin)
        plane.SetNormal(tuple(-value for value in item.normal))


def clip_alike(mapper: vtkMapper, other: vtkMapper) -> None:
    """Let a mapper draw only what another one draws, by the same planes."""
    planes, wanted = ([*(item.GetClippingPlanes() or ())] for item in (mapper, other))
    if planes != wanted:
        mapper.RemoveAllClippingPlanes()
        for plane in wanted:
            mapper.AddClippingPlane(plane)


def _mesh(patch: Patch, cut: Cut) -> pv.PolyData:
    mesh = pv.PolyData.from_regular_faces(patch.vertices.astype(np.float32), patch.faces)
    painted = mesh.GetPointData()
    mesh.point_data["normals"] = np.tile(np.array(cut.normal, dtype=np.float32), (len(patch.vertices), 1))
    painted.SetActiveNormals("normals")
    mesh.point_data["colour"] = patch.colours
    painted.SetActiveScalars("colour")
    if patch.grain is not None:
        mesh.point_data["grain"] = patch.grain.astype(np.float32)
        painted.SetActiveTCoords("grain")
    return mesh


def _actor(grain: vtkTexture | None) -> vtkActor:
    """Return a new actor for patches, with a texture or without."""
    actor = vtkActor()
    mapper = vtkOpenGLPolyDataMapper()
    mapper.SetColorModeToDirectScalars()
    actor.SetMapper(mapper)
    if grain is not None:
        actor.SetTexture(grain)
    shader = actor.GetShaderProperty()
    shader.AddFragmentShaderReplacement(AFTER_LIGHT, True, LIGHT, False)
    uniforms = shader.GetFragmentCustomUniforms()
    settings = {
        **{"gloss": 0.0, "polish": 12.0, "edgeShade": 0.0, "glow": FLAT},
        **dict.fromkeys(("cutFace", "alarm", "coaxial"), 0.0),
    }
    for name, value in settings.items():
        uniforms.SetUniformf(name, value)
    uniforms.SetUniform3f("cutColour", (1.0, 1.0, 1.0))
    return actor
