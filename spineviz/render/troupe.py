"""One pane's actors: made when first needed, and changed only where a pane's looks have changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from vtkmodules.vtkRenderingCore import vtkActor, vtkRenderer, vtkTexture

from spineviz.filling import filling, strength
from spineviz.model import Cut, Look, Model, Pane, Vector
from spineviz.render.cut_faces import FILLED, Patch, cut_look, filled, line_width, patches
from spineviz.render.face import Face
from spineviz.render.figure import Figure, Pose, Shape, figure, shape, texture
from spineviz.render.materials import Grain, material_of

INVISIBLE = 0.004
"""Opacity up to which a structure is not drawn at all."""

SMALL = 2.0
"""The pixels of a picture per mm up to which structures are drawn by their light meshes.

Their outline then errs by less than half a pixel, and their normals are those of the full shape.
"""

LIGHT = "light mesh"
"""Stands for the light mesh of the rest shape where a variant is named."""

Key = tuple[str, str]
"""A structure's name and its variant, or LIGHT."""


FaceKey = tuple[str, str, object, object, Vector, Vector, float]
"""All that a cut face depends on: structure, variant, warp, matrix, plane, and the width of its line."""

KEPT = 2000
"""Faces of cuts that are remembered: some dozen places of a plane that is moved to and fro."""


@dataclass(eq=False)
class Wardrobe:
    """The shapes and grains that the troupes of a stage share: made once, when first needed."""

    shapes: dict[Key, Shape] = field(default_factory=dict)
    grains: dict[Grain, vtkTexture] = field(default_factory=dict)
    faces: dict[FaceKey, tuple[Patch, ...]] = field(default_factory=dict)
    poses: dict[tuple[Key, str], tuple[Look, Pose]] = field(default_factory=dict)

    def shape(self, model: Model, key: Key, look: Look) -> Shape:
        """Return what is drawn for the surface that a look has chosen, or for the light one."""
        if key not in self.shapes:
            item = model.structures[key[0]]
            light = item.light if key[1] == LIGHT else None
            surface, material = (
                light or model.surface(key[0], look),
                material_of(key[0], item.tissue, item.shade),
            )
            self.shapes[key] = shape(surface, material, sharp=item.tissue == "instrument")
        return self.shapes[key]

    def pose(self, model: Model, key: Key, look: Look) -> Pose:
        """Return how a surface is drawn as a look warps it, before the look's rigid placement.

        The last pose by each warp is remembered: a pane and its inset show the same.
        """
        shaping = Look(variant=look.variant, warp=look.warp)
        slot = key, "" if look.warp is None else look.warp[0]
        known = self.poses.get(slot)
        if known is None or known[0] != shaping:
            known = shaping, self.shape(model, key, look).pose(model.vertices(key[0], shaping))
            self.poses[slot] = known
        return known[1]

    def grain(self, drawn: Shape) -> vtkTexture | None:
        """Return the texture of a shape's grain, or None where it has none."""
        if drawn.grain is None:
            return None
        return self.texture(drawn.material.grain)

    def texture(self, name: Grain) -> vtkTexture | None:
        """Return a grain as a texture."""
        if name == "none":
            return None
        if name not in self.grains:
            self.grains[name] = texture(name)
        return self.grains[name]

    def patches(self, model: Model, name: str, look: Look, cut: Cut, line: float) -> tuple[Patch, ...]:
        """Return what fills the face that a cut makes on a structure; the last KEPT are remembered."""
        key = name, look.variant, look.warp, look.matrix, cut.origin, cut.normal, line
        made = self.faces.pop(key, None)
        self.faces[key] = patches(model, name, look, cut, line) if made is None else made
        if len(self.faces) > KEPT:
            del self.faces[next(iter(self.faces))]
        return self.faces[key]


