"""What is usual for a vertebra's measures, how far people differ, and what stature and sex change.

All numbers stand in ``meshes/measures/calipers.toml``; measures are those of `morphometry.calipers`,
millimetres and degrees. Only standard deviations of a population count as spread, never errors of a mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np

from spineviz import measures
from spineviz.anatomy.morphometry.caliper_parts import PARTS
from spineviz.anatomy.morphometry.calipers import MEASURES, unit
from spineviz.structure import Floats

Sex = Literal["female", "male"]


def levels() -> tuple[str, ...]:
    """Return the vertebral levels, from above, whose usual measures are known."""
    return tuple(measures.table("calipers.recommended"))


def recommended(level: str) -> dict[str, float]:
    """Return the usual measures of an adult's vertebra, as far as they are known (model values).

    Raises ValueError for a level that has none.
    """
    if level not in levels():
        raise ValueError(f"no measures are known for {level!r}; choose one of: {', '.join(levels())}")
    return measures.table(f"calipers.recommended.{level}")


def unmeasured(level: str) -> set[str]:
    """Return the measures that nobody can ask for at a level.

    Those whose usual value is not known, and those that a caliper does not take truly on its bone
    (``thoracic_rows.unmeasured`` tells why).
    """
    unknown = set(MEASURES) - set(recommended(level)) if level in levels() else set()
    return unknown | set(measures.table("thoracic_rows.unmeasured").get(level, {}))


def usual(level: str, name: str) -> float:
    """Return the usual value of one measure at a level; ValueError where none is known."""
    known = recommended(level)
    if name not in known:
        raise ValueError(f"{level}: the usual {name} is not known; known are: {', '.join(known)}")
    return known[name]


def spread(level: str, name: str) -> float:
    """Return the standard deviation of a measure among people of one sex (mm or degrees).

    Where no source tells it, a usual part of the usual value, or usual degrees (model values).
    """
    published = measures.table("calipers.deviation").get(name, {})
    if level in published:
        return float(published[level])
    usually = float(measures.value(f"calipers.usual_deviation.{name}"))
    return usually if unit(name) == "degrees" else usually * usual(level, name)


def allowed(level: str, name: str) -> tuple[float, float]:
    """Return the least and the greatest value (mm or degrees) that a human vertebra may have.

    Four standard deviations to both sides of the usual value; a length is no less than 40 % of it.
    """
    limits = measures.table("calipers.range")
    middle, reach = usual(level, name), limits["deviations"] * spread(level, name)
    least = -np.inf if unit(name) == "degrees" else limits["least_share"] * middle
    return round(max(middle - reach, least), 1), round(middle + reach, 1)


def scaled(
    values: Mapping[str, float], level: str, stature: float | None = None, sex: Sex | None = None
) -> dict[str, float]:
    """Return a level's measures for a person of some stature (m) and sex; both may be left open.

    Lengths follow stature allometrically. Where sources tell men from women, a person of the mean stature of
    the sex has its mean measure: the ratio of the sexes is shared evenly around the given values, which stand
    for both. Angles stay, but the wedge differs between the sexes and moves the heights of the body with it.

    Raises ValueError for a stature that no adult has, and for an unknown sex.
    """
    if sex is not None and sex not in get_args(Sex):
        raise ValueError(f"no sex {sex!r}; choose one of: {', '.join(get_args(Sex))}, or leave it open")
    known = measures.table("calipers.stature")
    low, high = known["range"]
    if stature is not None and not low <= stature <= high:
        raise ValueError(
            f"a stature of {stature:g} m is not an adult's; the allowed range is {low} to {high} m"
        )
    ratios = measures.table("calipers.man_to_woman")
    result = dict(values)
    for name in values:
        if unit(name) == "degrees":
            continue
        ratio = ratios.get(name, {}).get(level) if sex else None
        middle = known[sex] if sex and ratio else known["reference"]
        tall = stature if stature is not None else known[sex or "reference"]
        power = known["exponent"].get(name, known["exponent"]["usual"])
        between = (ratio or 1.0) ** (0.5 if sex == "male" else -0.5)
        result[name] = float(values[name] * between * (tall / middle) ** power)
    return _wedged(result, level, sex)


def _wedged(values: dict[str, float], level: str, sex: Sex | None) -> dict[str, float]:
    """Return measures with the wedge of a sex, and the heights of the body that it comes from."""
    apart = measures.table("calipers.man_minus_woman.wedge").get(level)
    needed = ("wedge", "body_height_anterior", "body_height_posterior", "endplate_depth_superior")
    if sex is None or apart is None or not set(needed) <= set(values):
        return values
    more = apart / 2.0 if sex == "male" else -apart / 2.0
    rise = float(np.tan(np.radians(more)) * values["endplate_depth_superior"] / 2.0)
    return values | {
        "wedge": values["wedge"] + more,
        "body_height_anterior": values["body_height_anterior"] - rise,
        "body_height_posterior": values["body_height_posterior"] + rise,
    }


def in_proportion(
    values: Mapping[str, float], here: Mapping[str, float], there: Mapping[str, float]
) -> dict[str, float]:
    """Return measures that differ from ``values`` as the usual ones differ ``there`` from ``here``.

    Lengths change in proportion, angles by the difference; the wedge is left out, it follows from the heights
    of the body. So a level is predicted from a neighbour, or from the mean of two, whatever the bone's size.
    """
    return {
        name: value * there[name] / here[name] if unit(name) == "mm" else value + there[name] - here[name]
        for name, value in values.items()
        if name in here and name in there and name != "wedge"
    }


def deviates(seed: int, asked: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return how far one person's measures lie from the mean, in standard deviations, by level and measure.

    Each is made of the person's size (lengths only), of the part of the bone and of the measure, both alike
    at neighbouring levels, and of the level alone. Measures that go together, as the heights of a body in
    front and behind, resemble each other. A seed gives the same person whichever levels are asked.
    """
    known, order = {level: recommended(level) for level in asked}, levels()
    weights = measures.table("calipers.variation")
    generator = np.random.default_rng(seed)
    size = generator.standard_normal()
    rows: dict[str, dict[str, float]] = {level: {} for level in asked}
    singles: dict[str, Floats] = {}
    for _, names in PARTS.values():
        part = _along(generator, len(order), weights["neighbour_correlation"])
        for name in names:
            singles[name] = _along(generator, len(order), weights["neighbour_correlation"])
            for mate, likeness in weights["together"].get(name, {}).items():
                singles[name] = likeness * singles[mate] + np.sqrt(1.0 - likeness**2) * singles[name]
            alone = generator.standard_normal(len(order))
            whole = generator.standard_normal() if unit(name) == "degrees" else size
            total = weights["size"] * whole + weights["part"] * part
            total = total + weights["measure"] * singles[name] + weights["level"] * alone
            total = np.clip(total, -weights["greatest"], weights["greatest"])
            for level in asked:
                if name in known[level]:
                    rows[level][name] = float(total[order.index(level)])
    return rows


