"""One structure's actor in one pane: made once from a shape, then only moved, faded and lit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyvista as pv
from scipy import sparse
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkRenderingCore import vtkActor, vtkTexture
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLPolyDataMapper

from spineviz.geometry import volume
from spineviz.model import Cut, Look
from spineviz.render.face import Face, clip, clip_alike
from spineviz.render.materials import Grain, Material, vertex_colours
from spineviz.render.shading import AFTER_LIGHT, LIGHT
from spineviz.render.textures import tile
from spineviz.structure import Floats, Points, Surface

SHARP = 40.0
"""Degrees between faces from which an instrument's edge is shaded as an edge."""

GLOW = 0.30
"""How far a full highlight lifts a structure's own colour out of the light and shade."""

ALARM = 0.78
"""How far what is diseased takes on the colour of disease; its own is still seen."""


Pose = tuple[Points, Points]
"""Drawn vertices (k, 3) float32, and their normals (k, 3)."""

Placement = tuple[tuple[str, tuple[float, ...]] | None, tuple[float, ...] | None]
"""The warp with its amounts, and the matrix, that put a figure where it stands."""


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

    def values(self, painted: npt.NDArray) -> npt.NDArray:
        """Return what is painted on a surface's vertices for the drawn vertices."""
        return painted if self.source is None else painted[self.source]


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


@dataclass(frozen=True, eq=False)
class Shape:
    """A surface made ready to be drawn, once for all panes.

    ``colours`` (k, 3) and ``grain`` (k, 2), in tiles, are painted on the drawn vertices. ``closed`` tells
    that nobody sees its inside until it is cut. ``middle`` (3,) is the mean of the vertices at rest.
    """

    surface: Surface
    material: Material
    skin: Skin
    colours: npt.NDArray[np.uint8]
    grain: Floats | None
    closed: bool
    middle: Floats

    @cached_property
    def at_rest(self) -> pv.PolyData:
        """The mesh of the surface at rest; whoever moves it takes one of its own."""
        points, own = self.skin.points(self.surface.vertices), self.surface.normals
        return self._mesh(
            points, self.skin.normals(points) if own is None else np.array(self.skin.values(own))
        )

    def pose(self, vertices: Points) -> Pose:
        """Return how the surface is drawn with vertices (n, 3)."""
        points = self.skin.points(vertices)
        return points, self.skin.normals(points)

    def posed(self, pose: Pose) -> pv.PolyData:
        """Return a new mesh of the surface in a pose, which stays as it is."""
        points, normals = pose
        return self._mesh(points.copy(), normals.copy())

    def _mesh(self, points: Points, normals: Points) -> pv.PolyData:
        """Return a new mesh of drawn vertices (k, 3) with their normals (k, 3)."""
        mesh = pv.PolyData.from_regular_faces(points, self.skin.faces)
        painted = mesh.GetPointData()
        mesh.point_data["normals"] = normals
        painted.SetActiveNormals("normals")
        mesh.point_data["colour"] = self.colours
        painted.SetActiveScalars("colour")
        if self.grain is not None:
            mesh.point_data["grain"] = self.grain
            painted.SetActiveTCoords("grain")
        return mesh


def shape(surface: Surface, material: Material, sharp: bool = False) -> Shape:
    """Return what is drawn for a surface; ``sharp`` keeps edges crisp, for instruments."""
    drawn = skin(surface, sharp)
    grain = None
    if material.grain != "none" and surface.coordinates is not None:
        grain = (drawn.values(surface.coordinates) / np.array(material.grain_size)).astype(np.float32)
    colours = drawn.values(vertex_colours(surface, material))
    middle = surface.vertices.mean(axis=0, dtype=np.float64)
    return Shape(surface, material, drawn, colours, grain, _closed(surface), middle)


