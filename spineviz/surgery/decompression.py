"""What every posterior decompression does at the end of its corridor: bone, ligament, root, fragment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from spineviz.anatomy.recipe import Body
from spineviz.measures import table, value
from spineviz.model import Look, Pane
from spineviz.structure import Bone, Frame, Surface
from spineviz.surgery.actions import (
    Motion,
    carried,
    faded,
    highlighted,
    matrix_of,
    staged,
    together,
    vanished,
    warped,
)
from spineviz.surgery.fragment import STAGES, Removal, prepare_removal
from spineviz.surgery.instruments import Instrument, nerve_root_retractor
from spineviz.surgery.punches import burr, kerrison, rongeur, rongeur_hinge, rongeur_opening
from spineviz.surgery.reach import Reach
from spineviz.surgery.resection import Window, cut_bone, laminotomy_windows, open_ligament
from spineviz.surgery.site import NERVE_WARP, Local, Site, raised, used, visit
from spineviz.timeline import Action, during

Places = tuple[Local, ...]
Frames = tuple[Frame, ...]

ABOVE_SKIN = 30.0
"""How far above the skin (mm) instruments appear and disappear."""

SHAFT = {"burr": 1.4, "kerrison": 2.4, "root_retractor": 1.8, "rongeur": 1.9}
"""The radius (mm) of what each tool brings down the corridor."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Where the tools of a decompression go, in the world.

    ``burr`` and ``bites`` stand along the edge of the bone, ``ligament_bites`` in the flavum. The nerve root
    retractor enters at ``entered``, stands ``beside`` the root and draws it to where it stands ``drawn``; the
    rongeur takes the fragment at ``grasp``; ``removal`` is how that comes out. ``stages`` counts the
    variants of bone and of ligament; ``retraction`` in mm.
    """

    burr: Frames
    bites: Frames
    ligament_bites: Frames
    entered: Frame
    beside: Frame
    drawn: Frame
    grasp: Frame
    removal: Removal | None
    stages: tuple[int, int]
    retraction: float


def decompression_tools(approach: str) -> dict[str, Instrument]:
    """Return the instruments of the decompression by their short names."""
    name = f"instrument.{approach}"
    punch, jaw = rongeur(f"{name}.rongeur")
    return {
        "burr": burr(f"{name}.burr"),
        "kerrison": kerrison(f"{name}.kerrison"),
        "root_retractor": nerve_root_retractor(f"{name}.nerve_root_retractor"),
        "rongeur": punch,
        "jaw": jaw,
    }


def windows(site: Site, body: Body, lamina: float, facet: float) -> tuple[Window, ...]:
    """Return the stages of the laminotomy: bone taken from lamina and facet, mm."""
    size = table("procedures.laminotomy")
    bone = body.bones[site.lamina]
    return laminotomy_windows(
        bone,
        site.frame,
        lamina=lamina,
        facet=facet,
        reach=site.room,
        midline=size["midline_kept"],
        stages=size["stages"],
    )


def plan(site: Site, body: Body, windows: tuple[Window, ...], retraction: float, walled: bool) -> Plan:
    """Return where the tools go, from the body and the windows of the laminotomy.

    ``retraction`` (mm) is how far the root is drawn; ``walled`` tells that tools work inside a tube.
    """
    bone, last = body.bones[site.lamina], windows[-1]
    reach = _reach(site, body, last, walled)
    radius = value("instruments.burr.head_diameter") / 2
    lines = [edge_of_bone(site, bone, window, radius) for window in windows[:-1]]
    path = [place for k, line in enumerate(lines) for place in (line if k % 2 == 0 else line[::-1])]
    bites = edge_of_bone(site, bone, last, 1.6)[::-1]
    depth, inner = _ligament_depth(site, body, last), ligament_windows(last)
    ligament = [(x, y, depth) for x, y, _ in _ring(inner[0].narrowed(1.2), 5)]
    fragment = fragment_place(site, body)
    beside, drawn = _retractor_places(site, root_border(site, body, fragment), retraction)
    entered = (beside[0], beside[1] - value("instruments.nerve_root_retractor.toe"), beside[2] + 3.0)
    upward, hook = site.beside(-0.3, 1.0), site.beside(-0.35, 1.0)
    return Plan(
        burr=_poses(reach, path, "burr", site.beside(0.9, 0.4)),
        bites=_poses(reach, bites, "kerrison", upward),
        ligament_bites=_poses(reach, ligament, "kerrison", upward),
        entered=reach.pose(entered, SHAFT["root_retractor"], hook, site.through(0.1, -0.4)),
        beside=reach.pose(beside, SHAFT["root_retractor"], hook, site.through(0.1, -0.4)),
        drawn=reach.pose(drawn, SHAFT["root_retractor"], hook, site.through(0.1, -0.4)),
        grasp=_grasp(reach),
        removal=_removal(reach),
        stages=(len(windows), len(inner)),
        retraction=retraction,
    )


def _reach(site: Site, body: Body, window: Window, walled: bool) -> Reach:
    """Return the ways into the site once the window is open; ``walled``: a tube's wall limits them."""
    return Reach(site, body, window, site.room - 1.5 if walled else 5.0, walled)


