"""One pane's place in the window: its actors, what was read back of it, and its finished picture."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PIL import Image
from vtkmodules.vtkRenderingCore import vtkActor, vtkRenderer, vtkRenderWindow

from spineviz.model import Camera, Cut, Model, Pane
from spineviz.render import outline, window
from spineviz.render.figure import Figure, Placement
from spineviz.render.ground import Cellar, Floor, Ground, Share
from spineviz.render.materials import material_of
from spineviz.render.projection import Box, project, reach
from spineviz.render.strokes import Canvas
from spineviz.render.troupe import Key, Troupe
from spineviz.structure import Floats

HIDES = 3.0
"""Millimetres before a label's place from which something hides it."""

GREYS = 3
"""Steps of grey, of 255, between the silhouettes of two structures."""


@dataclass(frozen=True)
class Outlined:
    """A figure that is outlined: how strongly, 0..1, where seen and where hidden, and in which ink."""

    figure: Figure
    strength: float
    ghost: float
    ink: tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Silhouettes:
    """Where outlined structures would be seen if nothing stood before them.

    ``scene`` is what they depend on. ``part`` are the rows and columns of a picture that ``greys`` (h, w),
    a step for each structure, and ``depths`` (h, w), mm, fill; None where nothing is in sight.
    """

    scene: _Scene
    part: tuple[slice, slice] | None
    greys: Canvas
    depths: Floats


_Scene = tuple[Camera, Box, tuple[tuple[Cut, ...], ...], tuple[tuple[Figure, Placement], ...]]


@dataclass(eq=False)
class View:
    """One pane's renderer, that of its silhouettes, those of its ground, and its last picture.

    ``box`` is its place in the picture. ``solid`` figures are drawn first, ``through`` the translucent actors
    after them, both in order. What stands still is kept in ``cellar``, which views share whose boxes lie
    apart.
    """

    renderer: vtkRenderer
    outlines: vtkRenderer
    floor: Floor
    cellar: Cellar
    troupes: list[Troupe]
    camera: Camera
    box: Box
    picture: Canvas | None = None
    depths: Floats | None = None
    silhouettes: Silhouettes | None = None
    solid: list[Figure] = field(default_factory=list)
    through: list[vtkActor] = field(default_factory=list)
    ground: Ground = field(default_factory=Ground)
    slice: Pane | None = None

    @property
    def renderers(self) -> tuple[vtkRenderer, ...]:
        """All renderers of the view, in the order in which they draw."""
        return self.renderer, *self.floor.renderers, self.outlines

    def settle(self, size: tuple[int, int]) -> Share:
        """Share the actors among the renderers that draw what stands still and what moves; tell who draws.

        ``size`` is that of the window. Where a plane cuts, all is drawn.
        """
        if any(troupe.cuts for troupe in self.troupes):
            self.ground.forget()
            return "whole"
        share = self.ground.settle((self.camera, self.box, size), {item: item.look for item in self.solid})
        kept = self.ground.kept
        moving = [item.actor for item in self.solid if item not in kept]
        self.floor.fill([item.actor for item in self.solid if item in kept], [*moving, *self.through])
        return share

    def turn(self, pane: Pane, box: Box) -> None:
        """Show a slice; what is written on it changes nothing of its picture."""
        shown = Pane(pane.looks, pane.camera)
        if shown != self.slice or box != self.box:
            self.slice, self.camera, self.box, self.picture = shown, pane.camera, box, None

    def cast(self, model: Model) -> tuple[Outlined, ...]:
        """Return the structures that are outlined now."""
        return tuple(
            Outlined(troupe.figures[key], strength, ghost, _ink(key, model))
            for troupe in self.troupes
            for key, (strength, ghost) in troupe.outlined(model).items()
        )

    def scene(self, cast: tuple[Outlined, ...], box: Box) -> _Scene:
        """Return what the silhouettes of a cast depend on, for a box of the window."""
        cuts = tuple(troupe.cuts for troupe in self.troupes)
        return self.camera, box, cuts, tuple((item.figure, item.figure.placement) for item in cast)

    def gather(self, cast: tuple[Outlined, ...]) -> None:
        """Put the silhouettes of a cast, and no others, into the renderer of silhouettes."""
        for actor in self.outlines.GetViewProps():
            actor.VisibilityOff()
        self.outlines.SetViewport(self.renderer.GetViewport())
        for order, item in enumerate(cast, start=1):
            for actor in item.figure.outlined(order * GREYS / 255):
                actor.VisibilityOn()
                self.outlines.AddActor(actor)


