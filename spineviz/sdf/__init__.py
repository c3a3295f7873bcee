"""Implicit solids: signed distance fields, how they are joined, and the mesher. Knows no anatomy."""

from spineviz.sdf.loft import Loft
from spineviz.sdf.mesher import mesh
from spineviz.sdf.solid import Field, Solid, smooth_difference, smooth_intersection, smooth_union

__all__ = ["Field", "Loft", "Solid", "mesh", "smooth_difference", "smooth_intersection", "smooth_union"]