def _grasp(reach: Reach) -> Frame:
    """Return where the rongeur stands when it takes the fragment."""
    site, place = reach.site, fragment_place(reach.site, reach.body)
    return reach.pose(place, SHAFT["rongeur"], site.beside(0.9, -0.3), site.through(-0.3, 0.1))


def _removal(reach: Reach) -> Removal | None:
    """Return how the fragment comes out, where there is one."""
    name = reach.site.fragment
    if not reach.site.present(name):
        return None
    return prepare_removal(reach.site, reach, reach.body.structures[name].surface, _grasp(reach))


def _poses(reach: Reach, places: Sequence[Local], tool: str, facing: Local) -> Frames:
    return tuple(reach.pose(place, SHAFT[tool], facing, reach.site.top) for place in places)


def _retractor_places(site: Site, border: Local, retraction: float) -> tuple[Local, Local]:
    """Return where the heel of the nerve root retractor stands beside the root, and after it has drawn it."""
    x, y, z = border
    heel = y - value("instruments.nerve_root_retractor.toe") / 2
    return (x + site.lateral * 0.8, heel, z), (x - site.lateral * retraction, heel, z)


def decompression_variants(
    site: Site, body: Body, windows: tuple[Window, ...]
) -> dict[str, dict[str, Surface]]:
    """Return the stages of bone, ligament and fragment that are shown, by structure and name."""
    whole = body.structures[site.lamina].surface
    result: dict[str, dict[str, Surface]] = {
        site.lamina: {site.variant(k): cut_bone(whole, window).surface for k, window in enumerate(windows, 1)}
    }
    if site.flavum in body.recipes:
        recipe = body.recipes[site.flavum]
        result[site.flavum] = {
            site.variant(k): recipe.painted(open_ligament(recipe.solid, recipe.step, window))
            for k, window in enumerate(ligament_windows(windows[-1]), 1)
        }
    removal = _removal(_reach(site, body, windows[-1], "tube" in site.tools))
    if removal is not None:
        rest = body.structures[site.fragment].surface
        result[site.fragment] = {
            _stage(site, k): rest.moved(removal((k / STAGES,))) for k in range(1, STAGES + 1)
        }
    return result


def ligament_windows(window: Window) -> tuple[Window, ...]:
    """Return the nested windows in the ligament: inside the laminotomy, and widened to its outline."""
    return tuple(window.narrowed(margin) for margin in table("procedures.flavectomy")["margins"])


def first_looks(site: Site) -> dict[str, Look]:
    """Return the looks that an approach starts from: tools hidden, nerves compressed."""
    looks = {tool.name: Look(visible=False, opacity=0.0) for tool in site.tools.values()}
    return looks | {name: Look(warp=(NERVE_WARP, (1.0, 0.0))) for name in site.nerves}


def laminotomy(site: Site, plan: Plan) -> Action:
    """Return the action that takes the lamina's edge with the burr and the facet's edge with the punch."""
    names = [site.variant(k) for k in range(1, plan.stages[0] + 1)]
    way = site.depth + ABOVE_SKIN
    return together(
        used(site.tools["burr"], visit(plan.burr, way, 0.18, 0.84), 0.04, 0.54),
        during(staged(site.lamina, names[:-1]), 0.15, 0.5),
        used(site.tools["kerrison"], visit(plan.bites, way, 0.28, 0.74), 0.53, 0.92),
        during(staged(site.lamina, names[-1:]), 0.7, 0.75),
    )