@dataclass(frozen=True, eq=False)
class Take:
    """What was read back of one view: its colours (h, w, 3), and its depths (h, w) in mm.

    ``box`` is its place in the window.
    """

    view: View
    box: Box
    cast: tuple[Outlined, ...]
    colours: Canvas
    depths: Floats

    @property
    def outdated(self) -> bool:
        """Whether the view's silhouettes are not those of this take."""
        kept = self.view.silhouettes
        return bool(self.cast) and (kept is None or kept.scene != self.view.scene(self.cast, self.box))

    def finish(self, unit: float) -> None:
        """Shade the relief, draw the outlines, and give the picture to the view."""
        outline.relief(self.colours, self.depths, reach(self.view.camera)[1], unit)
        kept = self.view.silhouettes
        if self.cast and kept is not None and kept.part is not None:
            colours = self.colours[kept.part]
            unhidden = kept.depths <= self.depths[kept.part] + outline.BEHIND
            for order, item in enumerate(self.cast, start=1):
                drawn = kept.greys == order * GREYS
                outline.outline(
                    colours,
                    drawn,
                    drawn & unhidden,
                    item.ink,
                    strength=item.strength,
                    ghost=item.ghost,
                    unit=unit,
                )
        self.view.picture, self.view.depths = fitted(self.colours, self.view.box), self.depths


def take(opened: vtkRenderWindow, view: View, box: Box, model: Model) -> Take:
    """Read back what a window shows of a view in a box of the window."""
    depths = window.depths(opened, box, view.camera)
    return Take(view, box, view.cast(model), window.colours(opened, box), depths)


def silhouettes(opened: vtkRenderWindow, taken: Take, unit: float) -> Silhouettes:
    """Read back the silhouettes that a window shows in the box of a take."""
    greys = window.greys(opened, taken.box)
    scene = taken.view.scene(taken.cast, taken.box)
    part = outline.around(greys > 0, outline.margin(unit))
    if part is None:
        return Silhouettes(scene, None, greys, taken.depths)
    depths = window.depths(opened, taken.box.part(*part), taken.view.camera)
    return Silhouettes(scene, part, np.array(greys[part]), depths)


def hidden(view: View, pane: Pane, samples: float) -> list[bool]:
    """Tell for each label of a pane, in the view's last picture, whether something stands before it."""
    if view.depths is None or not pane.labels:
        return [False] * len(pane.labels)
    points = np.array([label.anchor for label in pane.labels])
    box = Box(0, 0, view.box.width, view.box.height)
    pixels, depth = project(view.camera, points, box)
    columns, rows = np.nan_to_num(pixels * samples, nan=-1.0).astype(int).T
    height, width = view.depths.shape
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    before = view.depths[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
    return [bool(value) for value in inside & (before < depth - HIDES)]


def fitted(picture: Canvas, box: Box) -> Canvas:
    """Return a picture at the size of its box."""
    height, width = picture.shape[:2]
    if (width, height) == (box.width, box.height):
        return picture
    image = Image.fromarray(picture)
    if (width, height) == (2 * box.width, 2 * box.height):
        return np.array(image.reduce(2))
    return np.array(image.resize((box.width, box.height), Image.Resampling.BILINEAR))


def _ink(key: Key, model: Model) -> tuple[int, int, int]:
    """Return the colour of the faint line around what is hidden of a structure."""
    first = material_of(key[0], model.structures[key[0]].tissue).first
    red, green, blue = (round(215 * part) for part in first)
    return red, green, blue
