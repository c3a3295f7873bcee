"""Interactive 3D spine anatomy: disease, and a small incision beside open surgery.

>>> import spineviz
>>> scene = spineviz.load("herniation_l4l5")  # doctest: +SKIP
>>> scene.render("picture.png", at=12)  # doctest: +SKIP

It informs and teaches; it is not a diagnostic or planning device. World frame: RAS, mm, origin at the
centre of the S1 upper endplate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from spineviz.nomenclature import Found
    from spineviz.pathology import Pathology
    from spineviz.production import Production

__version__ = "0.1.0"
__all__ = [
    "__version__",
    "deformity",
    "degeneration",
    "fracture",
    "herniation",
    "listhesis",
    "load",
    "scenes",
    "stenosis",
    "structures",
]


def load(source: str | Path) -> Production:
    """Return a scene ready to render, animate or show: a shipped scene's name, or a .toml file.

    Raises spineviz.scene.SceneError where the scene is missing or not valid.
    """
    from spineviz.production import Production
    from spineviz.scene import load as load_scene

    return Production(load_scene(source))


def herniation(words: str) -> Production:
    """Return a herniation told in one line, from near by: ``L4-L5 left subarticular extrusion 7mm caudal``.

    See `spineviz.pathology.shorthand`. Raises ValueError with the word that is not understood and the nearest
    one, or with what is possible; so do all that are told in one line.
    """
    from spineviz.pathology import shorthand

    return _shown(shorthand(words))


def stenosis(words: str) -> Production:
    """Return a stenosis told in one line: ``L4-L5 central Schizas C``."""
    from spineviz.pathology import stenosis_shorthand

    return _shown(stenosis_shorthand(words))


def listhesis(words: str) -> Production:
    """Return a slip told in one line: ``L5-S1 isthmic Meyerding II``."""
    from spineviz.pathology import listhesis_shorthand

    return _shown(listhesis_shorthand(words))


def degeneration(words: str) -> Production:
    """Return a worn disc told in one line: ``L4-L5 Pfirrmann IV``."""
    from spineviz.pathology import degeneration_shorthand

    return _shown(degeneration_shorthand(words))


def fracture(words: str) -> Production:
    """Return a fracture told in one line: ``L1 burst A3``."""
    from spineviz.pathology import fracture_shorthand

    return _shown(fracture_shorthand(words))


def deformity(words: str) -> Production:
    """Return a curve of the column told in one line: ``scoliosis 35 left apex L2``."""
    from spineviz.pathology import deformity_shorthand

    return _shown(deformity_shorthand(words))


def _shown(pathology: Pathology) -> Production:
    from spineviz.production import Production
    from spineviz.scene import shown

    return Production(shown(pathology))


def scenes() -> tuple[str, ...]:
    """Return the names of the shipped scenes."""
    from spineviz.scene import names

    return names()


def structures(words: str = "", scene: str | Path | None = None) -> tuple[Found, ...]:
    """Return the structures that are called so, best first: names, ids, tissue, dermatome and myotome.

    Case, accents, word order and small typing errors do not matter: ``yellow ligament``, ``L5 root left``,
    ``sciatic``, ``FMA:13075``. Without words, all there are; with a scene (name or .toml file), those of the
    scene, which is built where it has not been. Nothing found is an empty tuple.

    Raises spineviz.scene.SceneError where the scene is missing or not valid.
    """
    from spineviz.nomenclature import baked_names, found

    return found(words, baked_names() if scene is None else tuple(load(scene).assembly.model.structures))
