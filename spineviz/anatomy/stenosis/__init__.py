"""Narrowing of the canal, a recess or a foramen: what grows into it, and how what lies in it gives way."""

from spineviz.anatomy.stenosis.narrowing import Causes, Narrowing, Place

__all__ = ["Causes", "Narrowing", "Place"]
