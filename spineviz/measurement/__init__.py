"""Measures of a built body, taken on its geometry and never on the parameters that made it.

`measure` gives a `Report`; everything else tells how each number is defined. Lengths are mm, areas mm²,
angles degrees.
"""

from spineviz.measurement.measuring import measure
from spineviz.measurement.report import Displaced, Grade, Report, Row

__all__ = ["Displaced", "Grade", "Report", "Row", "measure"]
