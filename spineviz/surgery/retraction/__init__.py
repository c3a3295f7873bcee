"""How tissue gives way: by splitting between fascicles around a tube, or by detaching from bone.

Both approaches are closed-form maps of the whole space, so that muscle, fascia, fat and skin move as
one and a surface's shape depends on the amounts alone.
"""

from spineviz.surgery.retraction.blade import Blade, blade
from spineviz.surgery.retraction.docking import dock
from spineviz.surgery.retraction.exposure import expose, interlaminar_window
from spineviz.surgery.retraction.midline import MidlineWound, OpenAmounts
from spineviz.surgery.retraction.parting import PartedTissue, lip, parted, skin_slit
from spineviz.surgery.retraction.terrain import Terrain, terrain
from spineviz.surgery.retraction.tube import TubeAmounts, TubeCorridor
from spineviz.surgery.retraction.variant import opened_variant
from spineviz.surgery.retraction.warp import PartingWarp, parting_warp, surface_warp

__all__ = [
    "Blade",
    "MidlineWound",
    "OpenAmounts",
    "PartedTissue",
    "PartingWarp",
    "Terrain",
    "TubeAmounts",
    "TubeCorridor",
    "blade",
    "dock",
    "expose",
    "interlaminar_window",
    "lip",
    "opened_variant",
    "parted",
    "parting_warp",
    "skin_slit",
    "surface_warp",
    "terrain",
]
