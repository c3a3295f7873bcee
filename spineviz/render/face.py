"""The actors of a cut face: patches of flat colour, and of a tissue's grain where it is cut across."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(eq=False)
class Face:
    """The face that a cut makes on a structure, in one pane.

    ``look`` is that of the structure when it was cut.
    """

    actors: tuple[vtkActor, ...]
    look: Look

    def stale(self, look: Look) -> bool:
        """Tell whether the structure has moved since."""
        return (self.look.warp, self.look.matrix) != (look.warp, look.matrix)

    def dress(self, opacity: float, others: tuple[Cut, ...]) -> None:
        """Set the opacity, 0..1, and take away what lies beyond other cuts."""
        for actor in self.actors:
            actor.GetProperty().SetOpacity(opacity)
            clip(actor.GetMapper(), others)

    @cached_property
    def _flat(self) -> tuple[vtkActor, ...]:
        return tuple(_silhouette(actor) for actor in self.actors)

    def silhouettes(self, shade: float) -> tuple[vtkActor, ...]:
        """Return actors, always the same, that draw the face in a grey of ``shade`` 0..1."""
        for actor, drawn in zip(self._flat, self.actors, strict=True):
            clip_alike(actor.GetMapper(), drawn.GetMapper())
            actor.GetProperty().SetColor(shade, shade, shade)
        return self._flat


def _silhouette(drawn: vtkActor) -> vtkActor:
    """Return an actor that draws the mesh of another without light and colours."""
    result = vtkActor()
    result.SetMapper(vtkOpenGLPolyDataMapper())
    result.GetMapper().ScalarVisibilityOff()
    result.GetMapper().SetInputData(drawn.GetMapper().GetInput())
    result.GetProperty().SetLighting(False)
    return result


def clip(mapper: vtkMapper, cuts: tuple[Cut, ...]) -> None:
    """Let a mapper draw only what lies beyond none of some cuts."""
    mapper.RemoveAllClippingPlanes()
    for item in cuts:
        plane = vtkPlane()
        plane.SetOrigin(item.origin)
        plane.SetNormal(tuple(-value for value in item.normal))
        mapper.AddClippingPlane(plane)


def clip_alike(mapper: vtkMapper, other: vtkMapper) -> None:
    """Let a mapper draw only what another one draws."""
    mapper.RemoveAllClippingPlanes()
    for plane in other.GetClippingPlanes() or ():
        mapper.AddClippingPlane(plane)


def face_actor(patch: Patch, cut: Cut, grain: vtkTexture | None) -> vtkActor:
    """Return a new actor for a patch of a cut's face; ``grain`` is the texture of the patch's grain."""
    mesh = pv.PolyData.from_regular_faces(patch.vertices.astype(np.float32), patch.faces)
    painted = mesh.GetPointData()
    mesh.point_data["normals"] = np.tile(np.array(cut.normal, dtype=np.float32), (len(patch.vertices), 1))
    painted.SetActiveNormals("normals")
    mesh.point_data["colour"] = patch.colours
    painted.SetActiveScalars("colour")
    actor = vtkActor()
    mapper = vtkOpenGLPolyDataMapper()
    mapper.SetColorModeToDirectScalars()
    if patch.grain is not None and grain is not None:
        mesh.point_data["grain"] = patch.grain.astype(np.float32)
        painted.SetActiveTCoords("grain")
        actor.SetTexture(grain)
    mapper.SetInputData(mesh)
    actor.SetMapper(mapper)
    shader = actor.GetShaderProperty()
    shader.AddFragmentShaderReplacement(AFTER_LIGHT, True, LIGHT, False)
    uniforms = shader.GetFragmentCustomUniforms()
    settings = {"gloss": 0.0, "polish": 12.0, "edgeShade": 0.0, "glow": FLAT, "cutFace": 0.0}
    for name, value in settings.items():
        uniforms.SetUniformf(name, value)
    uniforms.SetUniform3f("cutColour", (1.0, 1.0, 1.0))
    return actor
