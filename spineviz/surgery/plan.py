"""What a decompression is going to do at the end of its corridor: where each tool goes, and the way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spineviz.anatomy.recipe import Body
from spineviz.measures import value
from spineviz.sdf import Field
from spineviz.structure import Frame, Points
from spineviz.surgery.bone_left import BoneLeft, NearBone
from spineviz.surgery.fragment import prepare_removal
from spineviz.surgery.instruments import Instrument, nerve_root_retractor
from spineviz.surgery.places import fragment_place, fragment_places, root_border
from spineviz.surgery.punches import burr, kerrison, rongeur, rongeur_jaw, rongeur_opening
from spineviz.surgery.reach import FEW, Reach
from spineviz.surgery.removal import Removal
from spineviz.surgery.resection import ligament_windows
from spineviz.surgery.rounds import DEEPEST, bites, burr_round, ligament_bites
from spineviz.surgery.site import Round, Site, turned_about
from spineviz.surgery.surroundings import (
    Retraction,
    disc_border,
    farther,
    fragment_at_rest,
    ligament_left,
    midline_ligaments,
    nearest,
    nerves,
    nowhere,
    standing,
)
from spineviz.surgery.tool_points import FINE, handle_of, points_of, thinned, withdrawn
from spineviz.surgery.way_out import WayOut, way_out
from spineviz.surgery.window import Window
from spineviz.terms import UPPER_LUMBAR_DISCS

SHUT = 0.25
"""How far the rongeur stays open on what it holds, as a share of how far it opens."""

SLACK = 0.3
"""By how much (mm) the retractor gives way when the nerves are no longer pushed aside by the fragment."""

BESIDE_ROOT = 0.2
"""How far (mm) beside the root's border the retractor's toe is to stand."""

SPARED = 0.4
"""How much farther (mm) than from bone the punch keeps off nerves."""

TENDER = 0.15
"""How much farther (mm) than from bone the rongeur keeps off nerves and ligament."""

YIELDING = 0.5
"""How deep (mm) the rongeur may press into the torn annulus."""

PRESSED = 0.3
"""Where the rongeur would press deeper (mm) into what it keeps off, it takes the fragment elsewhere."""

TAKEN, FACINGS = 12, 6
"""At how many places, and turned in how many ways, the rongeur tries to take a fragment."""

OPENS = 7.0
"""From how far (mm) above the fragment on the rongeur opens."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Where the tools of a decompression go, in the world.

    ``burr`` and ``bites`` go along the edge of the bone, ``ligament_bites`` through the flavum. The nerve
    root retractor enters the canal, stands beside the root and draws it: the three frames of ``retractor``.
    The rongeur takes the fragment at ``grasp``, which comes out by ``removal``, and leaves by ``way_out``.
    ``stages`` counts the variants of bone and of ligament; ``retraction`` in mm.
    """

    burr: Round
    bites: Round
    ligament_bites: Round
    retractor: Round
    grasp: Frame
    removal: Removal | None
    way_out: WayOut
    stages: tuple[int, int]
    retraction: float

    @property
    def slackened(self) -> Frame:
        """Where the nerve root retractor stands when the nerves have settled into the fragment's bed."""
        return _slackened(self.retractor)


def decompression_tools(approach: str, *, walled: bool) -> dict[str, Instrument]:
    """Return the instruments of the decompression by their short names; ``walled`` by a tube, or not."""
    name = f"instrument.{approach}"
    punch, jaw = rongeur(f"{name}.rongeur")
    return {
        "burr": burr(f"{name}.burr"),
        "kerrison": kerrison(f"{name}.kerrison"),
        "root_retractor": nerve_root_retractor(f"{name}.nerve_root_retractor", walled=walled),
        "rongeur": punch,
        "jaw": jaw,
    }


def plan(
    site: Site,
    body: Body,
    windows: Sequence[Window],
    retraction: float,
    walled: bool,
    walls: Field = nowhere,
) -> Plan:
    """Return where the tools go, from the body and the windows of the laminotomy.

    ``retraction`` (mm) is how far the root is drawn; ``walled`` tells that tools work inside a tube. At the
    upper lumbar discs, whose windows are narrow, the punch does not go where it has no room. ``walls`` tells
    the distance (mm) in the world from what else stands beside the window.
    """
    spread = site.room - 1.5 if walled else 5.0
    bone = NearBone(site, body)
    before, after = (Reach(BoneLeft(bone, window), spread, walled) for window in windows[-2:])
    narrow = site.disc in UPPER_LUMBAR_DISCS
    around = nerves(site, body, [(fragment, way) for fragment in (1.0, 0.0) for way in (0.0, retraction)])
    dura = around[1.0, 0.0]
    flavum = ligament_left(site, body, ligament_windows(windows[-1])[-1])
    ligaments = flavum if walled else nearest(flavum, midline_ligaments(site, body))
    spared = farther(dura, SPARED)
    if narrow and not walled:
        spared = nearest(spared, farther(midline_ligaments(site, body), TENDER))
    deepest = DEEPEST if narrow else np.inf
    retractor = _retractor(after, retraction, ligaments, around)
    held = retractor.frames[-1], _slackened(retractor)
    beside = standing(site.tools["root_retractor"], held)
    soft = nearest(around[1.0, retraction], ligaments, walls)
    disc = disc_border(site, body)
    working = after.keeping_off(nearest(farther(soft, TENDER), beside))
    grasp = _grasp(working, farther(disc, -YIELDING), over=walled or narrow)
    tool = thinned(points_of(site.tools["root_retractor"]), FINE)
    points = np.vstack([frame.to_parent(tool) for frame in held])
    removal = _removal(after, grasp, soft, beside, points)
    return Plan(
        burr=burr_round(after, windows[:-1]),
        bites=bites(before.keeping_off(spared), windows[-2], deepest=deepest),
        ligament_bites=ligament_bites(after.keeping_off(spared), windows[-1], deepest=deepest),
        retractor=retractor,
        grasp=grasp,
        removal=removal,
        way_out=way_out(working, grasp, removal, _leaving(site)),
        stages=(len(windows), len(ligament_windows(windows[-1]))),
        retraction=retraction,
    )