def flavectomy(site: Site, plan: Plan) -> Action:
    """Return the action that opens the ligamentum flavum bite by bite."""
    names = [site.variant(k) for k in range(1, plan.stages[1] + 1)]
    motion = visit(plan.ligament_bites, site.depth + ABOVE_SKIN, 0.22, 0.8)
    actions = [used(site.tools["kerrison"], motion, 0.02, 0.84)]
    if site.present(site.flavum):
        actions.append(during(staged(site.flavum, names), 0.24, 0.66))
    return together(*actions)


def root_retraction(site: Site, plan: Plan) -> Action:
    """Return the action that brings the nerve root retractor in and draws the root medially."""
    tool = site.tools["root_retractor"]
    above = raised(plan.entered, site.depth + ABOVE_SKIN)
    motion = Motion((0.0, 0.34, 0.5, 0.86), (above, plan.entered, plan.beside, plan.drawn))
    return together(
        carried((tool.name,), motion),
        during(faded((tool.name,), 1.0), 0.0, 0.1),
        during(warped(site.nerves, NERVE_WARP, (1.0, 0.0), (1.0, plan.retraction)), 0.5, 0.86),
    )


def fragment_removal(site: Site, plan: Plan) -> Action:
    """Return the action that grasps the fragment and draws it up the corridor; the nerves are free then."""
    grasp, out = plan.grasp, _way_out(site, plan)
    before, away = raised(grasp, 7.0), raised(grasp, site.depth + ABOVE_SKIN)
    times = (0.0, 0.28, 0.4, 0.48, *out.times[1:])
    poses = (away, before, grasp, *out.frames)
    turns = np.array([0.0, 1.0, 1.0, *[0.25] * len(out.frames)]) * rongeur_opening()
    jaws = tuple(_jaw(pose, float(turn)) for pose, turn in zip(poses, turns, strict=True))
    tool, jaw = site.tools["rongeur"].name, site.tools["jaw"].name
    freed = (1.0, plan.retraction), (0.0, plan.retraction)
    actions = [
        carried((tool,), Motion(times, poses)),
        carried((jaw,), Motion(times, jaws)),
        during(faded((tool, jaw), 1.0), 0.0, 0.08),
        during(vanished(tool, jaw), 0.84, 0.92),
        during(warped(site.nerves, NERVE_WARP, *freed), 0.48, 0.72),
    ]
    if plan.removal is not None:
        actions += [
            during(highlighted((site.fragment,), 1.0), 0.02, 0.2),
            _drawn(site, plan.removal, out),
            during(vanished(site.fragment), 0.84, 0.92),
        ]
    return together(*actions)


def _way_out(site: Site, plan: Plan) -> Motion:
    """Return the motion of the closed jaws from the grasp, at its own part of the step, to above the skin."""
    depth, facing = float(site.frame.to_local(plan.grasp.origin)[2]), site.beside(0.9, -0.3)
    if plan.removal is None:
        away = raised(plan.grasp, site.depth - depth + 12.0)
        return Motion((0.48, 0.88, 1.0), (plan.grasp, away, away))
    entry, top, end = (
        plan.removal.held(z) for z in (plan.removal.way.high, site.depth + 12.0, site.depth + 60.0)
    )
    inside, away = site.pose(entry, end, facing), site.pose(top, end, facing)
    return Motion((0.48, 0.58, 0.88, 1.0), (plan.grasp, inside, away, away))


def _drawn(site: Site, removal: Removal, out: Motion) -> Action:
    """Return the action by which the fragment follows the jaws: narrowed in stages, then as one piece."""

    def run(pane: Pane, progress: float) -> Pane:
        if progress <= out.times[0]:
            return pane
        height = float(site.frame.to_local(out.at(progress).origin)[2])
        stage = round(removal.narrowed(height) * STAGES)
        matrix = matrix_of(Frame(removal.shift(height)))
        look = replace(pane.looks[site.fragment], variant=_stage(site, stage), matrix=matrix)
        return pane.with_look(site.fragment, look)

    return run


def _stage(site: Site, stage: int) -> str:
    """Return the name of a stage of the fragment's removal; at first it stands at rest."""
    return f"{site.approach}.drawn.{stage}" if stage else ""


def release(site: Site, plan: Plan) -> Action:
    """Return the action that lets the root go back and takes the nerve root retractor out."""
    tool = site.tools["root_retractor"].name
    above = raised(plan.entered, site.depth + ABOVE_SKIN)
    return together(
        carried((tool,), Motion((0.0, 0.5, 0.65, 1.0), (plan.drawn, plan.beside, plan.entered, above))),
        during(warped(site.nerves, NERVE_WARP, (0.0, plan.retraction), (0.0, 0.0)), 0.0, 0.5),
        during(vanished(tool), 0.88, 1.0),
    )


