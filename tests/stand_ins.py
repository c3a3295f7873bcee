"""Small bodies that stand in for anatomy where only the picture matters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh

from spineviz.model import Camera, Look, Model, Pane, State
from spineviz.structure import Message, Points, Structure, Surface
from spineviz.terms import Tissue

POSTERIOR = Camera((0.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0), 100.0)


def ball(centre: tuple[float, float, float], radius: float) -> Surface:
    """Return a ball; its coordinates run round it."""
    mesh = trimesh.creation.icosphere(3, radius)
    vertices = mesh.vertices + centre
    return Surface(vertices, mesh.faces, None, None, vertices[:, [2, 0]])


def structure(name: str, tissue: Tissue, surface: Surface) -> Structure:
    return Structure(name, tissue, surface)


@dataclass(frozen=True, eq=False)
class Lift:
    """Moves a surface along z by its one amount, in mm."""

    rest: Points

    def __call__(self, amounts: tuple[float, ...]) -> Points:
        return self.rest + np.array([0.0, 0.0, amounts[0]])


def model() -> Model:
    """A bone to the patient's left, a fragment to the right, a skin before both, a warp of the bone."""
    bone, fragment, skin = ball((-25, 0, 0), 15), ball((25, 0, 0), 12), ball((0, -60, 0), 30)
    structures = {
        "L4": structure("L4", "bone", bone),
        "herniation.L4-L5": structure("herniation.L4-L5", "fragment", fragment),
        "skin": structure("skin", "skin", skin),
    }
    return Model(structures, {}, {}, {("L4", "lift"): Lift(bone.vertices)})


def state(camera: Camera = POSTERIOR, **looks: Look) -> State:
    """Return a state of one pane; looks are given by structure name, dots and dashes left out."""
    names = {"L4": "L4", "herniation": "herniation.L4-L5", "skin": "skin"}
    return State((Pane({names[name]: look for name, look in looks.items()}, camera),))


def words(message: Message) -> str:
    """Return a message's key, in place of a catalog."""
    return message.key


def luminance(picture: Points) -> Points:
    return picture @ np.array([0.2126, 0.7152, 0.0722])
