"""What a decompression is going to do at the end of its corridor: where each tool goes, and the way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from spineviz.anatomy.recipe import Body
from spineviz.measures import value
from spineviz.sdf import Field
from spineviz.structure import Floats, Frame, Points
from spineviz.surgery.fragment import prepare_removal
from spineviz.surgery.instruments import Instrument, nerve_root_retractor
from spineviz.surgery.places import fragment_place, root_border
from spineviz.surgery.punches import burr, kerrison, rongeur, rongeur_jaw, rongeur_opening
from spineviz.surgery.reach import FINE, BoneLeft, NearBone, Reach, points_of, thinned, withdrawn
from spineviz.surgery.removal import Removal
from spineviz.surgery.resection import ligament_windows
from spineviz.surgery.rounds import bites, burr_round, ligament_bites
from spineviz.surgery.site import Round, Site, raised
from spineviz.surgery.surroundings import (
    Retraction,
    disc_border,
    farther,
    fragment_at_rest,
    ligament_left,
    midline_ligaments,
    nearest,
    nerves,
    standing,
)
from spineviz.surgery.window import Window

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

OPENS = 7.0
"""From how far (mm) above the fragment on the rongeur opens."""

TURNS = 9
"""At how many heights the rongeur is turned freely on its way out of the fragment's bed."""


@dataclass(frozen=True, eq=False)
class WayOut:
    """How the closed rongeur leaves: it holds one place of the fragment and turns so that it stays off bone.

    ``rises`` (k,) are how far (mm) it has risen where it stands in the ``frames``, in the world; beyond the
    last it keeps its direction. ``removal`` tells where the place that it holds is.
    """

    site: Frame
    rises: Floats
    frames: tuple[Frame, ...]
    removal: Removal | None

    def at(self, rise: float) -> Frame:
        """Return where the rongeur stands when it has risen by some mm."""
        axes = self.turned(min(rise, float(self.rises[-1])))
        if self.removal is None:
            return raised(self.frames[0], rise)
        return Frame(self.site.to_parent(self.removal.held(rise)), axes)

    def turned(self, rise: float) -> Floats:
        """Return the rongeur's axes (3, 3) at a rise, evenly turned from one frame to the next."""
        turns = Rotation.from_matrix(np.stack([frame.axes.T for frame in self.frames]))
        return Slerp(self.rises, turns)(rise).as_matrix().T


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


def plan(site: Site, body: Body, windows: Sequence[Window], retraction: float, walled: bool) -> Plan:
    """Return where the tools go, from the body and the windows of the laminotomy.

    ``retraction`` (mm) is how far the root is drawn; ``walled`` tells that tools work inside a tube.
    """
    spread = site.room - 1.5 if walled else 5.0
    bone = NearBone(site, body)
    before, after = (Reach(BoneLeft(bone, window), spread, walled) for window in windows[-2:])
    around = nerves(site, body, [(fragment, way) for fragment in (1.0, 0.0) for way in (0.0, retraction)])
    dura = around[1.0, 0.0]
    flavum = ligament_left(site, body, ligament_windows(windows[-1])[-1])
    ligaments = flavum if walled else nearest(flavum, midline_ligaments(site, body))
    retractor = _retractor(after, retraction, ligaments, around)
    held = retractor.frames[-1], _slackened(retractor)
    beside = standing(site.tools["root_retractor"], held)
    soft = nearest(around[1.0, retraction], ligaments)
    disc = disc_border(site, body)
    working = after.keeping_off(nearest(farther(soft, TENDER), beside))
    grasp = _grasp(working, farther(disc, -YIELDING))
    tool = thinned(points_of(site.tools["root_retractor"]), FINE)
    points = np.vstack([frame.to_parent(tool) for frame in held])
    removal = _removal(after, grasp, soft, beside, points)
    return Plan(
        burr=burr_round(after, windows[:-1]),
        bites=bites(before.keeping_off(farther(dura, SPARED)), windows[-2]),
        ligament_bites=ligament_bites(after.keeping_off(farther(dura, SPARED)), windows[-1]),
        retractor=retractor,
        grasp=grasp,
        removal=removal,
        way_out=_way_out(working, grasp, removal),
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


def _grasp(reach: Reach, disc: Field) -> Frame:
    """Return where the rongeur stands, open, when it takes the fragment; it comes in and leaves shut.

    It keeps off the ``disc`` as well, and opens on the last part of its way. Its bend leans so that the hand
    is out of sight: aside over a tube's rim, in an open wound over the midline and its other wall.
    """
    site, place = reach.site, fragment_place(reach.site, reach.body)
    beside = disc if reach.beside is None else nearest(reach.beside, disc)
    opening = [
        _jaws(site, share + (1.0 - share) * SHUT) + np.array([0.0, 0.0, (1.0 - share) * OPENS])
        for share in (1.0, 0.66, 0.33)
    ]
    tool = thinned(np.vstack([*opening, withdrawn(_jaws(site, SHUT))]), FINE)
    facing = site.beside(0.9, -0.3) if reach.walled else site.beside(-0.9, 0.3)
    return reach.keeping_off(beside).pose(place, tool, facing, site.through(-0.3, 0.1))


def _jaws(site: Site, opened: float) -> Points:
    """Return points (n, 3) of the rongeur with its jaw opened by a share of how far it can be."""
    jaw = rongeur_jaw(Frame(), opened * rongeur_opening()).to_parent(points_of(site.tools["jaw"]))
    return np.vstack([points_of(site.tools["rongeur"]), jaw])


def _way_out(reach: Reach, grasp: Frame, removal: Removal | None) -> WayOut:
    """Return how the rongeur leaves with the fragment: more and more along the line on which that leaves."""
    site = reach.site
    if removal is None:
        return WayOut(site.frame, np.array([0.0, 1.0]), (grasp, grasp), None)
    frames, tool = [grasp], _jaws(site, SHUT)
    rises = np.linspace(0.0, removal.way.high - removal.grasp[2], TURNS)
    for rise in rises[1:]:
        tip = removal.held(float(rise))
        along = removal.way.direction
        axis = site.frame.axes @ grasp.superior
        axis = axis / axis[2] + rise / rises[-1] * (along - axis / axis[2])
        top = tip + (site.depth - tip[2]) * axis
        facing = site.frame.axes @ frames[-1].anterior
        _, _, frame = reach.freest(tip, tool, facing, (float(top[0]), float(top[1]), float(top[2])))
        frames.append(frame)
    return WayOut(site.frame, rises, tuple(frames), removal)


def _removal(reach: Reach, grasp: Frame, soft: Field, tool: Field, held: Points) -> Removal | None:
    """Return how the fragment comes out, where there is one, past a tool and what is ``soft``."""
    name = reach.site.fragment
    if not reach.site.present(name):
        return None
    return prepare_removal(reach, reach.body.structures[name].surface, grasp, soft, tool, held)
