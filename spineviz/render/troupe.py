"""One pane's actors: made when first needed, and changed only where a pane's looks have changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from vtkmodules.vtkRenderingCore import vtkActor, vtkRenderer
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLPolyDataMapper

from spineviz.model import Cut, Look, Model, Pane
from spineviz.render.figure import Figure, figure
from spineviz.render.materials import material_of

INVISIBLE = 0.004
"""Opacity up to which a structure is not drawn at all."""

Key = tuple[str, str]
"""A structure's name and its variant."""


@dataclass(eq=False)
class Troupe:
    """The actors of one pane, and the looks and cuts that they show now."""

    renderer: vtkRenderer
    figures: dict[Key, Figure] = field(default_factory=dict)
    looks: Mapping[str, Look] | None = None
    cuts: tuple[Cut, ...] = ()

    @property
    def translucent(self) -> list[vtkActor]:
        """The actors that are seen through now."""
        return [item.actor for item in self.figures.values() if item.translucent]

    def show(self, model: Model, pane: Pane) -> bool:
        """Bring the actors to what a pane says; tell whether anything had to change.

        Structures that the pane does not name are not drawn.
        """
        if self.looks == pane.looks and self.cuts == pane.cuts:
            return False
        wanted = {(name, look.variant): look for name, look in pane.looks.items() if _seen(look)}
        for key, item in self.figures.items():
            item.actor.SetVisibility(key in wanted)
        for key, look in wanted.items():
            item = self.figures.get(key) or self._made(model, key, look)
            _dress(item, model, key[0], look)
            if item.cuts != pane.cuts:
                item.cut(pane.cuts)
                item.fade(look.opacity)
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
                result[name, look.variant] = strength, look.highlight * present
        return result

    def _made(self, model: Model, key: Key, look: Look) -> Figure:
        tissue = model.structures[key[0]].tissue
        made = figure(model.surface(key[0], look), material_of(key[0], tissue), sharp=tissue == "instrument")
        self.figures[key] = made
        self.renderer.AddActor(made.actor)
        return made


def silhouette(original: vtkActor, shade: float) -> vtkActor:
    """Return an actor that draws another one's surface flat, in a grey of ``shade`` 0..1."""
    mapper = vtkOpenGLPolyDataMapper()
    mapper.SetInputData(original.GetMapper().GetInput())
    mapper.ScalarVisibilityOff()
    planes = original.GetMapper().GetClippingPlanes()
    if planes is not None:
        mapper.SetClippingPlanes(planes)
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.SetUserMatrix(original.GetUserMatrix())
    properties = actor.GetProperty()
    properties.SetLighting(False)
    properties.SetColor(shade, shade, shade)
    return actor


def _seen(look: Look) -> bool:
    return look.visible and look.opacity > INVISIBLE


def _dress(item: Figure, model: Model, name: str, look: Look) -> None:
    """Change of an actor only what differs between its last look and this one."""
    last = item.look
    if last is look:
        return
    if last is None or last.opacity != look.opacity:
        item.fade(look.opacity)
    if last is None or last.highlight != look.highlight:
        item.glow(look.highlight)
    if (None if last is None else last.matrix) != look.matrix:
        item.place(look.matrix)
    if (None if last is None else last.warp) != look.warp:
        item.move(model.vertices(name, replace(look, matrix=None)))
    item.look = look
