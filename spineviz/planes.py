"""Slices beside a scene, as patients are shown them: through its disease, with what is measured on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from spineviz.assembly import Assembly
from spineviz.framing import target
from spineviz.layers import layer_of
from spineviz.measurement.canal import sac, worst_slice
from spineviz.measurement.measuring import subject
from spineviz.measurement.segment import Segment
from spineviz.measurement.slices import Slice
from spineviz.measurement.slices import middle as centroid
from spineviz.model import Callout, Camera, Cut, Look, Message, Pane, Scan, State, Trace, Vector
from spineviz.morphing import severity_of
from spineviz.pathology import Herniation, Stenosis, label_of
from spineviz.scene import Scene
from spineviz.structure import Floats, Frame, Points
from spineviz.terms import SIGN, Disc
from spineviz.views import FLAT, camera_axes, vector

AXIAL, BEHIND = (98.0, 100.0), 14.0
"""The millimetres that an axial slice shows across and along, and how far behind the sac its middle lies."""

SAGITTAL, BEFORE = (98.0, 116.0), 8.0
"""The same of a sagittal slice, and how far behind the disc its middle lies."""

NARROWED = 0.92
"""Where the sac keeps more of its healthy area than this, the axial slice lies in the disc itself."""

REACHED, MET = 22.0, 2.5
"""The canal lies so far (mm) behind the middle of a disc; what a slice meets comes so near (mm) to it."""

SIDEWAYS = 0.7
"""A picture whose way to the right goes so far to the patient's right, of 1, has R on its right."""

TOLD = 0.4
"""From this severity on a disease is named."""

FORAMEN, RECESS = 17.0, 9.0
"""How far (mm) beside the midline a sagittal slice shows a foramen, and a lateral recess."""


@dataclass(frozen=True, eq=False)
class Planes:
    """Where the slices of a scene lie.

    ``axial`` and ``sagittal`` are frames in the world; z is the axial one's superior normal, x the sagittal
    one's normal. ``index`` is the axial slice's place among the slices of its segment, None for the disc's
    own. ``healthy`` is the healthy area of the sac there, mm², and ``beside`` how far (mm) the sagittal slice
    lies to the right of the midline.
    """

    axial: Frame
    sagittal: Frame
    index: int | None
    healthy: float | None
    beside: float
    above: float


def with_planes(scene: Scene, assembly: Assembly, healthy: Assembly, state: State) -> State:
    """Return a state of a scene with its slices beside it: of the geometry that it shows now."""
    planes = _planes(scene, assembly, healthy)
    looks = {
        name: Look(
            visible=look.visible or layer_of(name) != "disease",
            variant=look.variant,
            warp=look.warp,
            matrix=look.matrix,
        )
        for name, look in state.panes[0].looks.items()
    }
    segment = _segment(scene, assembly, tuple(looks.items()))
    made = {"axial": _axial, "sagittal": _sagittal}
    named = scene if severity_of(state.panes[0]) > TOLD else scene.model_copy(update={"pathologies": ()})
    slices = tuple(made[name](named, planes, segment, looks) for name in scene.planes)
    first = replace(state.panes[0], heading=_in_space(state.panes[0].camera))
    return replace(state, panes=(first, *slices), layout="planes")


def _in_space(camera: Camera) -> Message:
    """Return the heading of the picture beside the slices: from behind, its sides are the other way round."""
    behind = camera_axes(camera)[0][0] > SIDEWAYS
    return Message("planes.space.behind" if behind else "planes.space.other")


@lru_cache(maxsize=8)
def _planes(scene: Scene, assembly: Assembly, healthy: Assembly) -> Planes:
    disc, _ = target(scene)
    segment, usual = subject(assembly).segment(disc), subject(healthy).segment(disc)
    if segment is None or usual is None:
        raise ValueError(f"planes: the bones beside the disc {disc} are not both shown")
    worst = worst_slice(segment, usual)
    if worst is None or worst.healthy is None or worst.area > NARROWED * worst.healthy:
        frame, index, before, above = segment.frame, None, sac(usual.slice).area or None, 0.0
    else:
        above, cut = segment.slices[worst.index]
        frame, index, before = cut.frame, worst.index, worst.healthy
    beside = _beside(scene, assembly, segment)
    own = segment.frame
    return Planes(frame, Frame(own.origin + beside * own.right, own.axes), index, before, beside, above)


def _beside(scene: Scene, assembly: Assembly, segment: Segment) -> float:
    """Return how far (mm) to the right of the midline a sagittal slice shows a scene's disease best."""
    for entry in scene.pathologies:
        piece = assembly.model.structures.get(f"herniation.{entry.disc}")
        if isinstance(entry, Herniation) and entry.zone != "central" and piece is not None:
            return float(segment.frame.to_local(piece.surface.vertices.mean(axis=0))[0])
        if isinstance(entry, Stenosis) and entry.place != "central":
            return SIGN[entry.side] * (FORAMEN if entry.place == "foraminal" else RECESS)
    return 0.0


@lru_cache(maxsize=4)
def _segment(scene: Scene, assembly: Assembly, looks: tuple[tuple[str, Look], ...]) -> Segment:
    """Return the diseased segment as some looks pose it."""
    segment = subject(assembly, dict(looks)).segment(target(scene)[0])
    assert segment is not None
    return segment