def _slackened(retractor: Round) -> Frame:
    """Return where the nerve root retractor stands when the nerves have settled."""
    beside, drawn = retractor.frames[-2:]
    way = (beside.origin - drawn.origin) @ drawn.right
    return Frame(drawn.origin + np.sign(way) * SLACK * drawn.right, drawn.axes)


def _retractor(
    reach: Reach, retraction: float, ligaments: Field, around: Mapping[Retraction, Field]
) -> Round:
    """Return how the nerve root retractor comes in, stands beside the root, and has drawn it medially.

    It stands off the nerves ``around`` both while the fragment presses on them and when they are free again.
    """
    site, body = reach.site, reach.body
    tool = points_of(site.tools["root_retractor"])
    toe = value("instruments.nerve_root_retractor.toe")
    off = site.lateral * (value("instruments.nerve_root_retractor.toe_width") / 2 + BESIDE_ROOT)
    hook, toward = site.beside(0.35, 1.0), site.through(0.2, -0.4)
    place = fragment_place(site, body)
    beside, drawn = (
        (x + off, y - toe / 2, z)
        for x, y, z in (root_border(site, body, place, way) for way in (0.0, retraction))
    )
    entered = (beside[0], beside[1] - toe, beside[2] + 3.0)
    still = nearest(ligaments, fragment_at_rest(site, body))
    before, after = (
        reach.keeping_off(nearest(still, farther(nearest(around[1.0, way], around[0.0, way]), 0.2)))
        for way in (0.0, retraction)
    )
    frames = [
        before.pose(entered, withdrawn(tool), hook, toward),
        before.pose(beside, tool, hook, toward),
        after.pose(drawn, tool, hook, toward),
    ]
    return reach.keeping_off(ligaments).round(frames, tool)


def _grasp(reach: Reach, disc: Field, over: bool) -> Frame:
    """Return where the rongeur stands, open, when it takes the fragment; it comes in and leaves shut.

    It keeps off the ``disc`` as well, and opens on the last part of its way. Its bend leans so that the hand
    is out of sight: aside ``over`` a tube's rim, or the muscle beside a narrow window; in any other wound
    over the midline and its other wall. Where it cannot stand so at the fragment's usual place, it takes the
    fragment at another, or turned otherwise.
    """
    site, place = reach.site, fragment_place(reach.site, reach.body)
    beside = disc if reach.beside is None else nearest(reach.beside, disc)
    opening = [
        _jaws(site, share + (1.0 - share) * SHUT) + np.array([0.0, 0.0, (1.0 - share) * OPENS])
        for share in (1.0, 0.66, 0.33)
    ]
    deep = thinned(np.vstack([*opening, withdrawn(_jaws(site, SHUT))]), FINE)
    tool = np.vstack([deep, handle_of(site.tools["rongeur"])])
    facing = site.beside(0.9, -0.3) if over else site.beside(-0.9, 0.3)
    toward, keeping = site.through(-0.3, 0.1), reach.keeping_off(beside)
    usual = keeping.pose(place, tool, facing, toward)
    free = float(keeping.measured([usual], tool)[0])
    if not site.present(site.fragment) or free >= -PRESSED:
        return usual
    places = fragment_places(site, reach.body)
    room = np.array([keeping.room(at, tool[::FEW], facing) for at in places])
    chosen = places[np.argsort(-room, kind="stable")[:TAKEN]]
    ways = [keeping.freest(at, tool, way, toward) for at in chosen for way in turned_about(facing, FACINGS)]
    _, better, frame = max(ways, key=lambda way: way[0])
    return frame if better > free else usual


def _jaws(site: Site, opened: float) -> Points:
    """Return points (n, 3) of the rongeur with its jaw opened by a share of how far it can be."""
    jaw = rongeur_jaw(Frame(), opened * rongeur_opening()).to_parent(points_of(site.tools["jaw"]))
    return np.vstack([points_of(site.tools["rongeur"]), jaw])


def _leaving(site: Site) -> Points:
    """Return points (n, 3) of the whole rongeur, shut on what it holds."""
    return np.vstack([_jaws(site, SHUT), handle_of(site.tools["rongeur"])])


def _removal(reach: Reach, grasp: Frame, soft: Field, tool: Field, held: Points) -> Removal | None:
    """Return how the fragment comes out, where there is one, past a tool and what is ``soft``."""
    name = reach.site.fragment
    if not reach.site.present(name):
        return None
    return prepare_removal(reach, reach.body.structures[name].surface, grasp, soft, tool, held)
