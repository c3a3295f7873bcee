"""All soft tissue of the loins in other bodies: nothing stands in anything else, and what lies on each other
touches, in flexion and extension, with a Cobb angle of 20 degrees, a tenth smaller and taller, and with L6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from random import Random

import pytest
from contacts import depths, touching
from test_contacts_of_tissue import DEEPEST, LAYERS, TOUCHED, TOUCHING, apart

from spineviz.anatomy.column.posture import Posture
from spineviz.anatomy.morphometry.person import Person
from spineviz.body import Anatomy
from spineviz.body.build import build
from spineviz.pathology import apply
from spineviz.pathology.deformity import Deformity
from spineviz.structure import Structure
from spineviz.terms import SIDES, Level, Side, column

LOINS: tuple[Level, ...] = ("T12", "L1", "L2", "L3", "L4", "L5", "L6", "S1")

MEAN = 1.72
"""The stature (m) that one is a tenth smaller and a tenth taller than."""

BODIES: Mapping[str, Callable[[], Anatomy]] = {
    "flexed": lambda: Anatomy(posture=Posture(flexion=80.0)),
    "extended": lambda: Anatomy(posture=Posture(extension=40.0)),
    "scoliotic": lambda: apply(Deformity(cobb=20.0, apex="L2"), Anatomy()),
    "small": lambda: Anatomy(person=Person(stature=0.9 * MEAN)),
    "tall": lambda: Anatomy(person=Person(stature=1.1 * MEAN)),
    "six": lambda: Anatomy(levels=column(6)),
}
"""The bodies, with all of their own bones."""

OF_SIX: Mapping[str, tuple[str, ...]] = {
    "psoas_major": ("L6", "disc.L5-L6", "root.L5.right"),
    "multifidus": ("L6",),
}
"""What muscles lie on besides where there is a sixth lumbar vertebra."""

LOWEST: tuple[Level, ...] = ("L3", "L4", "L5", "L6", "S1")
QUICK = ("extended", "flexed", "six")
OFTEN, PLACE = Random(6).choice(QUICK), Random(6).randrange(3)
"""The body of which two vertebrae are looked at whenever tests are run, and where among these they are. Bones
of somebody of another stature take too long."""

STANDING: Mapping[tuple[str, str, str], float] = {
    ("six", "facet_capsule.L4-L5", "L5"): 2.4,
    ("six", "multifidus", "L2"): 0.4,
    ("small", "root.S3", "root.S2"): 1.8,
    ("small", "root.S4", "root.S3"): 0.7,
    ("small", "root.S4", "multifidus"): 0.5,
    ("tall", "root.S3", "root.S2"): 1.5,
    ("tall", "cauda.S4", "cauda.S2"): 0.4,
}
"""How deep (mm) two structures may stand in each other that do so deeper than they should, by the body.

Above a sixth lumbar vertebra the capsule's triangles leap over the edge of the superior articular process of
L5, 2.3 mm; its corners all lie off it. In the sacral canal of those who are smaller or taller the last roots
lie in each other by up to 1.66 mm. No other pair in these bodies stands deeper in each other than all may.
"""

OPEN: Mapping[tuple[str, str, str], float] = {
    ("flexed", "multifidus", "L1"): 0.88,
    ("scoliotic", "psoas_major", "root.L4"): 0.85,
}
"""What share of a contact touches that falls short, by the body: flexed by 80 degrees, L1 leaves multifidus
beside the capsules above it, and 0.89 of the contact have no gap; in a curve psoas leaves the fourth lumbar
root of the left side, which other bones carry, and 0.86 have none."""

LEAST = 100.0
"""Contacts of less than this (mm²) are not asked."""


@pytest.fixture(scope="module", params=BODIES)
def body(request: pytest.FixtureRequest) -> Iterator[tuple[str, Mapping[str, Structure]]]:
    """A body's name, and its structures, without the shade that its pictures have."""
    anatomy = BODIES[request.param]()
    shelf = None if request.param == "scoliotic" else {}  # a curved body is the healthy one, carried
    yield request.param, built(anatomy, [level for level in LOINS if level in anatomy.levels], shelf=shelf)


def built(anatomy: Anatomy, levels: list[Level], **given: object) -> Mapping[str, Structure]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("spineviz.body.build"), "bake_occlusion", lambda surface, *_: surface)
        return build(anatomy, levels, **given).structures  # type: ignore[arg-type]


def sides(made: Mapping[str, Structure]) -> Iterator[tuple[Side, Mapping[str, Structure]]]:
    """Give each side with its structures and those of the middle."""
    for side, other in zip(SIDES, SIDES[::-1], strict=True):
        yield side, {name: item for name, item in made.items() if item.side != other}


def deep(body: str, made: Mapping[str, Structure]) -> dict[tuple[str, str], float]:
    """Return how deep (mm) structures stand in each other that have nothing of each other by nature."""
    found: dict[tuple[str, str], float] = {}
    for _, own in sides(made):
        found |= depths({name: item.surface for name, item in own.items()}, apart)
    return {pair: round(way, 2) for pair, way in found.items() if way > allowed(body, *map(sideless, pair))}


def allowed(body: str, one: str, other: str) -> float:
    """Return how deep (mm) two structures of a body, on whatever side, may stand in each other."""
    return max(STANDING.get((body, *pair), DEEPEST) for pair in ((one, other), (other, one)))


def sideless(name: str) -> str:
    """Return a structure's name without its side."""
    return name.removesuffix(".left").removesuffix(".right")


def gaping(body: str, made: Mapping[str, Structure]) -> dict[tuple[str, str], tuple[float, float]]:
    """Return the contacts of which too much has a gap: the area (mm²), and what share of it has none."""
    result = {}
    for side, own in sides(made):
        surfaces = {name: item.surface for name, item in own.items() if name not in LAYERS}
        for right, others in TOUCHED.items():
            name = right.replace("right", side)
            if name not in surfaces:
                continue
            found = touching(surfaces, name)
            for other in (*others, *(OF_SIX.get(sideless(name), ()) if body == "six" else ())):
                area, share = found.get(other.replace("right", side), (0.0, 0.0))
                least = OPEN.get((body, sideless(name), sideless(other)), TOUCHING)
                if other.replace("right", side) in surfaces and not (area > LEAST and share >= least):
                    result[name, other] = round(area), round(share, 2)
    return result


@pytest.mark.many
def test_no_structure_stands_in_another_one_in_other_bodies(
    body: tuple[str, Mapping[str, Structure]],
) -> None:
    name, made = body
    assert {"psoas_major.left", "multifidus.right", "facet_capsule.L4-L5.right", "root.L5.left"} <= set(made)
    found = deep(name, made)
    assert not found, (name, found)


@pytest.mark.many
def test_what_lies_on_each_other_touches_in_other_bodies(body: tuple[str, Mapping[str, Structure]]) -> None:
    name, made = body
    found = gaping(name, made)
    assert not found, (name, found)


def test_nothing_stands_in_anything_else_between_two_vertebrae_of_another_body() -> None:
    """With muscles, fascia and skin; psoas and what lies beside it needs all of the loins."""
    anatomy = BODIES[OFTEN]()
    lower = [level for level in anatomy.levels if level in LOWEST]
    pair = lower[PLACE : PLACE + 2]
    made = built(anatomy, pair, shelf={})
    assert {*pair, f"disc.{pair[0]}-{pair[1]}", "multifidus.right", "thecal_sac"} <= set(made)
    found = deep(OFTEN, made)
    assert not found, (OFTEN, pair, found)
