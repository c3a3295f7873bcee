"""A body to operate on, built coarsely once for all tests of surgery, and both operations prepared on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import trimesh
from standing import bones

from spineviz.anatomy.back.muscle import muscle_parameters, muscle_recipes
from spineviz.anatomy.back.skin import skin_parameters, skin_recipes
from spineviz.anatomy.ligament import ligament_recipes
from spineviz.anatomy.recipe import Body
from spineviz.model import Camera, Look, Model, Pane, State
from spineviz.structure import Floats, Points, Structure, Surface
from spineviz.surgery import Approach, OpenMidlineDiscectomy, Prepared, TubularMicrodiscectomy, prepare
from spineviz.surgery.shapes import sweep
from spineviz.timeline import Timeline, timeline

KINDS = ("tubular", "open")
FRAGMENT, ROOT = "herniation.L4-L5", "root.L5.left"
CAMERA = Camera((0.0, 0.0, 40.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0), 160.0)
CAMERAS = {"posterior": CAMERA, "operative": replace(CAMERA, height=110.0)}


@dataclass(frozen=True, eq=False)
class GivingWay:
    """A root that gives way: backwards by its first amount, medially by its second."""

    rest: Points
    share: Floats

    def __call__(self, amounts: tuple[float, ...]) -> Points:
        way = np.array([amounts[1], -1.5 * amounts[0], 0.0])
        return self.rest + self.share[:, None] * way


@cache
def body() -> Body:
    skeleton = bones()
    recipes = muscle_recipes(muscle_parameters(), skeleton)
    recipes |= skin_recipes(skin_parameters(), skeleton, recipes)
    recipes |= {
        name: item for name, item in ligament_recipes(skeleton).items() if name.startswith("flavum.L4")
    }
    structures = {level: Structure(level, "bone", bone.surface) for level, bone in skeleton.items()}
    structures |= {name: recipe.structure() for name, recipe in recipes.items()}
    structures |= {item.name: item for item in (_fragment(), _root())}
    rest = np.asarray(structures[ROOT].surface.vertices, dtype=np.float64)
    share = np.exp(-(((rest[:, 2] - _canal_at_disc()[2]) / 12.0) ** 2))
    return Body(skeleton, recipes, structures, {(ROOT, "surgery"): GivingWay(rest, share)})


def _canal_at_disc() -> Floats:
    """The middle (3,) of the canal behind the disc L4-L5, in the world, mm."""
    upper, lower = bones()["L4"].landmarks, bones()["L5"].landmarks
    height = (upper["endplate.inferior"].origin + lower["endplate.superior"].origin)[2] / 2
    depth = (upper["canal"].origin + lower["canal"].origin)[1] / 2
    return np.array([0.0, depth, height])


def _fragment() -> Structure:
    """A lump between the posterior wall of the disc and the root."""
    ball = trimesh.creation.icosphere(2)
    place = _canal_at_disc() + np.array([-8.0, 5.5, 0.0])
    return Structure(FRAGMENT, "fragment", Surface(ball.vertices * [5.0, 3.5, 5.0] + place, ball.faces))


def _root() -> Structure:
    below = np.linspace(17.0, -19.0, 24)
    way = np.stack([-8.4 + 0.2 * below, np.zeros(24), below], axis=1) + _canal_at_disc()
    return Structure(ROOT, "nerve", sweep(way, 2.3, 2.3), "left")


@cache
def prepared(kind: str) -> Prepared:
    approach: Approach = TubularMicrodiscectomy() if kind == "tubular" else OpenMidlineDiscectomy()
    return prepare(approach, body())


@cache
def model() -> Model:
    whole = body()
    structures, warps = dict(whole.structures), dict(whole.warps)
    for kind in KINDS:
        for name, variants in prepared(kind).variants.items():
            found = structures[name]
            structures[name] = replace(found, variants={**found.variants, **variants})
        structures |= prepared(kind).structures
        warps |= prepared(kind).warps
    return Model(structures, {}, whole.bones, warps)


@cache
def film() -> Timeline:
    """Both operations beside each other."""
    panes = []
    for kind in KINDS:
        looks = {name: Look(visible=not name.startswith("instrument")) for name in model().structures}
        panes.append(Pane({**looks, **prepared(kind).looks}, CAMERA))
    return timeline(State(tuple(panes), "twin"), [prepared(kind).steps(CAMERAS) for kind in KINDS])


def pane(kind: str, second: float) -> Pane:
    return film().at(second).panes[KINDS.index(kind)]


def span(kind: str, phase: str) -> tuple[float, float]:
    """When a phase begins and ends, s."""
    moments = [moment for moment in film().tracks[KINDS.index(kind)] if moment.step.phase == phase]
    return moments[0].start, moments[-1].end