def _axial(scene: Scene, planes: Planes, segment: Segment, looks: Mapping[str, Look]) -> Pane:
    """Return the axial slice: seen from below, anterior upwards, with the sac that is measured in it."""
    frame, side = planes.axial, target(scene)[1]
    face = sac(Slice(frame, segment.shapes))
    centre = face.world(centroid(face)[None])[0] if face else frame.origin
    camera = Camera(
        vector(centre - BEHIND * frame.anterior),
        vector(-frame.superior),
        vector(frame.anterior),
        AXIAL[1],
        FLAT,
    )
    traces = [Trace(_ring(face.world(outline))) for outline in face.outlines if len(outline) > 2]
    crossing = frame.to_parent(np.array([[planes.beside, y, 0.0] for y in (70.0, -70.0)]))
    callouts = [*_diseased(scene, segment, frame, centre, axial=True)]
    notes = [Message("planes.below")]
    if face:
        other = -SIGN[side]
        edge = face.world(max(face.outlines, key=len))
        ways = (edge - centre) @ (other * frame.right - 0.6 * frame.anterior)
        place = centre + other * 14.0 * frame.right - 26.0 * frame.anterior
        said = _area(face.area, planes.healthy)
        callouts.append(
            Callout(Message("planes.sac", said), vector(place), vector(edge[ways.argmax()]), "measure")
        )
        notes.insert(0, Message("planes.measured", said) if planes.healthy else Message("planes.alone", said))
    scan = Scan(AXIAL[0], (*traces, Trace(_ring(crossing), measured=False)), tuple(callouts), tuple(notes))
    return _pane(looks, camera, _heading(planes, segment.disc), scan)


def _area(area: float, healthy: float | None) -> tuple[tuple[str, str], ...]:
    """Return an area (mm²) in words, with its share of the healthy one."""
    share = f"{100.0 * area / healthy:.0f}" if healthy else "100"
    return ("area", f"{area:.0f}"), ("share", share), ("healthy", f"{healthy or area:.0f}")


def _heading(planes: Planes, disc: Disc) -> Message:
    level = ("level", disc.replace("-", "–"))
    away = round(abs(planes.above))
    if away == 0:
        return Message("planes.axial.disc", (level,))
    way = "above" if planes.above > 0.0 else "below"
    return Message(f"planes.axial.{way}", (level, ("distance", away)))


def _sagittal(scene: Scene, planes: Planes, segment: Segment, looks: Mapping[str, Look]) -> Pane:
    """Return the sagittal slice: seen from the left, anterior at the viewer's left."""
    frame = planes.sagittal
    camera = Camera(
        vector(frame.origin - BEFORE * frame.anterior),
        vector(-frame.right),
        (0.0, 0.0, 1.0),
        SAGITTAL[1],
        FLAT,
    )
    line = planes.axial
    ways = [line.origin + reach * line.anterior for reach in (70.0, -70.0)]
    crossing = np.array([way + (frame.origin - way) @ frame.right * frame.right for way in ways])
    canal = segment.frame.to_parent(np.array([0.0, -REACHED, 0.0]))
    callouts = [*_names(segment, frame), *_diseased(scene, segment, frame, canal, axial=False)]
    scan = Scan(
        SAGITTAL[0],
        (Trace(_ring(crossing), measured=False),),
        tuple(callouts),
        (Message("planes.left"), Message("planes.line")),
    )
    away = round(abs(planes.beside))
    side = "right" if planes.beside > 0 else "left"
    heading = (
        Message("planes.sagittal.midline")
        if away == 0
        else Message("planes.sagittal.beside", (("distance", away), ("side", f"@side.{side}")))
    )
    return _pane(looks, camera, heading, scan)


def _names(segment: Segment, frame: Frame) -> Iterator[Callout]:
    """Give the names of the two bodies where a sagittal slice meets them."""
    for body in (segment.upper, segment.lower):
        place = body.frame.origin + ((frame.origin - body.frame.origin) @ frame.right) * frame.right
        yield Callout(Message("label.level", (("level", body.level),)), vector(place))


def _diseased(
    scene: Scene, segment: Segment, frame: Frame, canal: Floats, *, axial: bool
) -> Iterator[Callout]:
    """Give the names of what a disease has made or changed, each once, where a slice meets it near the canal.

    Of two sides the one that the scene is about is named.
    """
    named: dict[Message, Floats] = {}
    middle, flat = frame.to_local(canal), [1.0, 1.0, 0.0] if axial else [0.0, 1.0, 1.0]
    own = f".{target(scene)[1]}"
    for name, surface in sorted(segment.shapes.items(), key=lambda item: item[0].endswith(own)):
        words = next((found for entry in scene.pathologies if (found := label_of(entry, name))), None)
        local = frame.to_local(surface.vertices)
        near = local[np.abs(local[:, 2 if axial else 0]) < MET]
        if words is not None and len(near):
            away = np.linalg.norm(near - middle, axis=1)
            whole = name.startswith("herniation") or (name.startswith("disc.") and not axial)
            named[words] = near[whole | (away < away.min() + MET)].mean(axis=0) * flat
    about = SIGN[target(scene)[1]]
    sides = {words: np.sign(place[0]) if abs(place[0]) > MET else about for words, place in named.items()}
    for side in sorted(set(sides.values())):
        here = [words for words in named if sides[words] == side]
        here.sort(key=lambda words: -abs(named[words][0]) if axial else float(named[words][1]))
        for order, words in enumerate(here):
            away = [side * 20.0, 13.0 + 8.0 * order, 0.0] if axial else [0.0, -9.0, 27.0 + 8.0 * order]
            place, end = frame.to_parent(np.array([middle * flat + away, named[words]]))
            yield Callout(words, vector(place), vector(end), "disease")


def _ring(points: Points) -> tuple[Vector, ...]:
    return tuple(vector(point) for point in points)


def _pane(looks: Mapping[str, Look], camera: Camera, heading: Message, scan: Scan) -> Pane:
    cut = Cut(camera.focus, camera.direction)
    return Pane(looks, camera, (cut,), heading, scan=scan)
