"""What every structure of the spine and the back is called: one table of names, ids and other words.

The table stands in ``meshes/terms``; what users read of it, in ``spineviz/locale``.
"""

from spineviz.nomenclature.innervation import Innervation, innervation
from spineviz.nomenclature.naming import baked_names, every_name
from spineviz.nomenclature.search import Found, found, nothing_found
from spineviz.nomenclature.table import Kind, Term, kind_of, kinds, layer_words, parts_of, term_of
from spineviz.nomenclature.titles import display_name, structure_title

__all__ = [
    "Found",
    "Innervation",
    "Kind",
    "Term",
    "baked_names",
    "display_name",
    "every_name",
    "found",
    "innervation",
    "kind_of",
    "kinds",
    "layer_words",
    "nothing_found",
    "parts_of",
    "structure_title",
    "term_of",
]
