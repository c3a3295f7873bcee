"""One structure's actor in one pane: made once from a surface, then only moved, faded and lit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyvista as pv
from scipy import sparse
from vtkmodules.vtkCommonDataModel import vtkPlane
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkRenderingCore import vtkActor
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLPolyDataMapper

from spineviz.geometry import volume
from spineviz.model import Cut, Look
from spineviz.render.materials import Material, vertex_colours
from spineviz.render.shading import AFTER_LIGHT, LIGHT
from spineviz.render.textures import tile
from spineviz.structure import Floats, Points, Surface

SHARP = 40.0
"""Degrees between faces from which an instrument's edge is shaded as an edge."""

GLOW = 0.30
"""How far a full highlight lifts a structure's own colour out of the light and shade."""


@dataclass(frozen=True, eq=False)
class Skin:
    """The triangles that are drawn for a surface, and how its vertices become theirs.

    ``source`` (k,) tells the surface's vertex behind each drawn vertex; there are more drawn ones
    where edges are sharp. ``gather`` (k, m) sums the normals of the faces around each drawn vertex.
    """

    source: npt.NDArray[np.intp] | None
    faces: npt.NDArray[np.integer]
    gather: sparse.csr_matrix

    def points(self, vertices: Points) -> Points:
        """Return the drawn vertices (k, 3) float32, never shared, of a surface's vertices (n, 3)."""
        chosen = vertices if self.source is None else vertices[self.source]
        return np.array(chosen, dtype=np.float32)

    def normals(self, points: Points) -> Points:
        """Return unit normals (k, 3) float32 of drawn vertices."""
        first = points[self.faces[:, 0]]
        across = np.cross(points[self.faces[:, 1]] - first, points[self.faces[:, 2]] - first)
        result = self.gather @ across
        length = np.sqrt(np.einsum("ij,ij->i", result, result))
        return result / np.maximum(length, 1e-12)[:, None]


def skin(surface: Surface, sharp: bool) -> Skin:
    """Return what is drawn for a surface; ``sharp`` splits vertices at edges."""
    source = None
    faces: npt.NDArray[np.integer] = surface.faces
    if sharp:
        mesh = pv.PolyData.from_regular_faces(surface.vertices, surface.faces)
        mesh.point_data["source"] = np.arange(len(surface.vertices))
        mesh = mesh.compute_normals(
            split_vertices=True, feature_angle=SHARP, consistent_normals=False, cell_normals=False
        )
        source, faces = np.asarray(mesh.point_data["source"]), mesh.regular_faces
    count = len(surface.vertices) if source is None else len(source)
    rows = faces.ravel()
    columns = np.repeat(np.arange(len(faces)), 3)
    ones = np.ones(len(rows), dtype=np.float32)
    gather = sparse.csr_matrix((ones, (rows, columns)), shape=(count, len(faces)))
    return Skin(source, faces, gather)


