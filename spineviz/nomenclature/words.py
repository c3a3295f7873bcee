"""Words as they are compared: without case, accents and marks, levels in one spelling."""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher

_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth"),
    *("seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"),
)
_REGIONS = {"cervical": "c", "thoracic": "t", "lumbar": "l", "sacral": "s"}
_UNSAID = frozenset({"the", "of", "a", "an", "and", "in", "at", "on", "my"})

ALIKE = 0.78
"""How alike (0..1, the share of letters in common order) two words are that count as one mistyped."""

_SHORTEST = 4
"""Letters below which a word is not taken for a mistyped one."""


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text as they are compared.

    ``Ligamentum flavum L4–L5, left`` gives ligamentum, flavum, l4, l5, left. Levels are recognised as people
    write them: L4/5, L 4, Th12, fifth lumbar, 5th lumbar.
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub(r"\b(fma|uberon|ta2)[:_]?(?=\d)", r"\1 ", plain)
    plain = re.sub(r"\bth(?=\d)", "t", plain)
    plain = re.sub(r"\b([ctls])\s?(\d{1,2})\s*[-–—/]\s*(\d{1,2})\b", r"\1\2 \1\3", plain)
    plain = re.sub(r"\b([ctls])\s(\d{1,2})\b", r"\1\2", plain)
    plain = plain.replace("'", "").replace("’", "")
    found = re.findall(r"[a-z0-9]+", plain)
    return tuple(word for word in _numbered(found) if word not in _UNSAID)


def _numbered(words: list[str]) -> list[str]:
    """Return words in which ``fifth lumbar`` is a level."""
    result: list[str] = []
    for word in words:
        before = result[-1] if result else ""
        number = _number(before)
        if word in _REGIONS and number:
            result[-1:] = [f"{_REGIONS[word]}{number}"]
        else:
            result.append(word)
    return result


def _number(word: str) -> int:
    """Return the number that an ordinal stands for, or 0."""
    if word in _ORDINALS:
        return _ORDINALS.index(word) + 1
    match = re.fullmatch(r"(\d{1,2})(st|nd|rd|th)", word)
    return int(match[1]) if match else 0


def likeness(asked: str, word: str, mistyped: bool) -> float:
    """Return how well a word is met by one that was asked for, 0..1.

    Words with figures (levels, ids) are met exactly or not at all; others by their beginning, in the plural,
    and where ``mistyped`` is allowed, with small typing errors.
    """
    if asked == word:
        return 1.0
    if any(letter.isdigit() for letter in asked + word):
        return 0.0
    if _singular(asked) == _singular(word):
        return 0.97
    if len(asked) >= 3 and word.startswith(asked):
        return 0.7 + 0.2 * len(asked) / len(word)
    if mistyped and min(len(asked), len(word)) >= _SHORTEST and asked[0] == word[0]:
        share = SequenceMatcher(None, asked, word).ratio()
        return 0.65 * share if share >= ALIKE else 0.0
    return 0.0


def _singular(word: str) -> str:
    for ending, instead in (("ies", "y"), ("ae", "a"), ("s", "")):
        if len(word) > len(ending) + 2 and word.endswith(ending):
            return word.removesuffix(ending) + instead
    return word
