"""The skeleton that the muscles of the back lie on: seen from behind, and as a distance.

World frame, mm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from spineviz import measures
from spineviz.anatomy.back.crowd import MIRROR
from spineviz.anatomy.back.height_map import HeightMap
from spineviz.anatomy.back.profile import at_stations
from spineviz.anatomy.back.stations import Stations
from spineviz.anatomy.bone import LevelBone
from spineviz.anatomy.column.alignment import inverse
from spineviz.geometry import DistanceGrid, sample_distance
from spineviz.sdf.solid import Field
from spineviz.structure import Floats, Frame, Points, Surface
from spineviz.terms import LEVELS, SIDES, Level, Side, region_of

MARGIN = 6.0
"""How far (mm) around a bone its distance is sampled."""

THINNED, SAME = 0.5, 1e-3
"""How far (mm) the ends of a mesh, which is thinned, may differ between the sides, and landmarks may."""

HIP_STEP = 1.5
"""The distance to a hip bone is sampled every so many mm."""

AROUND = 28
"""Corners of a rib's section."""


@dataclass(frozen=True, eq=False)
class NearestBone:
    """The signed distance (mm, negative inside) to the nearest of several bones, from their 1 mm grids.

    Farther than ``far`` mm from all of them, or out of their grids, it tells ``far``.
    """

    grids: tuple[DistanceGrid, ...]
    far: float = 25.0

    def __call__(self, points: Points) -> Floats:
        """Return the distance (n,) at world points (n, 3)."""
        points = np.asarray(points, dtype=np.float64)
        result = np.full(len(points), self.far)
        for grid in self.grids:
            upper = grid.lower + grid.step * (np.array(grid.count) - 1.0)
            near = np.all((points > grid.lower) & (points < upper), axis=1)
            result[near] = np.minimum(result[near], grid(points[near]))
        return result


def bone_distance(bones: Mapping[Level, LevelBone], others: Iterable[DistanceGrid] = ()) -> NearestBone:
    """Return the signed distance (mm, negative inside) to the nearest bone behind the vertebral bodies.

    ``others`` are the distances to more bones, see `hip_bones`.
    """
    return NearestBone((*map(_sampled, bones.values()), *others))


def hip_bones(bones: Mapping[Level, LevelBone], size: float = 1.0) -> tuple[DistanceGrid, ...]:
    """Return the distances to the hip bones down to the sacrum's tip, be they shown or not; mm.

    ``size`` is how large the body is beside the mean. There are none without the sacrum.
    """
    if "S1" not in bones:
        return ()
    from spineviz.anatomy.girdle import ilium  # its makers are loaded where there is a sacrum alone

    sacrum = bones["S1"]

    def near(points: Points) -> Floats:
        return sacrum.distance(sacrum.frame.to_parent(size * points)) / size

    grids = []
    for side in SIDES:
        local = ilium.solid(ilium.parameters(), near, side)
        corners = np.stack(np.meshgrid(*np.stack([local.lower, local.upper], axis=1)), axis=-1).reshape(-1, 3)
        corners = sacrum.frame.to_parent(size * corners)
        lower, upper = corners.min(axis=0) - MARGIN, corners.max(axis=0) + MARGIN
        lower[2] = max(lower[2], float(sacrum.surface.vertices[:, 2].min()))

        def hip(points: Points, field: Field = local.field) -> Floats:
            return size * field(sacrum.frame.to_local(points) / size)

        grids.append(sample_distance(hip, np.floor(lower), np.ceil(upper), HIP_STEP))
    return tuple(grids)


def hips_from_behind(hips: Iterable[DistanceGrid], seen: HeightMap) -> HeightMap:
    """Return the y of the first hip bone met from behind, on the samples of ``seen``; +inf elsewhere."""
    x, z = (axis.ravel() for axis in seen.plan)
    result = np.full(seen.values.shape, np.inf)
    for grid in hips:
        upper = grid.lower + grid.step * (np.array(grid.count) - 1.0)
        columns = np.ix_((x >= grid.lower[0]) & (x <= upper[0]), (z >= grid.lower[2]) & (z <= upper[2]))
        y = np.arange(grid.lower[1], upper[1], grid.step / 2.0)
        places = np.stack(np.meshgrid(x[columns[0][:, 0]], y, z[columns[1][0]], indexing="ij"), axis=-1)
        bony = grid(places.reshape(-1, 3)).reshape(places.shape[:3]) < 0.0
        result[columns] = np.where(bony.any(axis=1), y[bony.argmax(axis=1)], np.inf)
    return HeightMap(seen.lower, seen.step, result)


