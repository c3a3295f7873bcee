"""The whole body of a scene: parameters resolved, bones stacked, tissues built."""

from spineviz.body.build import build
from spineviz.body.parameters import Anatomy

__all__ = ["Anatomy", "build"]