def _along(generator: np.random.Generator, count: int, correlation: float) -> Floats:
    """Return standard normal numbers along the spine, neighbours correlated."""
    result = generator.standard_normal(count)
    for i in range(1, count):
        result[i] = correlation * result[i - 1] + np.sqrt(1.0 - correlation**2) * result[i]
    return result


def variation(seed: int, asked: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return one person's lengths as multiples of the usual ones, by level and measure."""
    return {
        level: {
            name: 1.0 + deviate * spread(level, name) / usual(level, name)
            for name, deviate in row.items()
            if unit(name) == "mm"
        }
        for level, row in deviates(seed, asked).items()
    }


def varied(values: Mapping[str, Mapping[str, float]], seed: int) -> dict[str, dict[str, float]]:
    """Return measures by level with one person's natural variation: lengths scaled, angles moved.

    The wedge is left out: it follows from the two heights of the body.
    """
    factors, rows = variation(seed, tuple(values)), deviates(seed, tuple(values))
    result: dict[str, dict[str, float]] = {}
    for level, measured in values.items():
        result[level] = {
            name: value * factors[level].get(name, 1.0)
            if unit(name) == "mm"
            else value + rows[level].get(name, 0.0) * spread(level, name)
            for name, value in measured.items()
            if name != "wedge"
        }
    return result
