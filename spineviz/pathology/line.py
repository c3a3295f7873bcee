"""What every disease that is told in one line has in common: its words, its site, and what is refused how."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import ValidationError

from spineviz.spec import Spec

S = TypeVar("S", bound=Spec)

Words = Mapping[str, Mapping[str, tuple[str, ...]]]
"""What can be said of a disease: by field and value, the words for it."""

Number = tuple[str, re.Pattern[str], Callable[[str], object]]
"""A field, how it is told in numbers, and what becomes of them."""

FILLING = ("a", "an", "and", "at", "by", "grade", "in", "is", "it", "level", "of", "on", "the", "to", "with")
"""Words that say nothing of their own, of any disease."""

FEW = 8
"""So many sites are all named where one is said that is none of them."""

_DISC = re.compile(r"\b([ctls])(\d{1,2})\s*[-/]\s*([ctls]?)(\d{1,2})(?![\d.])")
_LEVEL = re.compile(r"\b([ctls])(\d{1,2})(?![\d.-])")


@dataclass(frozen=True)
class Line:
    """One line that is being read: the ``kind`` of disease, what was said, and what it told so far.

    ``example`` is a line of its kind.
    """

    kind: str
    example: str
    words: str
    told: dict[str, Any]

    def wrong(self, problem: str) -> ValueError:
        """Return the error that tells what is wrong with the line."""
        return ValueError(f"{self.kind} '{self.words}': {problem}")

    def say(self, field: str, value: object) -> None:
        """Take note of what a word tells; raise ValueError where another has told otherwise."""
        if self.told.get(field, value) != value:
            raise self.wrong(f"both {self.told[field]} and {value} are said; say one")
        self.told[field] = value

    def disc(self, said: str, known: tuple[str, ...]) -> str:
        """Take note of the disc that is said, and return the rest; it may be short: ``L4-5``."""
        found = _DISC.search(said)
        if found is None:
            raise self.wrong(f"say the disc, as in '{self.example}'")
        region, above, other, below = found.groups()
        name = f"{region}{above}-{other or region}{below}".upper()
        if not other and name not in known:
            start = f"{region}{above}-".upper()
            short = (disc for disc in known if disc.startswith(start) and disc[len(start) + 1 :] == below)
            name = next(short, name)
        return self._site("disc", name, known, said, found)

    def level(self, field: str, said: str, known: tuple[str, ...]) -> str:
        """Take note of the vertebra that is said, and return the rest."""
        found = _LEVEL.search(said)
        if found is None:
            raise self.wrong(f"say the vertebra, as in '{self.example}'")
        return self._site(field, f"{found[1]}{found[2]}".upper(), known, said, found)

    def _site(self, field: str, name: str, known: tuple[str, ...], said: str, found: re.Match[str]) -> str:
        if name not in known:
            what = "disc" if field == "disc" else "vertebra"
            near = get_close_matches(name, known, 1, 0.0)[0]
            few = f"; there is: {', '.join(known)}" if len(known) <= FEW else ""
            raise self.wrong(f"there is no {what} {name}; nearest: {near}{few}")
        self.say(field, name)
        return said[: found.start()] + " " + said[found.end() :]

    def numbers(self, said: str, patterns: tuple[Number, ...]) -> str:
        """Take note of what is told in numbers, the first of each, and return the rest."""
        for field, pattern, value in patterns:
            found = pattern.search(said)
            if found is not None:
                self.say(field, value(next(group for group in found.groups() if group is not None)))
                said = said[: found.start()] + " " + said[found.end() :]
        return said

    def unknown(self, word: str, known: list[str], listed: Mapping[str, Any]) -> ValueError:
        """Return the error for a word that is not understood, with the nearest one or those there are."""
        near = get_close_matches(word, known, 1, 0.5)
        nearest = f"nearest: {near[0]}" if near else f"there is: {', '.join(listed)}"
        return self.wrong(f"'{word}' is not understood; {nearest}")

    def read(self, said: str, words: Words, filling: tuple[str, ...]) -> None:
        """Take note of what all words of a rest tell, one by one."""
        known = meaning(words)
        for word in said.split():
            if word in known:
                self.say(*known[word])
            elif word not in filling and word not in FILLING:
                raise self.unknown(word, [*known], known)

    def made(self, kind: type[S]) -> S:
        """Return the disease of what was told; raise ValueError with what is possible where it cannot be."""
        try:
            return kind(**self.told)
        except ValidationError as error:
            first = error.errors()[0]
            problem = str(first.get("ctx", {}).get("error", first["msg"]))
            where = ".".join(str(part) for part in first["loc"])
            raise self.wrong(f"{where + ': ' if where else ''}{problem}") from None


def plain(words: str) -> str:
    """Return a line in small letters, with one kind of dash and no other marks."""
    return re.sub(r"[,;:()]", " ", words.casefold().replace("–", "-").replace("—", "-"))


def meaning(words: Words) -> dict[str, tuple[str, str]]:
    """Return the field and the value that each word tells."""
    return {
        word: (field, value)
        for field, table in words.items()
        for value, said in table.items()
        for word in said
    }