@dataclass(eq=False)
class Troupe:
    """The actors of one pane, and the looks and cuts that they show now.

    ``coaxial`` 0..1 is the share of the light that falls along the line of sight.
    """

    renderer: vtkRenderer
    wardrobe: Wardrobe
    figures: dict[Key, Figure] = field(default_factory=dict)
    fat: dict[Cut, Face] = field(default_factory=dict)
    looks: Mapping[str, Look] | None = None
    cuts: tuple[Cut, ...] = ()
    small: bool = False
    lines: Mapping[Cut, float] = field(default_factory=dict)
    coaxial: float = 0.0

    @property
    def opaque(self) -> list[Figure]:
        """The figures that hide what stands behind them now."""
        return [item for item in self.figures.values() if item.actor.GetVisibility() and not item.translucent]

    @property
    def translucent(self) -> list[vtkActor]:
        """The actors that are seen through now."""
        return [
            actor
            for item in self.figures.values()
            if item.translucent
            for actor in (item.actor, *item.filled)
        ] + [
            actor
            for face in self.fat.values()
            for actor in face.actors
            if actor.GetProperty().GetOpacity() < 1
        ]

    def show(self, model: Model, pane: Pane, scale: float) -> bool:
        """Bring the actors to what a pane says, at ``scale`` pixels per mm; tell whether anything changed.

        Structures that the pane does not name are not drawn.
        """
        small, eye = scale <= SMALL, np.array(pane.camera.direction)
        lines = {cut: line_width(scale, abs(float(eye @ np.array(cut.normal)))) for cut in pane.cuts}
        if (self.looks, self.cuts, self.small, self.lines) == (pane.looks, pane.cuts, small, lines):
            return False
        self.small, self.lines = small, lines
        wanted = {self._key(model, name, look): look for name, look in pane.looks.items() if _seen(look)}
        for key, item in self.figures.items():
            item.actor.SetVisibility(key in wanted)
            if key not in wanted:
                self._open(item, model, key[0], ())
        for key, look in wanted.items():
            item = self.figures.get(key) or self._made(model, key, look)
            self._dress(item, model, key, look)
            cuts = tuple(cut for cut in pane.cuts if cut.cuts(key[0]))
            if item.cuts != cuts:
                item.cut(cuts)
                item.fade(look.opacity)
            self._open(item, model, key[0], cuts)
        self._fill(model, pane)
        self.looks, self.cuts = pane.looks, pane.cuts
        return True

    def outlined(self, model: Model) -> dict[Key, tuple[float, float]]:
        """Return the structures that are outlined now: how strongly, 0..1, where seen and where hidden.

        Displaced disc material always is where it is seen; all else when it is highlighted.
        """
        result = {}
        for name, look in (self.looks or {}).items():
            always = 1.0 if model.structures[name].tissue == "fragment" else 0.0
            present = min(1.0, 2 * look.opacity)
            strength = max(always, look.highlight) * present
            if _seen(look) and strength > 0.02:
                result[self._key(model, name, look)] = strength, look.highlight * present
        return result

    def _key(self, model: Model, name: str, look: Look) -> Key:
        """Return the surface that stands for a look: the light one where it is at rest and small."""
        at_rest = not look.variant and look.warp is None
        if self.small and at_rest and model.structures[name].light is not None:
            return name, LIGHT
        return name, look.variant

    def _open(self, item: Figure, model: Model, name: str, cuts: tuple[Cut, ...]) -> None:
        """Fill the faces that cuts make on a figure; a cut that has moved keeps the actors of its face."""
        gone = [
            cut
            for cut, face in item.faces.items()
            if cut not in cuts or face.stale(item.look, self.lines[cut])
        ]
        spare = [item.faces.pop(cut) for cut in gone]
        for cut in cuts:
            if cut not in item.faces:
                face = spare.pop() if spare else self._face(name, model)
                made = self.wardrobe.patches(model, name, item.look, cut, self.lines[cut])
                face.fill(made, cut, item.look, self.lines[cut])
                item.faces[cut] = face
            others = tuple(other for other in cuts if other != cut)
            item.faces[cut].dress(item.look.opacity, others, item.look.alarm)
        for face in spare:
            self._dismiss(face)

    def _dismiss(self, face: Face) -> None:
        for actor in face.actors:
            self.renderer.RemoveActor(actor)

    def _fill(self, model: Model, pane: Pane) -> None:
        """Fill what lies open between the faces of each cut with fat."""
        spare = [self.fat.pop(cut) for cut in tuple(self.fat) if cut not in pane.cuts]
        for cut in pane.cuts:
            if cut not in self.fat:
                self.fat[cut] = (
                    spare.pop() if spare else self._staged(Face(self.wardrobe.texture(FILLED.grain)))
                )
            face = self.fat[cut]
            face.fill(filled(filling(model, pane.looks, cut).fat), cut, Look(), self.lines[cut])
            face.dress(strength(model, pane.looks, cut), tuple(other for other in pane.cuts if other != cut))
        for face in spare:
            self._dismiss(face)

    def _face(self, name: str, model: Model) -> Face:
        """Return a new face of a structure, given by name, on the stage."""
        return self._staged(Face(self.wardrobe.texture(cut_look(name, model.structures[name].tissue).grain)))

    def _staged(self, face: Face) -> Face:
        for actor in face.actors:
            self.renderer.AddActor(actor)
        return face

    def _dress(self, item: Figure, model: Model, key: Key, look: Look) -> None:
        """Change of an actor only what differs between its last look and this one."""
        last = item.look
        if last is look:
            return
        if last.opacity != look.opacity:
            item.fade(look.opacity)
        if last.highlight != look.highlight:
            item.glow(look.highlight)
        if last.alarm != look.alarm:
            item.alarm(look.alarm)
        if last.matrix != look.matrix:
            item.place(look.matrix)
        if last.warp != look.warp:
            item.move(self.wardrobe.pose(model, key, look))
        item.look = look

    def _made(self, model: Model, key: Key, look: Look) -> Figure:
        drawn = self.wardrobe.shape(model, key, look)
        pose = None if look.warp is None else self.wardrobe.pose(model, key, look)
        made = figure(drawn, self.wardrobe.grain(drawn), look, pose)
        made.light(self.coaxial)
        self.figures[key] = made
        self.renderer.AddActor(made.actor)
        return made


def _seen(look: Look) -> bool:
    return look.visible and look.opacity > INVISIBLE