def _sampled(bone: LevelBone) -> DistanceGrid:
    """Return a bone's distance, sampled every millimetre from the middle of its canal backwards."""
    if isinstance(bone.exact, DistanceGrid):
        return bone.exact
    lower = np.floor(bone.surface.vertices.min(axis=0) - MARGIN)
    upper = np.ceil(bone.surface.vertices.max(axis=0) + MARGIN)
    upper[1] = max(bone.landmarks["canal"].origin[1], lower[1] + 2.0 * MARGIN)
    across = bone.surface.vertices[:, 0]
    return sample_distance(bone.distance, lower, upper, 1.0, abs(float(across.min() + across.max())) < 1e-3)


def symmetric(bone: LevelBone) -> bool:
    """Tell whether a bone is the same on both sides of x = 0, but for how finely it is meshed."""
    marks, ends = bone.landmarks, bone.surface.vertices[:, 0]
    pairs = [
        (marks[name].origin, marks[f"{name[:-5]}.right"].origin) for name in marks if name.endswith(".left")
    ]
    return abs(float(ends.min() + ends.max())) < THINNED and all(
        np.abs(left * MIRROR - right).max() < SAME for left, right in pairs
    )


def _evened(seen: Floats, bones: Mapping[Level, LevelBone]) -> Floats:
    """Return what is seen (nx, nz) the same on both sides where the bones are: rays meet edges unevenly."""
    return np.minimum(seen, seen[::-1]) if all(map(symmetric, bones.values())) else seen


def bone_from_behind(bones: Mapping[Level, LevelBone], span: Stations) -> HeightMap:
    """Return the y of the first bone met from behind; +inf where there is none.

    It covers the region's width and length with a margin, one sample a millimetre. The vertebra above the
    first, which is not shown, is taken to repeat it as far above it as it stands above the next.
    """
    extent = measures.table("muscles.extent")
    half, margin = np.ceil(max(half_widths(span))) + extent["map_beside"], extent["map_margin"]
    x = np.arange(-half, half + 1.0)
    z = np.arange(np.floor(span.caudal - margin), np.ceil(span.cranial + margin) + 1.0)
    first, *others = sorted(bones, key=LEVELS.index)
    surfaces = [(bone.surface, np.zeros(3)) for bone in bones.values()]
    if others and first != "C1":
        surfaces.append((bones[first].surface, bones[first].frame.origin - bones[others[0]].frame.origin))
    return HeightMap(np.array([x[0], z[0]]), 1.0, _evened(_met(surfaces, x, z), bones))


def half_widths(span: Stations) -> tuple[float, ...]:
    """Return half the breadth (mm) of the region that soft tissue is shown in, at the stations.

    It is that of the back; a short range is shown in a window that is not much broader than it is high.
    """
    extent = measures.table("muscles.extent")
    window = max(extent["half_width"], extent["breadth"] * (span.cranial - span.caudal))
    return tuple(min(width, window) for width in at_stations(extent["back"], span.names))


def ribs_from_behind(bones: Mapping[Level, LevelBone], seen: HeightMap, size: float = 1.0) -> HeightMap:
    """Return the y of the first rib met from behind, on the samples of ``seen``; +inf where there is none.

    ``size`` is how large the body is beside the mean. Raises KeyError where a costal landmark is missing.
    """
    x, z = seen.plan
    backs = [
        (surface, np.zeros(3))
        for level in bones
        if region_of(level) == "thoracic"
        for side in SIDES
        for surface in _backs(bones, level, side, size)
    ]
    return HeightMap(seen.lower, seen.step, _evened(_met(backs, x[:, 0], z[0]), bones))


def first_met(surfaces: Iterable[Surface], seen: HeightMap) -> HeightMap:
    """Return the y of the first surface met from behind, on the samples of ``seen``; +inf elsewhere."""
    x, z = seen.plan
    return HeightMap(seen.lower, seen.step, _met([(item, np.zeros(3)) for item in surfaces], x[:, 0], z[0]))