@dataclass(eq=False)
class Figure:
    """A structure's surface on the stage.

    ``closed`` tells that nobody sees its inside until it is cut. ``look`` is what was last shown, for
    skipping what is equal.
    """

    actor: vtkActor
    mesh: pv.PolyData
    skin: Skin
    closed: bool
    look: Look | None = None
    cuts: tuple[Cut, ...] = field(default=())

    @property
    def translucent(self) -> bool:
        """Whether the actor is seen through now."""
        return bool(self.actor.GetVisibility()) and self.actor.GetProperty().GetOpacity() < 1

    def move(self, vertices: Points) -> None:
        """Put the surface's vertices (n, 3) elsewhere, and light them anew."""
        points = self.skin.points(vertices)
        self.mesh.points[:] = points
        self.mesh.point_data["normals"][:] = self.skin.normals(points)
        self.mesh.GetPoints().Modified()
        self.mesh.GetPointData().GetNormals().Modified()
        self.mesh.Modified()

    def place(self, matrix: Sequence[float] | None) -> None:
        """Carry the actor by a 4 x 4 rigid placement, row by row, or back to where it was made."""
        if matrix is None:
            self.actor.SetUserMatrix(None)
            return
        placement = vtkMatrix4x4()
        placement.DeepCopy(tuple(matrix))
        self.actor.SetUserMatrix(placement)

    def fade(self, opacity: float) -> None:
        """Set the opacity, 0..1; a translucent solid shows only the walls that face the eye."""
        properties = self.actor.GetProperty()
        properties.SetOpacity(opacity)
        properties.SetBackfaceCulling((self.closed or opacity < 1) and not self.cuts)

    def glow(self, highlight: float) -> None:
        """Lift the structure's colour out of light and shade, 0..1."""
        uniforms = self.actor.GetShaderProperty().GetFragmentCustomUniforms()
        uniforms.SetUniformf("glow", GLOW * highlight)

    def cut(self, cuts: tuple[Cut, ...]) -> None:
        """Hide what lies beyond the planes; what they open is painted as a cut face."""
        self.cuts = cuts
        mapper = self.actor.GetMapper()
        mapper.RemoveAllClippingPlanes()
        for item in cuts:
            plane = vtkPlane()
            plane.SetOrigin(item.origin)
            plane.SetNormal(tuple(-value for value in item.normal))
            mapper.AddClippingPlane(plane)
        uniforms = self.actor.GetShaderProperty().GetFragmentCustomUniforms()
        uniforms.SetUniformf("cutFace", 1.0 if cuts else 0.0)


def figure(surface: Surface, material: Material, sharp: bool = False) -> Figure:
    """Return a new actor for a surface at rest; ``sharp`` keeps edges crisp, for instruments."""
    drawn = skin(surface, sharp)
    points = drawn.points(surface.vertices)
    mesh = pv.PolyData.from_regular_faces(points, drawn.faces)
    mesh.point_data["normals"] = drawn.normals(points)
    mesh.GetPointData().SetActiveNormals("normals")
    mesh.point_data["colour"] = drawn_values(drawn, vertex_colours(surface, material))
    mesh.GetPointData().SetActiveScalars("colour")
    actor = vtkActor()
    mapper = vtkOpenGLPolyDataMapper()
    mapper.SetInputData(mesh)
    mapper.SetColorModeToDirectScalars()
    actor.SetMapper(mapper)
    if material.grain != "none" and surface.coordinates is not None:
        _grain(actor, mesh, drawn_values(drawn, surface.coordinates), material)
    _shade(actor, material)
    return Figure(actor, mesh, drawn, _closed(surface))


def drawn_values(drawn: Skin, values: npt.NDArray) -> npt.NDArray:
    """Return what is painted on a surface's vertices for the drawn vertices."""
    return values if drawn.source is None else values[drawn.source]


def _closed(surface: Surface) -> bool:
    """Tell whether every edge of a surface belongs to two faces, and its faces look outward."""
    ends = np.sort(np.stack([surface.faces, np.roll(surface.faces, -1, axis=1)], axis=2), axis=2)
    edges = ends[..., 0].astype(np.int64) * len(surface.vertices) + ends[..., 1]
    return bool((np.unique(edges, return_counts=True)[1] == 2).all()) and volume(surface) > 0


def _grain(actor: vtkActor, mesh: pv.PolyData, coordinates: Floats, material: Material) -> None:
    mesh.point_data["grain"] = (coordinates / np.array(material.grain_size)).astype(np.float32)
    mesh.GetPointData().SetActiveTCoords("grain")
    texture = pv.numpy_to_texture(tile(material.grain))
    texture.InterpolateOn()
    texture.MipmapOn()
    texture.SetRepeat(True)
    actor.SetTexture(texture)


def _shade(actor: vtkActor, material: Material) -> None:
    shader = actor.GetShaderProperty()
    shader.AddFragmentShaderReplacement(AFTER_LIGHT, True, LIGHT, False)
    uniforms = shader.GetFragmentCustomUniforms()
    for name, value in (
        ("gloss", material.gloss),
        ("polish", material.polish),
        ("edgeShade", material.edge),
        ("glow", 0.0),
        ("cutFace", 0.0),
    ):
        uniforms.SetUniformf(name, value)
    uniforms.SetUniform3f("cutColour", material.inside)