def edge_of_bone(site: Site, bone: Bone, window: Window, radius: float, count: int = 4) -> Places:
    """Return places along the edge of bone that a window leaves, for a tip of ``radius`` mm inside it.

    Raises ValueError where no bone stands at the window's edge.
    """
    ring = np.array(_ring(window.narrowed(radius), 72))
    heights = np.arange(window.deep + 2.0, window.shallow, 1.0)
    places = np.repeat(ring[:, None], len(heights), axis=1)
    places[:, :, 2] = heights
    distance = bone.distance(site.frame.to_parent(places.reshape(-1, 3))).reshape(len(ring), -1)
    near: npt.NDArray[np.bool_] = np.asarray(distance < radius + 1.2)
    run = _longest_run(np.any(near, axis=1))
    if len(run) == 0:
        raise ValueError(f"{bone.level}: no bone stands at the edge of the window; check the docking point")
    top = heights[near.shape[1] - 1 - np.argmax(near[:, ::-1], axis=1)]
    chosen = run[np.linspace(0.1 * (len(run) - 1), 0.9 * (len(run) - 1), count).round().astype(int)]
    return tuple((float(ring[k, 0]), float(ring[k, 1]), float(top[k]) - 1.5) for k in chosen)


def fragment_place(site: Site, body: Body) -> Local:
    """Return where the fragment is grasped: its part that is nearest to the corridor.

    Without displaced material it is the disc's posterior border behind the docking point.
    """
    name = site.fragment if site.present(site.fragment) else f"disc.{site.disc}"
    local = site.frame.to_local(body.structures[name].surface.vertices)
    if name == site.fragment:
        centre = local.mean(0)
        top = local[np.argmax(local[:, 2])]
        x, y, z = 0.65 * centre + 0.35 * top
        return (float(x), float(y), float(z))
    near = local[np.hypot(local[:, 0], local[:, 1]) < 8.0]
    if len(near) == 0:
        raise ValueError(f"the corridor does not lead to the disc {site.disc}; check the docking point")
    return (0.0, 0.0, float(near[:, 2].max()))


def root_border(site: Site, body: Body, fragment: Local) -> Local:
    """Return the lateral border of the compressed root at the level of the fragment."""
    _, y, z = fragment
    if not site.present(site.root):
        return (0.0, y, z)
    points = body.structures[site.root].surface.vertices
    if site.root in site.nerves:
        points = body.warps[site.root, NERVE_WARP]((1.0, 0.0))
    local = site.frame.to_local(points)
    near = local[np.abs(local[:, 1] - y) < 4.0]
    if len(near) == 0:
        return (0.0, y, z)
    index = int(np.argmax(site.lateral * near[:, 0]))
    return (float(near[index, 0]), y, float(np.median(near[:, 2])))


def _ring(window: Window, count: int) -> Places:
    """Return places (z = 0) evenly along a window's outline."""
    outline = window.curve()
    chosen = np.linspace(0, len(outline), count, endpoint=False).astype(int)
    return tuple((float(outline[k, 0]), float(outline[k, 1]), 0.0) for k in chosen)


def _longest_run(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Return the indices of the longest run of true values on a closed ring."""
    if flags.all():
        return np.arange(len(flags))
    begin = int(np.argmin(flags))
    order = (begin + np.arange(len(flags))) % len(flags)
    runs = np.split(order, np.flatnonzero(np.diff(flags[order].astype(int))) + 1)
    return max((run for run in runs if flags[run[0]]), key=len, default=np.empty(0, dtype=int))


def _ligament_depth(site: Site, body: Body, window: Window) -> float:
    """Return how deep the ligament lies under a window, or the window's middle where there is none."""
    if site.present(site.flavum):
        points = body.structures[site.flavum].surface.vertices
        inside = window.across(points) < 0.0
        if inside.any():
            return float(np.median(site.frame.to_local(points[inside])[:, 2]))
    return 0.5 * (window.deep + window.shallow)


def _jaw(pose: Frame, degrees: float) -> Frame:
    """Return where the rongeur's jaw stands when it is open by an angle."""
    angle, hinge = np.radians(degrees), rongeur_hinge()
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    return Frame(hinge - turn @ hinge, turn.T).then(pose)