def _met(surfaces: Sequence[tuple[Surface, Floats]], x: Floats, z: Floats) -> Floats:
    """Return where (nx, nz) rays from behind first meet one of some surfaces, each moved by a vector."""
    result = np.full((len(x), len(z)), np.inf)
    for surface, shift in surfaces:
        lower, upper = surface.vertices.min(axis=0) + shift, surface.vertices.max(axis=0) + shift
        columns = np.ix_((x >= lower[0]) & (x <= upper[0]), (z >= lower[2]) & (z <= upper[2]))
        if not result[columns].size:
            continue
        scene = EmbreeScene(robust=True)
        TriangleMesh(scene, (surface.vertices + shift).astype(np.float32), np.array(surface.faces))
        start, reach = lower[1] - 1.0, 1.1 * (upper[1] - lower[1]) + 2.0
        across, along = np.meshgrid(x[columns[0][:, 0]], z[columns[1][0]], indexing="ij")
        origins = np.stack([across.ravel(), np.full(across.size, start), along.ravel()], axis=1)
        forward = np.tile(np.array([0.0, 1.0, 0.0], dtype=np.float32), (len(origins), 1))
        limit = np.full(len(origins), reach, dtype=np.float32)
        way = scene.run(origins.astype(np.float32), forward, limit, query="DISTANCE").reshape(across.shape)
        result[columns] = np.minimum(result[columns], np.where(way < 0.99 * reach, start + way, np.inf))
    return result


def _backs(
    bones: Mapping[Level, LevelBone], level: Level, side: Side, size: float
) -> Iterator[Surface]:  # fmt: skip
    """Give a rib's shaft as a tube of its sections, from the neck to its side, and its tubercle as a ball."""
    import trimesh

    from spineviz.anatomy.girdle import rib  # its makers are loaded where there are ribs alone

    own = bones[level]
    above = bones.get(LEVELS[LEVELS.index(level) - 1])
    home = inverse(own.frame)
    upper = above.landmarks.get(f"costal.inferior.{side}") if above is not None else None
    facet = own.landmarks.get(f"costal.transverse.{side}")
    head = rib.head_frame(own.landmarks[f"costal.superior.{side}"], upper).then(home)
    shape = rib.parameters_of(level)
    line = rib.path(shape, _smaller(head, size), _smaller(facet.then(home), size) if facet else None, side)
    until = float(line.along[line.angle + 1])
    s = np.arange(0.0, until, 1.5)
    tangents, outward = (np.array([way(place) for place in s]) for way in (line.tangent, line.outward))
    upward = np.cross(tangents, outward)
    thick, high = line.sections.half(s / line.length, line.share_of_angle)
    turn = np.linspace(0.0, 2.0 * np.pi, AROUND, endpoint=False)
    c, d = (np.sign(f) * np.abs(f) ** (2.0 / shape.shaft_exponent) for f in (np.cos(turn), np.sin(turn)))
    centres = np.stack([np.interp(s, np.linspace(0.0, line.length, len(line.centres)), line.centres[:, k])
                        for k in range(3)], axis=1)  # fmt: skip
    rings = (
        centres[:, None]
        + (thick[:, None] * c)[..., None] * outward[:, None]
        + (high[:, None] * d)[..., None] * upward[:, None]
    )
    index = np.arange(len(s) * AROUND).reshape(len(s), AROUND)
    a, b = index[:-1], index[1:]
    e, f = np.roll(a, -1, axis=1), np.roll(b, -1, axis=1)
    faces = np.vstack([np.stack(corner, axis=-1).reshape(-1, 3) for corner in ((a, b, e), (e, b, f))])
    yield Surface(own.frame.to_parent(size * rings.reshape(-1, 3)), faces)
    if facet is not None and shape.tubercle_radius > 0.0:
        ball = trimesh.creation.icosphere(3, size * shape.tubercle_radius)
        yield Surface(ball.vertices + own.frame.to_parent(size * line.places[1]), ball.faces)


def _smaller(frame: Frame, size: float) -> Frame:
    """Return a frame where it would be in a body of mean size."""
    return Frame(frame.origin / size, frame.axes)
