"""The ligaments of the spine.

Those of L3 to the sacrum that approaches cut are solids (`posterior`); all others are nets laid on bones
and discs (`spinal`).
"""

from spineviz.anatomy.ligament.posterior import ligament_recipes
from spineviz.anatomy.ligament.spinal import neighbours, spinal_ligaments

__all__ = ["ligament_recipes", "neighbours", "spinal_ligaments"]
