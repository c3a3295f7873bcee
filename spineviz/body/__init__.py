"""The whole body of a scene: parameters resolved, bones stacked, tissues built."""

from spineviz.body.build import build
from spineviz.body.parameters import Anatomy, anatomy

__all__ = ["Anatomy", "anatomy", "build"]
