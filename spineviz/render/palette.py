"""The few colours of words and lines, red, green, blue 0..255."""

from __future__ import annotations

from spineviz.render.strokes import Ink

INK: Ink = (24, 32, 40)
FAINT: Ink = (92, 104, 115)
PALE: Ink = (205, 212, 218)
HAIRLINE: Ink = (214, 220, 225)
BAND: Ink = (248, 250, 251)
WHITE: Ink = (255, 255, 255)
ACCENT: Ink = (12, 88, 118)
SECOND: Ink = (190, 92, 22)
"""The second of two curves; the first is drawn in the accent."""
ALERT: Ink = (178, 12, 74)
"""For what is diseased: the colour of displaced disc, darkened for letters."""