@dataclass(eq=False)
class Figure:
    """A shape on the stage, in one pane.

    ``look`` is what was last shown, for skipping what is equal.
    """

    actor: vtkActor
    shape: Shape
    mesh: pv.PolyData
    look: Look
    cuts: tuple[Cut, ...] = ()
    faces: dict[Cut, Face] = field(default_factory=dict)
    silhouette: vtkActor | None = None

    @property
    def placement(self) -> Placement:
        """What put the figure where it stands now."""
        return self.look.warp, self.look.matrix

    @property
    def translucent(self) -> bool:
        """Whether the actor is seen through now."""
        return bool(self.actor.GetVisibility()) and self.actor.GetProperty().GetOpacity() < 1

    @property
    def filled(self) -> list[vtkActor]:
        """The actors of the cut faces that are seen now."""
        return [actor for face in self.faces.values() for actor in face.actors if actor.GetVisibility()]

    def move(self, pose: Pose) -> None:
        """Put the surface's vertices elsewhere, and light them anew."""
        if self.mesh is self.shape.at_rest:
            self.mesh = self.shape.posed(pose)
            self.actor.GetMapper().SetInputData(self.mesh)
            return
        self.mesh.points[:], self.mesh.point_data["normals"][:] = pose
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
        properties.SetBackfaceCulling(self.shape.closed or (opacity < 1 and not self.cuts))

    def glow(self, highlight: float) -> None:
        """Lift the structure's colour out of light and shade, 0..1."""
        uniforms = self.actor.GetShaderProperty().GetFragmentCustomUniforms()
        uniforms.SetUniformf("glow", GLOW * highlight)

    def alarm(self, share: float) -> None:
        """Colour the structure as diseased, 0..1."""
        uniforms = self.actor.GetShaderProperty().GetFragmentCustomUniforms()
        uniforms.SetUniformf("alarm", ALARM * share)

    def light(self, coaxial: float) -> None:
        """Let a share of the light, 0..1, fall along the line of sight."""
        uniforms = self.actor.GetShaderProperty().GetFragmentCustomUniforms()
        uniforms.SetUniformf("coaxial", coaxial)

    def cut(self, cuts: tuple[Cut, ...]) -> None:
        """Hide what lies beyond the planes; the inside that they open is painted flat, for want of a face."""
        self.cuts = cuts
        clip(self.actor.GetMapper(), cuts)
        uniforms = self.actor.GetShaderProperty().GetFragmentCustomUniforms()
        uniforms.SetUniformf("cutFace", 1.0 if cuts else 0.0)

    def outlined(self, shade: float) -> tuple[vtkActor, ...]:
        """Return actors, always the same, that draw figure and cut faces in a grey of ``shade`` 0..1."""
        original = self.actor.GetMapper()
        if self.silhouette is None:
            self.silhouette = vtkActor()
            self.silhouette.SetMapper(vtkOpenGLPolyDataMapper())
            self.silhouette.GetMapper().ScalarVisibilityOff()
            self.silhouette.GetProperty().SetLighting(False)
        mapper = self.silhouette.GetMapper()
        mapper.SetInputData(self.mesh)
        clip_alike(mapper, original)
        self.silhouette.SetUserMatrix(self.actor.GetUserMatrix())
        self.silhouette.GetProperty().SetColor(shade, shade, shade)
        flat = (actor for face in self.faces.values() for actor in face.silhouettes(shade))
        return self.silhouette, *flat


def figure(drawn: Shape, grain: vtkTexture | None, look: Look, pose: Pose | None) -> Figure:
    """Return a new actor for a shape, opaque and in a pose, or None at rest.

    ``grain`` is the texture of the shape's grain; ``look`` tells the warp that the pose comes from.
    """
    mesh = drawn.at_rest if pose is None else drawn.posed(pose)
    actor = vtkActor()
    mapper = vtkOpenGLPolyDataMapper()
    mapper.SetInputData(mesh)
    mapper.SetColorModeToDirectScalars()
    actor.SetMapper(mapper)
    if grain is not None:
        actor.SetTexture(grain)
    _shade(actor, drawn.material)
    made = Figure(actor, drawn, mesh, Look(warp=look.warp))
    made.fade(1.0)
    return made


def texture(grain: Grain) -> vtkTexture:
    """Return a grain as a texture that repeats."""
    rows, columns, _ = tile(grain).shape
    image = pv.ImageData(dimensions=(columns, rows, 1))
    image.point_data["grain"] = tile(grain)[::-1].reshape(-1, 3)
    result = vtkTexture()
    result.SetInputData(image)
    result.InterpolateOn()
    result.MipmapOn()
    result.RepeatOn()
    return result


def _closed(surface: Surface) -> bool:
    """Tell whether every edge of a surface belongs to two faces, and its faces look outward."""
    ends = surface.faces.astype(np.int64)
    others = np.roll(ends, -1, axis=1)
    edges = np.minimum(ends, others) * len(surface.vertices) + np.maximum(ends, others)
    edges = np.sort(edges, axis=None)
    if len(edges) % 2 or (edges[::2] != edges[1::2]).any() or (edges[1:-1:2] == edges[2::2]).any():
        return False
    return volume(surface) > 0


def _shade(actor: vtkActor, material: Material) -> None:
    shader = actor.GetShaderProperty()
    shader.AddFragmentShaderReplacement(AFTER_LIGHT, True, LIGHT, False)
    uniforms = shader.GetFragmentCustomUniforms()
    for name, value in (
        ("gloss", material.gloss),
        ("polish", material.polish),
        ("edgeShade", material.edge),
        ("glow", 0.0),
        ("alarm", 0.0),
        ("cutFace", 0.0),
        ("coaxial", 0.0),
    ):
        uniforms.SetUniformf(name, value)
    uniforms.SetUniform3f("cutColour", material.inside)
