"""Finding structures by what people call them: ranked, whatever case, accents and order, and mistyped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from spineviz.locale import text
from spineviz.nomenclature.innervation import innervation
from spineviz.nomenclature.naming import every_name
from spineviz.nomenclature.table import Kind, Term, kind_of, kinds, parts_of, term_of
from spineviz.nomenclature.titles import structure_title
from spineviz.nomenclature.words import likeness, words_of
from spineviz.structure import Message
from spineviz.terms import DISCS, LEVELS, Layer, Tissue, levels_of, region_of

_LEAST = 0.7
"""What is found must be at least this good beside the best."""


@dataclass(frozen=True)
class Found:
    """A structure that a search has found, with everything it is called.

    ``score`` is how well it fits, 0..1; 1 for all where nothing was asked. ``skin`` and ``muscles`` tell the
    dermatome and the myotome of a root, empty for everything else.
    """

    name: str
    title: str
    tissue: Tissue
    layer: Layer
    term: Term
    synonyms: tuple[str, ...]
    paired: bool
    skin: str = ""
    muscles: str = ""
    score: float = 1.0


@dataclass(frozen=True)
class _Phrase:
    words: tuple[str, ...]
    weight: float


@dataclass(frozen=True)
class _Card:
    """What a structure can be found by: phrases, and words that go with any of them."""

    phrases: tuple[_Phrase, ...]
    around: frozenset[str]


def found(words: str, structures: Iterable[str], language: str = "en") -> tuple[Found, ...]:
    """Return which of some structures, given by name, are called so; best first, then in the order given.

    Every word must be met. Small typing errors are forgiven only where nothing is met without them. All
    structures are returned where nothing is asked.

    Raises ValueError for a name that no structure can have.
    """
    names, asked = tuple(structures), words_of(words)
    if not asked:
        return tuple(_told(name, 1.0, language) for name in names)
    for mistyped in (False, True):
        scores = {name: _score(asked, _card(name, language), mistyped) for name in names}
        best = max(scores.values(), default=0.0)
        if best > 0:
            fitting = [name for name in names if scores[name] >= _LEAST * best]
            ranked = sorted(fitting, key=lambda name: -round(scores[name], 2))
            return tuple(_told(name, round(scores[name], 3), language) for name in ranked)
    return ()


def nothing_found(words: str, language: str = "en") -> str:
    """Return a line that helps whoever asked for something that was not found."""
    known = found(words, every_name(), language)
    if known:
        title = _title(kind_of(known[0].name), language).strip(" ,")
        return f"'{words}' is known ({title}), but is not among the structures here"
    near = get_close_matches(" ".join(words_of(words)), list(_spoken(language)), n=3, cutoff=0.5)
    nearest = f"nearest: {', '.join(_spoken(language)[item] for item in near)}"
    return f"nothing is called '{words}'; {nearest if near else 'without words, all are listed'}"


def _told(name: str, score: float, language: str) -> Found:
    kind, skin, muscles = kind_of(name), "", ""
    if kind.name == "root":
        try:
            supply = innervation(name)
            skin, muscles = text(supply.skin(), language), text(supply.muscles(), language)
        except ValueError:  # C1 and the coccygeal nerve have no dermatome in the maps
            pass
    title = text(structure_title(name), language)
    return Found(
        name, title, kind.tissue, kind.layer, term_of(name), _synonyms(kind, name), kind.paired,
        skin, muscles, score,
    )  # fmt: skip


def _synonyms(kind: Kind, name: str) -> tuple[str, ...]:
    place = parts_of(name).place
    return (*(words for words, places in kind.groups.items() if place in places), *kind.synonyms)


def _score(asked: Sequence[str], card: _Card, mistyped: bool) -> float:
    """Return how well a structure is what was asked for, 0..1; 0 unless every word is met."""
    return max(
        (phrase.weight * _fit(asked, phrase.words, card.around, mistyped) for phrase in card.phrases),
        default=0.0,
    )


def _fit(asked: Sequence[str], words: Sequence[str], around: frozenset[str], mistyped: bool) -> float:
    """Return how well a phrase is met: how like its words are, and how much of it was said."""
    likes, met = [], set()
    for word in asked:
        best, place = max(
            ((likeness(word, other, mistyped), index) for index, other in enumerate(words)),
            default=(0.0, -1),
        )
        beside = max((likeness(word, other, mistyped) for other in around), default=0.0)
        if max(best, beside) == 0:
            return 0.0
        if best >= beside:
            met.add(place)
        likes.append(max(best, beside))
    if not met:
        return 0.0
    own = [index for index, word in enumerate(words) if word not in around or index in met]
    return (sum(likes) / len(likes)) * (0.55 + 0.45 * len(met) / len(own))


@cache
def _card(name: str, language: str) -> _Card:
    kind, parts = kind_of(name), parts_of(name)
    term = term_of(name)
    title = text(structure_title(name), language)
    around = {*words_of(parts.place), *words_of(parts.side), *_region_words(kind, parts.place)}
    calls = [(title, 1.0), (name, 1.0), (term.latin, 0.97), (kind.latin, 0.97)]
    calls += [(synonym, 0.95) for synonym in _synonyms(kind, name)]
    calls += [(kind.tissue, 0.75), (kind.layer, 0.75), (parts.place, 0.7), (parts.side, 0.7)]
    calls += [(word, 0.7) for word in _region_words(kind, parts.place)]
    calls += [(term.fma, 1.0), (term.uberon, 1.0), (f"TA2 {term.ta2}" if term.ta2 else "", 1.0)]
    phrases = {_Phrase(words, weight) for call, weight in calls if (words := words_of(call))}
    return _Card(tuple(phrases), frozenset(around))


def _region_words(kind: Kind, place: str) -> tuple[str, ...]:
    """Return the regions of the spine a structure belongs to; the sacral one is told apart here."""
    if kind.region:
        return kind.region
    above = next((levels_of(disc)[0] for disc in DISCS if disc == place), None)
    level = above or next((level for level in LEVELS if level == place), None)
    if level is not None:
        return ("sacral",) if level in ("S1", "Co1") else (region_of(level),)
    return {"C8": ("cervical",), "S": ("sacral",)}.get(place if place == "C8" else place[:1], ())


@cache
def _spoken(language: str) -> dict[str, str]:
    """Return everything that can be asked for, without level and side, by its words."""
    result: dict[str, str] = {}
    for kind in kinds().values():
        calls = [*kind.synonyms, *kind.groups, kind.latin, _title(kind, language)]
        for call in (item.strip(" ,") for item in calls if item):
            result.setdefault(" ".join(words_of(call)), call)
    return result


def _title(kind: Kind, language: str) -> str:
    """Return what a kind is called without level and side; bones are called one by one."""
    if kind.pattern == "{level}":
        return kind.name
    nothing = tuple((name, "") for name in ("level", "side", "end"))
    return text(Message(kind.key, nothing), language)
